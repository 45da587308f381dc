from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.argocd.judge import State, judge, needs_refresh

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
GRACE = 30.0


def at(seconds_ago):
    return (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


SOURCE = {"repoURL": "https://git/acme/gitops.git", "path": "previews/web", "targetRevision": "main"}
READY = {
    "metadata": {"name": "pr-7-web"},
    "spec": {"source": SOURCE, "project": "previews", "syncPolicy": {"automated": {}}},
    "status": {
        "reconciledAt": at(10),
        "sync": {"status": "Synced", "revision": "a" * 40, "comparedTo": {"source": SOURCE}},
        "health": {"status": "Healthy", "lastTransitionTime": at(60)},
        "operationState": {
            "phase": "Succeeded",
            "startedAt": at(30),
            "finishedAt": at(20),
            "syncResult": {"revision": "a" * 40},
        },
        "resources": [{"kind": "Deployment", "name": "web", "status": "Synced"}],
    },
}


def changed(*path_and_value):
    """A ready Application with one thing changed; a value of None removes it."""
    application = deepcopy(READY)
    *path, value = path_and_value
    target = application
    for part in path[:-1]:
        target = target.setdefault(part, {})
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value
    return application


def state(application):
    return judge(application, now=NOW, grace=GRACE).state


def condition(kind, message="words", seconds_ago=60):
    return changed(
        "status", "conditions", [{"type": kind, "message": message, "lastTransitionTime": at(seconds_ago)}]
    )


def test_a_synced_and_healthy_application_compared_after_its_last_sync_is_ready():
    assert state(READY) is State.READY


def test_an_application_that_never_needed_a_sync_is_ready():
    """Identical manifests: Synced at the new revision, and the last sync stays that of the old one (issue 7629)."""
    assert state(changed("status", "operationState", None)) is State.READY
    assert state(changed("status", "operationState", "syncResult", {"revision": "b" * 40})) is State.READY


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (changed("metadata", "deletionTimestamp", at(1)), State.GONE),
        (changed("status", None), State.COMPARING),
        (changed("status", {}), State.COMPARING),
        (changed("status", "reconciledAt", None), State.COMPARING),
        (changed("spec", "source", {**SOURCE, "targetRevision": "next"}), State.STALE),
        (changed("spec", "source", {**SOURCE, "kustomize": {"images": ["web=web:new"]}}), State.STALE),
        (changed("operation", {"sync": {}}), State.SYNCING),
        (changed("status", "operationState", "phase", "Running"), State.SYNCING),
        (changed("status", "operationState", "phase", "Failed"), State.FAILED),
        (changed("status", "operationState", "phase", "Error"), State.FAILED),
        (changed("status", "operationState", "finishedAt", at(5)), State.COMPARING),
        (changed("status", "sync", "status", "OutOfSync"), State.SYNCING),
        (changed("status", "sync", "status", "Unknown"), State.COMPARING),
        (changed("status", "health", "status", "Progressing"), State.ROLLING_OUT),
        (changed("status", "health", "status", "Missing"), State.ROLLING_OUT),
        (changed("status", "health", "status", "Unknown"), State.ROLLING_OUT),
        (changed("status", "health", None), State.ROLLING_OUT),
        (changed("status", "health", "status", "Suspended"), State.BLOCKED),
        (changed("status", "resources", []), State.FAILED),
        (condition("InvalidSpecError"), State.FAILED),
        (condition("SharedResourceWarning"), State.FAILED),
        (condition("SyncError", "Failed last sync attempt to [aaa]: it broke"), State.FAILED),
        (condition("OrphanedResourceWarning"), State.READY),
    ],
)
def test_each_thing_that_keeps_it_from_being_ready(application, expected):
    assert state(application) is expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(5, State.COMPARING), (29, State.COMPARING), (30, State.FAILED)]
)
def test_a_comparison_error_fails_only_once_it_has_lasted(seconds, expected):
    assert state(condition("ComparisonError", seconds_ago=seconds)) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(5, State.ROLLING_OUT), (31, State.FAILED)])
def test_degraded_health_fails_only_once_it_has_lasted(seconds, expected):
    application = changed("status", "health", {"status": "Degraded", "lastTransitionTime": at(seconds)})

    assert state(application) is expected


def test_an_old_failed_operation_of_another_revision_does_not_count():
    application = changed("status", "operationState", "phase", "Failed")
    application["status"]["operationState"]["syncResult"]["revision"] = "b" * 40

    assert state(application) is State.READY


def test_an_attempt_that_failed_and_is_repeated_is_still_syncing():
    application = changed("status", "operationState", "phase", "Running")
    application["status"]["operationState"] |= {"retryCount": 2, "message": "it broke. Retrying attempt #2"}

    judgement = judge(application, now=NOW, grace=GRACE)

    assert judgement.state is State.SYNCING
    assert "it broke" in judgement.reason
    assert "attempt 3" in judgement.reason


def test_what_will_never_sync_by_itself_is_blocked():
    off = changed("spec", "syncPolicy", {})
    off["status"]["sync"]["status"] = "OutOfSync"
    assert state(off) is State.BLOCKED

    prune = changed(
        "status",
        "resources",
        [{"kind": "Job", "name": "old", "status": "OutOfSync", "requiresPruning": True}],
    )
    prune["status"]["sync"]["status"] = "OutOfSync"
    assert state(prune) is State.BLOCKED


def test_the_reason_names_what_is_out_of_sync():
    application = changed(
        "status",
        "resources",
        [{"kind": "Deployment", "name": f"d{number}", "status": "OutOfSync"} for number in range(5)],
    )
    application["status"]["sync"]["status"] = "OutOfSync"

    assert judge(application, now=NOW, grace=GRACE).reason == (
        "OutOfSync: Deployment/d0, Deployment/d1, Deployment/d2 and 2 more"
    )


def test_equal_whole_seconds_of_comparison_and_sync_prove_nothing():
    assert needs_refresh(changed("status", "operationState", "finishedAt", at(10)))
    assert not needs_refresh(READY)
    assert not needs_refresh(changed("status", "operationState", None))


@given(
    st.sampled_from(["OutOfSync", "Unknown", None]),
    st.sampled_from(["Progressing", "Degraded", "Missing", "Unknown", "Suspended", None]),
    st.booleans(),
)
def test_whatever_else_holds_no_bad_part_is_ever_ready(sync, health, which):
    path, value = (("sync",), sync) if which else (("health",), health)
    application = changed("status", *path, "status", value)

    assert state(application) is not State.READY
