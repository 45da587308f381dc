"""What state an Application is in, and why: a pure function of what was asked, what was seen, and the time.

The rules are those under which its status can be believed. A status is about the present spec only if
`comparedTo` equals the spec; a revision counts only together with Synced; a finished operation counts only if
the last comparison came after it; times have whole seconds, so an equal time proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gatehouse.argocd.images import stale_image
from gatehouse.argocd.revisions import SHA, Object, revision_problem

#: Attempts of self-heal on one revision after which something else is taken to undo them.
HEAL_LOOP = 3

#: Set on an Application, it freezes its status.
SKIP_RECONCILE = "argocd.argoproj.io/skip-reconcile"


class State(StrEnum):
    """The states of an Application or a whole environment, in the order of becoming ready, then how it can end.

    An Application by itself is never probing, superseded or timed out.
    """

    ABSENT = "absent"
    STALE = "stale"
    COMPARING = "comparing"
    SYNCING = "syncing"
    ROLLING_OUT = "rolling out"
    SETTLING = "settling"
    PROBING = "probing"
    READY = "ready"
    BLOCKED = "blocked"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    GONE = "gone"
    TIMED_OUT = "timed out"


#: States that waiting does not leave.
TERMINAL = frozenset({State.BLOCKED, State.FAILED, State.SUPERSEDED, State.GONE, State.TIMED_OUT})


@dataclass(frozen=True)
class Asked:
    """What is asked of an Application. Durations are seconds.

    `commit` is the full SHA that its source in `repository` (`owner/name`) must be at; sources elsewhere, such
    as a GitOps repository whose pull-request commit travels as an image tag, are not asked for a revision.
    `tag` is the tag that images of `product_images` (patterns of repositories) have for this commit: a spec
    that still asks for another commit's image is stale, but for repositories that are `unchanged`. `settle` is
    how long it must have been ready. A bad state that may pass fails once it has lasted `grace`; an operation on
    another revision blocks once it has lasted `operation_grace`.
    """

    commit: str = ""
    repository: str = ""
    tag: str = ""
    product_images: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    settle: float = 0.0
    grace: float = 30.0
    operation_grace: float = 60.0
    allow_suspended: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What is known of an Application at one moment; `application` is None where there is none.

    `unwell_since` and `ready_since` are when the waiting side first saw it so: older servers do not say when
    health changed. `children` are the states of Applications among its resources, which its own health leaves
    out. `closed_window` describes a sync window that keeps auto-sync from running. `rolling_sync` says that its
    ApplicationSet syncs it, step by step, in place of auto-sync.
    """

    application: Object | None
    unwell_since: datetime | None = None
    ready_since: datetime | None = None
    children: Mapping[str, State] = field(default_factory=dict)
    closed_window: str = ""
    rolling_sync: bool = False


@dataclass(frozen=True)
class Judgement:
    """A state and one line saying why; `since` is when the cause began, where the object tells.

    `refresh` says that only a comparison made anew can tell more.
    """

    state: State
    reason: str = ""
    since: datetime | None = None
    refresh: bool = False


def judge(asked: Asked, seen: Snapshot, now: datetime) -> Judgement:
    """The state of an Application as the API gives it."""
    application = seen.application
    if application is None:
        return Judgement(State.ABSENT, "does not exist")
    metadata, status = application["metadata"], application.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Judgement(State.GONE, f"is being deleted since {metadata['deletionTimestamp']}")
    if (metadata.get("annotations") or {}).get(SKIP_RECONCILE) == "true":
        return Judgement(State.BLOCKED, f"its status is frozen by the annotation {SKIP_RECONCILE}")
    return (
        _spec_problem(application, status, asked, now)
        or _operation_problem(application, status, asked, now)
        or _sync_problem(application, status, seen)
        or _health_problem(status, asked, seen, now)
        or _children_problem(seen)
        or _doubt(status)
        or _settling(status, asked, seen, now)
        or Judgement(State.READY, "Synced and Healthy")
    )


# --- is the status about what was asked? ---------------------------------------------------------------


def _spec_problem(application: Object, status: Object, asked: Asked, now: datetime) -> Judgement | None:
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    # An invalid spec is not compared at all, so `comparedTo` stays behind and says nothing about it.
    for kind in ("InvalidSpecError", "UnknownError"):
        if kind in conditions:
            return _condition(State.FAILED, conditions[kind])
    sync = status.get("sync") or {}
    if not status.get("reconciledAt") or not sync:
        return Judgement(State.COMPARING, "has not been compared yet")
    if stale := revision_problem(application, asked.commit, asked.repository):
        return Judgement(State.STALE, stale.reason, refresh=stale.refresh)
    if image := stale_image(application, asked.product_images, asked.commit, asked.tag, asked.unchanged):
        return Judgement(State.STALE, f"its spec asks for {image}, not for the tag {asked.tag}")
    for kind in ("SharedResourceWarning", "RepeatedResourceWarning"):
        if kind in conditions:  # it passes where an object moves from one Application to another
            return _unless_lasting(_condition(State.COMPARING, conditions[kind]), asked, now)
    if "ComparisonError" in conditions:
        return _unless_lasting(_condition(State.COMPARING, conditions["ComparisonError"]), asked, now)
    return _sync_error(conditions.get("SyncError"), sync, asked, now)


def _sync_error(condition: Object | None, sync: Object, asked: Asked, now: datetime) -> Judgement | None:
    """Auto-sync gives up on a revision for good once an attempt at it has failed; others may pass."""
    if condition is None:
        return None
    found = _condition(State.SYNCING, condition)
    attempted = re.match(r"Failed last sync attempt to \[?([^\]:\s]+)", condition.get("message", ""))
    if attempted:
        revisions = [str(each) for each in (sync.get("revisions") or [sync.get("revision", "")])]
        about_this = any(each and each.startswith(attempted[1]) for each in revisions)
        return _failed(found) if about_this else None
    return _unless_lasting(found, asked, now)


def _condition(state: State, condition: Object) -> Judgement:
    since = parse_time(condition.get("lastTransitionTime"))
    return Judgement(state, f"{condition['type']}: {condition.get('message', '')}", since)


def _unless_lasting(found: Judgement, asked: Asked, now: datetime) -> Judgement:
    """What may pass, until it has lasted for the grace period; then it has failed."""
    return found if seconds_since(found.since, now) < asked.grace else _failed(found)


def _failed(judgement: Judgement) -> Judgement:
    return Judgement(State.FAILED, judgement.reason, judgement.since)


# --- has it been synced? -----------------------------------------------------------------------------


def _operation_problem(application: Object, status: Object, asked: Asked, now: datetime) -> Judgement | None:
    operation = status.get("operationState") or {}
    phase, message = operation.get("phase"), operation.get("message", "")
    if application.get("operation") or phase in ("Running", "Terminating"):
        return _running(operation, status, asked, now)
    if phase in ("Failed", "Error") and _is_about(operation.get("syncResult") or {}, status["sync"]):
        return Judgement(
            State.FAILED, f"the last sync {phase.lower()}: {_failing_resource(operation) or message}"
        )
    finished, reconciled = parse_time(operation.get("finishedAt")), parse_time(status.get("reconciledAt"))
    if finished and reconciled and reconciled < finished:
        return Judgement(State.COMPARING, "has not been compared since the last sync")
    return None


def _running(operation: Object, status: Object, asked: Asked, now: datetime) -> Judgement:
    message = operation.get("message", "")
    started = parse_time(operation.get("startedAt"))
    if "blocked by sync window" in message:
        return Judgement(State.BLOCKED, message, started)
    own = ((operation.get("operation") or {}).get("sync") or {}).get("revision")
    wanted = status["sync"].get("revision")
    result = operation.get("syncResult") or {}
    other_source = result.get("revision") == wanted and not _is_about(result, status["sync"])
    # One that was asked for by the name of a branch is on what that was then, which it does not tell.
    older = own if own and own != wanted and SHA.fullmatch(own) else ""
    if wanted and (older or other_source) and seconds_since(started, now) >= asked.operation_grace:
        what = f"{older[:12]} runs and keeps {wanted[:12]}" if older else "older sources runs and keeps these"
        return Judgement(State.BLOCKED, f"an operation on {what} from being synced: {message}", started)
    retries = f" (attempt {operation['retryCount'] + 1})" if operation.get("retryCount") else ""
    return Judgement(
        State.SYNCING, f"{_failing_resource(operation) or message or 'an operation runs'}{retries}", started
    )


def _failing_resource(operation: Object) -> str:
    """The first object or hook of a sync that failed, in Argo CD's own words."""
    for each in (operation.get("syncResult") or {}).get("resources") or []:
        hook = each.get("hookPhase") in ("Failed", "Error") and each.get("hookType")
        if hook or each.get("status") == "SyncFailed":
            kind = f"{hook} hook {each['kind']}" if hook else each["kind"]
            return f"{kind}/{each['name']}: {each.get('message', '')}"
    return ""


def _is_about(result: Object, sync: Object) -> bool:
    """Whether an operation was about what was compared last: the same revisions of the same sources.

    Where a commit travels as an image override, the sources change and the revision does not.
    """
    compared = sync.get("comparedTo") or {}
    same = all(result[key] == compared.get(key) for key in ("source", "sources") if result.get(key))
    return same and _revisions(result) == _revisions(sync)


def _revisions(result: Object | None) -> list[str]:
    return list((result or {}).get("revisions") or [(result or {}).get("revision") or ""])


def _sync_problem(application: Object, status: Object, seen: Snapshot) -> Judgement | None:
    sync, resources = status["sync"], status.get("resources") or []
    if sync.get("status") == "OutOfSync":
        return _out_of_sync(application, status, resources, seen)
    if sync.get("status") != "Synced":
        return Judgement(State.COMPARING, f"sync status is {sync.get('status', 'missing')}")
    late = [
        each
        for each in resources
        # What is extra does not count where its annotation says so (compare-options: IgnoreExtraneous).
        if each.get("status") not in (None, "Synced")
        and not each.get("hook")
        and not each.get("requiresPruning")
    ]
    if late:  # from 3.4 on, an Application of which one object of many is missing counts as Healthy
        return Judgement(State.SYNCING, f"Synced as a whole, but not {_names(late)}")
    if not resources:
        return _without_resources(status)
    return None


def _out_of_sync(application: Object, status: Object, resources: list[Object], seen: Snapshot) -> Judgement:
    late = [each for each in resources if each.get("status") != "Synced"]
    which = _names(late)
    automated = (application["spec"].get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        if seen.rolling_sync:
            return Judgement(
                State.SYNCING, f"OutOfSync until its ApplicationSet's rolling sync is here: {which}"
            )
        return Judgement(State.BLOCKED, f"OutOfSync and auto-sync is off: {which}")
    if late and all(each.get("requiresPruning") for each in late) and not automated.get("prune"):
        return Judgement(State.BLOCKED, f"OutOfSync only because of what is to be pruned: {which}")
    if seen.closed_window:
        return Judgement(
            State.BLOCKED, f"OutOfSync, and a sync window is closed ({seen.closed_window}): {which}"
        )
    last = (((status.get("operationState") or {}).get("operation") or {}).get("sync")) or {}
    if (attempts := last.get("autoHealAttemptsCount") or 0) >= HEAL_LOOP:
        return Judgement(State.BLOCKED, f"self-heal tried {attempts} times, and something undoes it: {which}")
    return Judgement(State.SYNCING, f"OutOfSync: {which}")


def _without_resources(status: Object) -> Judgement | None:
    """An Application of hooks only lists no resources; it is Synced, and so not run, before it ever ran."""
    operation = status.get("operationState") or {}
    hooks = [
        each for each in (operation.get("syncResult") or {}).get("resources") or [] if each.get("hookType")
    ]
    ran = operation.get("phase") == "Succeeded" and hooks
    if ran and _is_about(operation["syncResult"], status["sync"]):
        return None
    return Judgement(State.FAILED, "has no resources: nothing is deployed, or only hooks that have not run")


def _names(resources: list[Object]) -> str:
    names = [f"{each['kind']}/{each['name']}" for each in resources]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "nothing named"


# --- is it well, and for how long? ----------------------------------------------------------------------


def _health_problem(status: Object, asked: Asked, seen: Snapshot, now: datetime) -> Judgement | None:
    health = status.get("health") or {}
    name = health.get("status", "Unknown")
    since = parse_time(health.get("lastTransitionTime")) or seen.unwell_since
    detail = _worst_resource(status) or health.get("message", "")
    reason = f"{name}: {detail}" if detail else name
    if name == "Healthy" or (name == "Suspended" and asked.allow_suspended):
        return None
    if name == "Suspended":
        return Judgement(State.BLOCKED, reason, since)
    # A status that stays Degraded keeps its time: what was synced a moment ago may be the repair.
    synced = parse_time((status.get("operationState") or {}).get("finishedAt"))
    lasting = (
        name == "Degraded"
        and min(seconds_since(since, now), seconds_since(synced or since, now)) >= asked.grace
    )
    return Judgement(State.FAILED if lasting else State.ROLLING_OUT, reason, since)


def _worst_resource(status: Object) -> str:
    unwell = [
        each
        for each in status.get("resources") or []
        if (each.get("health") or {}).get("status") not in (None, "Healthy")
    ]
    own = (status.get("health") or {}).get("status")
    for resource in sorted(unwell, key=lambda each: each["health"]["status"] != own):
        message = f" ({resource['health']['message']})" if resource["health"].get("message") else ""
        return f"{resource['kind']}/{resource['name']}{message}"
    return ""  # lists do not carry the health of each resource (Argo CD 3.x)


def _children_problem(seen: Snapshot) -> Judgement | None:
    for name, state in seen.children.items():
        if state is not State.READY:
            missing = ", or not among those that are followed" if state is State.ABSENT else ""
            return Judgement(State.ROLLING_OUT, f"its child Application {name} is {state}{missing}")
    return None


def _doubt(status: Object) -> Judgement | None:
    finished = (status.get("operationState") or {}).get("finishedAt")
    if finished and status.get("reconciledAt") == finished:
        reason = "the last comparison and the end of the last sync have the same second"
        return Judgement(State.COMPARING, reason, refresh=True)
    return None


def _settling(status: Object, asked: Asked, seen: Snapshot, now: datetime) -> Judgement | None:
    """Nothing is waited for where the object itself says that it has been well for long enough.

    Health does not change when a deployment never leaves Healthy, so the end of the last sync counts as well.
    """
    if asked.settle <= 0:
        return None
    changed = parse_time((status.get("health") or {}).get("lastTransitionTime"))
    finished = parse_time((status.get("operationState") or {}).get("finishedAt"))
    told = max(filter(None, (changed, finished))) if changed else None
    since = told or seen.ready_since or now
    if seconds_since(since, now) >= asked.settle:
        return None
    return Judgement(State.SETTLING, f"must stay ready for {asked.settle:g} s", since)


def seconds_since(since: datetime | None, now: datetime) -> float:
    """Seconds that have passed for certain: an object's times are cut to whole seconds, so it may be one less."""
    if since is None:
        return 0.0
    cut = 0.0 if since.microsecond else 1.0
    return max((now - since).total_seconds() - cut, 0.0)


def child_applications(application: Object) -> list[str]:
    """The names of the Applications among an Application's resources (app of apps)."""
    return [
        each["name"]
        for each in (application.get("status") or {}).get("resources") or []
        if each.get("kind") == "Application" and each.get("group") == "argoproj.io"
    ]


def parse_time(text: str | None) -> datetime | None:
    """A time as Kubernetes writes it, or None."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
