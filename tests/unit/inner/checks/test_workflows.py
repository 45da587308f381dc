"""Workflows. What is read out of actionlint's output was printed by actionlint 1.7."""

import json

import pytest

WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo\n"


def places(findings):
    return [str(finding) for finding in findings]


def looked(bench, text):
    return bench.checks({".github/workflows/a.yml": text})["workflows-syntax"].look().findings


def test_a_workflow_that_can_be_read_passes(bench):
    assert looked(bench, WORKFLOW) == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("on: push\njobs:\n  a: [\n", "3:1: yaml: is no valid YAML"),
        ("on: push\njobs: {a: b: c}\n", "2:12: yaml: is no valid YAML"),
        ("on: push\n", "1: jobs: expected a mapping `jobs`"),
        ("- a\n", "1: yaml: expected a mapping at the top, found list"),
        ("", "1: yaml: expected a mapping at the top, found NoneType"),
    ],
)
def test_a_workflow_that_cannot_be_read_fails_at_its_place(bench, text, place):
    assert places(looked(bench, text))[0].startswith(f".github/workflows/a.yml:{place}")


def test_only_workflows_of_the_checkout_itself_count(bench):
    files = {"sub/.github/workflows/a.yml": "", ".github/workflows/README.md": "", ".github/a.yml": ""}

    assert bench.checks(files, "actionlint") == {}


def test_actionlint_runs_where_it_is_installed_and_asks_no_other_linters(bench):
    files = {".github/workflows/a.yml": WORKFLOW}

    assert list(bench.checks(files)) == ["workflows-syntax"]
    check = bench.checks(files, "actionlint")["workflows-lint"]
    assert {"-shellcheck=", "-pyflakes="} <= set(check.argv)


def test_actionlint_is_missed_where_it_is_configured(bench):
    files = {".github/workflows/a.yml": WORKFLOW, ".github/actionlint.yaml": ""}

    assert bench.checks(files)["workflows-lint"].missing == "actionlint"


def test_findings_of_actionlint_have_a_place_and_a_rule(bench):
    check = bench.checks({".github/workflows/b.yml": WORKFLOW}, "actionlint")["workflows-lint"]
    found = {
        "message": "undefined variable",
        "filepath": "./b.yml",
        "line": 6,
        "column": 23,
        "kind": "expression",
    }

    outcome = bench.judge(check, json.dumps([found]), code=1)

    assert places(outcome.findings) == [".github/workflows/b.yml:6:23: expression: undefined variable"]
