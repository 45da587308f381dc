import json

import httpx
import pytest

from gatehouse.coder import calls
from gatehouse.coder.api.rights import Right
from gatehouse.coder.errors import NoSuchCall, PremiumOnly
from gatehouse.coder.observed import RateLimit
from gatehouse.core.errors import (
    AuthenticationError,
    NotFound,
    PermissionDenied,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)
from tests.support.coder_server import BUILD, TOKEN, USER, WORKSPACE, client, error, ok


def test_the_token_travels_in_the_header_and_never_in_the_url():
    coder, server, _ = client(ok({"id": "u", "username": "bot"}))

    coder.me()

    assert server.requests[0].headers["Coder-Session-Token"] == TOKEN
    assert TOKEN not in str(server.requests[0].url)


def test_unknown_fields_and_values_of_a_newer_server_are_accepted():
    build = {**BUILD, "status": "hibernating", "new": 1}
    coder, _, _ = client(ok({**WORKSPACE, "latest_build": build, "new": {"deep": []}}))

    assert coder.workspace("w").latest_build.status == "hibernating"


def test_a_missing_field_is_said_with_its_name_and_the_path():
    coder, _, _ = client(ok({"id": "w"}))

    with pytest.raises(UnexpectedAnswer, match="expected shape") as caught:
        coder.workspace("w")
    assert "name" in caught.value.seen
    assert caught.value.where == "GET /api/v2/workspaces/w"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_repeated_until_a_passing_fault_has_passed(status):
    coder, server, clock = client(error(status), error(status), ok({"id": "u", "username": "bot"}))

    assert coder.me().username == "bot"
    assert len(server.requests) == 3
    assert clock.elapsed < 2


def test_a_read_gives_up_within_its_budget():
    coder, _, clock = client(error(503, "database is migrating"))

    with pytest.raises(Transient) as caught:
        coder.me()
    assert "database is migrating" in caught.value.seen
    assert clock.elapsed <= 30


def test_a_lasting_refusal_is_not_asked_again():
    coder, server, _ = client(error(401, "expired"))

    with pytest.raises(AuthenticationError, match="does not accept the token"):
        coder.me()
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_named_with_a_way_forward_and_without_the_token():
    coder, _, _ = client(httpx.ConnectError("Connection refused"))

    with pytest.raises(Unreachable, match="does not answer at http://coder") as caught:
        coder.me()
    assert "CODER_URL" in caught.value.next_step
    assert TOKEN not in str(caught.value)


def test_a_sign_in_page_in_place_of_json_is_not_coder():
    coder, _, _ = client(httpx.Response(200, html="<html>Please sign in</html>"))

    with pytest.raises(UnexpectedAnswer, match="something other than Coder answered"):
        coder.me()


def test_a_missing_license_is_told_from_a_missing_permission():
    coder, _, _ = client(error(403, "Audit logs is a Premium feature. Contact sales!"))
    with pytest.raises(PremiumOnly):
        coder.experiments()

    coder, _, _ = client(error(403, "Forbidden."))
    with pytest.raises(PermissionDenied) as caught:
        coder.experiments()
    assert not isinstance(caught.value, PremiumOnly)


def test_a_health_check_still_under_way_is_asked_for_again():
    report = {"time": "2026-01-01T00:00:00Z", "severity": "ok"}
    coder, server, _ = client(error(404, "Healthcheck is in progress, try again"), ok(report))

    assert coder.health().severity == "ok"
    assert len(server.requests) == 2


def test_an_empty_database_is_seen_by_the_missing_first_user():
    assert client(error(404, "The initial user has not been created!"))[0].first_user_exists() is False
    assert client(ok({"message": "yes"}))[0].first_user_exists() is True

    with pytest.raises(NoSuchCall):
        client(error(404, "Route not found."))[0].first_user_exists()


def test_an_open_source_build_without_entitlements_is_community_edition():
    assert client(error(404, "Route not found."))[0].entitlements() is None


@pytest.mark.parametrize("answer", [error(404, "Route not found."), httpx.Response(404, text="not here")])
def test_a_workspace_counts_as_absent_only_if_coder_itself_does_not_find_it(answer):
    assert client(error(404, "Resource not found"))[0].find_workspace("one") is None

    with pytest.raises((NoSuchCall, UnexpectedAnswer)):
        client(answer)[0].find_workspace("one")


def test_long_lists_are_read_to_their_end():
    pages = [[{**WORKSPACE, "id": f"{page}-{number}"} for number in range(100)] for page in range(2)]
    pages.append([{**WORKSPACE, "id": "last"}])
    coder, server, _ = client(*(ok({"workspaces": page, "count": 201}) for page in pages))

    assert len(coder.workspaces("owner:me")) == 201
    assert [request.url.params["offset"] for request in server.requests] == ["0", "100", "200"]
    assert {request.url.params["q"] for request in server.requests} == {"owner:me"}


def test_lists_and_fields_that_are_null_are_empty():
    assert (
        client(httpx.Response(200, text="null", headers={"Content-Type": "application/json"}))[
            0
        ].experiments()
        == []
    )

    null = {**BUILD, "resources": None, "matched_provisioners": None, "deadline": "0001-01-01T00:00:00Z"}
    build = client(ok({**WORKSPACE, "latest_build": null, "owner_name": None}))[0].workspace("w").latest_build
    assert (build.agents, build.deadline) == ([], None)


def test_presets_have_names_in_capitals_on_the_wire():
    wire = {"ID": "p", "Name": "Large", "Default": True, "Parameters": [{"Name": "cpu", "Value": "8"}]}
    (preset,) = client(ok([wire]))[0].presets("v")

    assert (preset.id, preset.default, preset.parameters[0].value) == ("p", True, "8")
    assert client(ok([{"id": "p", "name": "Small"}]))[0].presets("v")[0].name == "Small"


def test_names_with_a_slash_or_a_question_mark_stay_one_part_of_the_path():
    coder, server, _ = client(error(404))
    coder.find_workspace("a/../b?c")

    assert server.requests[0].url.raw_path == b"/api/v2/users/me/workspace/a%2F..%2Fb%3Fc"


def test_rights_are_asked_for_by_the_callers_names():
    coder, server, _ = client(ok({"health": True, "others": False}))
    rights = {"health": Right("read", "debug_info"), "others": Right("read", "workspace", owner="x")}

    assert coder.may(rights) == {"health": True, "others": False}
    assert json.loads(server.requests[0].content)["checks"]["others"] == {
        "action": "read",
        "object": {"resource_type": "workspace", "owner_id": "x"},
    }


def test_the_tokens_key_is_named_without_its_secret_and_its_rest_is_counted_by_the_servers_clock():
    key = {"id": TOKEN[:10], "expires_at": "2026-01-01T02:00:00Z"}
    coder, server, _ = client(ok(key, Date="Thu, 01 Jan 2026 01:00:00 GMT"))

    assert coder.token_seconds_left() == 3600
    assert coder.clock_skew_seconds == 3600
    assert server.requests[0].url.path == f"/api/v2/users/me/keys/{TOKEN[:10]}"


def test_each_sample_is_taken_over_a_connection_of_its_own_and_counted_by_version_and_deployment():
    info = {"version": "v2.36.4", "deployment_id": "d"}
    new, old = (
        ok(info, **{"X-Coder-Build-Version": "v2.36.4"}),
        ok(info, **{"X-Coder-Build-Version": "v2.36.3"}),
    )
    coder, _, _ = client(new, old, new)

    assert coder.sample_versions(3) == {("v2.36.4", "d"): 2, ("v2.36.3", "d"): 1}


def test_what_a_license_lacks_and_what_limits_say_is_kept():
    headers = {
        "X-Coder-Entitlements-Warning": "license ends",
        "X-RateLimit-Limit": "512",
        "X-RateLimit-Remaining": "7",
    }
    coder, _, _ = client(ok(USER, **headers))
    coder.me()

    assert coder.license_warnings == {"license ends"}
    assert coder.rate_limits[calls.USER] == RateLimit(512, 7)
    assert coder.requests == {calls.USER: 1}


def test_every_version_seen_on_any_answer_is_remembered():
    first = ok({"id": "u", "username": "b"}, **{"X-Coder-Build-Version": "v2.36.4"})
    second = error(404, headers={"X-Coder-Build-Version": "v2.36.3"})
    coder, _, _ = client(first, second)
    coder.me()
    with pytest.raises(NotFound):
        coder.workspace("w")

    assert coder.versions == {"v2.36.3", "v2.36.4"}


def test_answers_of_the_embedded_platform_are_noticed():
    coder, _, _ = client(ok({"id": "u", "username": "b"}, Server="gatehouse-embedded"))
    assert not coder.embedded

    coder.me()
    assert coder.embedded


def test_workspaces_whose_name_only_contains_the_prefix_are_left_out():
    answer = {
        "workspaces": [{**WORKSPACE, "id": name, "name": name} for name in ("one", "none", "other")],
        "count": 3,
    }

    assert [each.name for each in client(ok(answer))[0].own_workspaces("one")] == ["one"]


def test_agents_of_inner_dev_containers_are_not_the_workspaces_own():
    agents = [
        {"id": "2", "name": "inner", "status": "connected", "lifecycle_state": "ready", "parent_id": "1"},
        {"id": "1", "name": "main", "status": "connected", "lifecycle_state": "ready", "parent_id": None},
    ]
    coder, _, _ = client(ok({**WORKSPACE, "latest_build": {**BUILD, "resources": [{"agents": agents}]}}))

    assert coder.workspace("w").agent.name == "main"


def test_a_missing_template_is_named_with_those_there_are():
    coder, _, _ = client(ok([{"id": "t", "name": "code", "active_version_id": "v"}]))

    with pytest.raises(NotFound, match="no template 'tsk'") as caught:
        coder.template("tsk")
    assert caught.value.seen == "templates: code"


def test_after_nobody_answered_for_a_whole_budget_the_next_call_asks_only_once():
    coder, server, clock = client(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable):
        coder.me()
    asked, waited = len(server.requests), clock.elapsed

    with pytest.raises(Unreachable):
        coder.build_info()
    assert (len(server.requests), clock.elapsed) == (asked + 1, waited)
    timeouts = [request.extensions["timeout"]["read"] for request in server.requests]
    assert (timeouts[0], timeouts[-1]) == (15.0, 2.0)

    server.answers = [error(503), ok({"id": "u", "username": "bot"})]
    with pytest.raises(Transient):
        coder.me()
    assert coder.me().username == "bot"
