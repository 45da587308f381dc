from pathlib import Path

from gatehouse.inner.graph import build
from gatehouse.inner.model import Language, Links, Package

ROOT = Path("/checkout")


def graph(**links):
    """Packages by name, each with what it needs: names, or folders that begin with a dot and a slash."""

    def of(package):
        needs = links[package.folder]
        folders = frozenset(need[2:] for need in needs if need.startswith("./"))
        return Links(package.folder, frozenset(need for need in needs if not need.startswith("./")), folders)

    language = Language("x", lambda package, tools: [], links=of)
    packages = [Package(ROOT, name, f"{name}/x.toml", "x") for name in links]
    return build(packages, [language])


def manifests(*names):
    return frozenset(f"{name}/x.toml" for name in names)


def test_packages_are_linked_by_name_and_by_folder():
    found = graph(app=["lib", "./other", "unknown"], lib=[], other=[])

    assert found.needs["app/x.toml"] == manifests("lib", "other")


def test_needs_and_dependants_are_followed_to_the_end():
    found = graph(app=["lib"], lib=["core"], core=[], tool=[])

    assert found.all_needs("app/x.toml") == manifests("lib", "core")
    assert found.dependants(manifests("core")) == manifests("core", "lib", "app")


def test_packages_come_after_those_they_need():
    assert graph(a=["z"], z=["m"], m=[]).upstream_first() == ["m/x.toml", "z/x.toml", "a/x.toml"]


def test_a_cycle_ends():
    found = graph(a=["b"], b=["a"])

    assert found.upstream_first() == ["b/x.toml", "a/x.toml"]
    assert found.all_needs("a/x.toml") == manifests("b")


def test_a_package_does_not_need_itself():
    assert graph(a=["a", "./a"]).needs["a/x.toml"] == frozenset()


def test_a_manifest_that_cannot_be_read_has_no_links():
    def broken(package):
        raise ValueError("no TOML")

    package = Package(ROOT, "a", "a/x.toml", "x")

    assert build([package], [Language("x", lambda package, tools: [], links=broken)]).needs == {
        "a/x.toml": frozenset()
    }
