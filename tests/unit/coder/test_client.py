import httpx
import pytest

from gatehouse.coder.client import CoderClient, PremiumOnly
from gatehouse.core.errors import (
    AuthenticationError,
    NotFound,
    PermissionDenied,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)
from tests.support.clock import FakeClock

TOKEN = "abcdefghij-0123456789abcdefghijkl"
JOB = {"id": "j", "status": "succeeded"}
BUILD = {"id": "b", "transition": "start", "status": "running", "job": JOB}
WORKSPACE = {"id": "w", "name": "one", "latest_build": BUILD}


class Server:
    """Answers in turn; the last answer repeats. Exceptions are raised, as a broken connection would be."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(*answers):
    server = Server(*answers)
    clock = FakeClock()
    return (
        CoderClient("http://coder", TOKEN, clock=clock, transport=httpx.MockTransport(server)),
        server,
        clock,
    )


def ok(data, **headers):
    return httpx.Response(200, json=data, headers=headers)


def error(status, message="no", **headers):
    return httpx.Response(status, json={"message": message}, headers=headers)


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
    assert caught.value.where == "/api/v2/workspaces/w"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
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


@pytest.mark.parametrize("answer", [error(503), httpx.ReadError("cut"), httpx.ConnectError("refused")])
def test_a_create_is_never_sent_twice(answer):
    coder, server, _ = client(answer)

    with pytest.raises((Transient, Unreachable)):
        coder.create_workspace("one", template_version_id="v")
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


def test_an_open_source_build_without_entitlements_is_community_edition():
    assert client(error(404, "Route not found."))[0].entitlements() is None


def test_every_version_seen_on_any_answer_is_remembered():
    first = ok({"id": "u", "username": "b"}, **{"X-Coder-Build-Version": "v2.36.4"})
    second = error(404, **{"X-Coder-Build-Version": "v2.36.3"})
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
        "workspaces": [WORKSPACE, {**WORKSPACE, "name": "none"}, {**WORKSPACE, "name": "other"}],
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

    server.answers = [error(503), ok({"id": "u", "username": "bot"})]
    with pytest.raises(Transient):
        coder.me()
    assert coder.me().username == "bot"
