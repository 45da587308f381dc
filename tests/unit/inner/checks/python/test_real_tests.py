"""The real pytest and unittest."""

import sys
from pathlib import Path

import pytest

from gatehouse.inner.model import ChildOutcome, Outcome
from tests.support.inner_checks import places


def test_each_test_is_told_with_the_place_of_those_that_fail(tested):
    outcome = tested().run("python-test")

    assert places(outcome) == [
        "tests/test_a.py:8: test_wrong: assert 1 == 2 + where 1 = helper(1)",
        "src/lib/__init__.py:3: test_raises: ValueError: none",
        "tests/test_a.py:15: environment-skip: tests.test_a.test_environment was skipped because the environment lacks"
        " docker: docker not available",
    ]
    assert {test.id.removeprefix("tests.test_a."): test.outcome for test in outcome.tests} == {
        "test_wrong": ChildOutcome.FAILED,
        "test_raises": ChildOutcome.FAILED,
        "test_environment": ChildOutcome.SKIPPED,
        "test_slow": ChildOutcome.SKIPPED,
        "test_each[x y]": ChildOutcome.PASSED,
        "test_each[a::b]": ChildOutcome.PASSED,
    }


def test_integration_tests_run_alone_in_their_phase(tested):
    outcome = tested().run("python-integration")

    assert outcome.outcome is Outcome.PASSED
    assert [test.id for test in outcome.tests] == ["tests.test_a.test_outside"]


def test_a_listing_runs_no_test(tested):
    assert tested().run("python-listing").outcome is Outcome.PASSED


def test_files_that_cannot_be_imported_have_their_place(tested):
    more = {"tests/test_b.py": "import lib\n\nlib.nothing()\n", "tests/test_c.py": "def test_x(:\n"}

    outcome = tested(**more).run("python-listing")

    assert places(outcome) == [
        "tests/test_b.py:3: tests.test_b: AttributeError: module 'lib' has no attribute 'nothing'",
        "tests/test_c.py:1: tests.test_c: SyntaxError: invalid syntax",
    ]
    assert outcome.tests == ()


def test_a_conftest_that_fails_has_its_place(tested):
    outcome = tested(**{"tests/conftest.py": "import lib\n\nlib.nothing()\n"}).run("python-test")

    assert places(outcome) == ["tests/conftest.py:3: AttributeError: module 'lib' has no attribute 'nothing'"]


def test_a_conftest_that_hides_failures_is_no_pass(tested):
    hides = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"

    assert tested(**{"tests/conftest.py": hides}).run("python-test").outcome is Outcome.FAILED


def test_nothing_is_written_into_the_checkout(tested):
    made = tested()
    before = sorted(made.root.rglob("*"))

    for name in ("python-listing", "python-test"):
        made.run(name)

    assert sorted(made.root.rglob("*")) == before


def test_tests_of_unittest_are_told_and_placed(real):
    test = (
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(1, 2)\n\n"
        '    def test_b(self):\n        """Says something."""\n\n'
        '    @unittest.skip("no network")\n    def test_c(self):\n        pass\n'
    )
    made = real({"pyproject.toml": "", "tests/__init__.py": "", "tests/test_a.py": test})

    outcome = made.run("python-test")

    assert places(outcome) == [
        "tests/test_a.py:6: test_a: AssertionError: 1 != 2",
        "pyproject.toml: environment-skip: tests.test_a.T.test_c was skipped because the environment lacks network:"
        " no network",
    ]
    assert {test.id: test.outcome for test in outcome.tests} == {
        "tests.test_a.T.test_a": ChildOutcome.FAILED,
        "tests.test_a.T.test_b": ChildOutcome.PASSED,
        "tests.test_a.T.test_c": ChildOutcome.SKIPPED,
    }


@pytest.mark.parametrize("words", ["import unittest", "import unittest, pytest"], ids=["unittest", "pytest"])
def test_a_package_that_its_tests_import_from_the_root_of_the_checkout_is_found_there(real, words):
    test = f"{words}\nfrom svc.core import one\n\n\nclass T(unittest.TestCase):\n"
    test += "    def test_a(self):\n        self.assertEqual(one(), 1)\n"
    made = real(
        {
            "svc/pyproject.toml": "",
            "svc/core/one.py": "",
            "svc/core/__init__.py": "one = int\n",
            "svc/test_a.py": test,
        }
    )

    outcome = made.run("python-test")

    assert places(outcome) == ["svc/test_a.py:7: test_a: AssertionError: 0 != 1"]


def test_such_tests_of_unittest_find_their_data_from_the_root_of_the_checkout(real):
    test = "import unittest\nfrom svc import core\n\n\nclass T(unittest.TestCase):\n"
    test += "    def test_a(self):\n        self.assertEqual(open('data/a.txt').read(), 'a')\n"
    made = real({"svc/setup.py": "", "svc/core.py": "", "svc/a_test.py": test, "data/a.txt": "a"})

    outcome = made.run("python-test")

    assert outcome.outcome is Outcome.PASSED, outcome.output
    assert outcome.check.id == "svc/setup.py::python-test"


def test_unittest_that_finds_nothing_is_no_pass(real):
    made = real({"pyproject.toml": "", "test_a.py": "import unittest\n"})

    assert made.run("python-test").outcome is Outcome.FAILED


def test_gatehouses_own_interpreter_serves_where_the_package_has_none(tested):
    check = tested().checks["python-test"]

    assert check.argv[0] == sys.executable
    assert check.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert Path(check.env["PYTHONPATH"]) == check.package.root / "src"
