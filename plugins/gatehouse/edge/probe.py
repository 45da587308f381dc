"""Runs the probe on either side: here, or in a pod with what is there (`python3`, else `curl`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from gatehouse.core.command_result import CommandResult
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.edge import program, with_curl
from gatehouse.edge.page_text import page_text

Request = Mapping[str, Any]

#: Characters of a body that are kept.
BODY = program.BODY


class RunInPod(Protocol):
    """Runs a command in a pod."""

    def __call__(self, argv: Sequence[str], *, stdin: bytes = b"") -> CommandResult:
        """What became of it."""
        ...


@dataclass(frozen=True)
class Certificate:
    """What stands in a certificate; `expires` is in seconds since 1970."""

    names: tuple[str, ...] = ()
    subject: str = ""
    issuer: str = ""
    expires: float = 0.0


@dataclass(frozen=True)
class Seen:
    """How far one request came: `stage` is where it ended (`name`, `connect`, `tls`, `http`), or `done`.

    `certificate_fault` is OpenSSL's number of what is wrong with the certificate, 0 for nothing.
    """

    stage: str
    words: str = ""
    addresses: tuple[str, ...] = ()
    address: str = ""
    timed_out: bool = False
    refused: bool = False
    certificate: Certificate | None = None
    certificate_fault: int = 0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    upgraded: bool = False

    @property
    def reached(self) -> bool:
        """Whether there was an answer, whatever it was."""
        return self.stage == "done"

    @property
    def body_words(self) -> str:
        """The start of the body on one line; of a page, what people read."""
        text = page_text(self.body) if "html" in self.headers.get("content-type", "") else self.body
        return " ".join(text.split())[:300]


def request(
    url: str,
    timeout: float,
    *,
    address: str = "",
    ca_file: Path | None = None,
    websocket: bool = False,
    subprotocol: str = "",
    only_connect: bool = False,
) -> Request:
    """A request for the probe. `ca_file` is read here: pods do not have it. `timeout` is in seconds.

    Raises `EnvironmentProblem` for a file that cannot be read.
    """
    made: dict[str, Any] = {"url": url, "timeout": timeout}
    if address:
        made["address"] = address
    if ca_file:
        try:
            made["authorities"] = ca_file.expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentProblem(
                f"smoke.edge.ca_file cannot be read: {ca_file}", seen=str(error)
            ) from error
    if websocket:
        made |= {"websocket": True, "subprotocol": subprotocol}
    if only_connect:
        made["only_connect"] = True
    return made


def from_here(requests: Sequence[Request]) -> list[Seen]:
    """What the requests see from where the suite runs."""
    return [seen_of(each) for each in program.look_at_all([dict(each) for each in requests])]


def from_inside(run: RunInPod, requests: Sequence[Request]) -> tuple[list[Seen], str]:
    """What the requests see from inside a pod, and by which means: `python3` or `curl`.

    Raises `EnvironmentProblem` when the pod has neither, or the probe does not answer there.
    """
    result = run(["sh", "-c", "command -v python3 || command -v curl || echo neither"])
    found = result.stdout.decode(errors="replace").strip().rpartition("/")[2]
    if found.startswith("python3"):
        return [seen_of(each) for each in _with_python(run, requests)], "python3"
    if found.startswith("curl"):
        return [seen_of(each) for each in with_curl.look_at_all(run, requests)], "curl"
    raise EnvironmentProblem(
        "nothing can be asked from inside the workspace",
        expected="python3 or curl in the workspace's image",
        seen=(result.stdout + result.stderr).decode(errors="replace").strip() or result.exit_code_source,
        next_step="add one of them to the image, or name another container in smoke.workspace.container",
    )


def _with_python(run: RunInPod, requests: Sequence[Request]) -> list[dict[str, Any]]:
    source = Path(program.__file__).read_bytes()
    asked = json.dumps(list(requests)).encode()
    start = "import sys; exec(sys.stdin.buffer.read(int(sys.argv[1])))"
    result = run(["python3", "-c", start, str(len(source)), str(len(asked))], stdin=source + asked)
    try:
        answers: list[dict[str, Any]] = json.loads(result.stdout)
    except ValueError as error:
        raise EnvironmentProblem(
            "the probe did not answer from inside the workspace",
            expected="one JSON document from python3",
            seen=(result.stderr or result.stdout).decode(errors="replace")[-400:].strip()
            or result.exit_code_source,
        ) from error
    return answers


def seen_of(data: Mapping[str, Any]) -> Seen:
    """What the probe's own words stand for."""
    known = {name: value for name, value in data.items() if name in Seen.__dataclass_fields__}
    known["addresses"] = tuple(known.get("addresses") or ())
    if certificate := known.get("certificate"):
        known["certificate"] = Certificate(**{**certificate, "names": tuple(certificate["names"])})
    else:
        known["certificate"] = None
    return Seen(**known)
