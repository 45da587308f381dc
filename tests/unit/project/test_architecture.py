"""The house keeps its shape: what may import what."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "plugins" / "gatehouse"

#: What the modules of each folder may import from the others. Whoever adds an arrow adds it here.
MAY_IMPORT = {
    "core": set(),
    "argocd": {"core", "kube"},
    "coder": {"core"},
    "github": {"core"},
    "kube": {"core"},
    "edge": {"core", "kube"},
    "guardrails": {"core"},
    "inner": {"core", "guardrails"},
    "preview": {"core", "argocd", "github", "kube"},
    "workspace": {"core", "coder", "kube"},
    "smoke": {"core", "coder", "kube", "evidence", "preview", "workspace"},
    "task": {"core", "coder", "edge", "guardrails", "kube", "workspace"},
    "job": {"core", "kube", "evidence", "preview.pull_request"},
    "evidence": {"core", "run"},
    "gate": {"core", "evidence"},
    "report": {"evidence"},
    "embedded": {"core.processes"},
}

#: What a slice's plugin may import besides.
PLUGIN_MAY_IMPORT = {"run", "invocation", "terminal", "evidence.plugin", "evidence.recorder"}

#: The one module behind which each client library is kept.
CLIENT_LIBRARIES = {
    "requests": {"argocd/client.py"},
    "kubernetes": {"kube/client.py", "kube/credentials.py", "kube/exec.py"},
    "httpx": {
        "coder/connection.py",
        "coder/transport.py",
        "github/client.py",
        "preview/route.py",
        "preview/registry.py",
        "preview/personas/visitor.py",
    },
    "websockets": {"coder/sockets.py"},
    "pathspec": {
        "guardrails/model.py",
        "inner/forbidden.py",
        "inner/ownership.py",
        "preview/proof.py",
    },
}


def modules(folder="."):
    return sorted((PACKAGE / folder).rglob("*.py"))


def name(path):
    return path.relative_to(PACKAGE).as_posix()


@cache
def imports(path):
    """Dotted names of all that a module imports, also within functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} has a relative import"
            found += (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            found += (each.name for each in node.names)
    return found


def is_plugin(path):
    """Whether a module belongs to pytest's side of a slice."""
    return path.name == "plugin.py" or path.name.endswith(
        ("_plugin.py", "early_answer.py", "guard.py", "items.py", "recorder.py")
    )


@pytest.mark.parametrize("slice_", MAY_IMPORT)
def test_arrows_go_downward_only(slice_):
    for path in modules(slice_):
        allowed = MAY_IMPORT[slice_] | (PLUGIN_MAY_IMPORT if is_plugin(path) else set()) | {slice_}
        for imported in imports(path):
            if imported.startswith("gatehouse.") and imported != "gatehouse.__version__":
                inside = imported.removeprefix("gatehouse.") + "."
                assert any(inside.startswith(f"{each}.") for each in allowed), (
                    f"{name(path)} imports {imported}"
                )


def test_every_folder_has_its_arrows_written_down():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(MAY_IMPORT)


def test_only_the_plugins_know_pytest():
    knowing = {
        name(path) for path in modules() if any(each.split(".")[0] == "pytest" for each in imports(path))
    }
    libraries = {each for each in knowing if "/" in each and not is_plugin(PACKAGE / each)}
    assert libraries == set()


def test_a_slice_has_at_most_one_plugin():
    for slice_ in MAY_IMPORT:
        assert len([path for path in modules(slice_) if path.name == "plugin.py"]) <= 1


def test_no_module_uses_what_another_folder_keeps_private():
    for path in modules():
        own = name(path).split("/")[0]
        for imported in imports(path):
            parts = imported.split(".")
            if parts[0] == "gatehouse" and parts[1:2] != [own]:
                assert not [each for each in parts if each.startswith("_") and not each.endswith("__")], name(
                    path
                )


@pytest.mark.parametrize("library", CLIENT_LIBRARIES)
def test_each_client_library_is_behind_its_own_modules(library):
    users = {
        name(path)
        for path in modules()
        if "embedded" not in path.parts and any(each.split(".")[0] == library for each in imports(path))
    }
    assert users == CLIENT_LIBRARIES[library]


def test_modules_fit_on_a_few_screens():
    long = {name(path): len(path.read_text().splitlines()) for path in modules()}
    assert {each: lines for each, lines in long.items() if lines > 500} == {}
