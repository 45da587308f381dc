"""Coder's control plane works."""

import uuid

import pytest

from gatehouse.core.errors import PermissionDenied

#: Answers that are sampled to find a replica of another version behind the same address.
SAMPLES = 10

#: Codes of the health report that mean that users are affected. Others are reported, not failed.
SERIOUS = ("EACS", "EDB01", "EWS", "EPD01", "EUNKNOWN")


def test_the_process_answers(coder):
    assert coder.healthz() == "OK"


def test_the_token_is_accepted_and_belongs_to_a_known_user(coder):
    assert coder.me().username


def test_first_run_set_up_is_closed(coder):
    assert coder.first_user_exists(), "there is no first user: the database is empty, or another one"


def test_all_replicas_serve_the_same_version(coder):
    reported = {coder.build_info().version for _ in range(SAMPLES)}

    assert len(reported | coder.versions) == 1, (
        f"several versions answer at one address: {reported | coder.versions}"
    )


def test_the_deployment_says_which_one_it_is(coder):
    assert coder.build_info().deployment_id


def test_somebody_can_sign_in(coder):
    methods = coder.auth_methods()

    assert any(methods.get(name, {}).get("enabled") for name in ("password", "github", "oidc")), methods


def test_its_own_health_report_shows_nothing_serious(coder, evidence):
    try:
        report = coder.health()
    except PermissionDenied as error:
        pytest.skip(f"unverified: the token may not read the health report ({error.seen})")
    evidence.attach("health.json", report.model_dump(mode="json"))

    serious = [
        f"{name}: {problem}"
        for name, section in report.sections.items()
        for problem in [
            section.error or "",
            *(f"{each['code']}: {each['message']}" for each in section.warnings),
        ]
        if problem.startswith(SERIOUS)
    ]
    assert not serious, "; ".join(serious)


def test_a_provisioner_of_the_servers_version_is_online(coder):
    daemons = coder.provisioner_daemons(coder.me().organization_ids[0])
    online = [daemon for daemon in daemons if daemon.status != "offline"]

    assert online, "no provisioner daemon is online, so no workspace can be built"
    version = coder.build_info().version
    assert {daemon.version for daemon in online} == {version}


def test_no_build_has_been_waiting_for_long(coder):
    from datetime import UTC, datetime, timedelta

    limit = datetime.now(UTC) - timedelta(minutes=5)
    late = [job.id for job in coder.pending_jobs(coder.me().organization_ids[0]) if job.created_at < limit]

    assert not late, f"builds pending for more than five minutes: {late}"


def test_there_are_templates_and_the_active_version_of_each_was_imported(coder):
    templates = [template for template in coder.templates() if not template.deprecated]

    assert templates, "there is no template: they live in the database"
    for template in templates:
        job = coder.template_version(template.active_version_id).job
        assert job.status == "succeeded", f"the active version of {template.name}: {job.status} {job.error}"


def test_community_edition_is_recognised_and_no_failure(coder):
    entitlements = coder.entitlements()

    assert entitlements is None or isinstance(entitlements.get("has_license"), bool)


def test_path_apps_are_served_somewhere(coder):
    regions = coder.regions()

    assert [region for region in regions if region.healthy and region.path_app_url], regions


def test_a_websocket_goes_through_in_both_directions(coder):
    message = str(uuid.uuid4())
    try:
        assert coder.echo(message) == message
    except PermissionDenied as error:
        pytest.skip(f"unverified: the token may not open the debug socket ({error.seen})")
