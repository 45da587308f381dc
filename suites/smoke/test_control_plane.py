"""Coder's control plane works."""

import uuid
from datetime import timedelta

import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound, WaitTimeout
from gatehouse.core.waiting import wait_until
from gatehouse.smoke.health import problems, shown

#: Requests, each over a connection of its own, to find a replica of another version behind the same address.
SAMPLES = 10

#: Seconds after which Coder calls a daemon offline that is gone (provisionerdserver.StaleInterval), and a little.
STALE_SECONDS = 100.0


def test_the_process_answers(coder):
    answer = coder.healthz()

    assert answer == "OK", f"something other than Coder answers at {coder.url}/healthz: {answer[:200]}"


def test_the_database_has_its_users(coder):
    assert coder.first_user_exists(), (
        "there is no first user: the database is empty, or another one, and first-run set-up is open to anybody"
    )


def test_all_replicas_serve_the_same_version_of_the_same_deployment(coder, note_version):
    seen = coder.sample_versions(SAMPLES)
    for version, _ in seen:
        note_version("Coder", version)

    assert len({version for version, _ in seen} | coder.versions) == 1, (
        f"several versions answer at one address: {dict(seen)}, and by their header {sorted(coder.versions)}"
    )
    assert len({deployment for _, deployment in seen}) == 1, (
        f"several databases answer at one address: {dict(seen)}"
    )


def test_it_is_the_version_that_was_asked_for(coder, coder_settings):
    if coder_settings.version is None:
        pytest.skip("not configured: coder.version of the target does not say which version is to run")

    version = coder.build_info().version
    assert version.lstrip("v").split("+")[0] == coder_settings.version.lstrip("v").split("+")[0], (
        f"Coder {version} runs, and not {coder_settings.version}: did the rollout end, or was it rolled back?"
    )


def test_the_deployment_says_which_one_it_is(coder):
    assert coder.build_info().deployment_id


def test_its_address_for_agents_and_browsers_is_the_one_that_is_tested(coder, coder_settings):
    assert coder.build_info().dashboard_url.rstrip("/") == coder_settings.url.rstrip("/"), (
        "agents and browsers are told another address than the one under test"
    )


@pytest.mark.parametrize(
    "name", ["access_url", "database", "derp", "websocket", "workspace_proxy", "provisioner_daemons"]
)
def test_its_own_health_report_shows_nothing_serious(name, health, evidence):
    section = health.sections[name]
    evidence.attach(f"health-{name}.json", section.model_dump(mode="json"))

    serious = problems(section)
    assert not serious, f"{name}{shown(section)}: {'; '.join(serious)}"


def test_the_health_report_is_new(health, coder):
    age = coder.server_time() - health.time

    assert age < timedelta(minutes=1), f"a forced report is {age} old: it was made before the question"


def test_its_database_answers_quickly(health, coder_settings):
    latency = health.database.latency_ms
    if latency is None:
        pytest.skip("unverified: this version's health report has no latency of the database")

    assert latency <= coder_settings.database_latency_ms, (
        f"the database answers in {latency} ms, and {coder_settings.database_latency_ms} ms is the limit"
    )


def test_a_provisioner_of_the_servers_version_is_online(coder_owner, coder):
    online = online_daemons(coder_owner, coder)
    assert online, "no provisioner daemon is online, so no workspace can be built, stopped or deleted"

    version = coder.build_info().version
    others = daemons_of_other_versions(coder_owner, coder, version)
    assert not others, f"the server is {version}, and provisioner daemons are not: {others}"


def test_no_job_has_been_waiting_for_long(coder_owner, coder, coder_settings):
    limit = coder.server_time() - timedelta(seconds=coder_settings.queue_seconds)
    waiting = [job for organization in organizations(coder) for job in coder_owner.pending_jobs(organization)]
    late = [
        f"{job.type or 'job'} {job.id[:8]} since {job.created_at}, tags {job.tags}"
        for job in waiting
        if job.created_at and job.created_at < limit
    ]

    assert not late, f"pending for more than {coder_settings.queue_seconds:.0f} s: {'; '.join(late)}"


def test_there_are_templates(coder):
    assert templates(coder), "there is no template: they live in the database"


def test_the_active_version_of_each_template_was_imported(coder):
    bad = {}
    for template in templates(coder):
        version = coder.template_version(template.active_version_id)
        if version.archived or version.job.status != "succeeded":
            state = "archived" if version.archived else version.job.status
            bad[template.name] = f"{version.name} {state} {version.job.error}".strip()

    assert not bad, f"these templates make no workspaces: {bad}"


def test_each_template_still_has_an_agent(coder):
    without = [
        template.name
        for template in templates(coder)
        if not any(resource.agents for resource in coder.template_resources(template.active_version_id))
    ]

    assert not without, f"the import of these templates found no agent among their resources: {without}"


def test_community_edition_is_recognised_and_no_failure(coder):
    entitlements = coder.entitlements()

    assert entitlements is None or isinstance(entitlements.get("has_license"), bool)


def test_apps_are_served_somewhere(coder):
    regions = coder.regions()

    assert [each for each in regions if each.healthy and each.path_app_url], [
        each.model_dump() for each in regions
    ]


def test_a_websocket_goes_through_in_both_directions(coder_owner):
    message = str(uuid.uuid4())

    assert coder_owner.echo(message) == message


def test_agents_are_told_of_relays(coder):
    assert (coder.derp_map().get("Regions") or {}) != {}, (
        "the relay map is empty: agents and users find no way"
    )


def test_the_suite_stays_below_the_rate_limit(coder):
    coder.regions()
    limits = {str(call): limit for call, limit in coder.rate_limits.items()}
    if not limits:
        pytest.skip("not configured: the deployment limits nobody, or does not say so in its answers")

    low = {call: limit for call, limit in limits.items() if limit.remaining < limit.limit / 10}
    assert not low, f"nine tenths of the requests of this minute are used up: {low}"


@pytest.fixture(scope="module")
def health(coder_owner):
    """The report that is made now, dismissed sections included. Needs `debug_info:read`."""
    return coder_owner.health()


def online_daemons(owner, coder):
    found = [
        daemon for organization in organizations(coder) for daemon in owner.provisioner_daemons(organization)
    ]
    return [daemon for daemon in found if daemon.status != "offline"]


def daemons_of_other_versions(owner, coder, version):
    """Those that stay online: a replica that was just replaced counts as online until its last sign of life is old."""

    def others():
        return {each.name: each.version for each in online_daemons(owner, coder) if each.version != version}

    try:
        return wait_until(
            others,
            what="provisioner daemons of other versions",
            ready=lambda found: not found,
            deadline=Deadline.after(STALE_SECONDS),
            interval=5.0,
        )
    except WaitTimeout:
        return others()


def organizations(coder):
    return [each.id for each in coder.organizations()]


def templates(coder):
    found = coder.templates()
    if not found:
        raise NotFound(
            "Coder has no template", next_step="do reconcilers bring them back? They live in the database"
        )
    return [each for each in found if not each.deprecated]
