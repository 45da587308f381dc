"""What Gatehouse believes of Coder, held against a real deployment. Reads only.

Opt-in: CODER_URL and CODER_SESSION_TOKEN say which. What the token may not see is skipped with the server's words.
"""

import os
import uuid

import pytest

from gatehouse.coder.api.rights import SEE_TEMPLATES, Right
from gatehouse.coder.client import CoderClient
from gatehouse.coder.contract import missing_calls
from gatehouse.coder.errors import NoSuchCall, PremiumOnly, TokenUnknown
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound, PermissionDenied
from gatehouse.smoke.recording import record

VARIABLES = ("CODER_URL", "CODER_SESSION_TOKEN")

pytestmark = pytest.mark.skipif(
    not all(os.environ.get(name) for name in VARIABLES),
    reason=f"opt-in: {' and '.join(VARIABLES)} name no deployment to compare with",
)


@pytest.fixture(scope="module")
def coder():
    with CoderClient(os.environ["CODER_URL"], os.environ["CODER_SESSION_TOKEN"]) as client:
        yield client


@pytest.fixture
def allowed():
    """A function that calls something, and skips the test where the token may not."""

    def call(look, *arguments):
        try:
            return look(*arguments)
        except PermissionDenied as error:
            pytest.skip(f"the token may not: {error.summary} {error.seen}")

    return call


@pytest.fixture
def template(coder, allowed):
    found = allowed(coder.templates)
    if not found:
        pytest.skip("the deployment has no template")
    return found[0]


@pytest.fixture
def workspace(coder):
    """A running workspace with an agent that the token may see, whoever made it."""
    running = [each for each in coder.workspaces("owner:me") if each.agent and each.agent.ready]
    if not running:
        pytest.skip("the token's user has no workspace that runs")
    return running[0]


def test_every_answer_names_the_version(coder):
    assert coder.versions == set() or len(coder.versions) == 1
    assert coder.build_info().version in coder.versions


def test_a_token_that_nobody_has_is_unknown(coder):
    with CoderClient(coder.url, "0000000000-0000000000000000000000") as stranger, pytest.raises(TokenUnknown):
        stranger.me()


@pytest.mark.parametrize("call", ["me", "token", "organizations", "auth_methods", "regions", "derp_map"])
def test_what_every_user_may_read_has_the_shape_that_is_expected(coder, allowed, call):
    assert allowed(getattr(coder, call))


@pytest.mark.parametrize("call", ["external_auths", "experiments", "ssh_config", "tokens", "entitlements"])
def test_what_may_be_empty_has_the_shape_that_is_expected(coder, allowed, call):
    allowed(getattr(coder, call))


@pytest.mark.parametrize("call", ["health", "deployment_config", "deployment_stats", "users"])
def test_what_only_some_may_read_has_the_shape_that_is_expected(coder, allowed, call):
    assert allowed(getattr(coder, call))


@pytest.mark.parametrize("call", ["provisioner_daemons", "provisioner_jobs"])
def test_provisioners_are_told_by_organization(coder, allowed, call):
    organization = allowed(coder.organizations)[0].id

    allowed(getattr(coder, call), organization)


def test_scopes_of_tokens_are_those_that_the_documentation_names(coder):
    known = coder.token_scopes()

    assert {"coder:workspaces.create", "coder:workspaces.delete", "template:read"} <= set(known)
    assert "debug_info:read" not in known, (
        "the health report can be had with a narrow token now: say so in docs"
    )


def test_rights_are_told_by_name(coder):
    answers = coder.may({"templates": SEE_TEMPLATES, "none such": Right("read", "no_such_thing")})

    assert answers.keys() == {"templates", "none such"}
    assert not answers["none such"]


def test_a_websocket_echoes(coder, allowed):
    message = str(uuid.uuid4())

    assert allowed(coder.echo, message) == message


def test_replicas_are_premium_without_a_license(coder):
    if (coder.entitlements() or {}).get("has_license"):
        pytest.skip("the deployment has a license")

    with pytest.raises((PremiumOnly, PermissionDenied, NoSuchCall)):
        coder.replicas()


def test_a_template_is_told_with_all_that_belongs_to_it(coder, template):
    version = coder.template_version(template.active_version_id)

    assert version.job.ended
    assert coder.template_resources(version.id)
    assert coder.import_log(version.id)
    assert all(each.name for each in coder.parameters(version.id))
    assert all(each.name for each in coder.presets(version.id))


def test_a_running_workspace_is_told_with_all_that_belongs_to_it(coder, workspace):
    build = coder.build(workspace.latest_build.id)

    assert coder.builds(workspace.id)[0].id == build.id
    assert coder.agent(workspace.agent.id).name == workspace.agent.name
    assert coder.timings(workspace.id).provisioner_timings
    assert coder.find_workspace(workspace.name).id == workspace.id
    coder.listening_ports(workspace.agent.id)
    coder.build_parameters(build.id)


def test_followed_logs_have_the_lines_that_are_read(coder, workspace):
    build, agent = workspace.latest_build.id, workspace.agent.id

    assert list(coder.follow_build_log(build, Deadline.after(30))) == coder.build_log(build)
    assert list(coder.follow_agent_log(agent, Deadline.after(30))) == coder.agent_log(agent)


def test_a_watched_workspace_is_the_one_that_is_read(coder, workspace):
    assert next(coder.watch_workspace(workspace.id, Deadline.after(30))).id == workspace.id


def test_a_terminal_runs_a_command_and_ends(coder, workspace):
    word = uuid.uuid4().hex

    assert word in coder.terminal(workspace.agent.id, f"echo {word}")


def test_a_workspace_that_never_was_is_not_found(coder):
    with pytest.raises(NotFound):
        coder.workspace(str(uuid.uuid4()))
    assert coder.find_workspace(f"gate-none-{uuid.uuid4().hex[:8]}") is None


def test_its_own_description_has_every_call(coder):
    description = coder.api_description()
    if description is None:
        pytest.skip("the deployment describes its API only with CODER_SWAGGER_ENABLE")

    assert [each for each in missing_calls(description) if not each.optional] == []


def test_all_sections_of_a_baseline_are_recorded_or_say_why_not(coder):
    silent = [
        name for name, section in record(coder, coder).items() if not (section.facts or section.unverified)
    ]

    assert set(silent) <= {"experiments", "entitlements"}, "these may be empty, others never are"
