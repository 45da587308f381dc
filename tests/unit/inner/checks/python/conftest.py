"""Python packages, with programs that are empty files or with the tools of this machine."""

import pytest

from tests.support.inner_checks import Checkout
from tests.support.python_packages import PASSES


@pytest.fixture
def checkout(tmp_path):
    return lambda files, tools=(): Checkout(tmp_path, files, tools)


@pytest.fixture
def real(tmp_path):
    """These files, with the tools of this machine."""
    return lambda files: Checkout(tmp_path, files, None)


@pytest.fixture
def package(checkout):
    needs = 'dependencies = ["requests", "PyYAML", "google-cloud-storage"]'
    text = f'[project]\nname = "p"\n{needs}\n[tool.mypy]\n[tool.ruff]\n'
    return checkout({"pyproject.toml": text, "src/own/a.py": "\n" * 9, "test_a.py": PASSES}, ("mypy", "ruff"))


TESTS = """import unittest

import pytest
from lib import helper


def test_wrong():
    assert helper(1) == 2


def test_raises():
    helper(None)


@pytest.mark.skip(reason="docker not available")
def test_environment():
    pass


@pytest.mark.skip(reason="slow")
def test_slow():
    pass


@pytest.mark.parametrize("text", ["x y", "a::b"])
def test_each(text):
    pass


@pytest.mark.integration
def test_outside():
    pass
"""

LIB = "def helper(x):\n    if x is None:\n        raise ValueError('none')\n    return x\n"


@pytest.fixture
def tested(real):
    text = '[project]\nname = "lib"\n[tool.pytest.ini_options]\nmarkers = ["integration: more"]\n'
    return lambda **more: real(
        {"pyproject.toml": text, "src/lib/__init__.py": LIB, "tests/test_a.py": TESTS, **more}
    )
