"""What is read out of reports in JUnit's format."""

from dataclasses import replace

import pytest

from gatehouse.inner.checks.junit_reports import read_junit
from gatehouse.inner.model import Blame, Check, ChildOutcome, Package, Phase

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="s">
<testcase classname="tests.test_a" name="test_one" file="tests/test_a.py" line="2" time="0.25">
<failure message="assert 1 == 2">tests/test_a.py:5: in test_one
    helper()
src/a.py:7: in helper
    assert 1 == 2
/usr/lib/python3/unittest.py:9: AssertionError</failure></testcase>
<testcase classname="tests.test_a" name="test_two" time="0.1"/>
<testcase classname="tests.test_a" name="test_two" time="1,000.5"/>
<testcase classname="tests.test_a" name="test_three"><skipped message="slow"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def check(tmp_path):
    files = ("p/tests/test_a.py", "p/src/a.py", "p/src/main/java/org/example/Cart.java")
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    package = Package(tmp_path, "p", "p/pyproject.toml", "python", files)
    return Check(package, "python-test", Phase.UNIT, Blame.TEST)


@pytest.fixture
def read(check, tmp_path):
    def read(text, **how):
        path = tmp_path / "report.xml"
        path.write_text(text)
        return read_junit(check, [path], **how)

    return read


def test_every_test_is_listed_and_those_that_ran_are_counted(read):
    parsed = read(REPORT)

    assert parsed.executed == 3
    assert [(test.id, test.outcome, test.seconds) for test in parsed.tests] == [
        ("tests.test_a.test_one", ChildOutcome.FAILED, 0.25),
        ("tests.test_a.test_two", ChildOutcome.PASSED, 0.1),
        ("tests.test_a.test_two (2)", ChildOutcome.PASSED, 1000.5),
        ("tests.test_a.test_three", ChildOutcome.SKIPPED, 0.0),
    ]


def test_a_failure_is_placed_at_the_innermost_frame_inside_the_package(read):
    assert [str(each) for each in read(REPORT, innermost_last=True).findings] == [
        "p/src/a.py:7: test_one: assert 1 == 2"
    ]
    assert [str(each) for each in read(REPORT).findings] == ["p/tests/test_a.py:5: test_one: assert 1 == 2"]


def test_a_failure_without_a_frame_is_placed_where_its_test_is_declared(read):
    text = '<testsuite><testcase name="t" file="tests/test_a.py" line="2"><error>boom\nx</error></testcase></testsuite>'

    assert [str(each) for each in read(text, first_line=0).findings] == ["p/tests/test_a.py:3: t: boom"]


def test_a_java_frame_is_found_by_its_class(read):
    text = (
        '<testsuite><testcase classname="org.example.CartTest" name="adds"><failure message="expected 2">'
        "\n\tat org.junit.Assert.fail(Assert.java:89)\n\tat app//org.example.Cart.add(Cart.java:12)\n"
        "</failure></testcase></testsuite>"
    )

    assert [str(each) for each in read(text).findings] == [
        "p/src/main/java/org/example/Cart.java:12: adds: expected 2"
    ]


def test_a_report_that_is_cut_short_gives_what_it_holds_and_is_a_finding(read):
    parsed = read(REPORT[: REPORT.index('<testcase classname="tests.test_a" name="test_three"')])

    assert parsed.executed == 3
    assert parsed.findings[-1].message.startswith("the runner's report report.xml cannot be read: ")


def test_an_empty_report_is_a_finding_and_nothing_ran(read):
    parsed = read("")

    assert parsed.executed == 0
    assert [each.rule for each in parsed.findings] == ["report"]


def test_a_report_that_was_never_written_means_that_nothing_ran(check, tmp_path):
    assert read_junit(check, [tmp_path / "gone.xml"]).executed == 0


def test_terminal_control_sequences_are_taken_out_of_messages(read):
    text = '<testsuite><testcase name="t"><failure message="#x1B[31mred#x1B[0m"/></testcase></testsuite>'

    assert [each.message for each in read(text).findings] == ["red"]


def test_a_skip_that_the_environment_caused_is_a_finding(read):
    text = '<testsuite><testcase name="t"><skipped message="docker not available"/></testcase></testsuite>'

    assert [each.rule for each in read(text).findings] == ["environment-skip"]


def test_a_frame_of_kotlin_with_spaces_in_its_name_is_found(check, tmp_path):
    (tmp_path / "p/src/CartTest.kt").write_text("")
    check = replace(check, package=replace(check.package, files=("p/src/CartTest.kt",)))
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuite><testcase classname="org.example.CartTest" name="adds two()"><failure message="no">'
        "\tat org.example.CartTest.adds two(CartTest.kt:7)\n</failure></testcase></testsuite>"
    )

    parsed = read_junit(check, [report])

    assert [str(each) for each in parsed.findings] == ["p/src/CartTest.kt:7: adds two(): no"]
    assert parsed.tests[0].path == "p/src/CartTest.kt"
