"""AVA, node-tap, Bun and Deno: how they are called, and what is read of AVA 7, Bun 1.4, Deno 2.9."""

import pytest

from gatehouse.inner.model import ChildOutcome, Outcome, Phase
from tests.support.inner_checks import places, result
from tests.support.node_packages import SPLIT, TEST, argv, report_of


@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("ava --verbose -u", ["--tap"]),
        ("tap --reporter dot", ["--reporter=tap", "--no-coverage"]),
        ("bun test --coverage", ["test", "--reporter=junit"]),
        ("deno test --permit-no-files -A", ["test", "--cached-only", "--no-lock", "-A"]),
    ],
)
def test_a_runner_is_told_to_write_a_report_and_neither_snapshots_nor_coverage(checkout, script, options):
    made = checkout(
        {"test": script}, installed=("ava", "tap"), tools=("node", "npm", "bun", "deno"), files=TEST
    )

    assert list(made.checks) == ["node-listing", "node-test"]
    assert argv(made.checks["node-test"]) == options


def test_deno_takes_its_lockfile_as_it_is(checkout):
    made = checkout({"test": "deno test"}, tools=("deno",), files={"deno.lock": "", **TEST})

    assert "--frozen" in made.checks["node-test"].argv


@pytest.mark.parametrize("runtime", ["bun", "deno"])
def test_a_runtime_needs_no_node_and_is_missed_by_its_name(checkout, runtime):
    check = checkout({"test": f"{runtime} test"}, tools=(), files=TEST).checks["node-test"]

    assert check.missing == runtime
    assert f"install {runtime} (https://" in check.how_to_install


def test_bun_test_is_buns_runner_and_not_the_script_of_that_name(checkout):
    made = checkout({"test": "bun test --bail"}, tools=("bun",), files=TEST)

    assert made.checks["node-test"].argv[0].endswith("/bun")
    assert made.checks["node-test"].argv[1] == "test"


def test_bun_is_found_by_the_tests_that_import_its_runner(checkout):
    made = checkout(files={"p/a.test.ts": "import { test } from 'bun:test';\n"}, tools=("bun",))

    assert made.checks["node-test"].argv[1] == "test"


@pytest.mark.parametrize("runner", ["ava", "tap", "bun test", "deno test", "node --test"])
def test_classes_of_tests_are_told_apart_by_their_files(checkout, runner):
    made = checkout(
        {"test": runner}, installed=("ava", "tap"), tools=("node", "npm", "bun", "deno"), files=SPLIT
    )
    checks = made.checks

    assert checks["node-test"].argv[-2:] == ("./__tests__/unit/a.test.ts", "./src/d.spec.ts")
    assert checks["node-integration"].argv[-1] == "./__tests__/integration/b.test.ts"
    assert checks["node-integration"].phase is Phase.INTEGRATION


@pytest.mark.parametrize(
    ("words", "unit", "integration"),
    [
        ("__tests__", ["./__tests__/unit/a.test.ts"], True),
        ("'**/*.test.ts'", ["./__tests__/unit/a.test.ts"], True),
        ("src", ["./src/d.spec.ts"], False),
        ("'src/{d,e}*.ts'", ["./__tests__/unit/a.test.ts", "./src/d.spec.ts"], True),
        ("--import ./src", ["--import", "./src", "./__tests__/unit/a.test.ts", "./src/d.spec.ts"], True),
    ],
)
def test_of_what_a_script_names_each_class_runs_its_own_and_end_to_end_tests_never_run(
    checkout, words, unit, integration
):
    made = checkout({"test": f"ava {words}"}, installed=("ava",), files=SPLIT)

    assert argv(made.checks["node-test"]) == ["--tap", *unit]
    assert ("node-integration" in made.checks) == integration
    assert not any("e2e" in word for check in made.checks.values() for word in check.argv)


def test_what_node_tap_writes_into_the_package_is_known(checkout):
    made = checkout({"test": "tap"}, installed=("tap",), files=TEST)

    assert made.checks["node-test"].writes == (".tap/",)


# --- recorded output ---

BUN = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="2" failures="1" skipped="1">
  <testsuite name="test/add.test.ts" file="test/add.test.ts">
    <testsuite name="group" file="test/add.test.ts" line="4">
      <testcase name="adds" classname="group" time="0.25" file="test/add.test.ts" line="5">
        <failure type="AssertionError" message="expect(received).toBe(expected)&#10;&#10;Expected: 3&#10;Received: -1">
AssertionError: expect(received).toBe(expected)

      at test/add.test.ts:6:23
</failure>
      </testcase>
      <testcase name="later" classname="group" time="0" file="test/add.test.ts" line="8"><skipped /></testcase>
    </testsuite>
  </testsuite>
</testsuites>"""

BUN_BETWEEN_TESTS = """
test/b.test.ts:

# Unhandled error between tests
-------------------------------
2 | test('x', () => {
                     ^
error: Unexpected end of file
    at {root}/p/test/b.test.ts:2:18
-------------------------------

 1 error
"""

DENO = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="2" failures="1" errors="0" time="0.015">
    <testsuite name="./test/add_test.ts" tests="2" disabled="1" errors="0" failures="1">
        <testcase name="adds" classname="./test/add_test.ts" time="0.006" line="3" col="6">
            <failure message="Uncaught Error: wrong sum">Error: wrong sum
    at file://{root}/p/test/add_test.ts:4:30</failure>
        </testcase>
        <testcase name="later" classname="./test/add_test.ts" time="0.000" line="7" col="11"><skipped/></testcase>
    </testsuite>
</testsuites>"""

FILES = {f"p/test/{name}": "\n" * 9 for name in ("add.test.ts", "b.test.ts", "add_test.ts")}


@pytest.fixture
def ended(checkout):
    """What a run means that left this report, if any, and printed this."""

    def ended(runner, report="", stderr="", code=1):
        made = checkout({"test": f"{runner} test"}, tools=("bun", "deno"), files=FILES)
        check = made.checks["node-test"]
        if report:
            option = "--reporter-outfile=" if runner == "bun" else "--junit-path="
            report_of(check, option).write_text(report.replace("{root}", str(made.root)))
        return result(check, "", stderr.replace("{root}", str(made.root)), code)

    return ended


def test_tests_of_bun_have_their_places(ended):
    outcome = ended("bun", BUN)

    assert places(outcome) == [
        "p/test/add.test.ts:6:23: adds: expect(received).toBe(expected) Expected: 3 Received: -1"
    ]
    assert [(test.id, test.outcome, test.line) for test in outcome.tests] == [
        ("group.adds", ChildOutcome.FAILED, 5),
        ("group.later", ChildOutcome.SKIPPED, 8),
    ]


def test_a_file_that_bun_cannot_load_is_told_before_the_tests_of_the_others(ended):
    outcome = ended("bun", BUN, BUN_BETWEEN_TESTS)

    assert places(outcome)[0] == "p/test/b.test.ts:2:18: error: Unexpected end of file"
    assert len(places(outcome)) == 2


def test_tests_of_deno_have_their_places(ended):
    outcome = ended("deno", DENO)

    assert places(outcome) == ["p/test/add_test.ts:4:30: adds: Uncaught Error: wrong sum"]
    assert [(test.path, test.line) for test in outcome.tests] == [
        ("p/test/add_test.ts", 3),
        ("p/test/add_test.ts", 7),
    ]


def test_a_file_that_deno_cannot_load_leaves_no_report_and_is_placed(ended):
    outcome = ended(
        "deno", "", "error: SyntaxError: Expected ','\n    at file://{root}/p/test/b.test.ts:1:23\n"
    )

    assert places(outcome) == ["p/test/b.test.ts:1:23: error: SyntaxError: Expected ','"]


def test_a_module_that_deno_would_have_to_download_is_not_installed(checkout):
    check = checkout({"test": "deno test"}, tools=("deno",), files=FILES).checks["node-test"]
    text = 'error: JSR package manifest failed to load. Specifier not found in cache: "https://jsr.io/@std/x", more.'

    outcome = result(check, "", f"{text}\n    at file://{check.package.path}/test/b.test.ts:1:30\n", 1)

    assert (outcome.outcome, outcome.reason) == (
        Outcome.NOT_INSTALLED,
        "the module https://jsr.io/@std/x is not installed",
    )
    assert check.how_to_install == "run `deno install` in p"


@pytest.mark.parametrize("runner", ["bun", "deno"])
@pytest.mark.parametrize("report", ["", "<testsuites/>", "<testsuites><testsuite>"])
def test_a_run_without_tests_or_without_a_whole_report_is_no_pass(ended, runner, report):
    assert ended(runner, report, code=0).outcome is Outcome.FAILED


def test_ava_that_prints_no_tap_is_no_pass(checkout):
    check = checkout({"test": "ava"}, installed=("ava",), files=TEST).checks["node-test"]

    assert result(check, "all good\n").outcome is Outcome.FAILED
    assert result(check, "TAP version 13\nok 1 - x\n1..1\n").outcome is Outcome.PASSED
