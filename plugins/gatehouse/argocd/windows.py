"""Whether a sync window keeps auto-sync from running: a pure reading of the server's answer."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def closed_window(answer: Object) -> str:
    """The window that keeps auto-sync from running, described; empty if none does.

    GET /api/v1/applications/{name}/syncwindows. Its `canSync` answers for a sync by hand, so it is not read:
    auto-sync runs unless a deny window is active, or allow windows are assigned and none of them is active.
    An answer that does not say which windows are active (`activeWindows` is missing although some are assigned)
    tells nothing.
    """
    assigned, active = answer.get("assignedWindows") or [], answer.get("activeWindows")
    if active is None:
        return ""
    if denying := next((each for each in active if each.get("kind") == "deny"), None):
        return _described(denying)
    allowing = [each for each in assigned if each.get("kind") == "allow"]
    if allowing and not any(each.get("kind") == "allow" for each in active):
        return _described(allowing[0])
    return ""


def _described(window: Object) -> str:
    return f"{window.get('kind')} {window.get('schedule', '')} for {window.get('duration', '')}"
