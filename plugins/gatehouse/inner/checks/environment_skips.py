"""Which skipped tests were skipped because the environment lacks something: these are no passes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding

#: What nobody can install into an environment, or what the project itself chose: no fault of the environment.
_CHOSEN = re.compile(
    r"""\b(windows|win32|mac\s?os|darwin|linux|posix|unix|freebsd|platforms?|architecture|arm64|aarch64|amd64|x86|
        (32|64)-bit|endian|pypy|cpython|free-threaded|short\ mode|not\ implemented)\b
        |(requires?|needs?)\ (an?\ |the\ )?(--?\w|[\w.-]+\ ?(v?\d|[<>=!~]))""",
    re.VERBOSE | re.IGNORECASE,
)

_THING = r"(?P<thing>[\w$][\w ./$'\"-]{0,60}?)"
_ARTICLE = r"(?:(?:an?|the|running|local|valid|access to)\s+)*"
_STATES = r"(?:available|installed|found|running|reachable|accessible|configured|set|present|started|on (?:the )?path)"
_LACKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"could not import ['\"]?(?P<thing>[\w.]+)",
        r"no module named ['\"]?(?P<thing>[\w.]+)",
        rf"(?:^|[\s:(]){_THING}\s+(?:is|are|was|were|does|do|has|have)?\s*(?:not|n't|never)\s+(?:been\s+)?{_STATES}\b",
        rf"(?:^|[\s:(]){_THING}\s+(?:isn't|aren't|wasn't)\s+{_STATES}\b",
        rf"(?:^|[\s:(]){_THING}\s+(?:is\s+)?(?:unavailable|unreachable|unset|undefined|uninstalled)\b",
        rf"\b(?:requires?|needs?)\s+{_ARTICLE}{_THING}(?:$|[.,;:()]|\s+to\b|\s+for\b)",
        r"(?P<thing>\$?\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b).*\b(?:required|missing|empty|must be set)",
        r"\b(?:set|define|export|missing|without)\s+(?P<thing>\$?[A-Z][A-Z0-9]*_[A-Z0-9_]+)",
        rf"\b(?:cannot|can't|could not|unable to|failed to)\s+(?:connect to|reach|find|contact|access)\s+{_ARTICLE}"
        rf"{_THING}(?:$|[.,;:()])",
        r"\bno\s+(?P<thing>network|internet|docker\w*|database|cluster|kubeconfig|credentials|connection|access"
        r"|[\w-]+(?= (?:available|installed|found|running|configured|binary|executable|daemon|server)\b))",
        r"\bmissing\s+(?P<thing>(?:[\w-]+\s+)?(?:dependenc\w+|credentials?|tokens?|binary|binaries|executables?|tools?))",
        r"(?P<thing>connection refused)",
    )
)


def what_is_missing(reason: str) -> str:
    """What the environment lacks by the reason of a skip; empty for skips that have other grounds.

    Platforms, versions and options of the test runner are the project's own choice and are never missing.
    """
    text = " ".join(reason.split())
    if _CHOSEN.search(text):
        return ""
    for pattern in _LACKS:
        if match := pattern.search(text):
            return match["thing"].strip(" '\"")
    return ""


def environment_skips(check: Check, tests: Iterable[ChildTest]) -> tuple[Finding, ...]:
    """A finding for each skipped test whose reason names something that the environment lacks."""
    return tuple(
        Finding(
            test.path or check.package.manifest,
            f"{test.id} was skipped because the environment lacks {lacks}: {test.message}",
            test.line,
            rule="environment-skip",
        )
        for test in tests
        if test.outcome is ChildOutcome.SKIPPED and (lacks := what_is_missing(test.message))
    )
