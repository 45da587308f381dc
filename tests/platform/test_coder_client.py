"""The client against the embedded Coder, over real sockets: every call, and the streams when they are cut."""

import io
import itertools
import tarfile
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gatehouse.coder import calls, workspaces
from gatehouse.coder.api.rights import SEE_TEMPLATES, Right
from gatehouse.coder.client import CoderClient
from gatehouse.coder.errors import (
    ActiveBuild,
    Gone,
    LostAnswer,
    NoSuchCall,
    PremiumOnly,
    TokenExpired,
    TokenUnknown,
)
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    Conflict,
    NotFound,
    PermissionDenied,
    RateLimited,
    UnexpectedAnswer,
    UsageError,
)
from gatehouse.embedded.coder.api import new_token
from gatehouse.embedded.coder.faults import Loss
from gatehouse.embedded.coder.users import User


def in_time(seconds=20):
    return Deadline.after(seconds)


def new_name():
    return f"t-{uuid.uuid4().hex[:8]}"


def client_of(platform, token=None):
    return CoderClient(platform.urls.coder, token or platform.credentials.coder)


def make(coder, name=None, **options):
    version = coder.template("task").active_version_id
    return coder.create_workspace(name or new_name(), template_version_id=version, **options)


def made_ready(coder, workspace):
    workspaces.wait_for_build(coder, workspace.id, in_time())
    workspaces.wait_for_agent(coder, workspace.id, in_time())
    workspaces.wait_for_app(coder, workspace.id, "code-server", in_time())
    return coder.workspace(workspace.id)


@pytest.fixture(scope="module")
def shared(platform):
    """A client and a ready workspace that tests may look at but not change for each other."""
    with client_of(platform) as coder:
        workspace = make(coder, parameters={"gatehouse_run": "r1"}, ttl_seconds=7200)
        yield coder, made_ready(coder, workspace)
        workspaces.delete(coder, workspace.id, in_time())


@pytest.fixture
def own(start):
    """A platform of the test's own and a client of it; everything on it goes with it."""
    platform = start()
    with client_of(platform) as coder:
        yield platform, coder


def add_user(platform, name, *, scopes=("all",), roles=(), lifetime=timedelta(hours=1)):
    """A token of a new user, limited to scopes."""
    token = new_token()

    def add(systems):
        user = User(name, roles=roles)
        systems.database.users[user.id] = user
        systems.database.tokens[token] = user
        key = systems.database.key(token)
        key.scopes, key.lifetime = scopes, lifetime

    platform.call(add)
    return token


# --- every call ------------------------------------------------------------------------------------------


def test_the_deployment_says_what_it_is(shared):
    coder, _ = shared

    assert coder.healthz() == "OK"
    assert coder.build_info().deployment_id
    assert coder.update_check().current
    assert coder.first_user_exists()
    assert coder.auth_methods()["oidc"]["enabled"]
    assert coder.health().severity == "ok"
    assert coder.dismissed_health_sections() == []
    assert coder.entitlements()["has_license"] is False
    assert coder.experiments() == []
    assert coder.available_experiments() == []
    assert coder.deployment_config()["config"]["access_url"] == coder.url
    assert coder.deployment_stats()["workspaces"]["running"] >= 1
    assert coder.ssh_config()["hostname_suffix"] == "coder"
    assert [region.path_app_url for region in coder.regions()] == [coder.url]
    assert coder.app_host() == ""
    assert "999" in coder.derp_map()["Regions"]
    assert coder.api_description() is None
    assert coder.echo("hello") == "hello"
    assert coder.embedded


def test_provisioners_and_their_jobs_are_found_by_organization(shared):
    coder, workspace = shared
    (organization,) = coder.organizations()

    (daemon,) = coder.provisioner_daemons(organization.id)
    assert (daemon.status in ("idle", "busy"), daemon.version) == (True, coder.build_info().version)
    assert workspace.latest_build.job.id in {job.id for job in coder.provisioner_jobs(organization.id)}
    assert coder.pending_jobs(organization.id) == []


def test_the_token_is_known_with_its_end_and_its_rights(shared):
    coder, _ = shared

    assert coder.me().username == "gatehouse"
    assert {user.username for user in coder.users()} >= {"admin", "gatehouse"}
    assert coder.user("admin").login_type == "oidc"
    assert coder.token_seconds_left() > 3600
    assert coder.token().id in {key.id for key in coder.tokens()}
    assert "coder:workspaces.create" in coder.token_scopes()
    assert "debug_info:read" not in coder.token_scopes()
    assert coder.may({"health": Right("read", "debug_info")}) == {"health": True}


def test_links_to_providers_are_known(shared):
    coder, _ = shared
    auths = coder.external_auths()

    assert [provider.id for provider in auths.providers] == ["github"]
    assert [(link.provider_id, link.authenticated) for link in auths.links] == [("github", True)]
    assert coder.external_auth("github").user.login == "gatehouse"
    with pytest.raises(NotFound):
        coder.external_auth("gitlab")


def test_a_templates_versions_parameters_and_source_are_known(shared):
    coder, _ = shared
    template = coder.template("task")
    (version,) = coder.template_versions(template.id)

    assert version.id == coder.template_version(template.active_version_id).id == template.active_version_id
    assert version.job.status == "succeeded"
    assert {"repository", "ref"} <= {parameter.name for parameter in coder.parameters(version.id)}
    assert coder.presets(version.id) == []
    assert coder.template_variables(version.id) == []
    assert "kubernetes_deployment" in {resource.type for resource in coder.template_resources(version.id)}
    assert coder.import_log(version.id)[-1].stage == "Cleaning Up"
    with tarfile.open(fileobj=io.BytesIO(coder.template_files(version))) as archive:
        assert "template.yaml" in archive.getnames()


def test_a_workspace_is_known_by_id_name_and_query_with_what_it_was_given(shared):
    coder, workspace = shared
    build = workspace.latest_build

    assert coder.find_workspace(workspace.name).id == workspace.id
    assert [each.id for each in coder.own_workspaces(workspace.name[:5])] == [workspace.id]
    assert [each.id for each in coder.builds(workspace.id)] == [build.id]
    assert coder.build(build.id).build_number == 1
    assert {"r1"} == {each.value for each in coder.build_parameters(build.id) if each.name == "gatehouse_run"}
    assert coder.timings(workspace.id).provisioner_timings
    assert [each.exit_code for each in coder.script_timings(workspace.id)] == [0, 0]
    assert build.deadline > datetime.now(UTC)


def test_the_end_of_a_workspace_can_be_put_off(shared):
    coder, workspace = shared
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)

    coder.extend(workspace.id, until)
    assert coder.workspace(workspace.id).latest_build.deadline == until
    with pytest.raises(UsageError, match="understand"):
        coder.extend(workspace.id, datetime.now(UTC))

    coder.set_ttl(workspace.id, 3600)
    assert coder.workspace(workspace.id).ttl_ms == 3_600_000
    coder.set_ttl(workspace.id, None)
    assert coder.workspace(workspace.id).ttl_ms is None


def test_an_agent_is_known_with_its_ports_and_its_app_answers_through_the_proxy(shared):
    coder, workspace = shared
    agent = workspace.agent

    assert coder.agent(agent.id).ready
    assert agent.app("code-server").health == "healthy"
    assert [port.process_name for port in coder.listening_ports(agent.id)] == ["code-server"]
    assert coder.app(workspace, "code-server", "healthz").json()["status"] == "alive"
    assert coder.app(workspace, "code-server", "_static/editor.css").headers["content-type"] == "text/css"
    assert coder.app_url(workspace, "code-server").startswith(
        f"{coder.url}/@gatehouse/{workspace.name}.main/"
    )


def test_an_apps_socket_goes_through_the_proxy_in_both_directions(shared):
    coder, workspace = shared

    with coder.app_socket(workspace, "code-server", query={"reconnectionToken": "x"}) as socket:
        for message in ("text", b"bytes"):
            socket.send(message)
            assert socket.receive(10) == message


def test_an_apps_socket_that_is_not_there_is_refused_with_what_answers(shared):
    coder, workspace = shared

    with pytest.raises(UnexpectedAnswer) as caught, coder.app_socket(workspace, "no-such-app"):
        pass
    assert "Application Not Found" in caught.value.seen


def test_a_terminal_takes_keys_shows_its_size_and_can_be_come_back_to(shared):
    coder, workspace = shared
    deadline = in_time()

    with coder.open_terminal(workspace.agent.id, height=30, width=100) as terminal:
        terminal.send("echo first-$((40 + 2)); stty size\r")
        assert "30 100" in terminal.read_until("30 100", deadline)
        terminal.resize(40, 120)
        terminal.send("stty size\r")
        terminal.read_until("40 120", deadline)

    with coder.open_terminal(workspace.agent.id, reconnect=terminal.reconnect) as again:
        again.read_until("first-42", deadline)
        again.send("exit\r")
        again.read_all(deadline)
        assert again.ended


def test_every_call_in_the_table_is_made_and_no_other(own):
    """Drives every call once; what a call of the client sends is counted by the table's own entries."""
    platform, coder = own
    workspace = made_ready(coder, make(coder))
    agent, build = workspace.agent, workspace.latest_build
    (organization,) = coder.organizations()
    version = coder.template_versions(workspace.template_id)[0]
    for call in (
        *(coder.healthz, coder.build_info, coder.update_check, coder.first_user_exists, coder.auth_methods),
        *(coder.health, coder.dismissed_health_sections, coder.entitlements, coder.experiments),
        *(coder.available_experiments, coder.deployment_config, coder.deployment_stats, coder.ssh_config),
        *(coder.regions, coder.app_host, coder.derp_map, coder.api_description, lambda: coder.echo("x")),
        *(coder.me, coder.users, coder.token, coder.tokens, coder.token_scopes, coder.external_auths),
        lambda: coder.external_auth("github"),
        lambda: coder.may({"a": Right("read", "workspace", owner="me")}),
        lambda: coder.provisioner_daemons(organization.id),
        lambda: coder.pending_jobs(organization.id),
        lambda: coder.template_version(version.id),
        lambda: coder.parameters(version.id),
        lambda: coder.presets(version.id),
        lambda: coder.template_variables(version.id),
        lambda: coder.template_resources(version.id),
        lambda: coder.import_log(version.id),
        lambda: coder.template_files(version),
        lambda: coder.find_workspace(workspace.name),
        lambda: coder.own_workspaces("t-"),
        lambda: coder.builds(workspace.id),
        lambda: coder.build(build.id),
        lambda: coder.build_parameters(build.id),
        lambda: coder.build_log(build.id),
        lambda: coder.timings(workspace.id),
        lambda: coder.extend(workspace.id, datetime.now(UTC) + timedelta(hours=1)),
        lambda: coder.set_ttl(workspace.id, 3600),
        lambda: coder.agent(agent.id),
        lambda: coder.agent_log(agent.id),
        lambda: coder.listening_ports(agent.id),
        lambda: coder.terminal(agent.id, "true"),
        lambda: coder.app(workspace, "code-server"),
        lambda: list(coder.follow_build_log(build.id, in_time())),
        lambda: list(coder.follow_agent_log(agent.id, in_time())),
        lambda: next(coder.watch_workspace(workspace.id, in_time())),
    ):
        call()
    with coder.app_socket(workspace, "code-server"):
        pass
    with pytest.raises(PremiumOnly):
        coder.replicas()
    with pytest.raises(UsageError):
        coder.cancel_build(build.id)
    coder.create_build(workspace.id, "stop")
    platform.call(lambda systems: systems.coder.faults.unknown_sockets.append(".*/watch-ws"))
    next(coder.watch_workspace(workspace.id, in_time()))

    assert set(coder.requests) == set(calls.CALLS)


# --- refusals --------------------------------------------------------------------------------------------


def test_an_expired_token_is_told_from_an_unknown_one(own):
    platform, coder = own
    assert coder.token_seconds_left() > 0
    token = add_user(platform, "late", lifetime=timedelta(seconds=-1))

    with client_of(platform, token) as late, pytest.raises(TokenExpired) as caught:
        late.me()
    assert "expired at" in caught.value.seen
    with client_of(platform, new_token()) as unknown, pytest.raises(TokenUnknown):
        unknown.me()


def test_what_an_ordinary_user_may_is_known_before_it_is_tried(own):
    platform, _ = own
    token = add_user(platform, "reader")

    with client_of(platform, token) as reader:
        rights = {
            "health": Right("read", "debug_info"),
            "templates": SEE_TEMPLATES,
            "all templates": Right("read", "template", any_org=True),
            "jobs": Right("read", "provisioner_jobs", any_org=True),
        }
        assert reader.may(rights) == {
            "health": False,
            "templates": True,
            "all templates": False,
            "jobs": False,
        }
        assert reader.templates()
        with pytest.raises(PermissionDenied) as caught:
            reader.health()
        assert caught.value.seen.startswith("Forbidden.; You don't have permission")


@pytest.mark.parametrize("look", ["pending_jobs", "provisioner_daemons"])
def test_jobs_and_daemons_that_a_token_may_not_see_are_a_missing_right_and_not_missing(own, look):
    platform, coder = own
    organization = coder.organizations()[0].id
    assert getattr(coder, look)(organization) is not None

    with (
        client_of(platform, add_user(platform, "reader")) as reader,
        pytest.raises(PermissionDenied, match="may not see"),
    ):
        getattr(reader, look)(organization)


def test_other_users_that_are_left_out_of_the_list_are_a_missing_right(own):
    platform, coder = own
    assert len(coder.users()) >= 1

    with (
        client_of(platform, add_user(platform, "reader")) as reader,
        pytest.raises(PermissionDenied, match="may not see other users"),
    ):
        reader.users()


def test_a_user_who_is_not_to_be_seen_is_refused_as_coder_does(own):
    platform, _ = own

    with client_of(platform, add_user(platform, "reader")) as reader, pytest.raises(UsageError) as caught:
        reader.user("admin")
    assert "must be an existing uuid or username" in caught.value.seen


@pytest.mark.parametrize("look", ["me", "token", "organizations", "templates"])
def test_what_a_tokens_scopes_leave_out_is_a_missing_right_and_never_nothing(own, look):
    platform, _ = own

    with (
        client_of(platform, add_user(platform, "narrow", scopes=("workspace:read",))) as narrow,
        pytest.raises(PermissionDenied, match="may not see"),
    ):
        getattr(narrow, look)()


def test_a_workspace_that_a_tokens_scopes_do_not_let_it_make_is_a_missing_right(own):
    platform, coder = own
    version = coder.templates()[0].active_version_id

    with (
        client_of(platform, add_user(platform, "narrow", scopes=("template:read",))) as narrow,
        pytest.raises(PermissionDenied, match="may not see its own user"),
    ):
        narrow.create_workspace("w", template_version_id=version)


def test_templates_that_are_not_there_are_told_from_those_that_may_not_be_seen(own):
    platform, coder = own
    platform.call(lambda systems: systems.database.templates.clear())

    assert coder.templates() == []


def test_what_needs_a_license_is_told_from_what_needs_a_right(shared):
    coder, _ = shared

    with pytest.raises(PremiumOnly) as caught:
        coder.replicas()
    assert "Contact sales!" in caught.value.seen


def test_present_states_that_stand_in_the_way_have_names(own):
    _, coder = own
    workspace = make(coder)

    with pytest.raises(ActiveBuild):
        coder.create_build(workspace.id, "stop")
    done = made_ready(coder, workspace).latest_build
    with pytest.raises(Conflict, match="present state"):
        coder.cancel_build(done.id, expect_status="pending")
    workspaces.delete(coder, workspace.id, in_time())
    with pytest.raises(Gone, match="deleted"):
        coder.workspace(workspace.id)


def test_a_rate_limit_is_waited_for_as_its_headers_say(start):
    platform = start()

    def tighten(systems):
        systems.coder.rate_limiter.limit = 2
        systems.coder.rate_limiter.window = 1

    platform.call(tighten)
    with client_of(platform) as coder:
        assert [coder.me().username for _ in range(4)] == ["gatehouse"] * 4
        assert coder.rate_limits[calls.USER].limit == 2
        assert coder.requests[calls.USER] > 4
    platform.call(lambda systems: setattr(systems.coder.rate_limiter, "window", 60))
    with CoderClient(platform.urls.coder, platform.credentials.coder, rate_limit_budget=0) as hasty:
        with pytest.raises(RateLimited) as caught:
            [hasty.build_info() for _ in range(4)]
        assert 0 < caught.value.retry_after <= 150


# --- lost answers ----------------------------------------------------------------------------------------


def lose(platform, method, path, *, after):
    platform.call(lambda systems: systems.coder.faults.losses.append(Loss(method, path, after)))


CREATE, BUILD = "/api/v2/users/me/workspaces", "/api/v2/workspaces/[^/]+/builds"


def test_a_workspace_whose_creation_was_not_answered_is_found_and_made_once(own):
    platform, coder = own
    lose(platform, "POST", CREATE, after=True)
    name = new_name()

    workspace = make(coder, name, parameters={"gatehouse_run": "r2"})

    assert workspace.name == name
    assert [each.id for each in coder.workspaces()] == [workspace.id]
    assert coder.requests[calls.CREATE_WORKSPACE] == 1


def test_a_creation_that_never_arrived_is_an_error_and_makes_nothing(own, monkeypatch):
    platform, coder = own
    monkeypatch.setattr("gatehouse.coder.creation.GRACE", 0.5)
    lose(platform, "POST", CREATE, after=False)

    with pytest.raises(LostAnswer, match="creation of the workspace"):
        make(coder)
    assert coder.workspaces() == []
    assert coder.requests[calls.CREATE_WORKSPACE] == 1


def test_a_build_that_was_not_answered_is_found_and_made_once(own):
    platform, coder = own
    workspace = made_ready(coder, make(coder))
    lose(platform, "POST", BUILD, after=True)

    build = coder.create_build(workspace.id, "stop")

    assert (build.build_number, build.transition) == (2, "stop")
    assert len(coder.builds(workspace.id)) == 2
    assert coder.requests[calls.CREATE_BUILD] == 1


def test_a_lost_deletion_deletes_once(own):
    platform, coder = own
    workspace = made_ready(coder, make(coder))
    lose(platform, "POST", BUILD, after=True)

    workspaces.delete(coder, workspace.id, in_time())

    assert coder.workspace(workspace.id, include_deleted=True).latest_build.build_number == 2


def test_a_read_that_was_not_answered_is_simply_repeated(own):
    platform, coder = own
    lose(platform, "GET", "/api/v2/users/me", after=True)

    assert coder.me().username == "gatehouse"
    assert coder.requests[calls.USER] == 2


# --- streams ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut_after", [None, 0, 1, 2])
def test_logs_are_followed_from_the_first_line_to_the_last_wherever_streams_are_cut(own, cut_after):
    platform, coder = own
    platform.call(lambda systems: setattr(systems.coder.faults, "cut_after", cut_after))
    workspace = make(coder)

    followed = [line.id for line in coder.follow_build_log(workspace.latest_build.id, in_time())]
    assert followed == [line.id for line in coder.build_log(workspace.latest_build.id)]
    assert coder.build(workspace.latest_build.id).job.ended

    agent = workspaces.wait_for_build(coder, workspace.id, in_time()).agent
    followed = [line.id for line in coder.follow_agent_log(agent.id, in_time())]
    assert followed == [line.id for line in coder.agent_log(agent.id)]
    assert coder.agent(agent.id).ready
    if cut_after == 1:
        assert coder.requests[calls.FOLLOW_BUILD_LOGS] > 1


@pytest.mark.parametrize("old", [False, True], ids=["WebSocket", "server-sent events"])
def test_a_workspace_is_watched_through_its_life(own, old):
    platform, coder = own
    if old:
        platform.call(lambda systems: systems.coder.faults.unknown_sockets.append(".*/watch-ws"))
    workspace = make(coder)

    states = coder.watch_workspace(workspace.id, in_time(40))
    running = itertools.dropwhile(lambda each: not (each.agent and each.agent.ready), states)
    assert next(running).latest_build.status == "running"

    with client_of(platform) as other:
        deleting = threading.Thread(target=workspaces.delete, args=(other, workspace.id, in_time()))
        deleting.start()
        seen = list(
            itertools.takewhile(lambda status: status != "deleted", (s.latest_build.status for s in states))
        )
        deleting.join()
    assert "deleting" in seen
    assert (coder.requests[calls.WATCH] > 0) == old


def test_a_watch_whose_streams_are_cut_goes_on(own):
    platform, coder = own
    platform.call(lambda systems: setattr(systems.coder.faults, "cut_after", 1))
    workspace = make(coder)

    ready = (
        each for each in coder.watch_workspace(workspace.id, in_time()) if each.agent and each.agent.ready
    )
    assert next(ready).latest_build.status == "running"
    assert coder.requests[calls.WATCH_SOCKET] > 1


def test_nothing_that_is_not_there_can_be_watched_or_followed(shared):
    coder, _ = shared

    with pytest.raises(NotFound):
        next(coder.watch_workspace(str(uuid.uuid4()), in_time()))
    with pytest.raises(NotFound):
        next(coder.follow_build_log(str(uuid.uuid4()), in_time()))


# --- other versions --------------------------------------------------------------------------------------


def test_a_second_version_behind_the_address_is_noticed(own):
    platform, coder = own
    coder.me()
    platform.call(lambda systems: setattr(systems.coder.deployment, "replicas", ["v2.36.3+old"]))

    assert {version for version, _ in coder.sample_versions(3)} == {"v2.36.3+old"}
    assert coder.versions == {"v2.36.4+embedded", "v2.36.3+old"}


def test_a_call_that_a_version_lacks_is_told_from_a_thing_that_is_not_there(own):
    platform, coder = own
    platform.call(lambda systems: systems.coder.faults.unknown_sockets.append(".*/pty"))
    workspace = made_ready(coder, make(coder))

    with pytest.raises(NoSuchCall):
        coder.terminal(workspace.agent.id, "true")
