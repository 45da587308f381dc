"""What is said of a journey that failed, in the order in which people look for the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gatehouse.preview.journeys.findings import Journey

#: Lines of one part that are shown, at most.
LINES = 10


def failure_report(summary: str, journey: Journey, deployed: Sequence[str], commands: Sequence[str]) -> str:
    """The assertion, the picture, the page's own errors, the last steps, the deployed system, and what to run."""
    parts: list[tuple[str, Iterable[str]]] = [
        ("failed", summary.splitlines()[:1]),
        ("screenshot", [each["path"] for each in journey.artifacts if each["kind"] == "screenshot"]),
        ("outside of the preview", journey.left),
        ("console errors", [console_line(each) for each in journey.console]),
        ("failed requests", [request_line(each) for each in journey.requests]),
        ("last steps", journey.steps),
        ("deployed system at that moment", deployed),
        ("trace", [each["path"] for each in journey.artifacts if each["kind"] == "trace"]),
        (
            "logs and traces of the deployed system",
            [f"trace id {journey.trace_id}"] if journey.trace_id else [],
        ),
        ("run again", commands),
    ]
    lines = []
    for title, entries in parts:
        lines += _part(title, list(entries))
    return "\n".join(lines)


def _part(title: str, entries: list[str]) -> list[str]:
    if not entries:
        return []
    if len(entries) == 1:
        return [f"{title}: {entries[0]}"]
    of_the_end = title == "last steps"
    shown = entries[-LINES:] if of_the_end else entries[:LINES]
    left_out = len(entries) - len(shown)
    others = f"  and {left_out} {'before them' if of_the_end else 'more'}"
    return [f"{title}:", *(f"  {each}" for each in shown), *([others] if left_out else [])]


def console_line(message: dict[str, str]) -> str:
    """An error of the console, on one line."""
    where = f" ({message['location']})" if message.get("location") else ""
    return f"{' '.join(message['text'].split())[:240]}{where}"


def request_line(request: dict[str, Any]) -> str:
    """A request that failed, and what came of it."""
    return f"{request['method']} {request['url']}: {request.get('status') or request.get('failure')}"
