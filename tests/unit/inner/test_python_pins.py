"""Versions of linters that a checkout pins: what another version complains of is no fault of the package."""

import json

import pytest

from gatehouse.inner.items import not_installed
from gatehouse.inner.model import Outcome
from tests.support.inner_checks import Checkout, result

RUFF = "[tool.ruff]\n"
COMMIT = "73b0f6d59bbfcb75e17a4653d581c9dfaca13969"
HOOKS = (
    "repos:\n  - repo: https://github.com/astral-sh/ruff-pre-commit\n    rev: {}\n    hooks: [{{id: ruff}}]\n"
)
PINS = {
    "a tag of pre-commit": {".pre-commit-config.yaml": HOOKS.format("v0.12.5")},
    "a frozen commit of pre-commit": {
        ".pre-commit-config.yaml": HOOKS.format(f"{COMMIT}  # frozen: v0.12.5")
    },
    "a requirement": {"svc/requirements-dev.txt": "pytest\nruff==0.12.5\n"},
    "a lockfile": {"svc/uv.lock": '[[package]]\nname = "ruff"\nversion = "0.12.5"\n'},
    "a dependency group": {"svc/pyproject.toml": f"{RUFF}[dependency-groups]\ndev = ['ruff == 0.12.5']\n"},
}


@pytest.fixture
def lint(tmp_path):
    """The check `python-lint` of `svc`, on a machine whose ruff lies in an environment beside the checkout."""

    def make(files, version="0.17.6"):
        made = Checkout(tmp_path, {"svc/pyproject.toml": RUFF, "svc/a.py": "", **files}, ("ruff",))
        if version:
            (tmp_path / f"lib/python3.11/site-packages/ruff-{version}.dist-info").mkdir(parents=True)
        return made.checks["python-lint"]

    return make


def complaint(check, code="F401"):
    found = {"filename": str(check.package.path / "a.py"), "message": "Unused import", "code": code}
    return result(check, json.dumps({**found, "location": {"row": 3, "column": 1}}), code=1)


@pytest.mark.parametrize("pin", PINS)
def test_what_another_version_than_the_pinned_one_finds_is_no_fault_of_the_package(lint, pin):
    outcome = complaint(lint(PINS[pin]))

    error = str(not_installed(outcome))
    assert outcome.outcome is Outcome.NOT_INSTALLED
    assert "ruff 0.12.5, which " in error
    assert "svc/a.py:3:1: F401: Unused import" in error
    assert "install ruff==0.12.5 into the package's environment; ruff 0.17.6 ran" in error


@pytest.mark.parametrize(
    "version", ["0.12.5", None], ids=["the pinned version", "a version that nobody knows"]
)
def test_what_the_tool_finds_is_a_fault_where_it_is_not_known_to_be_another_version(lint, version):
    assert complaint(lint(PINS["a requirement"], version)).outcome is Outcome.FAILED


@pytest.mark.parametrize("requirement", ["ruff>=0.12", "ruff==0.12.*", "ruff-api==0.12.5", "ruff"])
def test_a_range_of_versions_pins_none(lint, requirement):
    assert complaint(lint({"svc/requirements.txt": f"{requirement}\n"})).outcome is Outcome.FAILED


def test_a_syntax_error_is_a_fault_whatever_version_says_so(lint):
    assert complaint(lint(PINS["a requirement"]), "invalid-syntax").outcome is Outcome.FAILED


def test_what_another_version_lets_pass_is_a_pass(lint):
    assert result(lint(PINS["a requirement"])).outcome is Outcome.PASSED


def test_the_tool_of_the_packages_own_environment_is_the_one_it_means(lint):
    own = {f"svc/.venv/bin/{name}": "" for name in ("python", "ruff")}

    assert complaint(lint({**PINS["a requirement"], **own})).outcome is Outcome.FAILED
