"""What differs from the baseline, and whether the upgrade explains it: a pure decision, fact by fact."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gatehouse.smoke.baseline import Baseline, Section

#: Stands for a fact that is not there.
ABSENT = None

#: Severities of the health report; one that is not known counts as the worst.
_RANKS = {"ok": 0, "warning": 1, "error": 2}


class Judgement(StrEnum):
    """What a difference means."""

    EXPECTED = "expected"
    SUSPICIOUS = "suspicious"
    BROKEN = "broken"
    #: One of the two sides could not be looked at.
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class Difference:
    """One fact that is not what it was. `before` and `now` are None where there is no such fact."""

    section: str
    fact: str
    before: Any
    now: Any
    judgement: Judgement
    why: str

    def __str__(self) -> str:
        change = f"{_shown(self.before)} → {_shown(self.now)}"
        return f"{self.judgement}: {self.section}: {self.fact}: {change} ({self.why})"

    def as_data(self) -> dict[str, Any]:
        """For the evidence."""
        return {**self.__dict__, "judgement": str(self.judgement)}


Verdict = tuple[Judgement, str]
Judge = Callable[[str, Any, Any, bool], Verdict]


def compare(before: Baseline, now: Baseline) -> list[Difference]:
    """All differences, by section and fact; those that matter most first within a section."""
    upgraded = before.version != now.version
    found: list[Difference] = []
    for name in before.sections | now.sections:
        found += _section(name, before.sections.get(name), now.sections.get(name), upgraded)
    return found


def _section(name: str, before: Section | None, now: Section | None, upgraded: bool) -> list[Difference]:
    for side, section in (("before the upgrade", before), ("now", now)):
        if section is None or section.unverified:
            reason = section.unverified if section else "this version of Gatehouse did not record it"
            words = f"{side} it could not be told: {reason}"
            return [Difference(name, "*", ABSENT, ABSENT, Judgement.UNVERIFIED, words)]
    assert before and now
    judge = JUDGES.get(name, _unknown)
    found = [
        Difference(name, fact, old, new, *judge(fact, old, new, upgraded))
        for fact in sorted(before.facts | now.facts)
        if (old := before.facts.get(fact, ABSENT)) != (new := now.facts.get(fact, ABSENT))
    ]
    order = [Judgement.BROKEN, Judgement.SUSPICIOUS, Judgement.EXPECTED]
    return sorted(found, key=lambda each: order.index(each.judgement))


# --- one judge a section ------------------------------------------------------------------------------


def _deployment(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    match fact:
        case "deployment_id":
            return Judgement.BROKEN, "another database answers: users, templates and workspaces are others"
        case "first_user" if not now:
            return Judgement.BROKEN, "the database is empty: first-run set-up is open to whoever comes first"
        case "version":
            if not (_version(now) and _version(before)):
                return Judgement.SUSPICIOUS, "it cannot be told which of the two is newer"
            if _version(now) < _version(before):
                return (
                    Judgement.BROKEN,
                    "an older version answers: the database cannot go back (coder issue 6723)",
                )
            return Judgement.EXPECTED, "the upgrade"
        case "agent_api_version" | "provisioner_api_version":
            return _explained(upgraded, "new versions bring new ones")
        case "access_url":
            return Judgement.BROKEN, "agents and users still call the old address"
    return _unknown(fact, before, now, upgraded)


def _sign_in(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if fact.endswith(".enabled"):
        if before and not now:
            return Judgement.BROKEN, "nobody who signs in this way gets in any more"
        return Judgement.SUSPICIOUS, "a further way in is open"
    return Judgement.SUSPICIOUS, "what people see when they sign in has changed"


def _experiments(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if now is ABSENT:
        return _explained(
            upgraded, "experiments end with new versions: what it did may now be always on, or gone"
        )
    return _explained(upgraded, "new versions bring new ones")


def _entitlements(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if fact == "has_license":
        lost = before and not now
        return (
            (Judgement.BROKEN, "the licence is gone")
            if lost
            else (Judgement.SUSPICIOUS, "a licence was added")
        )
    if before == "entitled" and now != "entitled":
        return Judgement.BROKEN, "what is used with this licence no longer works"
    return _explained(upgraded, "new versions name other features")


def _templates(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if now is ABSENT:
        return Judgement.BROKEN, "templates live in the database; a reconciler may bring it back"
    if before is ABSENT:
        return Judgement.SUSPICIOUS, "somebody added a template"
    if problems := list(_parameter_problems(before.get("parameters", {}), now.get("parameters", {}))):
        return Judgement.BROKEN, f"existing workspaces cannot start or stop: {'; '.join(problems)}"
    if before.get("id") != now.get("id"):
        return Judgement.SUSPICIOUS, "it was made anew: workspaces of the old one no longer get its updates"
    if before.get("active_version") != now.get("active_version"):
        return Judgement.SUSPICIOUS, "somebody published another version; an upgrade does not"
    return Judgement.SUSPICIOUS, "an upgrade does not change templates"


def _parameter_problems(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What makes the parameters that workspaces were made with useless (coder pull requests 17926 and 18482)."""
    for name, parameter in now.items():
        if name not in before and parameter.get("required"):
            yield f"the parameter {name} is new and has no default"
        elif name in before and before[name].get("type") != parameter.get("type"):
            yield f"the parameter {name} is a {parameter.get('type')} and was a {before[name].get('type')}"
        elif name in before and parameter.get("required") and not before[name].get("required"):
            yield f"the parameter {name} is required now"


def _provisioners(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if fact == "online":
        if not now:
            return (
                Judgement.BROKEN,
                "no provisioner daemon is online: no workspace can be built, stopped or deleted",
            )
        fewer = (now or 0) < (before or 0)
        return (
            (Judgement.SUSPICIOUS, "fewer daemons than before")
            if fewer
            else (Judgement.EXPECTED, "more daemons")
        )
    if fact == "tags":
        lost = set(before or ()) - set(now or ())
        if lost:
            return Judgement.BROKEN, "jobs with these tags stay pending for ever (coder issue 15428)"
        return Judgement.SUSPICIOUS, "daemons with other tags joined"
    return _explained(upgraded, "daemons are upgraded with the server")


def _health(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if now is ABSENT or before is ABSENT:
        return _explained(upgraded, "new versions have other sections")
    if now.get("dismissed") and not before.get("dismissed"):
        return Judgement.SUSPICIOUS, "somebody dismissed the section since: it is looked at nonetheless"
    old, new = (_RANKS.get(str(each.get("severity")), 2) for each in (before, now))
    if new > old:
        return (Judgement.BROKEN if new == 2 else Judgement.SUSPICIOUS), "worse than before the upgrade"
    return Judgement.EXPECTED, "no worse than before"


def _configuration(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if before is ABSENT or now is ABSENT:
        return _explained(upgraded, "new versions have other options")
    if upgraded and _without_version(before) == _without_version(now):
        return Judgement.EXPECTED, "it names the version, as the address of the documentation does"
    return Judgement.SUSPICIOUS, "the upgrade changed a default, or somebody the value"


def _hostnames(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if not before:
        return Judgement.SUSPICIOUS, "a further way to reach apps"
    return Judgement.BROKEN, "apps are no longer where links, cookies and certificates expect them"


def _users(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    if now is ABSENT:
        return Judgement.BROKEN, "the account is gone, and with it the way to its workspaces"
    if before is ABSENT:
        return Judgement.EXPECTED, "people join"
    if before.get("login_type") != now.get("login_type"):
        return Judgement.BROKEN, "who signs in as before is told `Incorrect login type`"
    return Judgement.SUSPICIOUS, "an upgrade does not change accounts"


def _unknown(fact: str, before: Any, now: Any, upgraded: bool) -> Verdict:
    return Judgement.SUSPICIOUS, "nothing is known about why this would change"


JUDGES: dict[str, Judge] = {
    "deployment": _deployment,
    "sign-in": _sign_in,
    "experiments": _experiments,
    "entitlements": _entitlements,
    "templates": _templates,
    "provisioners": _provisioners,
    "health": _health,
    "configuration": _configuration,
    "hostnames": _hostnames,
    "users": _users,
}


def _explained(upgraded: bool, why: str) -> Verdict:
    """Expected with another version; suspicious where the version is the same."""
    if upgraded:
        return Judgement.EXPECTED, why
    return Judgement.SUSPICIOUS, "the version is the same as before, so no upgrade explains it"


def _version(text: Any) -> tuple[int, ...]:
    """`v2.36.3+7e0ff4c` as numbers to compare."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", str(text or ""))
    return tuple(int(each) for each in found.groups()) if found else ()


def _without_version(value: Any) -> str:
    return re.sub(r"v\d+\.\d+\.\d+[\w.+-]*", "v", str(value))


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
