"""How the test runners of Node are called: classes of tests, options that are left out, reports."""

import re
from pathlib import Path

import pytest

from gatehouse.inner.model import Phase
from tests.support.node_packages import SPLIT, TEST, argv


@pytest.mark.parametrize("runner", ["jest", "vitest"])
def test_unit_and_integration_tests_are_told_apart_by_their_folders_and_end_to_end_never_runs(
    checkout, runner
):
    checks = checkout({"test": runner}, installed=(runner,), files=SPLIT).checks

    assert checks["node-test"].phase is Phase.UNIT
    assert checks["node-integration"].phase is Phase.INTEGRATION
    assert "__tests__/integration/" in checks["node-integration"].argv
    for name in ("integration", "e2e"):
        assert any(name in word for word in argv(checks["node-test"]))


def test_jests_pattern_for_unit_tests_matches_all_others(checkout):
    check = checkout({"test": "jest"}, installed=("jest",), files=SPLIT).checks["node-test"]
    pattern = next(word for word in check.argv if word.startswith("^"))

    chosen = [path.removeprefix("p/") for path in SPLIT if re.search(pattern, path)]

    assert chosen == ["__tests__/unit/a.test.ts", "src/d.spec.ts"]


def test_mocha_runs_integration_tests_among_the_others_and_never_end_to_end_tests(checkout):
    checks = checkout({"test": "mocha"}, installed=("mocha",), files=SPLIT).checks

    assert list(checks) == ["node-listing", "node-test"]
    assert "**/__tests__/e2e/**" in checks["node-test"].argv
    assert "**/__tests__/integration/**" not in checks["node-test"].argv


@pytest.mark.parametrize("runner", ["jest __tests__", "vitest run __tests__"])
def test_what_a_script_chooses_brings_no_end_to_end_tests_into_the_integration_phase(checkout, runner):
    check = checkout({"test": runner}, installed=(runner.split()[0],), files=SPLIT).checks["node-integration"]

    assert "__tests__" not in check.argv or "--exclude=**/__tests__/e2e/**" in check.argv


@pytest.mark.parametrize(
    ("script", "chooses"),
    [
        ("jest --config x.js -w 4", "^(?!.*__tests__/(integration|e2e)/)"),
        ("jest --runInBand --selectProjects a b", "--testPathIgnorePatterns=__tests__/e2e/"),
        ("jest --verbose src", "--testPathIgnorePatterns=__tests__/e2e/"),
    ],
)
def test_end_to_end_tests_are_left_out_whatever_else_jests_script_chooses(checkout, script, chooses):
    words = argv(checkout({"test": script}, installed=("jest",), files=SPLIT).checks["node-test"])

    assert chooses in words
    assert "4" not in words


def test_a_package_with_integration_tests_alone_has_no_unit_check(checkout):
    checks = checkout(
        {"test": "jest"}, installed=("jest",), files={"p/__tests__/integration/a.test.js": ""}
    ).checks

    assert list(checks) == ["node-integration-listing", "node-integration"]


def test_scripts_of_their_own_for_unit_and_integration_tests_are_preferred(checkout):
    scripts = {
        "test": "jest",
        "test:unit": "jest --selectProjects unit",
        "test:integration": "jest -c integration.js",
    }

    checks = checkout(scripts, installed=("jest",), files=SPLIT).checks

    assert argv(checks["node-integration"])[-2:] == ["-c", "integration.js"]


def test_a_runner_is_found_by_its_configuration_where_there_is_no_script(checkout):
    checks = checkout(files={"p/vitest.config.ts": "", **TEST}, installed=("vitest",)).checks

    assert checks["node-test"].argv[1] == "run"


def test_nodes_own_runner_is_found_by_the_tests_that_use_it(checkout):
    checks = checkout(files={"p/test/a.test.js": 'import test from "node:test"'}).checks

    assert argv(checks["node-test"]) == ["--test", "--test-reporter=tap"]
    assert checks["node-listing"].look().listed == 1


def test_options_that_would_hide_an_empty_run_or_change_snapshots_are_left_out(checkout):
    script = "vitest --passWithNoTests -u --coverage --reporter verbose"

    check = checkout({"test": script}, installed=("vitest",), files=TEST).checks["node-test"]

    assert argv(check) == ["run", "--coverage.enabled=false", "--passWithNoTests=false", "--reporter=json"]


def test_reports_are_written_outside_of_the_checkout_and_never_to_the_same_file_twice(checkout):
    made = checkout({"test": "jest"}, installed=("jest",), files=SPLIT)
    reports = [
        word.split("=", 1)[1]
        for check in made.checks.values()
        for word in check.argv
        if word.startswith("--outputFile=")
    ]

    assert len(set(reports)) == 2
    assert all(path.startswith(made.tools.reports) for path in reports)
    assert not any(Path(path).is_relative_to(made.root) for path in reports)


INTEGRATION = {"p/__tests__/integration/a.test.js": "", "p/__tests__/e2e/b.test.js": ""}


@pytest.mark.parametrize(
    "runner", ["jest", "vitest", "mocha", "ava", "tap", "node --test", "node --test __tests__"]
)
def test_integration_tests_alone_are_checked_by_every_runner(checkout, runner):
    made = checkout({"test": runner}, installed=(runner.split()[0],), files=INTEGRATION)

    assert "node-test" not in made.checks
    assert made.checks["node-integration"].phase is Phase.INTEGRATION


def test_mocha_leaves_end_to_end_tests_out_of_integration_tests_that_are_alone(checkout):
    check = checkout({"test": "mocha"}, installed=("mocha",), files=INTEGRATION).checks["node-integration"]

    assert "**/__tests__/e2e/**" in check.argv
    assert "**/__tests__/integration/**" not in check.argv


def test_integration_tests_alone_are_run_by_a_script_whose_runner_is_not_known(checkout):
    check = checkout({"test": "./run.sh"}, files=INTEGRATION).checks["node-integration"]

    assert check.argv[1:] == ("run", "--silent", "test")
    assert check.phase is Phase.INTEGRATION
