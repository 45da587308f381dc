"""When ruff checks the format, and when another formatter does."""

import pytest


def test_ruff_is_not_the_formatter_of_a_package_that_configures_black(checkout):
    checks = checkout({"pyproject.toml": "[tool.ruff]\n[tool.black]\n", "a.py": ""}).checks

    assert (checks["python-format"].missing, checks["python-lint"].missing) == ("black", "ruff")


@pytest.mark.parametrize(
    "sign",
    [
        {"pyproject.toml": "[tool.ruff.format]\nquote-style = 'single'\n"},
        {"pyproject.toml": "[tool.ruff]\nformat.quote-style = 'single'\n"},
        {"ruff.toml": "[format]\n"},
        {".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: ruff-format\n"},
        {"Makefile": "format:\n\tuvx ruff@0.14.0 format .\n"},
        {"Makefile": "check:\n\t$(RUFF) format --check\n"},
        {"justfile": "fmt:\n  ruff format\n"},
        {"Taskfile.yml": "tasks: {fmt: {cmds: [ruff format]}}\n"},
        {"tox.ini": "[testenv:fmt]\ncommands = ruff format --check\n"},
        {"noxfile.py": "session.run('ruff', 'format', '--check')\n"},
        {"package.json": '{"scripts": {"fmt": "ruff format"}}'},
        {".github/workflows/ci.yaml": "jobs: {x: {steps: [{run: uv run ruff format --check .}]}}\n"},
    ],
)
@pytest.mark.parametrize("folder", ["", "svc/"])
def test_ruff_checks_the_format_where_something_tells_that_the_team_formats_with_it(checkout, sign, folder):
    files = {f"{folder}pyproject.toml": "[tool.ruff]\n", f"{folder}a.py": "", **sign}

    assert f"{folder}pyproject.toml::python-format" in {check.id for check in checkout(files).all_checks}


@pytest.mark.parametrize(
    "no_sign",
    [
        {},
        {"Makefile": "lint:\n\truff check .\n# we tried ruff format\n"},
        {".pre-commit-config.yaml": "repos:\n- hooks:\n  - id: ruff\n"},
        {"other/Makefile": "format:\n\truff format\n"},
    ],
)
def test_who_only_lints_with_ruff_is_not_told_to_format_with_it(checkout, no_sign):
    files = {"svc/pyproject.toml": "[tool.ruff]\n", "svc/a.py": "", **no_sign}

    assert list(checkout(files).checks) == ["python-lint"]


@pytest.mark.parametrize("above", [{"ruff.toml": ""}, {"pyproject.toml": "[tool.ruff.lint]\n"}])
def test_ruffs_configuration_above_a_package_is_its_own_as_well(checkout, above):
    made = checkout({**above, "svc/pyproject.toml": "", "svc/a.py": ""})

    assert "svc/pyproject.toml::python-lint" in {check.id for check in made.all_checks}
