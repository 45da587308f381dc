"""What is read out of recorded output of pytest."""

import pytest

from gatehouse.inner.checks.python.tests import listed
from gatehouse.inner.model import Outcome
from tests.support.inner_checks import places, result


@pytest.mark.parametrize("module", ["requests", "requests.sessions", "yaml", "google.cloud"])
def test_a_module_that_the_package_asks_for_and_that_is_absent_is_not_installed(package, module):
    outcome = result(
        package.checks["python-test"], f"E   ModuleNotFoundError: No module named '{module}'\n", code=4
    )

    assert (outcome.outcome, outcome.reason) == (
        Outcome.NOT_INSTALLED,
        f"the Python package {module} is not installed",
    )


@pytest.mark.parametrize("module", ["own.nothing", "reqeusts"])
def test_a_module_that_the_package_should_have_or_does_not_ask_for_is_its_own_mistake(package, module):
    text = f"test_a.py:1: in <module>\n    import x\nE   ModuleNotFoundError: No module named '{module}'\n"

    outcome = result(package.checks["python-test"], text, code=4)

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == [f"test_a.py:1: ModuleNotFoundError: No module named '{module}'"]


def test_an_absent_pytest_is_not_installed(package):
    outcome = result(package.checks["python-test"], "", "/x/.venv/bin/python: No module named pytest\n", 1)

    assert outcome.reason == "the Python package pytest is not installed"


def test_a_plugin_that_the_configuration_needs_is_named(package):
    outcome = result(
        package.checks["python-test"], "", "ERROR: usage: x\n  error: unrecognized arguments: --cov=p\n", 4
    )

    assert outcome.reason == "the Python package pytest-cov is not installed"


def test_tests_that_were_all_deselected_are_no_pass(package):
    outcome = result(package.checks["python-test"], "no tests ran", code=5)

    assert (outcome.outcome, outcome.reason) == (
        Outcome.FAILED,
        "no test was selected, although there are test files",
    )


def test_a_run_that_ends_well_without_a_report_is_no_pass(package):
    assert result(package.checks["python-test"]).outcome is Outcome.FAILED


def test_a_test_that_does_not_end_is_named(package):
    text = "test_a.py::test_z PASSED  [ 50%]\ntest_a.py::test_a[x y] \n"

    outcome = result(package.checks["python-test"], text, code=None, timed_out=True)

    assert places(outcome) == ["test_a.py:4: test_a[x y]: did not end: it was still running"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("test_a.py::test_a\n\n1 test collected in 0.01s", 1),
        ("3/8 tests collected (5 deselected) in 0.01s", 3),
        ("8 tests collected, 3 errors in 0.37s", 8),
        ("collected 4 items\n<Module x>", 4),
        ("tests/test_a.py: 8\ntests/test_b.py: 2\n", 10),
        ("test_a.py::test_a\ntest_a.py::test_b\n", 2),
        ("no tests collected", 0),
    ],
)
def test_a_listing_is_counted_at_every_verbosity(text, count):
    assert listed(text) == count


def test_a_listing_of_nothing_is_no_pass(package):
    assert result(package.checks["python-listing"], "no tests collected in 0.01s\n").outcome is Outcome.FAILED
