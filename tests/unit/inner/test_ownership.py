from pathlib import Path

import pytest

from gatehouse.core.inner_settings import DeclaredInput
from gatehouse.inner.affected import affected
from gatehouse.inner.discover import discover
from gatehouse.inner.graph import build
from gatehouse.inner.model import Language, Links
from gatehouse.inner.ownership import Ownership

ROOT = Path("/checkout")


def links(package):
    return Links(
        "core" if package.folder == "libs/core" else package.folder, NEEDS.get(package.folder, frozenset())
    )


NEEDS = {"web/app": frozenset({"web/ui"})}
GO = Language("go", lambda package, tools: [], ("go.mod",), lockfiles=("go.sum",), suffixes=(".go",))
NODE = Language(
    "node", lambda package, tools: [], ("package.json",), links, ("package-lock.json",), (".ts", ".js")
)
SHELL = Language(
    "shell",
    lambda package, tools: [],
    suffixes=(".sh",),
    find=lambda files: [("", "shell", tuple(file for file in files if file.endswith(".sh")))],
)
LANGUAGES = (GO, NODE, SHELL)
FILES = (
    *("README.md", "testdata/cart.json", "run.sh", "api/go.mod", "api/main.go", "api/sql/schema.sql"),
    *("package.json", "package-lock.json", "eslint.config.js", "web/app/package.json", "web/app/src/a.ts"),
    *("web/ui/package.json", "web/tsconfig.json"),
)
EVERY = frozenset({"api/go.mod", "package.json", "web/app/package.json", "web/ui/package.json", "shell"})
NODES = EVERY - {"api/go.mod", "shell"}


def ownership(*declared, files=FILES):
    return Ownership(discover(ROOT, files, LANGUAGES), LANGUAGES, declared)


@pytest.mark.parametrize(
    ("path", "manifests"),
    [
        ("api/main.go", {"api/go.mod"}),
        ("api/sql/schema.sql", {"api/go.mod"}),
        ("web/app/src/a.ts", {"web/app/package.json"}),
        ("web/app/package.json", {"web/app/package.json"}),
    ],
)
def test_a_file_decides_about_the_nearest_package_above_it(path, manifests):
    assert ownership().packages_of(path) >= manifests
    assert not ownership().packages_of(path) & (EVERY - manifests - {"package.json"})


def test_a_file_that_no_package_owns_decides_about_all():
    assert ownership().packages_of("testdata/cart.json") == EVERY
    assert ownership().packages_of("README.md") == EVERY


def test_a_file_of_a_package_at_the_root_alone_decides_about_all_unless_it_is_its_source():
    files = ("go.mod", "main.go", "cmd/x.go", "web/package.json", "web/a.ts", "testdata/a.json")
    found = ownership(files=files)

    assert found.packages_of("testdata/a.json") == {"go.mod", "web/package.json", "shell"}
    assert found.packages_of("cmd/x.go") == {"go.mod"}
    assert found.packages_of("web/a.ts") == {"web/package.json"}


def test_configuration_in_a_folder_decides_about_the_packages_below():
    files = ("services/tsconfig.json", "services/package.json", "services/a/package.json", "api/go.mod")
    found = ownership(files=files)

    assert found.packages_of("services/tsconfig.json") == {"services/package.json", "services/a/package.json"}
    assert found.packages_of("services/src/a.json") == {"services/package.json"}
    assert ownership().packages_of("eslint.config.js") == NODES


def test_a_lockfile_decides_about_its_language():
    assert ownership().packages_of("package-lock.json") == NODES


def test_files_of_a_language_without_manifests_are_its_own():
    assert ownership().packages_of("run.sh") == {"shell"}


def test_a_declared_input_decides_about_what_is_declared_alone():
    declared = (
        DeclaredInput(files=["testdata/"], packages=["api", "web/*"]),
        DeclaredInput(files=["*.md"], packages=[]),
    )

    assert ownership(*declared).packages_of("testdata/cart.json") == {
        "api/go.mod",
        "web/app/package.json",
        "web/ui/package.json",
    }
    assert ownership(*declared).packages_of("web/app/README.md") == frozenset()


def reasons(*changed):
    packages = discover(ROOT, FILES, LANGUAGES)
    return affected(build(packages, LANGUAGES), Ownership(packages, LANGUAGES), LANGUAGES, changed)


def test_a_change_touches_what_needs_the_changed_package():
    found = reasons("web/ui/src/button.ts")

    assert found["web/ui/package.json"] == "web/ui/src/button.ts changed"
    assert found["web/app/package.json"] == "needs web/ui/package.json: web/ui/src/button.ts changed"
    assert "api/go.mod" not in found


def test_nothing_changed_touches_nothing():
    assert reasons() == {}


def test_a_package_that_was_removed_touches_its_language():
    assert set(reasons("libs/old/go.mod")) >= {"api/go.mod"}
    assert set(reasons("web/old/package.json")) >= NODES
