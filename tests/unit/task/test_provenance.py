import subprocess

import pytest

from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.programs import REFUSED, SAYS, in_checkout, when_checked_out
from gatehouse.task.provenance import Inside, Provenance, container_image, demands, judge, parse, questions
from tests.support.repositories import Repository

COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "registry.example.com/dev:1"
IMAGE_ID = f"registry.example.com/dev@sha256:{'a' * 64}"
FOUND = Provenance("task", "2026.1", "/workspaces/code/repo", image=IMAGE, image_id=IMAGE_ID)
INSIDE = Inside(folder="/workspaces/code/repo", commit=COMMIT, ref="main", instructions="../AGENTS.md")


def judged(inside=INSIDE, found=FOUND, log=(), **task):
    settings = TaskSettings(template="task", **{"profile": "code", **task})
    return judge(settings, found, inside, expected_version="2026.1", log=log)


def test_what_was_asked_for_is_right():
    seen = judged(commit=COMMIT[:12], ref="main", provenance={"image": IMAGE})

    assert (seen.wrong, seen.unverified) == ((), ())
    assert (seen.commit, seen.ref, seen.image_id) == (COMMIT, "main", IMAGE_ID)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"commit": "fedcba9"}, "is at 0123456789ab, wanted is fedcba9"),
        ({"ref": "other"}, "is on the branch main, wanted is other"),
        ({"provenance": {"image": "registry.example.com/dev:2"}}, "expected was registry.example.com/dev:2"),
        (
            {"provenance": {"image": f"x@sha256:{'b' * 64}"}},
            "the image is registry.example.com/dev@sha256:aaa",
        ),
        ({"inside": Inside()}, "there is no folder /workspaces/code/repo"),
        ({"inside": Inside(folder="/x", instructions="AGENTS.md")}, "is no git checkout with a commit"),
        ({"inside": Inside(folder="/x", commit=COMMIT)}, "there is no AGENTS.md of the profile code"),
        (
            {"inside": Inside("/x", COMMIT, "main", "AGENTS.md", "7")},
            "the marker of the intended image fails",
        ),
        (
            {"found": Provenance("task", "2025.9", "/x")},
            "the template version is 2025.9, asked for was 2026.1",
        ),
        ({"log": ["Falling back to the default image..."]}, "something else runs than was meant"),
    ],
)
def test_what_is_something_else_is_wrong_and_named(changes, words):
    (wrong,) = judged(**changes).wrong
    assert words in wrong


def test_an_image_by_digest_is_compared_with_what_runs():
    assert judged(provenance={"image": f"mirror.example.com/dev@sha256:{'a' * 64}"}).wrong == ()


def test_what_could_not_be_looked_at_is_neither_right_nor_wrong():
    seen = judged(inside=None, found=Provenance("task", "2026.1", "/x"), provenance={"image": IMAGE})

    assert seen.wrong == ()
    assert seen.unverified == ("the image: the pod was not found", "the checkout: nobody could look inside")


def test_without_a_profile_no_instructions_are_asked_for():
    assert judged(inside=Inside("/x", COMMIT, "main"), profile=None).wrong == ()


def test_the_questions_are_answered_by_a_shell(tmp_path, monkeypatch):
    repository = Repository(tmp_path / "repo")
    commit = repository.commit({"a": "x"})
    checkout = repository.root
    (tmp_path / "AGENTS.md").touch()
    monkeypatch.setenv("THERE", "")
    task = TaskSettings(template="t", secrets=["THERE", "NOT_THERE"], provenance={"marker": "exit 9"})

    done = subprocess.run(
        ["sh", "-c", questions(task, str(checkout))], capture_output=True, text=True, check=True
    )

    assert parse(done.stdout) == Inside(
        folder=str(checkout),
        commit=commit,
        ref="main",
        instructions="../AGENTS.md",
        marker_failed="9",
        missing=("NOT_THERE",),
    )


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({}, True),
        ({"commit": "fedcba9"}, False),
        ({"secrets": ["NOT_THERE"]}, False),
        ({"profile": "code"}, False),
        ({"provenance": {"marker": "false"}}, False),
    ],
)
def test_a_script_runs_nothing_in_a_checkout_that_is_something_else(tmp_path, changes, runs):
    Repository(tmp_path).commit({"a": "x"})
    task = TaskSettings(template="t", **changes)
    program = in_checkout(str(tmp_path), ["touch", "ran"], {})
    script = when_checked_out(str(tmp_path), questions(task, str(tmp_path)), demands(task), program, 5)

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, (tmp_path / "ran").exists()) == ((0, True) if runs else (REFUSED, False))
    assert f"{SAYS}folder={tmp_path}" in done.stdout


def test_the_image_of_a_container_is_that_of_its_spec_and_of_the_runtime():
    pod = {
        "spec": {"containers": [{"name": "dev", "image": "dev:1"}, {"name": "side", "image": "side:1"}]},
        "status": {
            "containerStatuses": [{"name": "side", "imageID": "side@1"}, {"name": "dev", "imageID": "dev@1"}]
        },
    }

    assert container_image(pod) == ("dev:1", "dev@1")
    assert container_image(pod, "side") == ("side:1", "side@1")
    assert container_image(pod, "other") == container_image(None) == ("", "")
