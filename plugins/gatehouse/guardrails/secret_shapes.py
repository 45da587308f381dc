"""What secrets look like in the lines of a file. Answers name the kind of secret and never its value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gatehouse.core.redaction import looks_like_secret_name

#: Kinds whose form leaves no doubt: a word that must be there, in lower case, and the form.
_CERTAIN = tuple(
    (word, kind, re.compile(pattern))
    for word, kind, pattern in (
        ("gh", "a token of GitHub", r"\bgh[pousr]_[A-Za-z0-9]{36,}"),
        ("github_pat_", "a token of GitHub", r"\bgithub_pat_[A-Za-z0-9_]{50,}"),
        ("glpat-", "a token of GitLab", r"\bglpat-[A-Za-z0-9_\-]{20,}"),
        ("akia", "an access key of AWS", r"\bAKIA[0-9A-Z]{16}\b"),
        ("asia", "an access key of AWS", r"\bASIA[0-9A-Z]{16}\b"),
        ("xox", "a token of Slack", r"\bxox[abeoprs]-[A-Za-z0-9\-]{20,}"),
        ("_live_", "a key of Stripe", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
        ("aiza", "a key of Google", r"\bAIza[A-Za-z0-9_\-]{35}"),
        ("npm_", "a token of npm", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi-", "a token of PyPI", r"\bpypi-[A-Za-z0-9_\-]{60,}"),
        ("sk-", "a key of an AI provider", r"\bsk-(?:ant|proj|svcacct)-[A-Za-z0-9_\-]{30,}"),
        ("accountkey=", "a storage key of Azure", r"AccountKey=[A-Za-z0-9+/]{80,}={0,2}"),
        ("hvs.", "a token of Vault", r"\bhvs\.[A-Za-z0-9_\-]{20,}"),
    )
)

_KEY_FRAME = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{32,}")

_JWT = re.compile(r"\beyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{20,}")
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.\-]*://[^/\s:@\"']+:(?P<value>[^/\s:@\"']{8,})@")

#: `name = "value"`, `name: value`, `NAME=value`, `"name": "value"`.
_ASSIGNED = re.compile(
    r"(?P<name>[A-Za-z_][\w.\-]{1,60})[\"']?\s*(?::=|=>|[:=])\s*(?P<quote>[\"'`]?)(?P<value>[A-Za-z0-9+/=_\-.~]{16,512})"
    r"(?P<end>[\"'`]?)(?=[\s,;)}\]]|$)"
)

#: One of these is in every name of a secret: looking for words is much faster than for forms.
_HINTS = ("token", "secret", "passw", "key", "credential")
_NAMED = re.compile("|".join(_HINTS), re.IGNORECASE)

#: Bits of information a character, from which on a value looks drawn by lot.
_RANDOM = 3.5

#: Characters of a line that are looked at: what is longer is made by a program.
_LONGEST_LINE = 4096


@dataclass(frozen=True)
class Seen:
    """A secret, or what looks like one."""

    kind: str
    certain: bool


def secrets_in(
    lines: Sequence[str], placeholders: Sequence[str], *, unquoted: bool = False
) -> Iterator[tuple[int, Seen]]:
    """The places in `lines`, from 0, of what they hold, at most one thing a line.

    `unquoted`: whether values stand without quotes in files of this kind.
    """
    folded = "\n".join(lines).lower()
    certain = [(word, kind, shape) for word, kind, shape in _CERTAIN if word in folded]
    named = any(hint in folded for hint in _HINTS)
    if not (certain or named or "eyj" in folded or "://" in folded):
        return
    for place, whole in enumerate(lines):
        line = whole[:_LONGEST_LINE]
        if seen := _certain(line, certain, placeholders) or _likely(line, placeholders, unquoted, named):
            yield place, seen
        elif named and (frame := _KEY_FRAME.search(line)):
            body = _KEY_BODY.search("\n".join([line[frame.end() :], *lines[place + 1 : place + 4]]))
            if body and not _is_made_up(body[0], placeholders):
                yield place, Seen("a private key", True)


def _certain(
    line: str, shapes: Sequence[tuple[str, str, re.Pattern[str]]], placeholders: Sequence[str]
) -> Seen | None:
    folded = line.lower() if shapes else ""
    for word, kind, shape in shapes:
        if word in folded and (match := shape.search(line)) and not _is_made_up(match[0], placeholders):
            return Seen(kind, True)
    return None


def _likely(line: str, placeholders: Sequence[str], unquoted: bool, named: bool) -> Seen | None:
    if "eyJ" in line and (match := _JWT.search(line)) and not _is_made_up(match[0], placeholders):
        return Seen("a signed web token", False)
    if (
        "://" in line
        and (match := _IN_ADDRESS.search(line))
        and not _is_made_up(match["value"], placeholders)
    ):
        return Seen("a password in an address", False)
    for match in _ASSIGNED.finditer(line) if named and _NAMED.search(line) else ():
        if not looks_like_secret_name(match["name"]) or not (match["quote"] or unquoted):
            continue
        if looks_random(match["value"]) and not _is_made_up(match["value"], placeholders):
            return Seen(f"a random value for {match['name']}", False)
    return None


def _is_made_up(value: str, placeholders: Sequence[str]) -> bool:
    folded = value.lower()
    return any(word in folded for word in placeholders) or len(set(value)) < 6


def looks_random(value: str) -> bool:
    """Whether a value looks drawn by lot: digits and letters mixed, each character worth some bits."""
    if not (any(each.isdigit() for each in value) and any(each.isalpha() for each in value)):
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    # Sixteen hexadecimal digits cannot have more than four bits each; words joined by dashes have fewer digits.
    return bits >= min(_RANDOM, math.log2(len(value)) - 0.75) and not re.fullmatch(
        r"(?:[A-Za-z]+[-_./])*[A-Za-z]+[-_./]?\d{0,4}", value
    )
