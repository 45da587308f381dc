from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.argocd.judge import Asked, Snapshot, State, judge

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


def verdict(application, asked=None, **more):
    return judge(asked or Asked(grace=GRACE), Snapshot(application, **more), NOW)


def state(application, asked=None, **more):
    return verdict(application, asked, **more).state


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
    ("seconds", "expected"), [(5, State.COMPARING), (30, State.COMPARING), (31, State.FAILED)]
)
def test_a_comparison_error_fails_only_once_it_has_lasted(seconds, expected):
    assert state(condition("ComparisonError", seconds_ago=seconds)) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(5, State.ROLLING_OUT), (31, State.FAILED)])
def test_degraded_health_fails_only_once_it_has_lasted(seconds, expected):
    application = changed("status", "health", {"status": "Degraded", "lastTransitionTime": at(seconds)})
    application["status"]["operationState"]["finishedAt"] = at(60)

    assert state(application) is expected


def test_an_old_failed_operation_of_another_revision_does_not_count():
    application = changed("status", "operationState", "phase", "Failed")
    application["status"]["operationState"]["syncResult"]["revision"] = "b" * 40

    assert state(application) is State.READY


def with_image(commit):
    return {**SOURCE, "kustomize": {"images": [f"web=registry/shop/web:{commit}"]}}


def test_an_old_failed_operation_on_another_image_of_the_same_revision_does_not_count():
    application = changed("status", "operationState", "phase", "Failed")
    application["spec"]["source"] = application["status"]["sync"]["comparedTo"]["source"] = with_image(
        "c" * 40
    )
    result = application["status"]["operationState"]["syncResult"]

    result["source"] = with_image("b" * 40)
    assert state(application) is State.READY
    result["source"] = with_image("c" * 40)
    assert state(application) is State.FAILED


def test_an_operation_on_another_image_of_the_same_revision_blocks_once_it_has_lasted():
    application = changed("status", "operationState", "phase", "Running")
    application["status"]["operationState"]["syncResult"]["source"] = with_image("b" * 40)

    assert state(application, Asked(operation_grace=60)) is State.SYNCING
    assert "an operation on older sources runs" in verdict(application, Asked(operation_grace=10)).reason


def test_a_spec_that_asks_for_another_commits_image_is_stale():
    application = changed("spec", "source", with_image("b" * 40))
    application["status"]["sync"]["comparedTo"]["source"] = with_image("b" * 40)
    asked = Asked(commit="c" * 40, tag="c" * 40, product_images=("registry/shop/*",))

    judgement = verdict(application, asked)

    assert judgement.state is State.STALE
    assert "its spec asks for registry/shop/web:bbbb" in judgement.reason


def test_an_attempt_that_failed_and_is_repeated_is_still_syncing():
    application = changed("status", "operationState", "phase", "Running")
    application["status"]["operationState"] |= {"retryCount": 2, "message": "it broke. Retrying attempt #2"}

    judgement = verdict(application)

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

    assert verdict(application).reason == (
        "OutOfSync: Deployment/d0, Deployment/d1, Deployment/d2 and 2 more"
    )


def test_equal_whole_seconds_of_comparison_and_sync_prove_nothing():
    doubtful = verdict(changed("status", "operationState", "finishedAt", at(10)))

    assert (doubtful.state, doubtful.refresh) == (State.COMPARING, True)


def test_what_is_not_there_is_absent():
    assert state(None) is State.ABSENT


# --- the status is about what was asked ------------------------------------------------------------------

COMMIT = "c" * 40
SHOP = "https://git.example.com/acme/shop.git"
ASKED = Asked(commit=COMMIT, repository="acme/shop", grace=GRACE)


def at_commit(target=COMMIT, revision=COMMIT, url=SHOP, **source):
    """An Application whose only source is the repository under test."""
    application = deepcopy(READY)
    application["spec"]["source"] = {"repoURL": url, "path": "deploy", "targetRevision": target, **source}
    application["status"]["sync"] |= {
        "revision": revision,
        "comparedTo": {"source": application["spec"]["source"]},
    }
    application["status"]["operationState"]["syncResult"]["revision"] = revision
    return application


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop",
        "https://github.com/Acme/Shop.git",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com/acme/shop",
        "https://git.example.com:8443/root/acme/shop/",
    ],
)
def test_a_source_in_the_repository_under_test_must_be_at_the_commit(url):
    assert state(at_commit(url=url), ASKED) is State.READY
    assert state(at_commit(url=url, target="d" * 40, revision="d" * 40), ASKED) is State.STALE


@pytest.mark.parametrize("url", ["https://github.com/acme/gitops", "https://github.com/other/shop", "shop"])
def test_a_source_elsewhere_is_not_asked_for_the_commit(url):
    assert state(at_commit(url=url, target="main", revision="d" * 40), ASKED) is State.READY


def test_a_branch_is_compared_anew_until_it_is_at_the_commit():
    behind = verdict(at_commit(target="feature", revision="d" * 40), ASKED)

    assert (behind.state, behind.refresh) == (State.STALE, True)
    assert behind.reason == "it was compared with feature at dddddddddddd, not with cccccccccccc"
    assert state(at_commit(target="feature"), ASKED) is State.READY


def test_a_short_revision_is_a_prefix_of_the_commit_or_another_commit():
    assert state(at_commit(target=COMMIT[:8]), ASKED) is State.READY
    assert state(at_commit(target=COMMIT[:8], revision=COMMIT[:8]), ASKED) is State.READY
    assert state(at_commit(target="d" * 8, revision="d" * 40), ASKED) is State.STALE


def test_a_branch_name_in_place_of_a_revision_is_not_the_commit():
    """Where manifests fail to load, the revision holds the target as it was written (issue 23748)."""
    assert state(at_commit(target="feature", revision="feature"), ASKED) is State.STALE


def test_each_of_several_sources_has_its_own_revision():
    application = deepcopy(READY)
    sources = [SOURCE, {"repoURL": SHOP, "targetRevision": COMMIT, "path": "deploy"}]
    del application["spec"]["source"]
    application["spec"]["sources"] = sources
    application["status"]["sync"] = {
        "status": "Synced",
        "revisions": ["a" * 40, COMMIT],
        "comparedTo": {"sources": sources},
    }
    assert state(application, ASKED) is State.READY

    application["status"]["sync"]["revisions"] = [COMMIT, "a" * 40]
    assert state(application, ASKED) is State.STALE

    application["status"]["sync"]["revisions"] = [COMMIT]
    assert state(application, ASKED) is State.STALE


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"phase": "Hydrated", "drySHA": COMMIT}, State.READY),
        ({"phase": "Hydrated", "drySHA": "d" * 40}, State.STALE),
        ({"phase": "Hydrating", "drySHA": COMMIT}, State.STALE),
        ({"phase": "Failed", "message": "no such path"}, State.STALE),
        (None, State.STALE),
    ],
)
def test_a_hydrated_commit_is_known_by_what_it_was_made_from(operation, expected):
    application = deepcopy(READY)
    del application["spec"]["source"]
    application["spec"]["sourceHydrator"] = {"drySource": {"repoURL": SHOP, "targetRevision": "feature"}}
    application["status"]["sourceHydrator"] = {"currentOperation": operation} if operation else {}

    assert state(application, ASKED) is expected


def test_an_invalid_spec_is_named_although_it_was_never_compared():
    application = condition("InvalidSpecError", "no such project")
    application["spec"]["source"] = {**SOURCE, "targetRevision": "next"}

    assert verdict(application).reason == "InvalidSpecError: no such project"


# --- what keeps it from being synced -----------------------------------------------------------------


def test_an_attempt_that_failed_for_another_revision_is_not_about_this_one():
    application = condition("SyncError", f"Failed last sync attempt to {'b' * 40}: it broke")

    assert state(application) is State.READY


def test_an_error_of_auto_sync_that_lasts_is_a_failure():
    words = "Skipping sync attempt: auto-sync will wipe out all resources"
    assert state(condition("SyncError", words, seconds_ago=5)) is State.SYNCING
    assert state(condition("SyncError", words, seconds_ago=60)) is State.FAILED


def operation(**changes):
    application = deepcopy(READY)
    application["status"]["operationState"] |= changes
    return application


def test_a_failing_hook_is_named_in_its_own_words():
    hook = {
        "kind": "Job",
        "name": "migrate",
        "hookType": "PreSync",
        "hookPhase": "Failed",
        "message": "exit 1",
    }
    result = {"revision": "a" * 40, "resources": [{"kind": "Service", "name": "web"}, hook]}

    judgement = verdict(operation(phase="Failed", message="one or more tasks failed", syncResult=result))

    assert judgement.state is State.FAILED
    assert judgement.reason == "the last sync failed: PreSync hook Job/migrate: exit 1"


def test_a_wave_that_waits_says_for_what():
    words = "waiting for healthy state of apps/Deployment/web and 2 more resources"

    assert verdict(operation(phase="Running", message=words)).reason == words


def test_an_operation_on_another_commit_blocks_once_it_has_lasted():
    older = {"sync": {"revision": "b" * 40}}
    short = operation(phase="Running", operation=older, startedAt=at(10), message="waiting for hook")
    long = operation(phase="Running", operation=older, startedAt=at(600), message="waiting for hook")

    assert state(short) is State.SYNCING
    assert verdict(long).state is State.BLOCKED
    assert "an operation on bbbbbbbbbbbb runs and keeps aaaaaaaaaaaa" in verdict(long).reason


def out_of_sync(*resources, **spec):
    application = changed("status", "resources", [*resources])
    application["status"]["sync"]["status"] = "OutOfSync"
    application["spec"] |= spec
    return application


LATE = {"kind": "Deployment", "name": "web", "status": "OutOfSync"}


def test_a_closed_sync_window_blocks():
    judgement = verdict(out_of_sync(LATE), closed_window="deny 0 22 * * *")

    assert judgement.state is State.BLOCKED
    assert "a sync window is closed (deny 0 22 * * *): Deployment/web" in judgement.reason
    blocked = operation(phase="Running", message="Sync operation blocked by sync window")
    assert state(blocked) is State.BLOCKED


@pytest.mark.parametrize(("attempts", "expected"), [(1, State.SYNCING), (3, State.BLOCKED)])
def test_self_heal_that_is_undone_again_and_again_is_a_loop(attempts, expected):
    application = out_of_sync(LATE)
    application["status"]["operationState"]["operation"] = {"sync": {"autoHealAttemptsCount": attempts}}

    assert state(application) is expected


def test_what_is_to_be_pruned_goes_by_itself_where_pruning_is_on():
    extra = {"kind": "Job", "name": "old", "status": "OutOfSync", "requiresPruning": True}

    assert state(out_of_sync(extra, syncPolicy={"automated": {"prune": True}})) is State.SYNCING
    assert state(out_of_sync(extra)) is State.BLOCKED


def test_auto_sync_that_is_switched_off_blocks():
    assert state(out_of_sync(LATE, syncPolicy={"automated": {"enabled": False}})) is State.BLOCKED


def test_one_missing_object_of_many_is_not_ready_whatever_health_says():
    application = changed(
        "status",
        "resources",
        [
            {"kind": "Deployment", "name": "web", "status": "Synced"},
            {"kind": "Service", "name": "web", "status": "OutOfSync", "health": {"status": "Missing"}},
        ],
    )

    assert verdict(application).state is State.SYNCING
    assert "Service/web" in verdict(application).reason


def test_an_application_of_hooks_only_is_ready_once_they_have_run_for_this_revision():
    never = changed("status", "resources", [])
    never["status"]["operationState"] = None
    assert state(never) is State.FAILED

    ran = changed("status", "resources", [])
    ran["status"]["operationState"]["syncResult"]["resources"] = [
        {"kind": "Job", "name": "migrate", "hookType": "Sync", "hookPhase": "Succeeded"}
    ]
    assert state(ran) is State.READY

    ran["status"]["operationState"]["syncResult"]["revision"] = "b" * 40
    assert state(ran) is State.FAILED


def test_a_frozen_status_is_said_to_be_frozen():
    frozen = changed("metadata", "annotations", {"argocd.argoproj.io/skip-reconcile": "true"})

    assert state(frozen) is State.BLOCKED


# --- health, and for how long ------------------------------------------------------------------------


def test_suspended_is_ready_only_where_that_is_wanted():
    application = changed("status", "health", "status", "Suspended")

    assert state(application) is State.BLOCKED
    assert state(application, Asked(allow_suspended=True)) is State.READY


def test_servers_that_do_not_say_when_health_changed_are_timed_from_outside():
    application = changed("status", "health", {"status": "Degraded"})
    application["status"]["operationState"]["finishedAt"] = at(60)

    assert state(application) is State.ROLLING_OUT
    assert state(application, unwell_since=NOW - timedelta(seconds=5)) is State.ROLLING_OUT
    assert state(application, unwell_since=NOW - timedelta(seconds=31)) is State.FAILED


@pytest.mark.parametrize("child", [each for each in State if each is not State.READY])
def test_a_parent_is_not_ready_before_its_children(child):
    judgement = verdict(READY, children={"child": child})

    assert judgement.state is State.ROLLING_OUT
    assert judgement.reason.startswith(f"its child Application child is {child}")
    assert state(READY, children={"child": State.READY}) is State.READY


@pytest.mark.parametrize(
    ("healthy_for", "synced_for", "expected"),
    [(60, 40, State.READY), (60, 2, State.SETTLING), (2, 40, State.SETTLING), (5, 40, State.SETTLING)],
    ids=["long ago", "just synced without leaving Healthy", "just healthy", "a cut second too early"],
)
def test_settling_is_counted_from_what_the_object_says(healthy_for, synced_for, expected):
    application = changed("status", "health", "lastTransitionTime", at(healthy_for))
    application["status"]["operationState"]["finishedAt"] = at(synced_for)
    application["status"]["reconciledAt"] = at(synced_for - 1)

    assert state(application, Asked(settle=5)) is expected


def test_settling_is_counted_from_outside_where_the_object_does_not_say():
    application = changed("status", "health", {"status": "Healthy"})

    assert state(application, Asked(settle=5)) is State.SETTLING
    assert state(application, Asked(settle=5), ready_since=NOW - timedelta(seconds=6)) is State.READY


def test_without_settling_nothing_is_waited_for():
    assert state(changed("status", "health", "lastTransitionTime", at(0)), Asked()) is State.READY


@given(
    st.sampled_from(["OutOfSync", "Unknown", None]),
    st.sampled_from(["Progressing", "Degraded", "Missing", "Unknown", "Suspended", None]),
    st.booleans(),
)
def test_whatever_else_holds_no_bad_part_is_ever_ready(sync, health, which):
    path, value = (("sync",), sync) if which else (("health",), health)
    application = changed("status", *path, "status", value)

    assert state(application) is not State.READY


def hydrated(dry_source=None, **operation):
    application = deepcopy(READY)
    del application["spec"]["source"]
    application["spec"]["sourceHydrator"] = {"drySource": {"repoURL": SHOP, "targetRevision": "feature"}}
    done = {"phase": "Hydrated", "drySHA": ASKED.commit, "hydratedSHA": "a" * 40, "finishedAt": at(1)}
    application["status"]["sourceHydrator"] = {"currentOperation": done | operation}
    return application


def test_a_hydrated_commit_must_have_been_compared():
    assert state(hydrated(), ASKED) is State.READY
    found = verdict(hydrated(hydratedSHA="d" * 40), ASKED)
    assert (found.state, found.refresh) == (State.STALE, True)
    assert state(hydrated(hydratedSHA="d" * 40, finishedAt=at(15)), ASKED) is State.READY


def test_what_was_hydrated_from_an_older_spec_says_nothing():
    older = {"drySource": {"repoURL": SHOP, "targetRevision": "other"}}

    assert state(hydrated(sourceHydrator=older), ASKED) is State.STALE


@pytest.mark.parametrize(
    "source",
    [
        {"repoURL": "https://charts.example.com/acme/shop", "chart": "shop", "targetRevision": "1.2.3"},
        {"repoURL": "oci://ghcr.io/acme/shop", "path": ".", "targetRevision": "1.2.3"},
    ],
)
def test_a_chart_that_is_named_like_the_repository_is_asked_for_no_commit(source):
    application = changed("spec", "source", source)
    application["status"]["sync"] |= {"revision": "1.2.3", "comparedTo": {"source": source}}

    assert state(application, Asked(commit="c" * 40, repository="acme/shop")) is State.READY


def test_an_extra_object_that_is_to_be_ignored_does_not_hold_up():
    """With compare-options: IgnoreExtraneous, as for the ConfigMaps that Kustomize generates."""
    extra = {"kind": "ConfigMap", "name": "cfg-a", "status": "OutOfSync", "requiresPruning": True}

    assert state(changed("status", "resources", [*READY["status"]["resources"], extra])) is State.READY


def test_what_was_degraded_before_the_last_sync_has_the_grace_after_it():
    application = changed("status", "health", {"status": "Degraded", "lastTransitionTime": at(600)})

    assert state(application) is State.ROLLING_OUT
    application["status"]["operationState"]["finishedAt"] = at(40)
    assert state(application) is State.FAILED


def test_an_operation_on_a_branch_by_name_is_not_one_on_another_revision():
    application = changed("operation", {"sync": {"revision": "HEAD"}})
    application["status"]["operationState"] = {
        "phase": "Running",
        "startedAt": at(300),
        "operation": {"sync": {"revision": "HEAD"}},
    }

    assert state(application) is State.SYNCING


def test_the_object_that_made_the_application_degraded_is_named():
    application = changed("status", "health", {"status": "Degraded", "lastTransitionTime": at(600)})
    application["status"]["resources"] = [
        {"kind": "CronJob", "name": "nightly", "status": "Synced", "health": {"status": "Suspended"}},
        {"kind": "Deployment", "name": "web", "status": "Synced", "health": {"status": "Degraded"}},
    ]

    assert verdict(application).reason == "Degraded: Deployment/web"


def test_an_application_that_its_set_syncs_step_by_step_waits_for_its_turn():
    application = changed("spec", "syncPolicy", {})
    application["status"]["sync"]["status"] = "OutOfSync"

    assert state(application) is State.BLOCKED
    assert state(application, rolling_sync=True) is State.SYNCING


@pytest.mark.parametrize("kind", ["SharedResourceWarning", "RepeatedResourceWarning"])
def test_an_object_of_two_applications_fails_only_once_it_has_lasted(kind):
    assert state(condition(kind, seconds_ago=5)) is State.COMPARING
    assert state(condition(kind, seconds_ago=60)) is State.FAILED
