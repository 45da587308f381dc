import os
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse.inner.graph import Graph
from gatehouse.inner.identities import Identities, identity
from gatehouse.inner.keys import check_key, package_keys
from gatehouse.inner.model import Blame, Check, Language, Package, Phase
from gatehouse.inner.ownership import Ownership

ROOT = Path("/checkout")
LANGUAGE = Language("go", lambda package, tools: [], ("go.mod",), suffixes=(".go",))
APP, LIB = Package(ROOT, "app", "app/go.mod", "go"), Package(ROOT, "lib", "lib/go.mod", "go")
GRAPH = Graph(
    {"app/go.mod": APP, "lib/go.mod": LIB},
    {"app/go.mod": frozenset({"lib/go.mod"}), "lib/go.mod": frozenset()},
)
CONTENTS = {"app/main.go": "1", "lib/lib.go": "2", "app/go.mod": "3", "lib/go.mod": "4", "README.md": "5"}


def keys(**changed):
    contents = CONTENTS | {name.replace("__", "/").replace("_", "."): what for name, what in changed.items()}
    return package_keys(GRAPH, Ownership([APP, LIB], [LANGUAGE]), contents)


def test_a_package_is_another_one_when_its_file_what_it_needs_or_a_shared_file_changes():
    before = keys()

    assert keys(app__main_go="x")["app/go.mod"] != before["app/go.mod"]
    assert keys(lib__lib_go="x")["app/go.mod"] != before["app/go.mod"]
    assert keys(README_md="x")["app/go.mod"] != before["app/go.mod"]
    assert keys(app__new_go="x")["app/go.mod"] != before["app/go.mod"]


def test_a_package_is_the_same_when_who_needs_it_changes():
    assert keys(app__main_go="x")["lib/go.mod"] == keys()["lib/go.mod"]


def test_the_same_content_under_another_name_is_another_package():
    renamed = {**CONTENTS, "app/other.go": "1"}
    del renamed["app/main.go"]

    found = package_keys(GRAPH, Ownership([APP, LIB], [LANGUAGE]), renamed)

    assert found["app/go.mod"] != keys()["app/go.mod"]


CHECK = Check(APP, "go-test", Phase.UNIT, Blame.TEST, ("go", "test", "./..."), inputs=("/checkout/x",))


def key(
    check=CHECK, package="p", environment=None, cache=Path("/cache"), timeout=1.0, network=False, root=ROOT
):
    return check_key(check, package, Identities(root), environment or {}, cache, timeout, network)


@pytest.mark.parametrize(
    "other",
    [
        lambda: key(package="q"),
        lambda: key(environment={"GOOS": "js"}),
        lambda: key(timeout=2.0),
        lambda: key(network=True),
        lambda: key(replace(CHECK, argv=("go", "test", "-race", "./..."))),
        lambda: key(replace(CHECK, name="go-vet")),
        lambda: key(replace(CHECK, env={"GOFLAGS": "-v"})),
        lambda: key(replace(CHECK, inputs=(__file__,))),
    ],
    ids=["files", "variable", "limit", "network", "arguments", "check", "own variable", "installed"],
)
def test_all_that_can_change_the_answer_changes_the_key(other):
    assert other() != key() == key()


def test_where_the_checkout_and_the_cache_are_does_not_matter():
    def at(root, cache):
        package = replace(APP, root=Path(root))
        argv = (
            "tool",
            f"--cache={cache}/tool",
            f"{root}/app",
            f"--report={cache}/reports/{abs(hash(root))}.xml",
        )
        return key(replace(CHECK, package=package, argv=argv, inputs=()), root=Path(root), cache=Path(cache))

    assert at("/here", "/c1") == at("/there", "/c2") == at("/home/me", "/home/me/.cache")


def test_a_file_is_known_by_its_content_and_a_folder_by_what_is_in_it(tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    assert identity(file) == "absent"
    file.write_text("a")
    folder.mkdir()
    before = identity(file), identity(folder)

    file.write_text("b")
    (folder / "x").touch()

    assert identity(file) != before[0]
    assert identity(folder) != before[1]


def test_a_large_program_is_known_by_size_and_time(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(b"x" * (2 << 20))
    before = identity(program)

    os.utime(program, (1, 1))

    assert identity(program) != before
