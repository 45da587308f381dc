"""Tests that Python packages of the inner suite's own tests hold."""

PASSES = "import pytest\n\n\ndef test_a():\n    pass\n"

UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"

MARKED = "import pytest\n\n\n@pytest.mark.{0}\ndef test_b():\n    pass\n"
