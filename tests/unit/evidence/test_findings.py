"""Findings of checks as SARIF and as GitHub's workflow commands."""

from gatehouse.evidence.annotations import github_annotations
from gatehouse.evidence.results import Attempt, RunResults, Status, TestResult
from gatehouse.evidence.sarif import render_sarif


def results(*findings, status=Status.FAILED):
    test = TestResult("svc/go.mod::go-vet", attempts=[Attempt(status)], findings=list(findings))
    return RunResults(tests={test.id: test})


ONE = {"path": "svc/a b.go", "message": "bad: 100%,\nreally", "line": 3, "column": 7, "rule": "vet"}


def test_a_finding_is_a_result_with_its_place():
    run = render_sarif(results(ONE))["runs"][0]

    assert run["results"] == [
        {
            "ruleId": "go-vet/vet",
            "level": "error",
            "message": {"text": "bad: 100%,\nreally"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "svc/a%20b.go"},
                        "region": {"startLine": 3, "startColumn": 7},
                    }
                }
            ],
        }
    ]
    assert run["tool"]["driver"]["rules"] == [{"id": "go-vet/vet"}]


def test_a_finding_without_a_line_has_its_file():
    (result,) = render_sarif(results({"path": "x", "message": "m"}))["runs"][0]["results"]

    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "x"}}


def test_checks_that_passed_have_no_findings():
    assert render_sarif(results(ONE, status=Status.PASSED))["runs"][0]["results"] == []
    assert github_annotations(results(ONE, status=Status.PASSED)) == []


def test_a_name_that_is_not_utf_8_is_kept():
    (result,) = render_sarif(results({"path": "caf\udce9.go", "message": "m"}))["runs"][0]["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9.go"


def test_an_annotation_is_one_line_that_cannot_begin_another_command():
    assert github_annotations(results(ONE)) == [
        "::error file=svc/a b.go,line=3,col=7,title=svc/go.mod%3A%3Ago-vet::vet: bad: 100%25,%0Areally"
    ]


def test_no_more_annotations_than_are_shown():
    assert len(github_annotations(results(*[ONE] * 30))) == 10
