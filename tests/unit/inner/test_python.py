"""Python packages: which checks they have, and what is read out of recorded output and of the real tools."""

import sys
from pathlib import Path

import pytest

from gatehouse.inner.checks.python.project import requirement_packages
from gatehouse.inner.checks.python.tests import listed
from gatehouse.inner.model import ChildOutcome, Outcome, Phase
from tests.support.inner_checks import Checkout, places, result

PASSES = "import pytest\n\n\ndef test_a():\n    pass\n"
UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
MARKED = "import pytest\n\n\n@pytest.mark.{0}\ndef test_b():\n    pass\n"


@pytest.fixture
def checkout(tmp_path):
    return lambda files, tools=(): Checkout(tmp_path, files, tools)


@pytest.fixture
def real(tmp_path):
    """These files, with the tools of this machine."""
    return lambda files: Checkout(tmp_path, files, None)


def option(check, name):
    words = check.argv[3:]
    return words[words.index(name) + 1] if name in words else None


# --- which checks there are ---


def test_tools_that_are_configured_are_checks_and_others_are_not(checkout):
    files = {"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n", "a.py": "", "tests/test_a.py": PASSES}

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


def test_ruff_is_not_the_formatter_of_a_package_that_configures_black(checkout):
    checks = checkout({"pyproject.toml": "[tool.ruff]\n[tool.black]\n", "a.py": ""}).checks

    assert (checks["python-format"].missing, checks["python-lint"].missing) == ("black", "ruff")


@pytest.mark.parametrize("above", [{"ruff.toml": ""}, {"pyproject.toml": "[tool.ruff.lint]\n"}])
def test_ruffs_configuration_above_a_package_is_its_own_as_well(checkout, above):
    made = checkout({**above, "svc/pyproject.toml": "", "svc/a.py": ""})

    assert "svc/pyproject.toml::python-lint" in {check.id for check in made.all_checks}


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


# --- classes of tests ---


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


# --- requirements ---


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (["svc/requirements.txt", "svc/main.py"], ["svc"]),
        (["svc/requirements-prod.txt", "svc/app/main.py"], ["svc"]),
        (["requirements.txt", "a.py", "svc/requirements.txt", "svc/main.py"], ["", "svc"]),
        (["svc/requirements.txt", "svc/setup.py"], []),
        (["svc/requirements.txt", "svc/test_a.py", "svc/conftest.py"], []),
        (["docs/requirements.txt", "docs/conf.py", "docs/tool.py"], []),
        (["tests/requirements.txt", "tests/helper.py"], []),
        (["svc/requirements.txt"], []),
        (["requirements.txt", "svc/pyproject.toml", "svc/main.py"], []),
    ],
)
def test_folders_with_requirements_and_sources_are_packages(files, folders):
    assert [folder for folder, _manifest, _own in requirement_packages(files)] == folders


def test_tests_of_a_folder_with_requirements_are_not_those_of_the_package_around_it(checkout):
    files = {
        "pyproject.toml": "",
        "test_a.py": PASSES,
        "svc/requirements.txt": "",
        "svc/main.py": "",
        "svc/test_b.py": PASSES,
    }
    made = checkout(files)

    tests = {check.id: check.argv[-1] for check in made.all_checks if check.name == "python-test"}

    assert tests == {
        "pyproject.toml::python-test": "test_a.py",
        "svc/requirements.txt::python-test": "test_b.py",
    }


# --- links ---


def test_a_package_is_linked_by_all_ways_to_name_another_one(checkout):
    text = """[project]
name = "My_Lib"
dependencies = ["Other.Lib[x]>=1; python_version > '3'", "local @ file:../local"]
[project.optional-dependencies]
x = ["optional"]
[dependency-groups]
dev = ["group", {include-group = "x"}]
[tool.uv.sources]
member = { workspace = true }
path = { path = "../path" }
[tool.poetry.dependencies]
poet = { path = "../poet" }
"""
    files = {
        "libs/a/pyproject.toml": text,
        "libs/a/requirements.txt": "-e ../editable[x]\n./sub\nplain==1\n# no\n-r x\n",
    }

    links = checkout(files).links("libs/a/pyproject.toml")

    assert links.name == "my-lib"
    assert links.needs == {"other-lib", "local", "optional", "group", "poet", "plain"}
    assert links.folders == {"libs/local", "libs/path", "libs/poet", "libs/editable", "libs/a/sub"}


def test_a_name_in_setup_py_or_setup_cfg_counts(checkout):
    files = {
        "a/setup.py": "setup(name='lib-a')",
        "b/setup.cfg": "[metadata]\nname = lib_b\n[options]\ninstall_requires =\n  lib-a\n",
    }

    made = checkout(files)

    assert made.links("a/setup.py").name == "lib-a"
    assert (made.links("b/setup.cfg").name, made.links("b/setup.cfg").needs) == ("lib-b", {"lib-a"})


def test_a_broken_manifest_has_no_links(checkout):
    assert checkout({"pyproject.toml": "["}).links("pyproject.toml").needs == frozenset()


# --- recorded output ---


@pytest.fixture
def package(checkout):
    needs = 'dependencies = ["requests", "PyYAML", "google-cloud-storage"]'
    text = f'[project]\nname = "p"\n{needs}\n[tool.mypy]\n[tool.ruff]\n'
    return checkout({"pyproject.toml": text, "src/own/a.py": "\n" * 9, "test_a.py": PASSES}, ("mypy", "ruff"))


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


def test_mypys_errors_are_findings_with_their_codes_and_notes_are_not(package):
    text = 'src/own/a.py:1:2: error: Name "x" is not defined  [name-defined]\nsrc/own/a.py:2:1: note: see\n'

    outcome = result(package.checks["python-types"], text, code=1)

    assert places(outcome) == ['src/own/a.py:1:2: name-defined: Name "x" is not defined']


ABSENT = 'a.py:1:1: error: Cannot find implementation or library stub for module named "requests"  [import-not-found]\n'


def test_imports_that_are_only_not_installed_are_no_type_errors(package):
    check = package.checks["python-types"]
    other = "src/own/a.py:2:9: error: Incompatible types  [assignment]\n"

    assert result(check, ABSENT, code=1).outcome is Outcome.NOT_INSTALLED
    assert places(result(check, ABSENT + other, code=1)) == [
        "src/own/a.py:2:9: assignment: Incompatible types"
    ]


@pytest.mark.parametrize("line", ['{"a": 1}', "{", "\x1b[31mred\x1b[0m", ""])
def test_output_of_another_kind_is_no_finding_and_no_pass(package, line):
    outcome = result(package.checks["python-lint"], line, code=1)

    assert (outcome.outcome, outcome.findings) == (Outcome.FAILED, ())


def test_pyrights_diagnostics_count_from_one(checkout):
    check = checkout({"pyproject.toml": "[tool.pyright]", "a.py": "\n"}, ("pyright",)).checks[
        "python-pyright"
    ]
    text = (
        '{"generalDiagnostics": [{"file": "a.py", "severity": "error", "message": "bad", "rule": "reportX",'
        ' "range": {"start": {"line": 0, "character": 4}}}, {"file": "a.py", "severity": "warning"}]}'
    )

    assert places(result(check, text, code=1)) == ["a.py:1:5: reportX: bad"]


def test_flake8s_and_tys_lines_are_findings(checkout):
    files = {"pyproject.toml": "[tool.ty]", ".flake8": "", "a.py": "\n"}
    checks = checkout(files, ("flake8", "ty")).checks

    assert places(result(checks["python-lint"], "./a.py:1:80: E501 line too long\n", code=1)) == [
        "a.py:1:80: E501: line too long"
    ]
    assert places(
        result(checks["python-ty"], "a.py:1:5: error[unresolved-reference] Name `x`\n", code=1)
    ) == ["a.py:1:5: unresolved-reference: Name `x`"]


# --- the real tools ---


def test_ruffs_findings_have_place_and_rule(real):
    made = real({"pyproject.toml": "[tool.ruff]\n", "a b.py": "import os\n", "c.py": "x = (\n"})

    assert places(made.run("python-lint")) == [
        "a b.py:1:8: F401: `os` imported but unused",
        "c.py:2:1: invalid-syntax: unexpected EOF while parsing",
    ]


def test_unformatted_files_have_the_first_line_that_would_change(real):
    made = real({"pyproject.toml": "[tool.ruff]\n", "a.py": "x = 1\ny =  2\n", "b.py": "x = (\n"})

    assert places(made.run("python-format")) == [
        "b.py:2:1: syntax: unexpected EOF while parsing",
        "a.py:2: format: is not formatted as ruff does it",
    ]


def test_what_the_configuration_above_excludes_is_left_alone(real):
    files = {
        "ruff.toml": 'extend-exclude = ["svc"]\n',
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


def test_a_distribution_of_the_name_of_the_folder_is_not_looked_for_at_the_root(checkout):
    made = checkout(
        {"yaml/setup.py": "", "yaml/test_a.py": "from yaml.nodes import Node\n\n\ndef test_a(): ...\n"}
    )

    assert "PYTHONPATH" not in made.checks["python-test"].env


def test_unittest_that_finds_nothing_is_no_pass(real):
    made = real({"pyproject.toml": "", "test_a.py": "import unittest\n"})

    assert made.run("python-test").outcome is Outcome.FAILED


def test_gatehouses_own_interpreter_serves_where_the_package_has_none(tested):
    check = tested().checks["python-test"]

    assert check.argv[0] == sys.executable
    assert check.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert Path(check.env["PYTHONPATH"]) == check.package.root / "src"
