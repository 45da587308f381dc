"""What a person needs to take over from a task that failed, collected before the workspace is deleted.

Each piece is tried on its own: what cannot be had is said, and never keeps the workspace from being deleted.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from gatehouse.coder.models import LogLine
from gatehouse.core.errors import GatehouseError
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.report import TaskReport, exit_words, last_words

#: Bytes of a log or of a patch that are kept: its end, and its beginning.
LARGEST_LOG = 1024 * 1024
LARGEST_PATCH = 16 * 1024 * 1024

FOLLOW_UP = "followup.md"
PATCH = "changes.patch"
STATE = "state.txt"

#: What the work tree looks like: what differs, what was committed, what was not pushed, what still runs, what is full.
STATE_SCRIPT = """exec 2>&1; export GIT_TERMINAL_PROMPT=0
echo '$ git status'; git status --short --branch | head -n 200
echo '$ git log'; git log --oneline --decorate -n 20
echo '$ git log, not pushed'; git log --oneline -n 20 HEAD --not --remotes
echo '$ git stash list'; git stash list
echo '$ df'; df -h . /tmp
echo '$ ps'; ps -eo pid,ppid,stat,etime,args 2>/dev/null | cut -c 1-200 | head -n 60
true"""


def state_script(directory: str) -> str:
    """A shell script that prints the state of the checkout."""
    return f"cd -- {shlex.quote(directory)} || exit 1\n{STATE_SCRIPT}"


def collect(pieces: dict[str, Callable[[], bytes]], report: TaskReport) -> None:
    """Take each piece into `report.handoff`; the reason of what cannot be had into `not_collected`."""
    for name, take in pieces.items():
        try:
            content = take()
        except GatehouseError as error:
            report.not_collected[name] = error.summary + (f" ({error.seen})" if error.seen else "")
            continue
        limit = LARGEST_PATCH if name == PATCH else LARGEST_LOG
        if name == PATCH and len(content) > limit:
            report.not_collected[name] = f"it has {len(content)} bytes, at most {limit} are taken"
        elif content:
            report.handoff[name] = content[-limit:]


def log_text(lines: Iterable[LogLine]) -> bytes:
    """A log of Coder's as text, with times."""
    return "".join(
        f"{line.created_at:%H:%M:%S} {line.output}\n" if line.created_at else f"{line.output}\n"
        for line in lines
    ).encode()


def follow_up(task: TaskSettings, report: TaskReport) -> str:
    """A note in Markdown: what was tried, how it ended, what is there, how to go on."""
    provenance, command = report.provenance, report.command
    error = report.error
    lines = [f"# Follow-up: {error.summary if error else 'the task did not fail'}", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| outcome | {report.outcome} |", f"| workspace | {report.name} (deleted, or in the ledger) |"]
    lines += [f"| template | {task.template}, version {report.template_version or 'unknown'} |"]
    if provenance:
        lines += [
            f"| checkout | {provenance.directory} at {provenance.commit or 'unknown'} {provenance.ref} |"
        ]
        lines += [f"| image | {provenance.image or 'unknown'} {provenance.image_id} |"]
    lines += [f"| profile | {task.profile or 'none'} |"] if task.profile else []
    lines += ["", "## What was run", "", "```sh", shlex.join(task.argv), "```", ""]
    if command:
        ended = "unknown" if command.exit_code is None else exit_words(command.exit_code)
        lines += [
            f"{ended}, by {command.exit_code_source}; channel {command.channel} ({report.channel_reason})",
            "",
        ]
        lines += ["Its last words:", "", "```", last_words(command) or "(none)", "```", ""]
    if error:
        lines += ["## Why it is red", "", "```", str(error), "```", ""]
    lines += ["## What is here", ""]
    lines += [f"- `{name}`" for name in sorted(report.handoff)]
    lines += [
        f"- `{each.path}` ({len(each.content)} bytes, evidence of the command)" for each in report.evidence
    ]
    lines += [f"- not here: {name}: {why}" for name, why in sorted(report.not_collected.items())]
    lines += [f"- not here: {each.path}: {each.why}" for each in report.refused]
    lines += ["", "## How to go on", ""]
    if PATCH in report.handoff and provenance:
        lines += ["The task's change, committed or not, as one patch:", "", "```sh"]
        lines += [f"git clone {task.repository or 'REPOSITORY'} checkout && cd checkout"]
        lines += [f"git checkout {provenance.commit}", f"git apply --index ../{PATCH}", "```", ""]
    lines += [f"- next: {error.next_step}"] if error and error.next_step else []
    return "\n".join(lines) + "\n"
