import xml.etree.ElementTree as ET

import pytest

from gatehouse.evidence.junit import render_junit
from gatehouse.evidence.results import Attempt, Failure, Status, TestResult


def rendered(*tests, problems=()):
    suite = ET.fromstring(render_junit("smoke", "2026-01-01T00:00:00", tests, problems)).find("testsuite")
    return suite, list(suite)


def result(name="one", *attempts, **more):
    return TestResult(
        f"suites/smoke/test_a.py::{name}", "smoke", "suites/smoke/test_a.py", 12, list(attempts), **more
    )


PASSED = Attempt(Status.PASSED, 0.5)
FAILED = Attempt(
    Status.FAILED, 0.5, failures=[Failure("product", "it broke", text="traceback", type="AssertionError")]
)


def test_each_test_is_one_row_with_file_line_and_a_stable_name():
    suite, (row,) = rendered(result("one", PASSED))

    assert row.attrib == {
        "classname": "suites.smoke.test_a",
        "name": "one",
        "time": "0.500",
        "file": "suites/smoke/test_a.py",
        "line": "12",
    }
    assert suite.get("tests") == "1"


def test_declared_counts_equal_the_rows():
    suite, rows = rendered(
        result("a", PASSED),
        result("b", FAILED),
        result("c", Attempt(Status.SKIPPED, reason="no permission")),
        result("d", Attempt(Status.ERROR, failures=[Failure("infrastructure", "no answer")])),
        result("e"),
        problems=[Failure("environment", "no browser")],
    )

    assert len(rows) == int(suite.get("tests")) == 6
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == ["1", "3", "1"]


def test_a_test_without_a_result_is_an_error_and_not_absent():
    _, (row,) = rendered(result("one"))

    assert row.find("error").get("message") == "collected, but no result was recorded"


def test_a_pass_after_a_failed_attempt_shows_the_attempt():
    suite, (row,) = rendered(result("one", FAILED, PASSED))

    assert row.find("failure") is None
    assert row.find("flakyFailure/stackTrace").text == "traceback"
    assert suite.get("flakes") == "1"


def test_a_failure_after_a_failed_attempt_shows_both():
    _, (row,) = rendered(result("one", FAILED, FAILED))

    assert row.find("failure") is not None
    assert len(row.findall("rerunFailure")) == 1


@pytest.mark.parametrize("text", ["\0", "\x1b[31m", "\ud800", "\uffff", "]]>", "<&>\"'", "ü🎉"])
def test_any_text_makes_a_document_that_can_be_read_again(text):
    attempt = Attempt(Status.FAILED, failures=[Failure("product", text, text=text)], output={"stdout": text})

    _, (row,) = rendered(result(f"test[{text}]", attempt, properties={"k": text}))

    assert row.find("failure") is not None
