"""Clones the task's repository in the workspace, where its template does not."""

from __future__ import annotations

import re
import shlex

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.shell import Shell

_OPTIONS = {"full": "", "shallow": "--depth 1", "blobless": "--filter=blob:none"}


def script(settings: TaskSettings, directory: str) -> str:
    """A shell script that clones and checks out; it refuses a folder that is not empty."""
    assert settings.repository, "a launcher that clones is told what"
    ref = settings.commit or settings.ref or "HEAD"
    where = shlex.quote(directory)
    fetch = f"git -C {where} fetch --quiet {_OPTIONS[settings.clone]} origin {shlex.quote(ref)}"
    branch = ref if ref != "HEAD" and not re.fullmatch(r"[0-9a-f]{7,64}", ref) else ""
    checkout = (
        f"checkout --quiet -B {shlex.quote(branch)} FETCH_HEAD" if branch else "checkout --quiet FETCH_HEAD"
    )
    return f"""export GIT_TERMINAL_PROMPT=0
if [ -d {where} ] && [ -n "$(ls -A {where})" ]; then echo "{directory} is not empty" >&2; exit 1; fi
mkdir -p {where} && git init --quiet {where} && git -C {where} remote add origin {shlex.quote(settings.repository)} &&
{fetch} && git -C {where} {checkout}"""


def make(shell: Shell, settings: TaskSettings, directory: str, deadline: Deadline) -> None:
    """Clone. Raises `EnvironmentProblem` with git's words."""
    answer = shell.ask(script(settings, directory), deadline)
    if answer.exit_code != 0:
        raise EnvironmentProblem(
            f"the task's repository cannot be cloned: {settings.repository}",
            seen=answer.words or answer.source,
            where=directory,
            next_step="try it in a workspace of the same template: name, ref, network policy and credentials matter",
        )
