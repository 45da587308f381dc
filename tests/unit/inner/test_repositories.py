"""Checkouts in every state that git knows: what is decided about their checks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import UsageError
from gatehouse.core.inner_settings import InnerSettings
from gatehouse.inner.inner_run import Before
from gatehouse.inner.plan import Action
from tests.support.checkouts import PYTHON, commit, git, make_checkout, write

TWO = {
    **PYTHON,
    "api/pyproject.toml": "[project]\nname = 'api'\n",
    "api/test_api.py": "def test_it():\n    pass\n",
}


def plan(root, settings=None, environment=None):
    before = Before.look(Checkout.find(root), None, environment or {})
    return before.plan(settings or InnerSettings(), root.parent / "cache", more_checks=[], everything=False)


def touched(root):
    """The packages of whose checks any is run."""
    return {each.check.package.folder for each in plan(root).decisions if each.action is Action.RUN}


@pytest.fixture
def topic(tmp_path):
    """A branch without changes, off a `main` with two packages."""
    root = make_checkout(tmp_path / "checkout", TWO)
    git(root, "checkout", "-q", "-b", "topic")
    return root


def test_a_folder_that_is_no_checkout_is_said(tmp_path):
    with pytest.raises(UsageError, match="is not inside a git checkout"):
        Checkout.find(tmp_path)


def test_a_bare_repository_is_said(tmp_path):
    git(tmp_path, "init", "-q", "--bare", "bare")

    with pytest.raises(UsageError, match="is not inside a git checkout"):
        Checkout.find(tmp_path / "bare")


def test_before_the_first_commit_everything_is_run(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", "new")
    write(tmp_path / "new", TWO)

    assert touched(tmp_path / "new") == {"svc", "api"}
    assert "no commit yet" in plan(tmp_path / "new").scope.everything


def test_in_a_shallow_clone_of_a_branch_everything_is_run_and_that_is_said(topic, tmp_path):
    git(topic, "checkout", "-q", "main")
    write(topic, {"README.md": "second"})
    commit(topic)
    git(topic, "checkout", "-q", "topic")
    write(topic, {"svc/svc.py": "x = 1\n"})
    commit(topic)
    git(topic, "checkout", "-q", "main")
    options = ("--depth=1", "--no-single-branch")
    git(tmp_path, "clone", "-q", *options, f"file://{topic}", "shallow")
    git(tmp_path / "shallow", "checkout", "-q", "topic")

    found = plan(tmp_path / "shallow")

    assert "shallow" in found.scope.everything
    assert {each.action for each in found.decisions} == {Action.RUN}


def test_a_detached_head_is_compared_as_any_other(topic):
    write(topic, {"svc/svc.py": "x = 1\n"})
    commit(topic)
    git(topic, "checkout", "-q", "--detach")

    assert touched(topic) == {"svc"}


def test_in_the_middle_of_a_merge_what_is_in_conflict_is_run(topic):
    write(topic, {"svc/svc.py": "x = 1\n"})
    commit(topic)
    git(topic, "checkout", "-q", "-b", "other", "main")
    write(topic, {"svc/svc.py": "x = 2\n"})
    commit(topic)
    subprocess.run(["git", "-C", str(topic), "merge", "-q", "topic"], capture_output=True, check=False)

    assert touched(topic) == {"svc"}


@pytest.mark.parametrize("stage", [False, True])
def test_what_is_not_committed_counts(topic, stage):
    write(topic, {"api/test_api.py": "def test_it():\n    assert 1\n"})
    if stage:
        git(topic, "add", "-A")

    assert touched(topic) == {"api"}


def test_what_is_untracked_counts_and_what_is_ignored_does_not(topic):
    write(topic, {"svc/new.py": "", "api/build/out.py": "", "api/.gitignore": "build/\n.gitignore\n"})

    assert touched(topic) == {"svc"}


def test_a_rename_touches_where_it_came_from_and_where_it_went(topic):
    git(topic, "mv", "svc/svc.py", "api/svc.py")
    commit(topic)

    assert touched(topic) == {"svc", "api"}


def test_a_work_tree_of_another_checkout_is_one(topic):
    git(topic, "worktree", "add", "-q", "../tree", "-b", "third")
    write(topic.parent / "tree", {"svc/svc.py": "x = 1\n"})

    assert touched(topic.parent / "tree") == {"svc"}


def test_files_that_a_sparse_checkout_leaves_out_are_no_packages_and_no_changes(topic):
    git(topic, "sparse-checkout", "set", "svc")
    write(topic, {"svc/svc.py": "x = 1\n"})

    assert touched(topic) == {"svc"}


def test_a_submodule_is_not_looked_into(topic, tmp_path):
    make_checkout(tmp_path / "library", {"pyproject.toml": "", "test_a.py": ""})
    git(topic, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "library"), "lib")
    commit(topic)

    assert {package.folder for package in plan(topic).packages} == {"svc", "api"}


def test_strange_names_are_packages_like_others(topic):
    names = ["a b", 'q"uote', "new\nline", "ünï"]
    write(topic, {f"{name}/pyproject.toml": "[project]\nname = 'x'\n" for name in names})
    write(topic, {f"{name}/test_x.py": "def test_x():\n    pass\n" for name in names})

    assert touched(topic) == set(names)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_names_that_are_not_utf_8_do_no_harm(topic):
    folder = os.fsencode(topic) + b"/svc/caf\xe9.py"
    Path(os.fsdecode(folder)).write_text("")

    assert touched(topic) == {"svc"}


def test_broken_links_and_links_to_folders_do_no_harm(topic):
    (topic / "svc" / "gone").symlink_to("nowhere")
    (topic / "svc" / "loop").symlink_to("loop")
    (topic / "svc" / "up").symlink_to("..")

    assert touched(topic) == {"svc"}


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("package.json", "{"),
        ("package.json", "[]"),
        ("go.mod", "this is no module file\n"),
        ("Cargo.toml", "[package\n"),
        ("pom.xml", "<project>"),
    ],
)
def test_a_broken_manifest_is_a_check_that_says_so_and_stops_no_other(topic, manifest, text):
    write(topic, {f"broken/{manifest}": text, "broken/a.go": "package a\n"})
    found = plan(topic)

    looks = [
        each.check for each in found.decisions if each.check.package.folder == "broken" and each.check.look
    ]

    assert {package.folder for package in found.packages} == {"svc", "api", "broken"}
    if manifest != "go.mod":  # go itself says what is wrong with it
        assert [finding.path for check in looks for finding in check.look().findings] == [
            f"broken/{manifest}"
        ]


def test_a_check_of_the_settings_takes_the_place_of_the_one_of_its_name(topic):
    settings = InnerSettings.model_validate(
        {
            "checks": [
                {"check": "svc/pyproject.toml::python-test", "command": ["sh", "-c", "true"]},
                {"check": "svc/pyproject.toml::extra", "command": ["no-such-tool"], "phase": "contract"},
            ]
        }
    )

    decisions = {each.check.id: each.check for each in plan(topic, settings).decisions}

    assert decisions["svc/pyproject.toml::python-test"].argv[1:] == ("-c", "true")
    assert decisions["svc/pyproject.toml::extra"].missing == "no-such-tool"


def test_a_command_of_the_settings_takes_the_place_of_a_mere_look(topic):
    write(topic, {"svc/package.json": '{"scripts": {"test": "node --test"}}', "svc/a.test.js": ""})
    own = {"check": "svc/package.json::node-listing", "command": ["sh", "-c", "true"], "phase": "contract"}

    decisions = {each.check.id: each.check for each in plan(topic).decisions}
    replaced = {each.check.id: each.check for each in plan(topic, InnerSettings(checks=[own])).decisions}

    assert decisions["svc/package.json::node-listing"].look is not None
    assert replaced["svc/package.json::node-listing"].look is None


def test_a_check_of_a_package_that_is_not_there_is_a_mistake_of_the_settings(topic):
    settings = InnerSettings.model_validate({"checks": [{"check": "gone/go.mod::x", "command": ["true"]}]})

    with pytest.raises(UsageError, match=r"there is no package gone/go\.mod"):
        plan(topic, settings)


def test_a_tool_that_is_required_and_absent_is_said(topic):
    (check,) = [
        each.check
        for each in plan(topic, InnerSettings(required_tools=["git", "no-such-tool"])).decisions
        if each.check.name == "required-tools"
    ]

    assert ["no-such-tool is not installed" in each.message for each in check.look().findings] == [True]


def test_a_lockfile_touches_only_who_needs_what_changed_in_it(tmp_path):
    lock = '[[package]]\nname = "{}"\nversion = "{}"\nsource = {{ registry = "x" }}\n'
    own = '[[package]]\nname = "{0}"\nsource = {{ editable = "{0}" }}\ndependencies = [{{ name = "{1}" }}]\n'
    both = own.format("svc", "left") + own.format("api", "right") + lock.format("right", "1")
    root = make_checkout(tmp_path / "checkout", {**TWO, "uv.lock": both + lock.format("left", "1")})
    git(root, "checkout", "-q", "-b", "topic")

    write(root, {"uv.lock": both + lock.format("left", "2")})

    assert touched(root) == {"svc"}
