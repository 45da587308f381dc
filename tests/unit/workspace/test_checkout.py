import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse.workspace.checkout import Checkout, judge_checkout, parse_checkout, questions
from tests.platform.conftest import git

MADE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OLD, NEW = "a" * 40, "b" * 40


def judged(wanted=None, log=(), **found):
    return judge_checkout(Checkout(**{"folder": "/w/repo", "head": OLD, **found}), wanted, MADE, log)


@pytest.mark.parametrize(
    ("found", "wanted", "right", "words"),
    [
        ({"branch": "main", "tip": OLD}, None, True, "is at aaaaaaaaaaaa"),
        ({"branch": "main", "tip": NEW}, OLD[:8], True, "is at aaaaaaaaaaaa"),
        ({"branch": "main", "tip": OLD}, NEW[:8], False, "wanted is bbbbbbbb"),
        (
            {"branch": "main", "remote": "origin", "tip": NEW},
            None,
            False,
            "main of origin is at bbbbbbbbbbbb",
        ),
        ({"branch": ""}, None, None, "on no branch"),
        ({"branch": "main", "unanswered": "fatal: no route"}, None, None, "cannot be told: fatal: no route"),
        ({"branch": "main", "tip": ""}, None, None, "git told no commit"),
        ({"problem": "there is no checkout"}, OLD, False, "there is no checkout"),
    ],
)
def test_what_is_checked_out_is_right_wrong_or_not_known(found, wanted, right, words):
    verdict = judged(wanted, **found)

    assert verdict.right is right
    assert words in verdict.words


def test_a_push_after_the_workspace_was_made_is_no_fault():
    behind = {"branch": "main", "tip": NEW, "behind": 1}

    assert judged(**behind, next_commit=MADE + timedelta(seconds=5)).right is True
    assert judged(**behind, next_commit=MADE - timedelta(days=1)).right is False


def test_an_old_clone_is_told_as_such():
    behind = {"branch": "main", "tip": NEW, "remote": "origin"}
    log = ["#1: The repository already exists!"]

    assert "an existing clone was not updated" in judged(**behind, behind=3).words
    assert "log: #1: The repository already exists!" in judged(**behind, log=log).words


@pytest.fixture
def clone(tmp_path):
    git("init", "-q", "-b", "main", str(tmp_path / "origin"))
    git("commit", "-q", "--allow-empty", "-m", "one", cwd=tmp_path / "origin")
    git("clone", "-q", str(tmp_path / "origin"), str(tmp_path / "workspaces" / "repo"))
    return tmp_path / "workspaces" / "repo"


def asked(folder):
    done = subprocess.run(["sh", "-c", questions(str(folder))], capture_output=True, text=True, check=True)
    return parse_checkout(done.stdout.replace("\n", "\r\n"))


def test_the_script_finds_the_checkout_in_the_folder_or_below_it(clone):
    for folder in (clone, clone.parent):
        found = asked(folder)
        assert found.folder == str(clone)
        assert found.branch == "main"
        assert found.head == found.tip != ""


def test_the_script_tells_how_far_an_old_clone_is_behind(clone, tmp_path):
    git("commit", "-q", "--allow-empty", "-m", "two", cwd=tmp_path / "origin")
    found = asked(clone)

    assert found.behind == 1
    assert found.head != found.tip
    assert abs(found.next_commit - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_script_tells_what_is_not_there(clone, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "origin").rename(tmp_path / "moved")

    assert "no checkout" in asked(tmp_path / "empty").problem
    assert "no folder" in asked(tmp_path / "nowhere").problem
    assert asked(clone).unanswered != ""
    assert asked(clone).tip == ""
