"""Packages of requirements, and what packages need of each other."""

import pytest

from gatehouse.inner.checks.python.project import requirement_packages
from tests.support.python_packages import PASSES


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
