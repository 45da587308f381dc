"""What a command has changed in a task's checkout: as a patch, and judged by the guard rails of its base."""

from __future__ import annotations

import base64
import shlex
from dataclasses import dataclass
from datetime import date

from gatehouse.core.base import Base
from gatehouse.core.changes import Changes, read_raw
from gatehouse.core.checkout import Checkout
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GuardRailViolation
from gatehouse.guardrails.preflight import Examination, examine
from gatehouse.task.evidence_copy import read_file
from gatehouse.task.shell import Shell, ask_whole

#: Makes a tree of everything that is in the work tree and not ignored, without touching the index.
_TREE = """index=$(mktemp -u) && export GIT_INDEX_FILE=$index && git read-tree HEAD && git add --all . && git write-tree
code=$?; rm -f "$index"; exit $code"""


@dataclass(frozen=True)
class WorkspaceCheckout(Checkout):
    """A checkout in a workspace: git is run there. `root` is a path of the workspace."""

    shell: Shell
    deadline: Deadline

    def ask(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """As `Checkout.ask`. Raises what the workspace cannot be reached with."""
        given = f"printf %s {shlex.quote(base64.b64encode(stdin).decode())} | base64 -d |" if stdin else ""
        script = (
            "export GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1 LC_ALL=C.UTF-8\nfile=$(mktemp) || exit 1\n"
            f"{given} git -C {shlex.quote(str(self.root))} {shlex.join(arguments)} >$file 2>$file.errors\n"
            'echo "$? $file $(($(wc -c <$file)))"; tail -c 2000 "$file.errors"; rm -f "$file.errors"'
        )
        answer = ask_whole(self.shell, script, self.deadline, f"git {arguments[0]}")
        told, _, errors = answer.decode(errors="replace").partition("\n")
        code, file, size = told.split()
        output = read_file(self.shell, file, int(size), self.deadline)
        ask_whole(self.shell, f"rm -f {shlex.quote(file)}", self.deadline, "tidying up")
        return int(code), output.decode(errors="surrogateescape"), errors

    def text(self, path: str) -> str | None:
        """A file of the work tree; None where there is none."""
        file = shlex.quote(path)
        script = f"cd {shlex.quote(str(self.root))} && if [ -f {file} ]; then echo there; cat -- {file}; fi"
        there, _, content = ask_whole(self.shell, script, self.deadline, f"reading {path}").partition(b"\n")
        return content.decode(errors="replace") if there == b"there" else None

    def work_tree(self) -> str:
        """The id of a tree that holds the work tree as it is now, untracked files included."""
        script = f"cd {shlex.quote(str(self.root))} || exit 1\n{_TREE}"
        return ask_whole(self.shell, script, self.deadline, "noting the work tree").decode().strip()


def changes_of(checkout: WorkspaceCheckout, base: str) -> tuple[Changes, str]:
    """All that differs from the commit `base`, committed or not, and the tree that holds it."""
    tree = checkout.work_tree()
    listing = checkout.git(
        "diff-tree",
        "-r",
        "--raw",
        "-z",
        "--no-abbrev",
        "--find-renames",
        "--ignore-submodules=none",
        base,
        tree,
    )
    return Changes(base, read_raw(listing)), tree


def patch_of(checkout: WorkspaceCheckout, base: str, tree: str) -> bytes:
    """A patch that `git apply` takes, from `base` to `tree`."""
    return checkout.git("diff", "--binary", "--no-color", base, tree).encode(errors="surrogateescape")


def judge_change(
    checkout: WorkspaceCheckout, base: str, changes: Changes, profile: str | None, today: date
) -> Examination:
    """What the guard rails of the base's policy say of the change, for the task's profile."""
    return examine(
        checkout,
        Base(base, "the commit that the task began with"),
        changes,
        option_profile=profile,
        environment={},
        today=today,
        text=checkout.text,
    )


def require_kept(examination: Examination) -> None:
    """Raise `GuardRailViolation` with the first violation if there is one."""
    if not examination.violations:
        return
    first = examination.violations[0]
    raise GuardRailViolation(
        f"the task changed what its profile {examination.profile} may not: {first}",
        expected=f"a change within the policy ({examination.policy_source})",
        seen="; ".join(map(str, examination.violations[:5])),
        next_step=first.next_step,
    )
