"""The probe by means of `curl` in a pod that has no Python: the same answers, with less of certificates."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gatehouse.core.command_result import CommandResult
from gatehouse.core.errors import EnvironmentProblem

#: curl's exit codes (its manual) by the stage that a request ended at; all others are of the answer.
_STAGES = {6: "name", 7: "connect", 28: "connect", 35: "tls", 51: "tls", 60: "tls", 77: "tls", 83: "tls"}

_TIMED_OUT, _REFUSED = 28, 7

#: What curl says of a certificate, and OpenSSL's number for it.
_FAULTS = (
    (r"expired", 10),
    (r"self.signed", 18),
    (r"local issuer|unknown authority", 20),
    (r"no alternative|does not match|subjectAltName", 62),
)

_MARK = "--gatehouse-probe--"

#: A key for WebSockets, and what a server makes of it (RFC 6455, section 1.3: SHA-1 of both).
_KEY = "Z2F0ZWhvdXNlLXByb2JlLQ=="
_ACCEPTED = base64.b64encode(
    hashlib.sha1(f"{_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324 - the protocol's
).decode()


def look_at_all(
    run: Callable[..., CommandResult], requests: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What each request saw. Raises `EnvironmentProblem` when the script did not end."""
    lines = script(requests).encode()
    result = run(["sh", "-c", 'head -c "$1" | sh', "sh", str(len(lines))], stdin=lines)
    answers = list(parse(result.stdout.decode(errors="replace"), requests))
    if len(answers) != len(requests):
        raise EnvironmentProblem(
            "the probe did not answer from inside the workspace",
            expected=f"{len(requests)} answers from curl",
            seen=f"{len(answers)}; {result.stderr.decode(errors='replace')[-300:].strip() or result.exit_code_source}",
        )
    return answers


def script(requests: Sequence[Mapping[str, Any]]) -> str:
    """A shell script that makes the requests one after the other, each answer followed by a line with its facts."""
    return "\n".join(map(_command, requests))


def _command(request: Mapping[str, Any]) -> str:
    parts = urlsplit(request["url"])
    facts = f"\\n{_MARK} %{{time_connect}} %{{http_code}} %{{remote_ip}} %{{content_type}}"
    words = ["curl", "-sS", "--http1.1", "--max-time", str(request["timeout"]), "-w", facts]
    for name, value in (request.get("headers") or {}).items():
        words += ["-H", f"{name}: {value}"]
    if request.get("websocket"):
        words += ["-i", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
        words += ["-H", "Sec-WebSocket-Version: 13", "-H", f"Sec-WebSocket-Key: {_KEY}"]
        if request.get("subprotocol"):
            words += ["-H", f"Sec-WebSocket-Protocol: {request['subprotocol']}"]
    if request.get("method"):
        words += ["-X", request["method"], "--data-binary", request.get("body", "")]
    url = request["url"]
    if request.get("only_connect"):
        url = f"telnet://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        words += ["--connect-timeout", str(request["timeout"]), "-o", "/dev/null"]
    line = " ".join(map(shlex.quote, [*words, url]))
    for name, path in (request.get("headers_from_files") or {}).items():
        line += f' -H "{name}: {request.get("prefix", "")}$(cat {shlex.quote(path)})"'
    if request.get("ca_file"):
        line += f" --cacert {shlex.quote(request['ca_file'])}"
    before = ""
    if request.get("authorities"):
        before = f'ca=$(mktemp); printf %s {shlex.quote(request["authorities"])} > "$ca"; '
        line += ' --cacert "$ca"'
    return f'{before}{line} 2>&1 < /dev/null; echo " exit=$?"'


def parse(output: str, requests: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The answers in what the script printed."""
    place = 0
    facts = re.finditer(rf"^{_MARK} ([\d.,]+) (\d+) (\S*) ?(.*) exit=(\d+)$", output, re.MULTILINE)
    for request, match in zip(requests, facts, strict=False):
        text = output[place : match.start()].strip("\n")
        place = match.end()
        connected = match[1].strip("0.,") != ""
        yield _answer(request, text, connected, int(match[2]), match[3], match[4], int(match[5]))


def _answer(
    request: Mapping[str, Any],
    text: str,
    connected: bool,
    status: int,
    address: str,
    content_type: str,
    code: int,
) -> dict[str, Any]:
    addresses = [address] if address else []
    upgraded = f"sec-websocket-accept: {_ACCEPTED}".lower() in text.lower()
    # A bare connection does not end by itself: curl's time is over then. What comes after an upgrade is not HTTP.
    lasting = code == _TIMED_OUT and bool(request.get("only_connect"))
    if connected and (code == 0 or lasting or upgraded):
        return {
            "stage": "done",
            "addresses": addresses,
            "address": address,
            "status": 101 if upgraded else status,
            "headers": {"content-type": content_type},
            "body": "" if upgraded else text,
            "upgraded": upgraded,
        }
    stage = "http" if code == _TIMED_OUT and connected else _STAGES.get(code, "http")
    fault = next((number for pattern, number in _FAULTS if re.search(pattern, text)), 0)
    return {
        "stage": stage,
        "words": " ".join(text.split()) or f"curl ended with {code}",
        "addresses": addresses,
        "timed_out": code == _TIMED_OUT,
        "refused": code == _REFUSED,
        "certificate_fault": fault if stage == "tls" else 0,
    }
