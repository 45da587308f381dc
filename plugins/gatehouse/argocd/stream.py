"""The streams of Argo CD as they are on the wire: server-sent events, or JSON lines where none were asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]

#: Bytes read at a time. What is there is returned at once; an event of megabytes takes many reads.
BLOCK = 64 * 1024


def lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines of a stream, without their ends, as they come; ends when `read` returns nothing.

    `requests.iter_lines` splits anew at every block, which takes seconds for an event of three megabytes.
    """
    parts: list[bytes] = []
    while block := read(BLOCK):
        first, *rest = block.split(b"\n")
        parts.append(first)
        for following in rest:
            yield b"".join(parts)
            parts = [following]


def messages(read: Callable[[int], bytes]) -> Iterator[Object | None]:
    """What the stream says, one JSON object each; None for a keepalive.

    Raises `ValueError` for something that is not JSON, such as a proxy's page.
    """
    for line in lines(read):
        text = line.removeprefix(b"data:").strip()
        if text and not line.startswith(b":"):
            yield json.loads(text)
        elif line.startswith(b":"):
            yield None


def log_text(answer: str) -> str:
    """The lines of a log, of which the API makes one JSON object each; what comes before an error is kept."""
    printed: list[str] = []
    for line in filter(str.strip, answer.split("\n")):
        message = json.loads(line.removeprefix("data:"))
        if "error" in message or (message.get("result") or {}).get("last"):
            break
        printed.append((message.get("result") or {}).get("content", ""))
    return "\n".join(printed)
