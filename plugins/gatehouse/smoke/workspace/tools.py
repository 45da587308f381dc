"""Whether the tools in a new workspace are signed in: each says so itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gatehouse.coder.commands import Printed


def failures_of(tools: Mapping[str, str], run: Callable[[str], Printed]) -> list[str]:
    """A line for each tool whose command does not succeed; `tools` are shell commands by name."""
    failures = []
    for name, command in tools.items():
        printed = run(command)
        if not printed.ok:
            words = " ".join(printed.output.split())[-300:] or "it printed nothing"
            failures.append(f"{name}: `{command}` ended with {printed.exit_code}: {words}")
    return failures
