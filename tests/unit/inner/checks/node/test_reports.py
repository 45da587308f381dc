"""What is read out of the reports of Jest, Vitest and Mocha."""

import json

import pytest

from gatehouse.core.processes import Completed
from gatehouse.inner.model import ChildOutcome, Outcome
from tests.support.inner_checks import places
from tests.support.node_packages import report_of, with_report


@pytest.fixture
def jest(checkout):
    return checkout(
        {"test": "jest"}, installed=("jest",), files={"p/a.test.js": "\n" * 20, "p/src/add.js": "\n" * 9}
    )


def jest_report(*tests, message="", status="failed"):
    return json.dumps(
        {
            "testResults": [
                {
                    "name": "{root}/p/a.test.js",
                    "status": status,
                    "message": message,
                    "assertionResults": tests,
                }
            ]
        }
    )


def jest_test(title, status="passed", failure=""):
    return {
        "ancestorTitles": ["add"],
        "title": title,
        "status": status,
        "duration": 5,
        "location": {"line": 4, "column": 3},
        "failureMessages": [failure] if failure else [],
    }


def test_a_failing_test_of_jest_is_placed_at_the_first_frame_inside_the_package(jest):
    failure = (
        "Error: expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3\n"
        "    at Object.toBe ({root}/p/node_modules/expect/index.js:1:2)\n    at Object.x ({root}/p/src/add.js:5:23)"
    )

    outcome = with_report(
        jest, "node-test", jest_report(jest_test("is wrong", "failed", failure), jest_test("works")), code=1
    )

    assert places(outcome) == [
        "p/src/add.js:5:23: is wrong: expect(received).toBe(expected) Expected: 4 Received: 3"
    ]


def test_every_test_of_jest_has_an_id_with_its_file_and_groups(jest):
    check = jest.checks["node-test"]
    tests = [jest_test("works"), jest_test("later", "pending"), jest_test("works")]
    report_of(check).write_text(jest_report(*tests, status="passed").replace("{root}", str(jest.root)))

    parsed = check.parse(check, Completed(check.argv, 0, "", "", 0.1))

    assert parsed.executed == 2
    assert [(test.id, test.outcome, test.seconds, test.line) for test in parsed.tests] == [
        ("p/a.test.js > add > works", ChildOutcome.PASSED, 0.005, 4),
        ("p/a.test.js > add > later", ChildOutcome.SKIPPED, 0.005, 4),
        ("p/a.test.js > add > works (2)", ChildOutcome.PASSED, 0.005, 4),
    ]


BABEL = "  \u25cf Test suite failed to run\n\n    SyntaxError: {root}/p/a.test.js: Unexpected token (3:0)\n\n"

ESBUILD = "Transform failed with 1 error:\n{root}/p/a.test.js:4:0: ERROR: Unexpected end of file"

ABSENT = "  \u25cf Test suite failed to run\n\n    Cannot find module 'x'\n\n      at Object.require (a.test.js:1:11)"


VITE = "Parse failure: Expression expected\nAt file: /src/add.js:1:29"
VITE_8 = "Parse failure: Parse failed with 1 error:\nUnexpected token\n1: x ^\nAt file: /src/add.js:1:29"


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (BABEL, "p/a.test.js:3:1: syntax: Unexpected token"),
        (ESBUILD, "p/a.test.js:4:1: Unexpected end of file"),
        (ABSENT, "p/a.test.js:1:11: Cannot find module 'x'"),
        (VITE, "p/src/add.js:1:29: syntax: Expression expected"),
        (VITE_8, "p/src/add.js:1:29: syntax: Unexpected token"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_placed(jest, message, place):
    assert places(with_report(jest, "node-test", jest_report(message=message), code=1)) == [place]


def test_a_run_without_tests_is_no_pass_whatever_the_runner_says(jest):
    outcome = with_report(jest, "node-test", '{"testResults": []}')

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == ["p/package.json: listing: the test runner found no test"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"testResults": 1}'])
def test_a_report_that_is_empty_cut_short_or_of_another_kind_is_no_pass(jest, text):
    assert with_report(jest, "node-test", text).outcome is Outcome.FAILED


def test_a_listing_is_asked_for_only_where_some_file_looks_like_a_test(checkout):
    assert list(checkout({"test": "jest"}, installed=("jest",)).checks) == ["node-test"]


def test_a_test_over_its_time_limit_says_so(jest):
    stack = "Error: STACK_TRACE_ERROR\n    at {root}/p/a.test.js:2:1"

    outcome = with_report(jest, "node-test", jest_report(jest_test("slow", "failed", stack)), code=1)

    assert places(outcome) == ["p/a.test.js:2:1: slow: did not end within its time limit"]


def test_an_import_that_cannot_be_found_has_the_line_that_imports_it(checkout):
    made = checkout(
        {"test": "vitest"}, installed=("vitest",), files={"p/a.test.js": "\nimport x from 'lefty';\n"}
    )
    message = "Cannot find package 'lefty' imported from '{root}/p/a.test.js'"

    outcome = with_report(made, "node-test", jest_report(message=message), code=1)

    assert places(outcome)[0].startswith("p/a.test.js:2: Cannot find package 'lefty'")


MOCHA = {
    "stats": {"tests": 3},
    "tests": [
        {"fullTitle": "g works", "title": "works", "file": "{root}/p/test/a.js", "duration": 3, "err": {}},
        {
            "fullTitle": "g is wrong",
            "title": "is wrong",
            "file": "{root}/p/test/a.js",
            "err": {"message": "1 !== 2"},
        },
        {"fullTitle": "g later", "title": "later", "file": "{root}/p/test/a.js", "err": {}},
    ],
    "pending": [{"fullTitle": "g later", "title": "later", "file": "{root}/p/test/a.js"}],
    "failures": [
        {
            "fullTitle": "g is wrong",
            "title": "is wrong",
            "file": "{root}/p/test/a.js",
            "err": {
                "message": "1 !== 2",
                "stack": "Error: 1 !== 2\n    at Context.<anonymous> (test/a.js:5:12)",
            },
        }
    ],
}


def test_mochas_report_has_tests_and_places(checkout):
    made = checkout({"test": "mocha"}, installed=("mocha",), files={"p/test/a.js": "\n" * 9})

    outcome = with_report(made, "node-test", json.dumps(MOCHA), option="output=", code=1)

    assert places(outcome) == ["p/test/a.js:5:12: is wrong: 1 !== 2"]


def test_mochas_dry_run_lists_tests(checkout):
    made = checkout({"test": "mocha"}, installed=("mocha",), files={"p/test/a.js": "\n" * 9})
    empty = {"stats": {"tests": 0}, "tests": [], "pending": [], "failures": []}

    assert "--dry-run" in made.checks["node-listing"].argv
    assert with_report(made, "node-listing", json.dumps(empty), option="output=").outcome is Outcome.FAILED


def test_a_dependency_that_jest_cannot_parse_is_named(jest):
    root = jest.root
    message = (
        "  \u25cf Test suite failed to run\n\n    Jest encountered an unexpected token\n\n    Details:\n\n"
        f"    {root}/p/node_modules/utf8/utf8.js:12\n    export function encode(s) {{\n    ^^^^^^\n\n"
        "    SyntaxError: Unexpected token 'export'\n\n    > 1 | import 'utf8'\n\n"
        "      at Runtime.x (node_modules/jest-runtime/build/index.js:1505:14)\n"
    )

    outcome = with_report(jest, "node-test", jest_report(message=message), code=1)

    assert "SyntaxError: Unexpected token 'export' in p/node_modules/utf8/utf8.js:12" in places(outcome)[0]
