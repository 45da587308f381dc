"""The fourth gate: whether it is really the image, the commit and the template version that was asked for.

A workspace can be ready and be another one: a builder falls back to its default image, an old clone is not updated,
a template was published in between. Each question has three answers: yes, no, could not tell.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gatehouse.coder.devcontainer import fallbacks
from gatehouse.core.task_settings import TaskSettings


@dataclass(frozen=True)
class Provenance:
    """What the workspace is. `wrong` is red; `unverified` could not be looked at."""

    template: str
    template_version: str
    directory: str
    commit: str = ""
    ref: str = ""
    image: str = ""
    image_id: str = ""
    wrong: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return asdict(self)


@dataclass(frozen=True)
class Inside:
    """What was found in the workspace; '' for what is not there."""

    folder: str = ""
    commit: str = ""
    ref: str = ""
    instructions: str = ""
    marker_failed: str = ""
    missing: tuple[str, ...] = ()


def questions(task: TaskSettings, directory: str) -> str:
    """A shell script that prints what `parse` reads."""
    lines = [
        f"cd -- {shlex.quote(directory)} 2>/dev/null || exit 0",
        'echo "folder=$(pwd)"',
        "export GIT_TERMINAL_PROMPT=0",
        'echo "commit=$(git rev-parse --verify --quiet HEAD)"',
        'echo "ref=$(git symbolic-ref --quiet --short HEAD)"',
        "for each in AGENTS.md ../AGENTS.md; do [ -f $each ] && echo instructions=$each && break; done",
    ]
    if task.provenance.marker:
        marker = shlex.quote(task.provenance.marker)
        lines.append(f"sh -c {marker} >/dev/null 2>&1 || echo marker_failed=$?")
    # Only whether there is one: its value stays in the workspace.
    lines += [f'[ -n "${{{name}+there}}" ] || echo missing={name}' for name in task.secrets]
    return "\n".join([*lines, "true"])


def demands(task: TaskSettings) -> list[str]:
    """Shell commands that fail in the checkout when the task's command must not be run there."""
    found = [f'[ -n "${{{name}+there}}" ]' for name in task.secrets]
    if task.commit:
        found.append(f'case "$(git rev-parse HEAD)" in {task.commit}*) ;; *) false ;; esac')
    if task.profile and task.provenance.instructions:
        found.append("{ [ -f AGENTS.md ] || [ -f ../AGENTS.md ]; }")
    if task.provenance.marker:
        found.append(f"sh -c {shlex.quote(task.provenance.marker)} >/dev/null 2>&1")
    return found


def parse(text: str) -> Inside:
    """What the script of `questions` printed."""
    pairs = [line.strip().split("=", 1) for line in text.splitlines() if "=" in line]
    found = dict(pairs)
    return Inside(
        folder=found.get("folder", ""),
        commit=found.get("commit", ""),
        ref=found.get("ref", ""),
        instructions=found.get("instructions", ""),
        marker_failed=found.get("marker_failed", ""),
        missing=tuple(value for key, value in pairs if key == "missing"),
    )


def judge(
    task: TaskSettings,
    provenance: Provenance,
    inside: Inside | None,
    *,
    expected_version: str,
    log: Iterable[str],
    pods_unseen: str = "",
) -> Provenance:
    """`provenance` with what is wrong and what could not be told; `inside` is None where nobody could look."""
    wrong = [f"the log says that something else runs than was meant: {line}" for line in fallbacks(log)[:3]]
    unverified: list[str] = []
    if expected_version and provenance.template_version != expected_version:
        wrong.append(
            f"the template version is {provenance.template_version}, asked for was {expected_version}"
        )
    if task.provenance.image:
        _judge_image(task.provenance.image, provenance, wrong, unverified, pods_unseen)
    if inside is None:
        unverified.append("the checkout: nobody could look inside")
    else:
        _judge_inside(task, provenance.directory, inside, wrong)
    return Provenance(
        **{
            **asdict(provenance),
            "commit": inside.commit if inside else "",
            "ref": inside.ref if inside else "",
            "wrong": tuple(wrong),
            "unverified": tuple(unverified),
        }
    )


def _judge_image(
    wanted: str, provenance: Provenance, wrong: list[str], unverified: list[str], unseen: str
) -> None:
    digest = wanted.partition("@")[2]
    if not provenance.image:
        unverified.append(f"the image: {unseen or 'the pod was not found'}")
    elif digest and digest not in provenance.image_id:
        wrong.append(f"the image is {provenance.image_id or provenance.image}, expected was {wanted}")
    elif not digest and provenance.image != wanted:
        wrong.append(f"the image is {provenance.image}, expected was {wanted}")


def _judge_inside(task: TaskSettings, directory: str, inside: Inside, wrong: list[str]) -> None:
    if not inside.folder:
        wrong.append(f"there is no folder {directory} in the workspace")
        return
    if not inside.commit:
        wrong.append(f"{directory} is no git checkout with a commit")
    elif task.commit and not inside.commit.startswith(task.commit):
        wrong.append(f"{directory} is at {inside.commit[:12]}, wanted is {task.commit[:12]}")
    elif task.ref and inside.ref and inside.ref != task.ref and not inside.commit.startswith(task.ref):
        wrong.append(f"{directory} is on the branch {inside.ref}, wanted is {task.ref}")
    if task.profile and task.provenance.instructions and not inside.instructions:
        wrong.append(f"there is no AGENTS.md of the profile {task.profile} in {directory} or beside it")
    if inside.marker_failed:
        wrong.append(
            f"the marker of the intended image fails (exit code {inside.marker_failed}): {task.provenance.marker}"
        )


def container_image(pod: Mapping[str, Any] | None, container: str | None = None) -> tuple[str, str]:
    """The image of a pod's container (the first, if none is named) as it was asked for, and the runtime's id of it."""
    if pod is None:
        return "", ""
    for spec in pod.get("spec", {}).get("containers") or []:
        if container in (None, spec["name"]):
            statuses = pod.get("status", {}).get("containerStatuses") or []
            running: Mapping[str, Any] = next(
                (each for each in statuses if each.get("name") == spec["name"]), {}
            )
            return str(spec.get("image", "")), str(running.get("imageID", ""))
    return "", ""
