"""Whether the values of a task's tokens stand in a text, such as a log: asked inside, where the values are.

The text goes into the workspace, to `grep`; what comes out are names of tokens. So no value leaves the workspace,
and none is needed to look for it. Values are found as they are, and in the base64 of anything around them, as in
`Authorization: Basic` and in Secrets. Of a value of several lines the longest is looked for.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError
from gatehouse.core.redaction import SHORTEST_SECRET
from gatehouse.kube import rights
from gatehouse.task.host_questions import HELPER, finding_token
from gatehouse.task.privileges import Privileges
from gatehouse.task.shell import Shell, ask_whole

#: Variables that hold a token wherever they are there.
VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN", "CODER_AGENT_TOKEN", "CODER_SESSION_TOKEN")

#: What the service account's token is called in answers.
SERVICE_ACCOUNT = "service account"

#: How tokens that are no variables are told of.
_KINDS = {SERVICE_ACCOUNT: "the service account's token", HELPER: "the token of git's credential helper"}

#: Characters of a text, compressed and in base64, that one question carries, and that all of them carry.
PART = 60_000
LONGEST = {"exec": 8_000_000, "terminal": 60_000}


@dataclass(frozen=True)
class Found:
    """Names of the tokens: those that were looked for, those that the text holds, those too short to look for."""

    looked_for: tuple[str, ...]
    held: tuple[str, ...]
    short: tuple[str, ...] = ()


def look(
    shell: Shell, text: bytes, variables: Sequence[str], deadline: Deadline, *, directory: str = ""
) -> Found | None:
    """Which tokens' values stand in `text`; None for a text that is too long to be sent.

    `variables` are looked for besides `VARIABLES`, and with the checkout's `directory` also what git's own credential
    helper gives. Raises what the workspace's shell cannot be reached with, and
    `InfrastructureError` where the text did not arrive whole or cannot be searched.
    """
    packed = base64.b64encode(gzip.compress(text, mtime=0)).decode()
    if len(packed) > LONGEST[shell.name]:
        return None
    folder = f"/tmp/gatehouse-{secrets.token_hex(8)}"  # noqa: S108 - a name nobody can know before
    what = "looking for the values of tokens"
    prepared = f"umask 077; mkdir -p {folder}; cat {rights.FOLDER}/token >{folder}/account 2>/dev/null; true"
    if directory:
        helper = f'[ "$source" != "{HELPER}" ] || printf %s "$token" >{folder}/helper'
        prepared = f"{prepared}\n( {finding_token(directory)}\n{helper}\n) || true"
    try:
        ask_whole(shell, prepared, deadline, what)
        for number, place in enumerate(range(0, len(packed), PART)):
            part = packed[place : place + PART]
            ask_whole(shell, f"printf %s '{part}' >{folder}/part-{number:04}", deadline, what)
        names = list(dict.fromkeys([*VARIABLES, *variables]))
        return parse(ask_whole(shell, _search(folder, len(text), names), deadline, what).decode())
    finally:
        with contextlib.suppress(GatehouseError):  # the workspace goes, and its files with it
            ask_whole(shell, f"rm -rf {folder}", deadline, what)


def _search(folder: str, size: int, names: Sequence[str]) -> str:
    """A script that prints `looked NAME`, `short NAME` and `held NAME`; it fails where it could not search."""
    values = "\n".join(f'look_for {name} "${{{name}:-}}"' for name in names)
    return f"""umask 077; export LC_ALL=C
cat {folder}/part-* | base64 -d | gzip -d >{folder}/text || exit 1
[ "$(($(wc -c <{folder}/text)))" -eq {size} ] || {{ echo "the text did not arrive whole" >&2; exit 1; }}
spelled() {{
  encoded=$(printf '%s%s' "$1" "$2" | base64 | tr -d '\\n=')
  [ -z "$1" ] || encoded=${{encoded#????}}
  echo "${{encoded%?}}"
}}
look_for() {{
  longest=
  while IFS= read -r line; do
    [ ${{#line}} -le ${{#longest}} ] || longest=$line
  done <<END
$2
END
  [ -n "$longest" ] || return 0
  [ ${{#longest}} -ge {SHORTEST_SECRET} ] || {{ echo "short $1"; return 0; }}
  {{ printf '%s\\n' "$longest"; spelled '' "$longest"; spelled x "$longest"; spelled xx "$longest"; }} >{folder}/values
  grep -q -F -f {folder}/values {folder}/text; code=$?
  rm -f {folder}/values
  [ $code -le 1 ] || {{ echo "grep ended with $code" >&2; exit 1; }}
  echo "looked $1"
  [ $code -ne 0 ] || echo "held $1"
}}
{values}
[ ! -f {folder}/helper ] || look_for "{HELPER}" "$(cat {folder}/helper)"
look_for '{SERVICE_ACCOUNT}' "$(cat {folder}/account)\""""


def parse(text: str) -> Found:
    """What the search printed."""
    said = [line.split(" ", 1) for line in text.splitlines() if " " in line]
    return Found(
        *(tuple(name for word, name in said if word == kind) for kind in ("looked", "held", "short"))
    )


def judge(found: dict[str, Found | None], required: Sequence[str] = ()) -> Privileges:
    """`found` by what was searched: a value that stands anywhere is wrong; what was not searched is unverified.

    `required` are variables that the task says it has: one that was not there to look for is unverified, too.
    """
    searched = {text: each for text, each in found.items() if each}
    wrong = [
        f"the value of {_KINDS.get(name, name)} stands in {text}"
        for text, each in searched.items()
        for name in each.held
    ]
    short = {name for each in searched.values() for name in each.short}
    looked = {name for each in searched.values() for name in each.looked_for}
    unverified = [
        f"{text} is too long to be searched inside the workspace" for text in found if text not in searched
    ]
    unverified += [f"the value of {name} is too short to be looked for" for name in sorted(short)]
    unverified += [
        f"{name} (task.secrets) is not in the environment of the workspace's shell"
        for name in required
        if name not in looked | short
    ]
    return Privileges(tuple(wrong), tuple(unverified), {"texts": list(found), "tokens": sorted(looked)})
