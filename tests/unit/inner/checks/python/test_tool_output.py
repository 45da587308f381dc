"""What linters, formatters and type checkers of Python print."""

import pytest

from gatehouse.inner.model import Outcome
from tests.support.inner_checks import places, result


def test_mypys_errors_are_findings_with_their_codes_and_notes_are_not(package):
    text = 'src/own/a.py:1:2: error: Name "x" is not defined  [name-defined]\nsrc/own/a.py:2:1: note: see\n'

    outcome = result(package.checks["python-types"], text, code=1)

    assert places(outcome) == ['src/own/a.py:1:2: name-defined: Name "x" is not defined']


ABSENT = 'a.py:1:1: error: Cannot find implementation or library stub for module named "requests"  [import-not-found]\n'


def test_imports_that_are_only_not_installed_are_no_type_errors(package):
    check = package.checks["python-types"]
    other = "src/own/a.py:2:9: error: Incompatible types  [assignment]\n"

    assert result(check, ABSENT, code=1).outcome is Outcome.NOT_INSTALLED
    assert places(result(check, ABSENT + other, code=1)) == [
        "src/own/a.py:2:9: assignment: Incompatible types"
    ]


def test_imports_that_ty_does_not_find_because_they_are_not_installed_are_no_errors(checkout):
    text = '[project]\ndependencies = ["requests"]\n[tool.ty]\n'
    check = checkout({"pyproject.toml": text, "a.py": "\n"}, ("ty",)).checks["python-ty"]
    said = "a.py:1:8: error[{0}] Cannot resolve imported module `{1}`\n"

    absent = result(check, said.format("import-not-found", "requests"), code=1)
    unknown = result(check, said.format("unresolved-import", "reqeusts"), code=1)

    assert (absent.outcome, absent.reason) == (
        Outcome.NOT_INSTALLED,
        "the Python package requests is not installed",
    )
    assert places(unknown) == ["a.py:1:8: unresolved-import: Cannot resolve imported module `reqeusts`"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("error: cannot format {0}: Cannot parse: 2:5: y = (\n", "a.py:2:5: syntax: y = ("),
        (
            "error: cannot parse: {0}:2:5\n    y = (\n        ^\nTokenError: Unexpected EOF\n",
            "a.py:2:5: syntax: TokenError: Unexpected EOF",
        ),
        (
            "error: cannot parse: {0}:2:0\n      y = 2\n    ^\nParseError: bad input\n",
            "a.py:2: syntax: ParseError: bad input",
        ),
    ],
)
def test_a_file_that_black_cannot_parse_is_placed_whatever_its_version(checkout, text, place):
    check = checkout({"pyproject.toml": "[tool.black]", "a.py": "\n"}, ("black",)).checks["python-format"]

    assert places(result(check, "", text.format(check.package.path / "a.py"), 123)) == [place]


@pytest.mark.parametrize("line", ['{"a": 1}', "{", "\x1b[31mred\x1b[0m", ""])
def test_output_of_another_kind_is_no_finding_and_no_pass(package, line):
    outcome = result(package.checks["python-lint"], line, code=1)

    assert (outcome.outcome, outcome.findings) == (Outcome.FAILED, ())


def test_pyrights_diagnostics_count_from_one(checkout):
    check = checkout({"pyproject.toml": "[tool.pyright]", "a.py": "\n"}, ("pyright",)).checks[
        "python-pyright"
    ]
    text = (
        '{"generalDiagnostics": [{"file": "a.py", "severity": "error", "message": "bad", "rule": "reportX",'
        ' "range": {"start": {"line": 0, "character": 4}}}, {"file": "a.py", "severity": "warning"}]}'
    )

    assert places(result(check, text, code=1)) == ["a.py:1:5: reportX: bad"]


def test_flake8s_and_tys_lines_are_findings(checkout):
    files = {"pyproject.toml": "[tool.ty]", ".flake8": "", "a.py": "\n"}
    checks = checkout(files, ("flake8", "ty")).checks

    assert places(result(checks["python-lint"], "./a.py:1:80: E501 line too long\n", code=1)) == [
        "a.py:1:80: E501: line too long"
    ]
    assert places(
        result(checks["python-ty"], "a.py:1:5: error[unresolved-reference] Name `x`\n", code=1)
    ) == ["a.py:1:5: unresolved-reference: Name `x`"]
