from pathlib import Path

import pytest

from gatehouse.inner.checks import LANGUAGES, checks_for
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.discover import discover

ROOT = Path("/checkout")


def found(*files):
    return {(package.language, package.folder): package for package in discover(ROOT, files, LANGUAGES)}


def test_packages_are_found_by_their_manifests_at_any_depth():
    packages = found("go.mod", "web/app/package.json", "svc/pyproject.toml", "README.md")

    assert set(packages) == {("go", ""), ("node", "web/app"), ("python", "svc")}
    assert packages["node", "web/app"].manifest == "web/app/package.json"


def test_one_folder_can_hold_packages_of_several_languages():
    assert set(found("x/go.mod", "x/package.json")) == {("go", "x"), ("node", "x")}


def test_the_best_of_several_manifests_of_one_language_counts():
    assert (
        found("x/setup.py", "x/pyproject.toml", "x/setup.cfg")["python", "x"].manifest == "x/pyproject.toml"
    )


def test_a_file_belongs_to_the_deepest_package_of_each_language():
    packages = found("pyproject.toml", "a.py", "inner/pyproject.toml", "inner/b.py", "go.mod", "inner/c.go")

    assert "inner/b.py" in packages["python", "inner"].files
    assert "inner/b.py" not in packages["python", ""].files
    assert "inner/c.go" in packages["go", ""].files


@pytest.mark.parametrize("folder", ["node_modules/x", "vendor/y", "third_party", "a/node_modules/b"])
def test_what_belongs_to_somebody_else_is_no_package(folder):
    assert found(f"{folder}/package.json", f"{folder}/go.mod") == {}


def test_strange_names_do_no_harm():
    assert set(found("a b/go.mod", 'q"uote/package.json', "new\nline/pyproject.toml")) == {
        ("go", "a b"),
        ("node", 'q"uote'),
        ("python", "new\nline"),
    }


def test_the_order_is_the_same_whatever_order_git_lists():
    files = ["b/go.mod", "a/package.json", "c/pyproject.toml"]

    assert discover(ROOT, files, LANGUAGES) == discover(ROOT, reversed(files), LANGUAGES)


def test_no_manifest_is_claimed_by_two_languages():
    manifests = [manifest for language in LANGUAGES for manifest in language.manifests]

    assert len(manifests) == len(set(manifests))


def test_nothing_in_a_checkout_without_packages_is_checked(tmp_path):
    assert checks_for(discover(tmp_path, ["README.md"], LANGUAGES), Tools("/nonexistent", tmp_path)) == []
