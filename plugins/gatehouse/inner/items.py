"""Checks as pytest items: each awaits its result from the pool, and raises what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatehouse.core.errors import GatehouseError, GuardRailViolation, NotInstalled, ProductFailure
from gatehouse.evidence.plugin import EVENTS
from gatehouse.inner.context import source_lines
from gatehouse.inner.model import Blame, Check, CheckResult, Outcome

if TYPE_CHECKING:
    from gatehouse.inner.pool import CheckPool

POOL: pytest.StashKey[CheckPool] = pytest.StashKey()

#: Lines of a tool's output that are shown where something is not installed.
NOT_INSTALLED_LINES = 3

#: Findings that are shown besides the first.
MORE_FINDINGS = 5

#: What resolvers and sockets say without a network, in the words of C, Python, Node, Go, Java and Rust.
NO_NETWORK = re.compile(
    r"name resolution|Name or service not known|NameResolutionError|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|no such host"
    r"|UnknownHostException|dns error|Network is unreachable|network is unreachable|ENETUNREACH"
)
NETWORK = (
    "checks have no network but this machine's own, unless gatehouse.yaml says `inner: {network: true}`; "
    "tests that need a cluster never run here if they bear a name of inner.cluster_names"
)


class PackageNode(pytest.Collector):
    """A package of the checkout; its children are its checks."""

    def collect(self) -> Iterable[pytest.Item]:
        """Not used: the items are made from the file list."""
        return ()


class CheckItem(pytest.Item):
    """One check of one package."""

    def __init__(self, *, check: Check, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check
        self.add_marker("inner")
        self.user_properties += [
            ("phase", str(check.phase)),
            ("language", check.package.language),
            ("command", " ".join(check.argv[:12])),
        ]

    def runtest(self) -> None:
        """Await the check's result, and raise what it means."""
        result = self.config.stash[POOL].result(self.check)
        self.user_properties.append(("outcome", str(result.outcome)))
        if result.tests or result.findings:
            self.stash.setdefault(EVENTS, []).append(
                {
                    "event": "check",
                    "test": self.nodeid,
                    "outcome": str(result.outcome),
                    "tests": [asdict(each) for each in result.tests],
                    "findings": [asdict(each) for each in result.findings],
                }
            )
        match result.outcome:
            case Outcome.PASSED | Outcome.CACHED:
                return
            case Outcome.SILENCED | Outcome.UNAFFECTED:
                pytest.skip(f"{result.outcome}: {result.reason}")
            case Outcome.STOPPED:
                pytest.skip(result.reason)
            case Outcome.NOT_INSTALLED:
                raise not_installed(result)
            case Outcome.FAILED:
                raise failure(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """The error without our own frames."""
        if isinstance(excinfo.value, GatehouseError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The manifest, and a heading; one that ends like the identifier would have its dots replaced by pytest."""
        return self.path, 0, f"{self.name} of {self.check.package.manifest}"


def not_installed(result: CheckResult) -> NotInstalled:
    """What a check says whose tool, or whose package's dependencies, are not on this machine."""
    check = result.check
    how = check.how_to_install or "install it"
    said = [str(each) for each in result.findings] or [
        line
        for line in result.output.splitlines()
        if line.strip(" @")  # Maven joins its lines with such
    ]
    return NotInstalled(
        f"{check.id}: {result.reason}",
        seen="" if check.missing else "\n    ".join(said[:NOT_INSTALLED_LINES]),
        where=_command(check),
        next_step=f"{how}; or silence the check with a reason in gatehouse.yaml",
    )


def failure(result: CheckResult) -> ProductFailure:
    """What a red check says: its first finding with a few lines of source, and some of the others."""
    check = result.check
    first = next(iter(result.findings), None)
    headline = str(first) if first else f"{check.id}: {result.reason}"
    if first and result.reason:
        headline += f" ({result.reason})"
    error = GuardRailViolation if check.blame is Blame.GUARD_RAIL else ProductFailure
    return error(
        headline,
        # What a tool printed is quoted only when nothing could be read out of it.
        seen=_seen(result) if first else result.output,
        where=_command(check),
        next_step=check.how_to_install if check.look else _network(headline, result),
    )


def _network(headline: str, result: CheckResult) -> str:
    """What to do where a test looked for another machine; empty where none did."""
    text = "\n".join([headline, result.output])
    return NETWORK if NO_NETWORK.search(text) else ""


def _command(check: Check) -> str:
    """The folder and the command, as far as it is needed to know it again."""
    return f"{check.package.folder or '.'}: {' '.join(check.argv[:10])}" if check.argv else check.id


def _seen(result: CheckResult) -> str:
    first, *others = result.findings
    lines = source_lines(result.check.package.root, first)
    lines += [str(finding) for finding in others[:MORE_FINDINGS]]
    if len(others) > MORE_FINDINGS:
        lines.append(f"and {len(others) - MORE_FINDINGS} more findings")
    return "\n    ".join(lines)
