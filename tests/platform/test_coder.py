"""The embedded Coder, over real sockets: the wire facts a client depends on."""

import json
import threading
import uuid

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from gatehouse.coder import workspaces
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import Conflict, NotFound, TerminalState, UsageError
from gatehouse.kube.client import CLAIMS, DEPLOYMENTS, NAMESPACES
from tests.platform.conftest import eventually


@pytest.fixture
def raw(platform):
    """Plain HTTP with the token of the harness."""
    headers = {"Coder-Session-Token": platform.credentials.coder}
    with httpx.Client(base_url=platform.urls.coder, headers=headers) as client:
        yield client


@pytest.fixture
def made(coder):
    """Makes workspaces, and deletes them after the test."""
    ids = []

    def make(parameters=None, name=None, ready=True):
        version = coder.template("task").active_version_id
        name = name or f"t-{uuid.uuid4().hex[:8]}"
        workspace = coder.create_workspace(name, template_version_id=version, parameters=parameters)
        ids.append(workspace.id)
        if ready:
            workspaces.wait_for_build(coder, workspace.id, Deadline.after(20))
            return workspaces.wait_for_agent(coder, workspace.id, Deadline.after(20))
        return workspace

    yield make
    for each in ids:
        workspaces.delete(coder, each, Deadline.after(20))


def test_what_needs_no_token_and_what_does(platform):
    with httpx.Client(base_url=platform.urls.coder) as anonymous:
        for path in ("/healthz", "/api/v2/buildinfo", "/api/v2/users/first", "/api/v2/users/authmethods"):
            assert anonymous.get(path).status_code == 200, path
        refused = anonymous.get("/api/v2/users/me")
        assert refused.status_code == 401
        assert set(refused.json()) == {"message", "detail"}


def test_every_answer_names_the_servers_version(raw):
    for path in ("/healthz", "/api/v2/buildinfo", "/api/v2/nonsense", "/api/v2/users/me"):
        assert raw.get(path).headers["X-Coder-Build-Version"] == "v2.36.4+embedded"


def test_unknown_api_routes_are_json_and_everything_else_is_the_dashboard(raw):
    assert raw.get("/api/v2/nonsense").json() == {"message": "Route not found."}
    assert "text/html" in raw.get("/nonsense").headers["content-type"]


def test_a_workspace_is_made_in_steps_with_a_namespace_deployment_and_claim_of_its_own(coder, cluster, made):
    workspace = made(ready=False)
    assert workspace.latest_build.status in ("pending", "starting")

    workspaces.wait_for_build(coder, workspace.id, Deadline.after(20))
    workspace = workspaces.wait_for_agent(coder, workspace.id, Deadline.after(20))

    namespace = f"coder-ws-{workspace.id}"
    assert cluster.get(NAMESPACES, namespace)
    assert cluster.get(DEPLOYMENTS, f"coder-{workspace.id}", namespace)
    assert cluster.get(CLAIMS, f"coder-{workspace.id}-workspaces", namespace)
    assert workspace.agent.ready
    assert "[workspace-bootstrap]" in coder.agent_log(workspace.agent.id)[-1].output


def test_stop_keeps_namespace_and_claim_and_start_finds_the_files_again(coder, cluster, made, platform):
    workspace = made()
    namespace = f"coder-ws-{workspace.id}"
    marker = f"echo kept > {workspace.agent.expanded_directory}/../marker"
    coder.terminal(workspace.agent.id, marker, str(uuid.uuid4()))

    coder.create_build(workspace.id, "stop")
    stopped = workspaces.wait_for_build(coder, workspace.id, Deadline.after(20))
    assert stopped.latest_build.status == "stopped"
    assert stopped.agent is None
    eventually(lambda: cluster.get(DEPLOYMENTS, f"coder-{workspace.id}", namespace) is None)
    assert cluster.get(CLAIMS, f"coder-{workspace.id}-workspaces", namespace)

    coder.create_build(workspace.id, "start")
    workspaces.wait_for_build(coder, workspace.id, Deadline.after(20))
    again = workspaces.wait_for_agent(coder, workspace.id, Deadline.after(20))
    shown = coder.terminal(
        again.agent.id, f"cat {again.agent.expanded_directory}/../marker", str(uuid.uuid4())
    )
    assert "kept" in shown


def test_a_deleted_workspace_is_410_by_id_404_by_name_and_shown_when_asked_for(coder, cluster, made, raw):
    workspace = made()
    workspaces.delete(coder, workspace.id, Deadline.after(20))

    assert raw.get(f"/api/v2/workspaces/{workspace.id}").status_code == 410
    assert raw.get(f"/api/v2/users/me/workspace/{workspace.name}").status_code == 404
    assert coder.workspace(workspace.id, include_deleted=True).latest_build.status == "deleted"
    assert cluster.get(NAMESPACES, f"coder-ws-{workspace.id}") is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "under_score"}, "name"),
        ({"name": "double--hyphen"}, "name"),
        ({"name": "x" * 33}, "name"),
        ({"name": "new"}, "name"),
        ({"template_version_id": None}, "template_id"),
        ({"template_version_id": str(uuid.uuid4())}, "template_version_id"),
        ({"ttl_ms": 1000}, "ttl_ms"),
        ({"rich_parameter_values": [{"name": "unknown", "value": "x"}]}, "unknown"),
    ],
    ids=[
        "underscore",
        "double hyphen",
        "too long",
        "reserved name",
        "no template",
        "unknown template version",
        "short time to live",
        "unknown parameter",
    ],
)
def test_a_bad_create_is_refused_before_anything_is_made(coder, raw, body, field):
    good = {
        "name": f"t-{uuid.uuid4().hex[:8]}",
        "template_version_id": coder.template("task").active_version_id,
    }

    answer = raw.post("/api/v2/users/me/workspaces", json={**good, **body})

    assert answer.status_code == 400
    assert answer.json()["validations"][0]["field"] == field


def test_a_name_that_is_taken_is_a_conflict(coder, made):
    workspace = made(ready=False)

    with pytest.raises(Conflict) as caught:
        coder.create_workspace(workspace.name, template_version_id=coder.template("task").active_version_id)
    assert "already in use" in caught.value.seen


def test_a_build_during_a_build_is_a_conflict_and_an_unknown_transition_is_refused(coder, made):
    workspace = made(ready=False)
    with pytest.raises(Conflict):
        coder.create_build(workspace.id, "stop")
    with pytest.raises(UsageError):
        coder.create_build(workspace.id, "hibernate")


def test_a_failing_start_script_leaves_its_exit_code_and_log(coder, made):
    workspace = made({"ref": "no-such-branch"}, ready=False)
    workspaces.wait_for_build(coder, workspace.id, Deadline.after(20))

    with pytest.raises(TerminalState, match="start_error") as caught:
        workspaces.wait_for_agent(coder, workspace.id, Deadline.after(20))
    assert "no-such-branch" in caught.value.seen
    codes = {timing.display_name: timing.exit_code for timing in coder.script_timings(workspace.id)}
    assert codes["Clone"] == 1


def socket(platform, path):
    headers = {"Coder-Session-Token": platform.credentials.coder}
    return connect(platform.urls.coder.replace("http", "ws") + path, additional_headers=headers)


def test_logs_can_be_followed_and_resumed(platform, coder, made):
    workspace = made()
    build, agent = workspace.latest_build.id, workspace.agent.id
    listed = coder.build_log(build)

    followed = []
    with socket(platform, f"/api/v2/workspacebuilds/{build}/logs?follow=true&after={listed[2].id}") as stream:
        while len(followed) < len(listed) - 3:
            followed.append(json.loads(stream.recv(timeout=10))["id"])
        with pytest.raises(ConnectionClosed):
            stream.recv(timeout=10)
    assert followed == [line.id for line in listed[3:]]
    with socket(platform, f"/api/v2/workspaceagents/{agent}/logs?follow=true") as stream:
        assert isinstance(json.loads(stream.recv(timeout=10)), list)


def test_a_workspace_can_be_watched_by_server_sent_events_and_by_websocket(platform, coder, raw, made):
    workspace = made()
    states = []

    def follow():
        with raw.stream("GET", f"/api/v2/workspaces/{workspace.id}/watch", timeout=20) as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "data":
                    states.append(json.loads(line.removeprefix("data: "))["latest_build"]["status"])
                    if states[-1] == "stopped":
                        return

    follower = threading.Thread(target=follow)
    follower.start()
    eventually(lambda: states)  # it follows from before the build on
    with socket(platform, f"/api/v2/workspaces/{workspace.id}/watch-ws") as stream:
        first = json.loads(stream.recv(timeout=10))
        assert (first["type"], first["data"]["id"]) == ("data", workspace.id)
        coder.create_build(workspace.id, "stop")
        seen = (json.loads(stream.recv(timeout=10))["data"]["latest_build"]["status"] for _ in range(20))
        assert next(status for status in seen if status != "running") in ("pending", "stopping", "stopped")
    follower.join(timeout=20)
    assert states[0] == "running"
    assert states[-1] == "stopped"


def test_a_terminal_is_a_real_one_and_ends_without_an_exit_code(coder, made):
    workspace = made()

    output = coder.terminal(workspace.agent.id, "test -t 1 && echo terminal; pwd; exit 9", str(uuid.uuid4()))

    assert output.splitlines()[0] == "terminal"
    assert "\r\n" in output


def test_a_websocket_without_a_token_or_for_nothing_is_refused_with_a_status(platform):
    for path, status in ((f"/api/v2/workspaceagents/{uuid.uuid4()}/pty", 404),):
        with pytest.raises(InvalidStatus) as caught:
            socket(platform, path)
        assert caught.value.response.status_code == status
    with pytest.raises(InvalidStatus) as caught:
        connect(platform.urls.coder.replace("http", "ws") + "/api/v2/debug/ws")
    assert caught.value.response.status_code == 401


def test_an_app_is_reached_through_the_proxy_only_with_a_token(platform, coder, made):
    workspace = made()
    assert workspaces.wait_for_app(coder, workspace.id, "code-server", Deadline.after(20)) == "healthy"

    assert coder.app(workspace, "code-server", "healthz").json()["status"] == "alive"
    assert "workbench.js" in coder.app(workspace, "code-server").text
    assert coder.app(workspace, "no-such-app").status_code == 404
    path = f"/@{workspace.owner_name}/{workspace.name}.main/apps/code-server/"
    assert httpx.get(platform.urls.coder + path).status_code == 401


def test_above_the_rate_limit_requests_are_refused_with_the_time_to_wait(start):
    platform = start()
    platform.call(lambda systems: setattr(systems.coder.rate_limiter, "limit", 3))
    headers = {"Coder-Session-Token": platform.credentials.coder}
    with httpx.Client(base_url=platform.urls.coder, headers=headers) as client:
        answers = [client.get("/api/v2/users/me") for _ in range(5)]
        # A window that ends in between starts with what is left of the one before.
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        assert answers[-1].status_code == 429
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers[:3]] == ["2", "1", "0"]
        assert answers[-1].headers["Retry-After"] == "60"
        assert int(answers[-1].headers["X-RateLimit-Reset"]) % 60 == 0
        assert client.get("/api/v2/users/me", headers={"X-Coder-Bypass-Ratelimit": "true"}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_another_users_workspace_is_not_found(platform, made, coder):
    from gatehouse.embedded.coder.api import new_token
    from gatehouse.embedded.coder.users import User

    token = new_token()
    platform.call(lambda systems: systems.database.tokens.update({token: User("stranger")}))
    workspace = made(ready=False)

    from gatehouse.coder.client import CoderClient

    with CoderClient(platform.urls.coder, token) as stranger:
        with pytest.raises(NotFound):
            stranger.workspace(workspace.id)
        assert stranger.own_workspaces("t-") == []
