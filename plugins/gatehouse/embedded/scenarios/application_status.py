"""Statuses of Applications as real servers were seen to show them, which the embedded controller would not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.faults import Rewrite
from gatehouse.embedded.kubernetes.kinds import Object
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.argocd import NO_ROOM
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

#: Told the Application, when it became ready, and how many seconds ago that was.
Change = Callable[[Object, datetime, float], None]

APPLICATION = "pr-7-platform"


def _once_ready(change: Change) -> Rewrite:
    """A rewrite from the moment on that the Application truly is ready, so that it is never seen ready before."""
    began: tuple[datetime, float] | None = None

    def rewrite(application: Object, elapsed: float) -> None:
        nonlocal began
        if steps.is_ready(application):
            began = began or (clock.now(), elapsed)
            change(application, began[0], elapsed - began[1])

    return rewrite


def _rewrite(systems: Systems, change: Change) -> None:
    systems.applications.faults.rewrite[APPLICATION] = _once_ready(change)


def _earlier_commit(systems: Systems) -> str:
    """Add a commit that changes no manifest to the GitOps repository; returns the one before."""
    before = systems.gitops.repository.resolve("main")
    steps.add_files(systems, {"CHANGES.md": "Nothing that is deployed.\n"})
    return before


def _hour_before(moment: datetime, seconds: float = 0.0) -> str:
    return clock.whole_seconds(moment - timedelta(hours=1) + timedelta(seconds=seconds))


def _set_health(application: Object, status: str, since: datetime) -> None:
    application["status"]["health"] = {"status": status, "lastTransitionTime": clock.whole_seconds(since)}


# --- health -----------------------------------------------------------------------------------------------


@scenario("argocd")
def healthy_while_pending(systems: Systems) -> None:
    """Applications say that they are Healthy while their pods stay Pending."""
    systems.kubelet.unschedulable = NO_ROOM

    def rewrite(application: Object, _elapsed: float) -> None:
        if health := application.get("status", {}).get("health"):
            health["status"] = "Healthy"

    for component in ("www", "platform"):
        systems.applications.faults.rewrite[steps.name_of(component)] = rewrite


@scenario("argocd")
def degraded_briefly(systems: Systems) -> None:
    """One Application is Degraded for a second before it is Healthy."""

    def change(application: Object, began: datetime, seconds: float) -> None:
        over = began + timedelta(seconds=1)
        _set_health(application, *(("Degraded", began) if seconds < 1.0 else ("Healthy", over)))

    _rewrite(systems, change)


@scenario("argocd")
def health_flapping(systems: Systems) -> None:
    """One Application's health alternates for two seconds before it stays Healthy."""

    def change(application: Object, began: datetime, seconds: float) -> None:
        flips = int(min(seconds, 2.0) / 0.3)
        healthy = seconds >= 2.0 or flips % 2 == 1
        since = began + timedelta(seconds=2.0 if seconds >= 2.0 else flips * 0.3)
        _set_health(application, "Healthy" if healthy else "Progressing", since)

    _rewrite(systems, change)


@scenario("argocd")
def resource_missing(systems: Systems) -> None:
    """One object of many is missing, and the Application is Synced and Healthy all the same."""

    def change(application: Object, _began: datetime, _seconds: float) -> None:
        for resource in application["status"]["resources"]:
            if resource["kind"] == "Service":
                resource |= {"status": "OutOfSync", "health": {"status": "Missing"}}

    _rewrite(systems, change)


# --- comparison --------------------------------------------------------------------------------------------


@scenario("argocd")
def compared_to_behind(systems: Systems) -> None:
    """For a second and a half, one Application was last compared with an older spec; all else looks ready."""

    def change(application: Object, _began: datetime, seconds: float) -> None:
        compared_to = application["status"]["sync"]["comparedTo"]
        if seconds < 1.5:
            older = ["platform=registry.preview.localhost/shop/platform:" + "0" * 40]
            compared_to["source"] = {**compared_to["source"], "kustomize": {"images": older}}

    _rewrite(systems, change)


@scenario("argocd")
def same_second(systems: Systems) -> None:
    """One Application's last comparison and the end of its last sync have the same second, until a refresh."""

    def change(application: Object, _began: datetime, _seconds: float) -> None:
        status = application["status"]
        state, reconciled = status["operationState"], status["reconciledAt"]
        if clock.parse(reconciled) - clock.parse(state["finishedAt"]) <= timedelta(seconds=1):
            state["finishedAt"] = reconciled

    _rewrite(systems, change)


@scenario("argocd")
def identical_manifests(systems: Systems) -> None:
    """One Application is Synced at the newest revision, but was last synced at an older: nothing had changed."""
    older = _earlier_commit(systems)

    def change(application: Object, began: datetime, _seconds: float) -> None:
        status = application["status"]
        state = status["operationState"]
        state |= {"startedAt": _hour_before(began), "finishedAt": _hour_before(began, 2)}
        state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = older
        for entry in status["history"]:
            entry["revision"] = older

    _rewrite(systems, change)


# --- operations --------------------------------------------------------------------------------------------


@scenario("argocd")
def hook_failed_before(systems: Systems) -> None:
    """One Application's last sync, of an older revision, failed by its hook; what is there now is well."""
    older = _earlier_commit(systems)

    def change(application: Object, began: datetime, _seconds: float) -> None:
        state = application["status"]["operationState"]
        state |= {
            "phase": "Failed",
            "message": "one or more synchronization tasks completed unsuccessfully",
            "startedAt": _hour_before(began),
            "finishedAt": _hour_before(began, 20),
        }
        state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = older
        state["syncResult"]["resources"].append(
            {
                "group": "batch",
                "version": "v1",
                "kind": "Job",
                "namespace": steps.PREVIEW,
                "name": "smoke",
                "hookType": "PostSync",
                "hookPhase": "Failed",
                "syncPhase": "PostSync",
                "message": "Job has reached the specified backoff limit",
            }
        )

    _rewrite(systems, change)


@scenario("argocd")
def operation_on_older_commit(systems: Systems) -> None:
    """An operation on an older revision runs for ever and keeps one Application from being synced."""
    older = _earlier_commit(systems)

    def change(application: Object, began: datetime, _seconds: float) -> None:
        status = application["status"]
        state = status["operationState"]
        state |= {
            "phase": "Running",
            "message": "waiting for completion of hook batch/Job/smoke",
            "startedAt": _hour_before(began),
        }
        del state["finishedAt"]
        state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = older
        application["operation"] = state["operation"]
        status["sync"]["status"] = status["resources"][0]["status"] = "OutOfSync"

    _rewrite(systems, change)
