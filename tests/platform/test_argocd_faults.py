"""The embedded Argo CD when something goes wrong, over real sockets: its controller, its server, its scenarios."""

import json
import time

import httpx
import pytest

from gatehouse.embedded.argocd.accounts import Account
from gatehouse.embedded.kubernetes.kinds import (
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    EVENT,
    JOB,
    REPLICA_SET,
)
from gatehouse.embedded.scenarios import steps
from tests.platform.conftest import eventually
from tests.platform.test_argocd import APPLICATIONS, STREAM, client_of, events_of, listed
from tests.support import api_descriptions
from tests.support.api_descriptions import check, needs_descriptions

EVENT_STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def open_client():
    clients = []

    def open_client(platform, **options):
        clients.append(client_of(platform, **options))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def scenario(start, open_client):
    """Starts a platform with scenarios; gives it and a client."""

    def scenario(*names, **timings):
        platform = start(*names, **timings)
        return platform, open_client(platform)

    return scenario


def status_of(client, name):
    return listed(client).get(name, {}).get("status", {})


def operation_of(client, name):
    return status_of(client, name).get("operationState", {})


def seen(client, name, condition):
    """The status of an Application once a condition on it holds."""

    def look():
        status = status_of(client, name)
        return status if condition(status) else None

    return eventually(look)


def well(status):
    return (status.get("sync", {}).get("status"), status.get("health", {}).get("status")) == (
        "Synced",
        "Healthy",
    )


def condition_of(status, type_):
    return next((each["message"] for each in status.get("conditions", []) if each["type"] == type_), "")


def ended(phase):
    def look(status):
        state = status.get("operationState", {})
        return state.get("phase") == phase and state.get("finishedAt")

    return look


def result_of(status, name):
    resources = status["operationState"]["syncResult"]["resources"]
    return next(each for each in resources if each["name"] == name)


# --- hooks ---------------------------------------------------------------------------------------------


def hooked(platform, client, phase, script="echo checked", **options):
    """Give `pr-7-baseline` a hook Job while the platform runs; the status after the sync that runs it."""
    seen(client, "pr-7-baseline", well)

    def change(systems):
        job = steps.hook_job(systems, "check", phase, script, **options)
        settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
        steps.add_files(systems, {"previews/baseline/job.yaml": job, "previews/baseline/more.yaml": settings})
        steps.refresh(systems, "baseline")

    platform.call(change)
    return seen(
        client,
        "pr-7-baseline",
        lambda status: "'check'" in str(status.get("operationState")) and ended("Succeeded")(status),
    )


def test_a_hook_runs_during_a_sync_and_is_told_of_in_its_result(scenario):
    platform, client = scenario("happy")
    status = hooked(platform, client, "PreSync")
    assert result_of(status, "check") == {
        "group": "batch",
        "version": "v1",
        "kind": "Job",
        "namespace": "pr-7",
        "name": "check",
        "hookType": "PreSync",
        "hookPhase": "Succeeded",
        "syncPhase": "PreSync",
        "message": "Reached expected number of succeeded pods",
    }


def test_a_hook_that_has_run_is_listed_and_does_not_make_the_application_out_of_sync(scenario):
    platform, client = scenario("happy")
    hooked(platform, client, "PostSync")

    def listed_hook(status):
        hooks = [each for each in status.get("resources", []) if each.get("hook")]
        return hooks and well(status) and ended("Succeeded")(status)

    status = seen(client, "pr-7-baseline", listed_hook)
    (hook,) = [each for each in status["resources"] if each.get("hook")]
    assert (hook["name"], hook["requiresPruning"], "status" in hook) == ("check", True, False)


def test_a_hook_is_deleted_where_its_policy_says_so(scenario):
    platform, client = scenario("happy")
    hooked(platform, client, "PreSync", delete_policy="HookSucceeded")
    assert platform.call(lambda systems: systems.store.find(JOB, "pr-7", "check")) is None


def test_an_application_of_hooks_only_is_synced_and_healthy_and_is_never_run(scenario):
    platform, client = scenario("hook-not-run")
    status = seen(client, "pr-7-migrate", well)
    assert status["resources"] == []
    assert "operationState" not in status
    assert platform.call(lambda systems: systems.store.select(JOB)) == []


def test_a_hanging_hook_keeps_the_operation_running_until_it_is_terminated(scenario):
    _, client = scenario("hook-hanging")
    waiting = "waiting for completion of hook batch/Job/smoke"
    status = seen(
        client,
        "pr-7-platform",
        lambda status: status.get("operationState", {}).get("message") == waiting and well(status),
    )
    assert status["operationState"]["phase"] == "Running"

    path = f"{APPLICATIONS}/pr-7-platform/operation"
    assert client.delete(path, headers={"Content-Type": "application/json"}).status_code == 200

    status = seen(client, "pr-7-platform", ended("Failed"))
    assert status["operationState"]["message"] == "Operation terminated"


def test_an_operation_is_terminated_between_two_attempts_too(scenario):
    _, client = scenario("sync-retrying")
    seen(client, "pr-7-platform", lambda status: status.get("operationState", {}).get("retryCount") == 1)
    path = f"{APPLICATIONS}/pr-7-platform/operation"
    assert client.delete(path, headers={"Content-Type": "application/json"}).status_code == 200
    status = seen(client, "pr-7-platform", ended("Failed"))
    assert status["operationState"]["message"] == "Operation terminated"


def test_a_failing_hook_fails_the_sync_and_its_log_can_be_read(scenario):
    _, client = scenario("hook-failing")
    status = seen(client, "pr-7-platform", ended("Failed"))
    message = "one or more synchronization tasks completed unsuccessfully (retried 1 times)."
    assert status["operationState"]["message"] == message
    hook = result_of(status, "smoke")
    assert (hook["hookType"], hook["hookPhase"]) == ("PostSync", "Failed")
    assert hook["message"] == "Job has reached the specified backoff limit"
    parameters = {"namespace": "pr-7", "kind": "Job", "group": "batch", "resourceName": "smoke"}
    assert "GET /cart answered 500" in str(log_of(client, "pr-7-platform", **parameters))


# --- waves, retries, self-heal ---------------------------------------------------------------------------


def test_a_wave_waits_for_the_health_of_the_one_before(scenario):
    platform, client = scenario("wave-waiting")
    waiting = "waiting for healthy state of apps/Deployment/platform"
    status = seen(
        client, "pr-7-platform", lambda status: status.get("operationState", {}).get("message") == waiting
    )
    assert status["sync"]["status"] == "OutOfSync"
    assert platform.call(lambda systems: systems.store.find(DEPLOYMENT, "pr-7", "platform"))
    applied = [each["kind"] for each in status["operationState"]["syncResult"]["resources"]]
    assert applied == ["ConfigMap", "Deployment"]


def test_a_sync_without_waves_succeeds_as_soon_as_everything_is_applied(scenario):
    _, client = scenario("unschedulable")
    status = seen(client, "pr-7-platform", ended("Succeeded"))
    assert status["operationState"]["message"] == "successfully synced (all tasks run)"
    assert status["health"]["status"] != "Healthy"


def test_a_refused_object_fails_the_sync_for_good_and_auto_sync_says_so(scenario):
    _, client = scenario("sync-failed")
    status = seen(client, "pr-7-platform", lambda status: condition_of(status, "SyncError"))
    assert status["operationState"]["phase"] == "Failed"
    revision = status["sync"]["revision"]
    start = (
        f"Failed last sync attempt to [{revision}]: one or more objects failed to apply, reason: admission"
    )
    assert condition_of(status, "SyncError").startswith(start)
    refused = next(
        each for each in status["operationState"]["syncResult"]["resources"] if each["kind"] == "HTTPRoute"
    )
    assert refused["status"] == "SyncFailed"


def test_a_sync_is_tried_again_and_succeeds_at_the_third_attempt(scenario):
    _, client = scenario("sync-retrying")

    def retrying(status):
        state = status.get("operationState", {})
        return state.get("retryCount") == 2 and "Retrying attempt #2 at " in state["message"]

    status = seen(client, "pr-7-platform", retrying)
    assert (status["operationState"]["phase"], "finishedAt" in status["operationState"]) == ("Running", True)
    seen(client, "pr-7-platform", lambda status: ended("Succeeded")(status) and well(status))


def test_self_heal_counts_its_attempts_and_pauses_between_them(scenario):
    _, client = scenario("self-heal-loop")

    def looping(status):
        sync = status.get("operationState", {}).get("operation", {}).get("sync", {})
        return sync.get("autoHealAttemptsCount", 0) >= 3 and status["sync"]["status"] == "OutOfSync"

    status = seen(client, "pr-7-platform", looping)
    only = {"group": "apps", "kind": "Deployment", "name": "platform"}
    assert status["operationState"]["operation"]["sync"]["resources"] == [only]


def test_auto_sync_does_not_remove_all_there_is(scenario):
    platform, client = scenario("zero-resources-refused")
    status = seen(client, "pr-7-reports", lambda status: condition_of(status, "SyncError"))
    refused = (
        f"Skipping sync attempt to [{status['sync']['revision']}]: auto-sync will wipe out all resources"
    )
    assert condition_of(status, "SyncError") == refused
    assert status["sync"]["status"] == "OutOfSync"
    assert platform.call(lambda systems: systems.store.find(CONFIG_MAP, "pr-7", "reports"))


def test_auto_sync_leaves_what_is_only_to_be_pruned_where_pruning_is_off(scenario):
    _, client = scenario("prune-only")

    def only_pruning(status):
        late = [each for each in status.get("resources", []) if each["status"] != "Synced"]
        return [each["name"] for each in late] == ["old-settings"] and late[0]["requiresPruning"]

    assert seen(client, "pr-7-baseline", only_pruning)["sync"]["status"] == "OutOfSync"


def test_an_object_of_two_applications_brings_a_warning(scenario):
    _, client = scenario("shared-resource")
    applications = "argocd/pr-7-platform and pr-7-baseline"
    warning = f"ConfigMap/shared is part of applications {applications}"
    seen(client, "pr-7-platform", lambda status: condition_of(status, "SharedResourceWarning") == warning)


def test_syncs_into_a_terminating_namespace_fail_in_the_api_servers_words_until_it_is_gone(scenario):
    _, client = scenario("namespace-terminating")
    words = (
        'configmaps "preview" is forbidden: unable to create new content in namespace pr-7 '
        "because it is being terminated"
    )
    seen(client, "pr-7-baseline", lambda status: words in str(status.get("operationState")))
    for name in ("pr-7-namespace", "pr-7-baseline", "pr-7-platform", "pr-7-www"):
        seen(client, name, well)


# --- what keeps an Application from being compared, synced or deleted ---------------------------------------


def test_a_frozen_application_is_not_compared_until_the_annotation_goes(scenario):
    platform, client = scenario("skip-reconcile")
    seen(client, "pr-7-platform", well)
    assert status_of(client, "pr-7-baseline") == {}

    def thaw(systems):
        item = systems.store.get(APPLICATION, "argocd", "pr-7-baseline")
        del item["metadata"]["annotations"]["argocd.argoproj.io/skip-reconcile"]
        systems.store.update(APPLICATION, item)

    platform.call(thaw)
    seen(client, "pr-7-baseline", well)


def test_a_closed_window_keeps_auto_sync_from_running_and_is_told_by_the_api(scenario):
    _, client = scenario("sync-window-closed")
    status = seen(client, "pr-7-platform", lambda status: status.get("sync", {}).get("status") == "OutOfSync")
    assert "operationState" not in status
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "manualSync": False}
    assert client.get(f"{APPLICATIONS}/pr-7-platform/syncwindows").json() == {
        "activeWindows": [window],
        "assignedWindows": [window],
        "canSync": False,
    }
    assert client.get(f"{APPLICATIONS}/pr-7-www/syncwindows").json() == {"canSync": True}


def test_a_spec_that_names_no_project_is_invalid_and_not_compared(scenario):
    _, client = scenario("invalid-spec")
    status = seen(client, "pr-7-baseline", lambda status: condition_of(status, "InvalidSpecError"))
    assert condition_of(status, "InvalidSpecError") == (
        "Application referencing project preview which does not exist"
    )
    assert (status["sync"]["status"], status["health"]["status"]) == ("Unknown", "Unknown")
    assert "reconciledAt" not in status


def test_an_application_stays_while_a_finalizer_holds_what_it_made(scenario):
    _, client = scenario("application-deleted")
    eventually(lambda: listed(client).get("pr-7-baseline", {}).get("metadata", {}).get("deletionTimestamp"))
    seen(client, "pr-7-platform", well)
    assert listed(client)["pr-7-baseline"]["metadata"]["finalizers"]


def test_a_paused_deployment_makes_no_pods_and_the_application_is_suspended(scenario):
    _, client = scenario("rollout-suspended")
    seen(client, "pr-7-platform", lambda status: status.get("health", {}).get("status") == "Suspended")
    deployment = next(
        each
        for each in client.get(f"{APPLICATIONS}/pr-7-platform").json()["status"]["resources"]
        if each["kind"] == "Deployment"
    )
    assert deployment["health"] == {"status": "Suspended", "message": "Deployment is paused"}


def test_a_deployment_past_its_deadline_makes_the_application_degraded(scenario):
    _, client = scenario("degraded")
    seen(client, "pr-7-platform", lambda status: status.get("health", {}).get("status") == "Degraded")
    answer = client.get(f"{APPLICATIONS}/pr-7-platform").json()
    assert 'Deployment \\"platform\\" exceeded its progress deadline' in json.dumps(answer)


def test_an_exceeded_quota_is_told_by_the_replica_set_and_its_events(scenario):
    platform, client = scenario("quota-exceeded")
    seen(client, "pr-7-platform", lambda status: status.get("health", {}).get("status") == "Progressing")

    def told(systems):
        sets = [
            each for each in systems.store.select(REPLICA_SET) if "exceeded quota" in str(each.get("status"))
        ]
        events = [each for each in systems.store.select(EVENT) if each["reason"] == "FailedCreate"]
        return [each["message"] for each in events] if sets and events else None

    message = eventually(lambda: platform.call(told))[0]
    assert message.startswith('Error creating: pods "')
    assert "is forbidden: exceeded quota: previews, requested: pods=1" in message


# --- what is shown in the place of the truth ----------------------------------------------------------------


def test_a_rewritten_status_is_shown_and_the_controller_goes_on_with_the_true_one(scenario):
    platform, client = scenario("happy")
    seen(client, "pr-7-www", well)

    def rewrite(application, _elapsed):
        application["status"]["health"] = {"status": "Degraded"}
        application["status"]["operationState"]["phase"] = "Failed"

    platform.call(lambda systems: systems.applications.faults.rewrite.update({"pr-7-www": rewrite}))
    seen(client, "pr-7-www", ended("Failed"))
    platform.call(lambda systems: systems.store.delete(DEPLOYMENT, "pr-7", "www") and None)
    eventually(lambda: platform.call(lambda systems: systems.store.find(DEPLOYMENT, "pr-7", "www")))
    platform.call(lambda systems: systems.applications.faults.rewrite.clear())
    seen(client, "pr-7-www", lambda status: well(status) and ended("Succeeded")(status))


def test_a_rewrite_is_made_again_as_time_passes(scenario):
    platform, client = scenario("happy")
    seen(client, "pr-7-www", well)

    def rewrite(application, elapsed):
        application["status"]["health"]["message"] = f"{elapsed:.2f}"

    platform.call(lambda systems: systems.applications.faults.rewrite.update({"pr-7-www": rewrite}))

    def message():
        return status_of(client, "pr-7-www")["health"].get("message")

    first = eventually(message)
    assert float(eventually(lambda: message() if message() != first else None)) > float(first)


def test_health_can_alternate_before_it_stays(scenario):
    platform, _ = scenario("health-flapping")
    healths = []

    def steady():
        health = platform.call(lambda systems: steps.application(systems, "platform") or {})
        status = health.get("status", {}).get("health", {}).get("status")
        if status and status != (healths[-1:] or [None])[0]:
            healths.append(status)
        return healths.count("Healthy") >= 3

    eventually(steady)
    assert healths.count("Progressing") >= 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("resource-missing", lambda status: well(status) and "'OutOfSync'" in str(status["resources"])),
        ("hook-failed-before", lambda status: well(status) and ended("Failed")(status)),
        (
            "identical-manifests",
            lambda status: (
                well(status)
                and status["operationState"]["syncResult"]["revision"] != status["sync"]["revision"]
            ),
        ),
        (
            "operation-on-older-commit",
            lambda status: (
                status.get("sync", {}).get("status") == "OutOfSync"
                and status.get("operationState", {}).get("operation", {}).get("sync", {}).get("revision")
                not in (None, status["sync"]["revision"])
            ),
        ),
        (
            "same-second",
            lambda status: well(status) and status["reconciledAt"] == status["operationState"]["finishedAt"],
        ),
        (
            "compared-to-behind",
            lambda status: well(status) and ":" + "0" * 40 in str(status["sync"]["comparedTo"]),
        ),
        ("degraded-briefly", lambda status: status.get("health", {}).get("status") == "Degraded"),
    ],
)
def test_a_status_as_recorded_is_shown(scenario, name, shown):
    _, client = scenario(name)
    seen(client, "pr-7-platform", shown)


def test_healthy_applications_can_have_pending_pods(scenario):
    platform, client = scenario("healthy-while-pending")
    seen(client, "pr-7-www", well)
    assert not platform.call(lambda systems: systems.kubelet.pods)


def test_a_status_of_the_commit_before_is_shown_until_the_comparison(scenario):
    platform, client = scenario("stale-status")
    head = platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))

    def stale():
        item = listed(client).get("pr-7-platform", {})
        return head in str(item.get("spec")) and well(item["status"]) and head not in str(item["status"])

    eventually(stale)
    seen(client, "pr-7-platform", lambda status: well(status) and head in str(status["summary"]["images"]))


# --- generators and the pull request ------------------------------------------------------------------------


def test_one_set_can_make_twelve_applications(scenario):
    _, client = scenario("twelve-applications")

    def all_well():
        applications = listed(client)
        return len(applications) == 15 and all(well(each.get("status", {})) for each in applications.values())

    eventually(all_well)


def test_applications_can_be_generated_late(scenario):
    _, client = scenario("generation-late")
    assert listed(client) == {}
    eventually(lambda: len(listed(client)) == 5)


def test_a_generators_error_can_pass(scenario):
    _, client = scenario("generator-error-passing")
    assert "502 Bad Gateway" in eventually(lambda: client.get("/api/v1/applicationsets/preview-apps").text)
    eventually(lambda: len(listed(client)) == 5)


def test_a_comparison_error_can_pass(scenario):
    _, client = scenario("comparison-error-passing")
    seen(client, "pr-7-platform", lambda status: condition_of(status, "ComparisonError"))
    status = seen(client, "pr-7-platform", well)
    assert not condition_of(status, "ComparisonError")


def test_the_pull_request_can_be_closed_meanwhile(scenario):
    platform, client = scenario("closed-while-waiting")
    eventually(lambda: len(listed(client)) == 5)
    eventually(lambda: platform.call(lambda systems: systems.shop.pulls[7].state) == "closed")
    eventually(lambda: not listed(client))


def test_a_commit_can_be_pushed_meanwhile(scenario):
    platform, client = scenario("pushed-while-waiting")

    def head():
        return platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))

    before = head()
    eventually(lambda: head() != before)
    eventually(lambda: head() in str(listed(client).get("pr-7-www", {}).get("spec")))


# --- logs ------------------------------------------------------------------------------------------------


def log_of(client, application, **parameters):
    answer = client.get(f"{APPLICATIONS}/{application}/logs", params=parameters)
    return [json.loads(line)["result"] for line in answer.text.splitlines()]


def pods_of(client, application):
    nodes = client.get(f"{APPLICATIONS}/{application}/resource-tree").json().get("nodes", [])
    return [each["name"] for each in nodes if each["kind"] == "Pod"]


def pod_of(client, application):
    return next(iter(pods_of(client, application)), None)


def test_the_log_of_a_running_container_is_streamed_line_by_line(scenario):
    _, client = scenario("hook-hanging")
    pod = eventually(
        lambda: next((name for name in pods_of(client, "pr-7-platform") if name.startswith("smoke-")), None)
    )
    parameters = {"namespace": "pr-7", "podName": pod, "container": "smoke"}

    def printed():
        lines = log_of(client, "pr-7-platform", **parameters)
        return lines if "mail server" in lines[0]["content"] else None

    first, last = eventually(printed)

    assert (first["content"], first["podName"], first["last"]) == ("waiting for the mail server", pod, False)
    assert (last["content"], last["last"]) == ("", True)
    assert set(first) == {"content", "podName", "timeStamp", "timeStampStr", "last"}


def test_only_the_last_lines_of_a_log_are_given_where_so_many_are_asked_for(scenario):
    platform, client = scenario("happy")
    hooked(platform, client, "PreSync", script="echo one; echo two; echo three")
    parameters = {"kind": "Job", "group": "batch", "resourceName": "check", "tailLines": 2}
    lines = log_of(client, "pr-7-baseline", **parameters)
    assert [each["content"] for each in lines] == ["two", "three", ""]


def test_the_log_of_a_jobs_pod_is_chosen_by_the_job_and_has_no_previous_one(scenario):
    platform, client = scenario("happy")
    hooked(platform, client, "PreSync")
    chosen = {"namespace": "pr-7", "kind": "Job", "group": "batch", "resourceName": "check"}
    assert [each["content"] for each in log_of(client, "pr-7-baseline", **chosen)] == ["checked", ""]
    (missing, _) = log_of(client, "pr-7-baseline", **chosen, previous="true")
    assert missing["content"].startswith('previous terminated container "check" in pod "check-')


def test_the_reason_for_there_being_no_log_is_a_line_of_it(scenario):
    _, client = scenario("unschedulable")
    pod = eventually(lambda: pod_of(client, "pr-7-www"))
    (line, _) = log_of(client, "pr-7-www", namespace="pr-7", podName=pod)
    assert line["content"] == f'container "www" in pod "{pod}" is waiting to start: ContainerCreating'


def test_a_pod_of_another_application_has_no_log_here(scenario):
    _, client = scenario("happy")
    seen(client, "pr-7-www", well)
    assert log_of(client, "pr-7-baseline", namespace="pr-7", podName=pod_of(client, "pr-7-www")) == []


def test_logs_are_a_permission_of_their_own_and_refused_in_a_streams_form(start, open_client):
    platform = start("happy")

    def add(systems):
        systems.accounts.accounts["reader"] = Account("reader", actions=frozenset({"get"}))
        return systems.accounts.issue("reader")

    client = open_client(platform, token=platform.call(add))
    seen(client, "pr-7-www", well)
    answer = client.get(f"{APPLICATIONS}/pr-7-www/logs")
    assert answer.status_code == 403
    assert (answer.json()["error"]["grpc_code"], answer.json()["error"]["message"]) == (
        7,
        "permission denied",
    )


# --- the server and what stands before it --------------------------------------------------------------------


def test_an_account_without_projects_sees_nothing_and_is_refused_each(scenario):
    platform, client = scenario("forbidden")
    eventually(lambda: platform.call(lambda systems: len(systems.store.select(APPLICATION))) == 5)
    assert listed(client) == {}
    assert client.get(f"{APPLICATIONS}/pr-7-www", params={"project": "previews"}).status_code == 403
    assert client.get("/api/v1/account/can-i/applications/get/previews/pr-7-www").json() == {"value": "no"}


def test_an_account_without_application_sets_lists_none_and_is_refused_each(scenario):
    _, client = scenario("application-sets-forbidden")
    eventually(lambda: len(listed(client)) == 5)
    assert client.get("/api/v1/applicationsets").json()["items"] == []
    assert client.get("/api/v1/applicationsets/preview-apps").status_code == 403


def test_a_silent_stream_sends_no_headers(scenario):
    _, client = scenario("stream-silent")
    eventually(lambda: len(listed(client)) == 5)
    with (
        pytest.raises(httpx.ReadTimeout),
        client.stream("GET", STREAM, headers=EVENT_STREAM, timeout=0.5),
    ):
        pass


def test_a_stream_can_be_cut_again_and_again(scenario):
    _, client = scenario("stream-cut")
    seen(client, "pr-7-www", well)
    for _ in range(2):
        began = time.monotonic()
        with client.stream("GET", STREAM, headers=EVENT_STREAM) as answer:
            assert len(list(events_of(answer))) >= 5
        assert 0.4 < time.monotonic() - began < 5


def test_a_proxy_answers_504_before_each_path_gets_through(scenario):
    _, client = scenario("proxy-504")
    answers = [client.get("/api/version") for _ in range(3)]
    assert [each.status_code for each in answers] == [504, 504, 200]
    assert "<center>nginx</center>" in answers[0].text
    assert client.get(APPLICATIONS).status_code == 504


def test_a_sign_in_page_can_stand_before_everything(scenario):
    _, client = scenario("html-answer")
    answer = client.get(APPLICATIONS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Sign in" in answer.text


def test_a_status_can_have_megabytes(scenario):
    _, client = scenario("large-events")
    seen(client, "pr-7-platform", well)
    with client.stream("GET", STREAM, params={"name": "pr-7-platform"}, headers=EVENT_STREAM) as answer:
        event = next(events_of(answer))
    assert len(json.dumps(event)) > 3_000_000


# --- all of it against Argo CD's own descriptions ---------------------------------------------------------------


@needs_descriptions
@pytest.mark.parametrize(
    ("name", "application", "reached"),
    [
        ("hook-failing", "pr-7-platform", ended("Failed")),
        ("hook-failed-before", "pr-7-platform", ended("Failed")),
        ("invalid-spec", "pr-7-baseline", lambda status: condition_of(status, "InvalidSpecError")),
        ("sync-failed", "pr-7-platform", lambda status: condition_of(status, "SyncError")),
        ("self-heal-loop", "pr-7-platform", lambda status: "autoHealAttemptsCount" in str(status)),
        ("wave-waiting", "pr-7-platform", lambda status: "waiting for healthy" in str(status)),
        ("resource-missing", "pr-7-platform", well),
        ("prune-only", "pr-7-baseline", lambda status: "requiresPruning" in str(status)),
        ("operation-on-older-commit", "pr-7-platform", lambda status: "batch/Job/smoke" in str(status)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_application_in_trouble_fits_its_custom_resource_definition(scenario, name, application, reached):
    platform, _ = scenario(name)

    def shown():
        item = platform.call(
            lambda systems: systems.store.find(APPLICATION, "argocd", application) or {"status": {}}
        )
        return item if reached(item.get("status", {})) else None

    check(eventually(shown), api_descriptions.argocd_kind("application"))


@needs_descriptions
def test_a_line_of_a_log_and_a_closed_window_fit_the_swagger_file(scenario):
    _, client = scenario("sync-window-closed")
    path = APPLICATIONS + "/{name}/syncwindows"
    eventually(lambda: "pr-7-platform" in listed(client))
    windows = client.get(path.format(name="pr-7-platform")).json()
    check(windows, api_descriptions.answer_of("argocd", "GET", path))
    seen(client, "pr-7-www", well)
    answer = client.get(f"{APPLICATIONS}/pr-7-www/logs", params={"podName": pod_of(client, "pr-7-www")})
    for line in answer.text.splitlines():
        check(json.loads(line), api_descriptions.answer_of("argocd", "GET", APPLICATIONS + "/{name}/logs"))
