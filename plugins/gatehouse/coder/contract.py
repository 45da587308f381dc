"""Which calls of Gatehouse an API description no longer has: moved and removed calls, before an upgrade."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gatehouse.coder.calls import API, CALLS, Call
from gatehouse.core.errors import UsageError

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def missing_calls(description: Mapping[str, Any], calls: Iterable[Call] = CALLS) -> list[Call]:
    """The calls that a Swagger 2 or OpenAPI 3 description lacks, in the table's order.

    Those with a reason in `optional` do no harm, and those that no description has are not looked for. Paths may
    be whole or relative to the base path, as Coder has printed both, and parameters may have other names. Raises
    `UsageError` for what is no API description.
    """
    described = _described(description)
    return [
        call for call in calls if call.documented and (call.method, _comparable(call.path)) not in described
    ]


def report(missing: Iterable[Call]) -> str:
    """What is missing, a line each for people, first what matters. Empty if nothing is."""
    lines = [
        f"{call} is not described: {f'no harm, {call.optional}' if call.optional else 'Gatehouse needs it'}"
        for call in sorted(missing, key=lambda each: bool(each.optional))
    ]
    return "\n".join(lines)


def load_description(file: Path) -> dict[str, Any]:
    """The API description in a JSON or YAML file. Raises `UsageError` with the file's name."""
    try:
        text = file.read_text(encoding="utf-8")
        # YAML contains JSON, but takes a hundred times as long for it.
        data = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError("the API description cannot be read", seen=str(error), where=str(file)) from error
    if not isinstance(data, dict):
        raise _no_description("the file holds no object", str(file))
    return data


def _described(description: Mapping[str, Any]) -> set[tuple[str, str]]:
    paths = description.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise _no_description(f"its fields are {', '.join(map(str, description)) or 'none'}")
    base = _base_path(description)
    return {
        (str(method).upper(), _comparable(str(path), base))
        for path, operations in paths.items()
        if isinstance(operations, Mapping)
        for method in operations
    }


def _base_path(description: Mapping[str, Any]) -> str:
    servers = description.get("servers") or []
    if servers and isinstance(servers[0], Mapping):
        return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
    return str(description.get("basePath") or "").rstrip("/")


def _comparable(path: str, base: str = "") -> str:
    """A path without the API's own prefix and without the names of its parameters."""
    for prefix in (base, API):
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            path = path.removeprefix(prefix)
    return _PLACEHOLDER.sub("{}", path).rstrip("/")


def _no_description(seen: str, where: str = "") -> UsageError:
    return UsageError(
        "this is no API description",
        expected="Swagger 2 or OpenAPI 3, with `paths`",
        seen=seen,
        where=where,
        next_step="take coderd/apidoc/swagger.json of the version to be installed",
    )
