"""Classes of Python tests, and how pytest and unittest are called."""

import pytest

from gatehouse.inner.model import Phase
from tests.support.python_packages import MARKED, PASSES, UNITTEST


def option(check, name):
    words = check.argv[3:]
    return words[words.index(name) + 1] if name in words else None


def test_integration_tests_have_a_phase_of_their_own_and_cluster_tests_never_run(checkout):
    test = PASSES + MARKED.format("integration") + MARKED.format("cluster")
    checks = checkout({"pyproject.toml": "", "test_a.py": test}).checks

    assert option(checks["python-test"], "-m") == "not integration and not cluster"
    assert option(checks["python-integration"], "-m") == "(integration) and not cluster"
    assert checks["python-integration"].phase is Phase.INTEGRATION


def test_markers_that_are_only_registered_are_left_out_and_make_no_check(checkout):
    text = '[tool.pytest.ini_options]\nmarkers = ["integration: slow", "cluster(name): needs one"]\n'
    checks = checkout({"pyproject.toml": text, "test_a.py": PASSES}).checks

    assert list(checks) == ["python-listing", "python-test"]
    assert option(checks["python-test"], "-m") == "not integration and not cluster"


MARK = "pytest.mark.integration"

CLASS = "class TestA:\n    def test_a(self):\n        pass\n"


@pytest.mark.parametrize(
    "test",
    [
        MARKED.format("integration"),
        f"import pytest\n\npytestmark = {MARK}\n\n\ndef test_a():\n    pass\n",
        f"import pytest\n\npytestmark = [pytest.mark.slow, {MARK}]\n\n\n{CLASS}",
        f"import pytest\n\n\n@{MARK}\n{CLASS}",
        f"import pytest\n\n\n{CLASS.replace('    def', f'    pytestmark = {MARK}{chr(10)}    def')}",
    ],
)
def test_a_package_with_integration_tests_alone_has_no_unit_check(checkout, test):
    assert list(checkout({"pyproject.toml": "", "test_a.py": test}).checks) == [
        "python-listing",
        "python-integration",
    ]


def test_tests_that_only_use_unittest_run_without_pytest(checkout):
    check = checkout({"pyproject.toml": "", "tests/test_a.py": UNITTEST}).checks["python-test"]

    assert check.argv[1:4] == ("-m", "unittest", "discover")


@pytest.mark.parametrize(
    "more",
    [
        {"tests/conftest.py": ""},
        {"pytest.ini": "[pytest]\n"},
        {"requirements-dev.txt": "pytest==9\n"},
        {"setup.cfg": "[tool:pytest]\n"},
    ],
)
def test_tests_of_unittest_run_with_pytest_where_the_package_speaks_of_it(checkout, more):
    assert "python-listing" in checkout({"pyproject.toml": "", "tests/test_a.py": UNITTEST, **more}).checks


def test_only_folders_with_own_tests_are_given_to_pytest_unless_it_is_configured(checkout):
    files = {
        "pyproject.toml": "",
        "tests/test_a.py": PASSES,
        "tests/sub/test_b.py": PASSES,
        "x/pyproject.toml": "",
    }

    assert checkout(files).checks["python-test"].argv[-2:] == ("--rootdir=.", "tests")


def test_configured_test_paths_are_left_to_pytest(checkout):
    files = {"pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["a"]\n', "b/test_b.py": PASSES}

    assert "b" not in checkout(files).checks["python-test"].argv


def test_coverage_is_not_written_into_the_checkout(checkout):
    files = {"pytest.ini": "[pytest]\naddopts = --cov=x\n", "setup.py": "", "test_b.py": PASSES}

    assert "--no-cov" in checkout(files).checks["python-test"].argv
