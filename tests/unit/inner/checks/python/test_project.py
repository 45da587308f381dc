"""Which checks a Python package has, and in which environment they run."""

import pytest

from tests.support.inner_checks import places
from tests.support.python_packages import PASSES


def test_tools_that_are_configured_are_checks_and_others_are_not(checkout):
    files = {"pyproject.toml": "[tool.ruff.format]\n[tool.mypy]\n", "a.py": "", "tests/test_a.py": PASSES}

    found = list(checkout(files, ("ruff", "mypy")).checks)

    assert found == ["python-format", "python-lint", "python-types", "python-listing", "python-test"]


def test_without_configuration_only_tests_are_run(checkout):
    assert list(checkout({"setup.py": "", "tests/test_a.py": PASSES}).checks) == [
        "python-listing",
        "python-test",
    ]


def test_a_package_without_tests_has_no_test_check(checkout):
    assert checkout({"pyproject.toml": "", "a.py": ""}).checks == {}


def test_a_configured_tool_that_is_absent_is_not_installed(checkout):
    assert checkout({"pyproject.toml": "[tool.ruff]", "a.py": ""}).checks["python-lint"].missing == "ruff"


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({".flake8": "[flake8]\n"}, "python-lint"),
        ({"setup.cfg": "[flake8]\n"}, "python-lint"),
        ({"setup.cfg": "[mypy]\n"}, "python-types"),
        ({"pyrightconfig.json": "{}"}, "python-pyright"),
        ({"ty.toml": ""}, "python-ty"),
    ],
)
def test_configurations_in_files_of_their_own_count(checkout, files, check):
    assert list(checkout({"pyproject.toml": "", "a.py": "", **files}).checks) == [check]


def test_an_interpreter_beside_the_package_or_above_it_is_used_and_decides_about_the_result(checkout):
    files = {
        "svc/pyproject.toml": "",
        "svc/test_a.py": PASSES,
        ".venv/bin/python": "",
        ".venv/pyvenv.cfg": "",
    }

    check = checkout(files | {".venv/lib/python3.11/site-packages/x.py": ""}).checks["python-test"]

    root = check.package.root
    assert check.argv[0] == str(root / ".venv/bin/python")
    assert check.env == {}
    assert check.inputs == tuple(
        str(root / ".venv" / name) for name in ("bin/python", "pyvenv.cfg", "lib/python3.11/site-packages")
    )


def test_sources_in_src_are_found_unless_the_package_is_installed(checkout):
    files = {
        "pyproject.toml": '[project]\nname = "My.Lib"\n',
        "src/my_lib/__init__.py": "",
        "test_a.py": PASSES,
        ".venv/bin/python": "",
        ".venv/lib/python3.11/site-packages/x.py": "",
    }
    made = checkout(files)
    before = made.checks["python-test"].env
    (made.root / ".venv/lib/python3.11/site-packages/my_lib-1.0.dist-info").mkdir()

    assert before == {"PYTHONPATH": str(made.root / "src")}
    assert made.checks["python-test"].env == {}


@pytest.mark.parametrize(
    ("lockfile", "command"),
    [("uv.lock", "uv sync --frozen"), ("poetry.lock", "poetry install"), ("x", "pip install -e .")],
)
def test_the_way_to_install_comes_from_the_lockfile(checkout, lockfile, command):
    files = {"p/pyproject.toml": "", "p/test_a.py": PASSES, lockfile: ""}

    assert command in checkout(files).checks["python-test"].how_to_install


@pytest.mark.parametrize(
    ("text", "place"),
    [("[tool\n", "pyproject.toml:1:6"), ("a = 1\nb = =\n", "pyproject.toml:2:5")],
)
def test_a_broken_pyproject_is_the_only_check_and_has_the_parsers_place(checkout, text, place):
    made = checkout({"pyproject.toml": text, "test_a.py": PASSES})

    assert list(made.checks) == ["python-manifest"]
    assert places(made.run("python-manifest"))[0].startswith(place)


def test_a_pyproject_that_is_no_utf_8_is_broken(checkout):
    made = checkout({"pyproject.toml": "", "test_a.py": PASSES})
    (made.root / "pyproject.toml").write_bytes(b'name = "\xff"\n')

    assert "can't decode byte" in places(made.run("python-manifest"))[0]


def test_a_distribution_of_the_name_of_the_folder_is_not_looked_for_at_the_root(checkout):
    made = checkout(
        {"yaml/setup.py": "", "yaml/test_a.py": "from yaml.nodes import Node\n\n\ndef test_a(): ...\n"}
    )

    assert "PYTHONPATH" not in made.checks["python-test"].env
