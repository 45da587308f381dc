"""The real ruff and mypy."""

from gatehouse.inner.model import Outcome
from tests.support.inner_checks import places


def test_ruffs_findings_have_place_and_rule(real):
    made = real({"pyproject.toml": "[tool.ruff]\n", "a b.py": "import os\n", "c.py": "x = (\n"})

    assert places(made.run("python-lint")) == [
        "a b.py:1:8: F401: `os` imported but unused",
        "c.py:2:1: invalid-syntax: unexpected EOF while parsing",
    ]


def test_unformatted_files_have_the_first_line_that_would_change(real):
    made = real({"pyproject.toml": "[tool.ruff.format]\n", "a.py": "x = 1\ny =  2\n", "b.py": "x = (\n"})

    assert places(made.run("python-format")) == [
        "b.py:2:1: syntax: unexpected EOF while parsing",
        "a.py:2: format: is not formatted as ruff does it",
    ]


def test_what_the_configuration_above_excludes_is_left_alone(real):
    files = {
        "ruff.toml": 'extend-exclude = ["svc"]\n[format]\n',
        "svc/pyproject.toml": "",
        "svc/a.py": "import os\nx =  1\n",
    }

    made = real(files)

    for name in ("python-lint", "python-format"):
        assert made.run(name).outcome is Outcome.PASSED


def test_a_type_error_has_line_column_and_code(real):
    made = real({"pyproject.toml": "[tool.mypy]\n", "a.py": 'x: int = "a"\n'})

    assert places(made.run("python-types"))[0].startswith(
        "a.py:1:10: assignment: Incompatible types in assignment"
    )
