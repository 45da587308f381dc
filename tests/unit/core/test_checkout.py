import os
import subprocess

import pytest

from gatehouse.core.checkout import Checkout, repository_name
from gatehouse.core.errors import NotInstalled, UsageError

IDENTITY = ["-c", "user.name=T", "-c", "user.email=t@example.com"]


def git(folder, *arguments):
    return subprocess.run(
        ["git", "-C", str(folder), *IDENTITY, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return Checkout.find(tmp_path)


def test_is_found_from_a_folder_below_its_root(checkout):
    below = checkout.root / "deep" / "er"
    below.mkdir(parents=True)

    assert Checkout.find(below).root == checkout.root


def test_knows_its_commit_tree_and_repository(checkout):
    git(checkout.root, "remote", "add", "origin", "git@github.com:acme/shop.git")

    assert checkout.head == git(checkout.root, "rev-parse", "HEAD")
    assert checkout.tree == git(checkout.root, "rev-parse", "HEAD^{tree}")
    assert checkout.repository == "acme/shop"


def test_before_the_first_commit_there_is_no_head(tmp_path):
    git(tmp_path, "init", "-q")
    checkout = Checkout.find(tmp_path)

    assert (checkout.head, checkout.tree, checkout.repository, checkout.files()) == (None, None, None, [])


def test_lists_tracked_and_untracked_files_but_not_ignored_ones(checkout):
    (checkout.root / ".gitignore").write_text("build/\n")
    (checkout.root / "build").mkdir()
    (checkout.root / "build" / "x").write_text("x")
    for name in ("with space", 'quo"te', "new\nline", "ünï"):
        (checkout.root / name).write_text("x")
    (checkout.root / "broken-link").symlink_to("nowhere")
    (checkout.root / os.fsdecode(b"not-utf8-\xff")).write_text("x")

    assert sorted(checkout.files()) == sorted(
        [
            ".gitignore",
            "a.txt",
            "with space",
            'quo"te',
            "new\nline",
            "ünï",
            "broken-link",
            os.fsdecode(b"not-utf8-\xff"),
        ]
    )


def test_status_is_empty_only_when_nothing_changed(checkout):
    assert checkout.status() == []

    (checkout.root / "b.txt").write_text("b")
    assert checkout.status() == ["?? b.txt"]


def test_a_folder_outside_any_checkout_is_refused_with_a_way_forward(tmp_path):
    with pytest.raises(UsageError, match="not inside a git checkout") as caught:
        Checkout.find(tmp_path)

    assert "git init" in caught.value.next_step


def test_a_bare_repository_is_refused(tmp_path):
    git(tmp_path, "init", "-q", "--bare")

    with pytest.raises(UsageError, match="not inside a git checkout"):
        Checkout.find(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        Checkout.find(tmp_path / "missing")


def test_git_not_being_installed_is_said(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(NotInstalled, match="git cannot be found"):
        Checkout.find(checkout.root)


def test_variables_that_point_git_elsewhere_are_ignored(checkout, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("elsewhere")))

    assert Checkout.find(checkout.root).root == checkout.root


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://user:secret@github.com/acme/shop", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@host:2222/group/sub/shop.git", "group/sub/shop"),
        ("http://127.0.0.1:4000/acme/shop.git", "acme/shop"),
        ("/srv/git/shop.git", None),
        ("../shop", None),
    ],
)
def test_the_repository_name_is_read_from_every_form_of_url(url, name):
    assert repository_name(url) == name
