"""What Go and golangci-lint say is wrong, or is not on this machine."""

import json

import pytest

from gatehouse.inner.model import Outcome
from tests.support.go_modules import FILES
from tests.support.inner_checks import places, result

#: What Go says about a module that it may not fetch.
OFF = "module lookup disabled by GOPROXY=off"


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (f"a.go:3:8: example.org/y@v1.0.0: {OFF}", "the Go module example.org/y@v1.0.0"),
        (f"go: downloading example.org/y v1.0.0\na.go:2:8: {OFF}", "the Go module example.org/y@v1.0.0"),
        ("go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)", "Go 1.99"),
        ('# runtime/cgo\ncgo: C compiler "gcc" not found: exec: "gcc": not found in $PATH', "the C compiler gcc"),
    ],
)  # fmt: skip
def test_what_go_does_not_find_on_this_machine_is_not_installed(checkout, said, missing):
    check = checkout(FILES).checks["go-vet"]

    outcome = result(check, "", said, 1)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, f"{missing} is not installed")
    assert check.how_to_install == "run `go mod download` in m"


def test_golangci_lints_issues_have_place_and_linter(checkout):
    check = checkout(FILES | {".golangci.yml": ""}, ("go", "gofmt", "golangci-lint")).checks["go-lint"]
    issue = {
        "FromLinter": "errcheck",
        "Text": "unchecked",
        "Pos": {"Filename": "a.go", "Line": 3, "Column": 9},
    }

    outcome = result(check, json.dumps({"Issues": [issue], "Report": {}}) + "\n1 issues:\n", code=1)

    assert places(outcome) == ["m/a.go:3:9: errcheck: unchecked"]


def test_what_the_compiler_says_through_golangci_lint_has_its_own_place(checkout):
    check = checkout(FILES | {".golangci.yml": ""}, ("go", "golangci-lint")).checks["go-lint"]
    text = ": # example.org/m\n./a.go:3:37: syntax error: unexpected }, expected expression"
    issue = {"FromLinter": "typecheck", "Text": text, "Pos": {"Filename": "a.go", "Line": 1}}

    assert places(result(check, json.dumps({"Issues": [issue]}), code=1)) == [
        "m/a.go:3:37: syntax error: unexpected }, expected expression"
    ]


@pytest.mark.parametrize(("option", "version"), [("--output.json.path", "2"), ("--out-format", "1")])
def test_golangci_lint_of_another_main_version_than_its_configuration_is_not_installed(
    checkout, option, version
):
    check = checkout(FILES | {".golangci.yml": ""}, ("go", "golangci-lint")).checks["go-lint"]

    outcome = result(check, "", f"Error: unknown flag: {option}\n", 3)

    assert outcome.outcome is Outcome.NOT_INSTALLED
    assert outcome.reason.startswith(
        f"golangci-lint {version}, for which the configuration is written, is not"
    )
