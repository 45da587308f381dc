"""Masks what pytest reports of a test, where it is reported: terminal, record and workers' messages all come after."""

from __future__ import annotations

from typing import Any

from gatehouse.core.redaction import Redactor

#: Modules of the objects of which pytest builds a traceback.
_TRACEBACKS = "_pytest._code"


def mask_report(report: Any, redactor: Redactor) -> None:
    """Mask traceback, captured output and properties of a report of pytest, in place.

    pytest prints tracebacks and output by itself, so they are masked before it gets hold of them. What a test
    prints past pytest's capture (-s, --log-cli) goes to the terminal as it is.
    """
    report.longrepr = _masked(report.longrepr, redactor, {})
    report.sections = _masked(report.sections, redactor, {})
    if hasattr(report, "user_properties"):
        report.user_properties = _masked(report.user_properties, redactor, {})
    if hasattr(report, "wasxfail"):
        report.wasxfail = redactor.text(str(report.wasxfail))


def _masked(value: Any, redactor: Redactor, seen: dict[int, Any]) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, tuple):
        return tuple(_masked(item, redactor, seen) for item in value)
    if isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):  # lines, through which a secret may go
            return redactor.text("\n".join(value)).split("\n")
        return [_masked(item, redactor, seen) for item in value]
    if type(value).__module__.startswith(_TRACEBACKS) and id(value) not in seen:
        seen[id(value)] = value
        for name, item in vars(value).items():
            setattr(value, name, _masked(item, redactor, seen))
    return value
