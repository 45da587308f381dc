"""Which checks there are for a package, and what is read out of their tools' output."""

import json
from pathlib import Path

import pytest

from gatehouse.core.processes import Completed
from gatehouse.inner.checks import LANGUAGES, checks_for
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.discover import discover
from gatehouse.inner.judge import judge
from gatehouse.inner.model import Outcome


@pytest.fixture
def checks(tmp_path):
    """Makes files below a root and gives the checks for them by name; no tool is on the PATH."""

    def make(files, tools=()):
        (tmp_path / "bin").mkdir()
        for tool in tools:
            (tmp_path / "bin" / tool).write_text("")
            (tmp_path / "bin" / tool).chmod(0o755)
        root = tmp_path / "checkout"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = checks_for(discover(root, files, LANGUAGES), Tools(str(tmp_path / "bin"), tmp_path / "cache"))
        return {check.name: check for check in found}

    return make


def done(check, stdout="", stderr="", code=0, **more):
    return Completed(check.argv, code, stdout, stderr, 0.1, **more)


def result(check, *arguments, **keywords):
    return judge(check, done(check, *arguments, **keywords), timeout=60)


def places(outcome):
    return [str(finding) for finding in outcome.findings]


GO = {
    "m/go.mod": "module x",
    "m/a.go": "package x",
    "m/sub/a_test.go": "package sub",
    "m/a_test.go": "package x",
}


# --- Python ---


def test_tools_that_are_configured_are_checks_and_others_are_not(checks):
    files = {"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n", "a.py": "", "tests/test_a.py": ""}

    assert list(checks(files, ("ruff", "mypy"))) == [
        "python-format",
        "python-lint",
        "python-types",
        "python-test",
    ]


def test_without_configuration_only_tests_are_run(checks):
    assert list(checks({"setup.py": "", "tests/test_a.py": ""})) == ["python-test"]


def test_a_package_without_tests_is_not_tested(checks):
    assert checks({"pyproject.toml": "", "a.py": ""}) == {}


def test_a_configured_tool_that_is_absent_is_not_installed(checks):
    assert checks({"pyproject.toml": "[tool.ruff]", "a.py": ""})["python-lint"].missing == "ruff"


def test_integration_tests_are_left_to_their_own_phase_where_the_marker_is_registered(checks):
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["integration: slow", "cluster(name): needs one"]\n',
        "test_a.py": "",
    }

    argv = checks(files)["python-test"].argv

    assert argv[argv.index("-m", 2) + 1] == "not integration and not cluster"


def test_an_interpreter_beside_the_package_is_used(checks):
    files = {"svc/pyproject.toml": "", "svc/test_a.py": "", ".venv/bin/python": ""}

    check = checks(files)["python-test"]

    assert check.argv[0] == str(check.package.root / ".venv/bin/python")
    assert check.env == {}


def test_a_broken_pyproject_fails_with_its_place(checks):
    check = checks({"pyproject.toml": "[tool", "test_a.py": ""})["python-manifest"]

    assert places(result(check, code=1))[0].startswith("pyproject.toml: pyproject.toml: cannot be read")


def test_ruffs_findings_have_a_place_and_a_rule(checks):
    check = checks({"pyproject.toml": "[tool.ruff]", "a.py": ""}, ("ruff",))["python-lint"]
    filename = str(check.package.root / "a.py")
    output = json.dumps(
        [{"filename": filename, "message": "unused", "location": {"row": 1, "column": 8}, "code": "F401"}]
    )

    assert places(result(check, output, code=1)) == ["a.py:1:8: F401: unused"]


def test_mypys_errors_are_findings_and_its_notes_are_not(checks):
    check = checks({"pyproject.toml": "[tool.mypy]", "a.py": ""}, ("mypy",))["python-types"]

    outcome = result(check, "a.py:1: error: Name x  [name-defined]\na.py:2: note: see\n", code=1)

    assert places(outcome) == ["a.py:1: error: Name x  [name-defined]"]


@pytest.mark.parametrize(
    "line",
    ["Would reformat: a.py", "a.py:1:1: unformatted: File would be reformatted"],
    ids=["up to ruff 0.16", "from ruff 0.17 on"],
)
def test_files_that_are_not_formatted_are_named(checks, line):
    check = checks({"pyproject.toml": "[tool.ruff]", "a.py": ""}, ("ruff",))["python-format"]

    assert places(result(check, f"{line}\n1 file would be reformatted\n", code=1)) == [
        "a.py: format: is not formatted; run ruff format"
    ]


JUNIT = """<testsuites><testsuite><testcase name="test_a" file="tests/test_a.py" line="3">
<failure message="assert 1 == 2">tests/test_a.py:5: in test_a\n    assert one() == 2\nE   assert 1 == 2</failure>
</testcase><testcase name="test_b" file="tests/test_a.py" line="9"><skipped/></testcase></testsuite></testsuites>"""


def test_a_failing_python_test_is_placed_at_its_deepest_line_in_the_checkout(checks):
    check = checks({"pyproject.toml": "", "tests/test_a.py": "\n" * 10})["python-test"]
    report = Path(next(part for part in check.argv if part.startswith("--junitxml=")).split("=", 1)[1])
    report.parent.mkdir(parents=True)
    report.write_text(JUNIT)

    outcome = result(check, code=1)

    assert places(outcome) == ["tests/test_a.py:5: test_a: assert 1 == 2"]


def test_python_tests_that_were_all_deselected_are_no_pass(checks):
    check = checks({"pyproject.toml": "", "test_a.py": ""})["python-test"]

    outcome = result(check, "no tests ran", code=5)

    assert (outcome.outcome, outcome.reason) == (
        Outcome.FAILED,
        "no test was selected, although there are test files",
    )


# --- every check ---


def test_a_failing_exit_code_is_never_a_pass_even_when_nothing_could_be_read(checks):
    outcome = result(checks(GO)["go-vet"], "", "something unheard of\n", 3)

    assert (outcome.outcome, outcome.reason) == (Outcome.FAILED, "exit code 3")
    assert "something unheard of" in outcome.output


def test_a_check_over_its_limit_says_so(checks):
    check = checks(GO)["go-vet"]

    outcome = judge(check, done(check, code=None, timed_out=True), timeout=60)

    assert outcome.reason == "did not end within 60 s and was ended"


def test_a_check_that_leaves_processes_behind_is_no_pass(checks):
    outcome = result(checks(GO)["go-vet"], left_behind=("sleep 60",))

    assert "left processes behind" in outcome.reason
