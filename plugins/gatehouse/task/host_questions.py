"""Asks a Git host from inside a task with the token that its checkout pushes with, which stays there."""

from __future__ import annotations

import base64
import binascii
import http.client
import io
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.task import host_program

#: Where tokens are looked for before git's own credential helpers are asked.
TOKEN_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")

#: What else a token may be from.
HELPER = "git's credential helper"

#: The program that asks where it is there.
CURL = "curl"

#: Says that there is nothing to ask with.
NEITHER = "neither"


@dataclass(frozen=True)
class Request:
    """One request. `basic`: authorized as git does it; `head_only`: of a success the body is left out."""

    method: str
    url: str
    body: str = ""
    basic: bool = False
    head_only: bool = False
    #: Seconds.
    timeout: int = 15
    #: Bytes of an answer that are kept.
    limit: int = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What the host said. `status` is 0 where there was no answer; `scopes` is None where it names none."""

    status: int
    scopes: tuple[str, ...] | None = None
    data: dict[str, Any] = field(default_factory=dict)
    words: str = ""


def finding_token(directory: str) -> str:
    """Shell text that sets `remote`, `token` and `source`, each '' where there is none."""
    variables = "\n".join(
        f'[ -n "$token" ] || {{ token=${{{name}:-}}; source={name}; }}' for name in TOKEN_VARIABLES
    )
    return f"""cd -- {shlex.quote(directory)} || exit 1
remote=$(git remote get-url --push origin 2>/dev/null) || remote=
token= source=
{variables}
if [ -z "$token" ]; then
  source="{HELPER}"
  token=$(printf 'url=%s\\n\\n' "$remote" | GIT_TERMINAL_PROMPT=0 git credential fill 2>/dev/null |
    sed -n 's/^password=//p')
fi"""


def where_it_pushes(directory: str) -> str:
    """A script that prints the checkout's folder, its remote, without secrets in it, and where its token is from."""
    return f"""{finding_token(directory)}
echo "folder=$(pwd)"
printf 'remote=%s\\n' "$remote" | sed 's#//[^/@]*@#//#'
[ -z "$token" ] || echo "source=$source"
"""


def asking(directory: str, requests: Sequence[Request]) -> str:
    """A script that makes requests with the task's token, and prints one line for each answer."""
    listed = json.dumps([asdict(each) for each in requests])
    program = Path(host_program.__file__).read_text()
    commands = "\n".join(map(_with_curl, requests))
    # The header goes to curl as input: arguments can be seen by every process of the workspace.
    return f"""{finding_token(directory)}
if command -v {CURL} >/dev/null; then
basic=$(printf 'x-access-token:%s' "$token" | base64 | tr -d '\\n')
{commands}
elif command -v python3 >/dev/null; then
export token
python3 -c {shlex.quote(program)} {shlex.quote(listed)}
else
echo {NEITHER}
fi"""


def _with_curl(request: Request) -> str:
    words = [CURL, "-K", "-", "-sS", "--http1.1", "--suppress-connect-headers", "-X", request.method]
    words += ["--max-time", str(request.timeout), "-i"]
    if request.body:
        words += ["--data-binary", request.body]
    secret = '"Basic $basic"' if request.basic else '"Bearer $token"'
    given = f"""printf 'header = "Authorization: %s"\\n' {secret}"""
    limit = 4096 if request.head_only else request.limit
    shown = f"{shlex.join([*words, request.url])} 2>&1 | head -c {limit}"
    return f"{given} | {shown} | base64 | tr -d '\\n'; echo"


def answers_of(output: bytes, requests: Sequence[Request]) -> list[Answer]:
    """What the script of `asking` printed. Raises `EnvironmentProblem` when there was nothing to ask with."""
    lines = output.decode(errors="replace").split()
    if lines == [NEITHER] or len(lines) != len(requests):
        raise EnvironmentProblem(
            "the Git host cannot be asked from inside the workspace",
            expected="curl or python3 in the workspace's image",
            seen=" ".join(lines)[-300:] or "nothing was printed",
        )
    return [_answer(line) for line in lines]


def _answer(line: str) -> Answer:
    try:
        raw = base64.b64decode(line, validate=True)
    except binascii.Error:
        return Answer(0, words=line[:200])
    first, _, rest = raw.partition(b"\n")
    status = first.split(b" ")[1:2]
    if not first.startswith(b"HTTP/") or not status or not status[0].strip().isdigit():
        return Answer(0, words=" ".join(raw.decode(errors="replace").split())[:300])
    stream = io.BytesIO(rest)
    headers = http.client.parse_headers(stream)
    text = stream.read().decode(errors="replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    data = parsed if isinstance(parsed, dict) else {"items": parsed} if isinstance(parsed, list) else {}
    scopes = headers.get("X-OAuth-Scopes")
    return Answer(
        int(status[0]),
        None if scopes is None else tuple(each.strip() for each in scopes.split(",") if each.strip()),
        data,
        str(data.get("message") or " ".join(text.split())[:300]),
    )
