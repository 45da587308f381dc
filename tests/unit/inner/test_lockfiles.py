import json

import pytest

from gatehouse.inner.lockfiles import read_lock

NPM = {
    "lockfileVersion": 3,
    "packages": {
        "": {"workspaces": ["packages/*"]},
        "packages/app": {"dependencies": {"lib": "*", "left": "1"}},
        "packages/lib": {"dependencies": {"deep": "1"}},
        "packages/other": {"dependencies": {"right": "1", "deep": "2"}},
        "packages/other/node_modules/deep": {"version": "2.0.0"},
        "node_modules/lib": {"resolved": "packages/lib", "link": True},
        "node_modules/left": {"version": "1.0.0"},
        "node_modules/right": {"version": "1.0.0"},
        "node_modules/deep": {"version": "1.0.0"},
    },
}

PNPM = """
lockfileVersion: '9.0'
importers:
  .: {}
  packages/app:
    dependencies:
      left: {specifier: ^1.0.0, version: 1.0.0}
  packages/other:
    dependencies:
      right: {specifier: ^1.0.0, version: 1.0.0(left@2.0.0)}
packages:
  left@1.0.0: {resolution: {integrity: a}}
  deep@1.0.0: {resolution: {integrity: DEEP}}
  right@1.0.0: {resolution: {integrity: c}}
snapshots:
  left@1.0.0: {dependencies: {deep: 1.0.0}}
  deep@1.0.0: {}
  right@1.0.0(left@2.0.0): {}
"""

CARGO = """
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["left", "twice 1.0.0"]
[[package]]
name = "other"
version = "0.1.0"
dependencies = ["twice 2.0.0"]
[[package]]
name = "left"
version = "1.0.0"
source = "registry"
dependencies = ["deep"]
[[package]]
name = "deep"
version = "1.0.0"
source = "registry"
checksum = "DEEP"
[[package]]
name = "twice"
version = "1.0.0"
source = "registry"
[[package]]
name = "twice"
version = "2.0.0"
source = "registry"
"""

UV = """
[[package]]
name = "app"
version = "0.1.0"
source = { editable = "packages/app" }
dependencies = [{ name = "left" }]
[package.dev-dependencies]
dev = [{ name = "tool" }]
[[package]]
name = "other"
version = "0.1.0"
source = { virtual = "packages/other" }
[[package]]
name = "left"
version = "1.0.0"
source = { registry = "x" }
dependencies = [{ name = "deep" }]
[[package]]
name = "deep"
version = "DEEP"
source = { registry = "x" }
[[package]]
name = "tool"
version = "1"
source = { registry = "x" }
"""

LOCKS = {
    "package-lock.json": json.dumps(NPM).replace(
        '"node_modules/deep": {"version": "1.0.0"}', '"node_modules/deep": {"version": "DEEP"}'
    ),
    "pnpm-lock.yaml": PNPM,
    "Cargo.lock": CARGO,
    "uv.lock": UV,
}


def slices(name, text):
    lock = read_lock(name, text.encode())
    return lock.slice_of("packages/app", "app"), lock.slice_of("packages/other", "other")


@pytest.mark.parametrize("name", LOCKS)
def test_another_version_far_below_changes_the_slice_of_who_needs_it_alone(name):
    app, other = slices(name, LOCKS[name])
    changed_app, changed_other = slices(name, LOCKS[name].replace("DEEP", "ANOTHER"))

    assert app != changed_app
    assert other == changed_other


@pytest.mark.parametrize("name", LOCKS)
def test_a_package_that_the_lockfile_does_not_know_has_no_slice(name):
    assert read_lock(name, LOCKS[name].encode()).slice_of("elsewhere", "stranger") is None


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"packages": 7}', b"package = 7"]
)
def test_a_lockfile_that_cannot_be_read_has_no_slices(name, content):
    assert (
        read_lock(name, content) is None or read_lock(name, content).slice_of("packages/app", "app") is None
    )


def test_other_lockfiles_have_no_slices():
    assert read_lock("yarn.lock", b"") is None


def test_a_nested_version_counts_for_who_finds_it_first():
    lock = read_lock("package-lock.json", json.dumps(NPM).encode())
    nested = json.dumps(NPM).replace(
        '"packages/other/node_modules/deep": {"version": "2.0.0"}',
        '"packages/other/node_modules/deep": {"version": "2.0.1"}',
    )
    changed = read_lock("package-lock.json", nested.encode())

    assert lock.slice_of("packages/other", "") != changed.slice_of("packages/other", "")
    assert lock.slice_of("packages/app", "") == changed.slice_of("packages/app", "")


def test_a_cycle_ends():
    text = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1"\ndependencies = ["{need}"]\n'
        for name, need in ("ab", "ba")
    )

    assert read_lock("Cargo.lock", text.encode()).slice_of("", "a")
