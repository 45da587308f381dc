"""A create or build whose answer is lost is looked up, and never sent again."""

import httpx
import pytest

from gatehouse.coder.errors import (
    CertificateProblem,
    ForeignWorkspace,
    LostAnswer,
    NotConnected,
    Redirected,
    TokenUnknown,
)
from gatehouse.core.errors import (
    Conflict,
    InfrastructureError,
    RateLimited,
    ServerFault,
    Transient,
    UnexpectedAnswer,
)
from tests.support.coder_server import BUILD, USER, WORKSPACE, Routes, asking, error, ok

POST = "POST /api/v2/users/me/workspaces"
BY_NAME = "GET /api/v2/users/me/workspace/one"
PARAMETERS = "GET /api/v2/workspacebuilds/b/parameters"
POST_BUILD = "POST /api/v2/workspaces/w/builds"

#: Ways in which the answer to a request that may have been carried out is lost.
LOSSES = {
    "connection cut": httpx.ReadError("cut"),
    "no answer in time": httpx.ReadTimeout("slow"),
    "closed without an answer": httpx.RemoteProtocolError("Server disconnected"),
    "bad gateway": error(502),
    "gateway time-out with a page": httpx.Response(504, html="<h1>Gateway Time-out</h1>"),
    "an error after the work": error(500),
    "a page in place of the answer": httpx.Response(200, html="<html>"),
}
lost = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())


class Deployment:
    """Makes the workspace, or not, when it is asked to."""

    def __init__(self, answer, *, makes=True, late=0, workspace=None, parameters=(), builds=()):
        self.found = [error(404, "Resource not found")] * (late + (0 if makes else 1))
        made = {**WORKSPACE, **(workspace or {})}
        if makes:
            self.found.append(ok(made))
        self.routes = Routes(
            {
                "GET /api/v2/users/me": ok(USER),
                POST: answer,
                BY_NAME: self.found,
                PARAMETERS: ok(list(parameters)),
                "GET /api/v2/workspaces/w": ok(WORKSPACE),
                "GET /api/v2/workspaces/w/builds": ok(list(builds)),
                POST_BUILD: answer,
            }
        )
        self.coder, self.clock = asking(self.routes)

    def create(self, **options):
        return self.coder.create_workspace("one", template_version_id="v", **options)

    @property
    def posts(self):
        return len(self.routes.sent("POST"))


@lost
def test_a_workspace_made_by_a_request_whose_answer_was_lost_is_found_by_its_name(loss):
    deployment = Deployment(loss)

    assert deployment.create().id == "w"
    assert deployment.posts == 1


@lost
def test_a_request_lost_before_the_server_saw_it_is_an_error_and_not_sent_again(loss):
    deployment = Deployment(loss, makes=False)

    with pytest.raises((LostAnswer, Transient, ServerFault, UnexpectedAnswer)) as caught:
        deployment.create()
    assert deployment.posts == 1
    assert "in the ledger by its name" in caught.value.next_step


def test_a_lost_request_that_is_still_under_way_is_waited_for():
    deployment = Deployment(httpx.ReadTimeout("slow"), late=4)

    assert deployment.create().id == "w"
    assert 3 <= deployment.clock.elapsed <= 10


@pytest.mark.parametrize(
    ("workspace", "difference"),
    [
        ({"owner_id": "x", "owner_name": "ada"}, "belongs to ada"),
        ({"latest_build": {**BUILD, "template_version_id": "older"}}, "version is older"),
        ({"latest_build": {**BUILD, "build_number": 3}}, "3 builds"),
        ({"created_at": "2025-12-31T23:00:00Z"}, "made at 2025-12-31 23:00"),
    ],
)
def test_another_workspace_of_the_same_name_is_not_taken_for_the_one_asked_for(workspace, difference):
    deployment = Deployment(httpx.ReadError("cut"), workspace=workspace)

    with pytest.raises(ForeignWorkspace) as caught:
        deployment.create()
    assert difference in caught.value.seen
    assert deployment.posts == 1


def test_another_workspace_is_known_by_its_parameters_whose_values_are_not_told():
    ours = [{"name": "run", "value": "this-run"}, {"name": "region", "value": "default"}]
    theirs = [{"name": "run", "value": "other-run"}]

    deployment = Deployment(httpx.ReadError("cut"), parameters=ours)
    assert deployment.create(parameters={"run": "this-run"}).id == "w"

    with pytest.raises(ForeignWorkspace, match="not what was asked for") as caught:
        Deployment(httpx.ReadError("cut"), parameters=theirs).create(parameters={"run": "this-run"})
    assert "parameter run" in caught.value.seen
    assert "this-run" not in str(caught.value)
    assert "other-run" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(409, "exists"), Conflict),
        (error(401, "no", "API key is invalid."), TokenUnknown),
        (httpx.ConnectError("refused"), NotConnected),
        (httpx.Response(307, headers={"Location": "https://login.example/"}), Redirected),
        (error(429, "limited", headers={"Retry-After": "100"}), RateLimited),
    ],
)
def test_a_refusal_is_not_looked_up(answer, kind):
    deployment = Deployment(answer)

    with pytest.raises(kind):
        deployment.create()
    assert deployment.posts == 1
    assert "/api/v2/users/me/workspace/one" not in deployment.routes.sent("GET")


def test_a_server_that_is_gone_after_the_loss_leaves_the_outcome_open():
    deployment = Deployment(httpx.ReadError("cut"))
    deployment.routes.routes[BY_NAME] = [httpx.ConnectError("refused")]

    with pytest.raises(LostAnswer) as caught:
        deployment.create()
    assert "not known" in caught.value.next_step
    assert deployment.posts == 1


def build(number, transition="stop", initiator="u", version="v"):
    return {
        **BUILD,
        "id": f"b{number}",
        "build_number": number,
        "transition": transition,
        "initiator_id": initiator,
        "template_version_id": version,
    }


@lost
def test_a_build_whose_answer_was_lost_is_found_by_its_number(loss):
    deployment = Deployment(loss, builds=[build(2), build(1, "start")])

    assert deployment.coder.create_build("w", "stop").id == "b2"
    assert deployment.posts == 1


@pytest.mark.parametrize(
    "builds",
    [
        [],
        [build(1)],  # a stop from before
        [build(2, transition="start"), build(1)],
        [build(2, initiator="somebody")],  # autostop, or another user
    ],
)
def test_somebody_elses_build_is_not_taken_for_the_lost_one(builds):
    deployment = Deployment(httpx.ReadError("cut"), builds=builds)

    with pytest.raises(LostAnswer, match="stop build of the workspace one"):
        deployment.coder.create_build("w", "stop")
    assert deployment.posts == 1


def test_a_token_that_may_not_read_its_own_user_can_still_create_and_look_up():
    def narrow(builds):
        deployment = Deployment(httpx.ReadError("cut"), builds=builds)
        deployment.routes.routes["GET /api/v2/users/me"] = [error(403, "Forbidden.")]
        return deployment.coder, deployment.create

    coder, create = narrow([build(2)])
    assert create().id == "w"
    assert coder.create_build("w", "stop").id == "b2"

    coder, _ = narrow([{**build(2), "reason": "autostop"}])
    with pytest.raises(LostAnswer):
        coder.create_build("w", "stop")


def test_a_build_of_another_version_than_asked_for_is_not_the_lost_one():
    deployment = Deployment(httpx.ReadError("cut"), builds=[build(2, version="v")])

    with pytest.raises(LostAnswer):
        deployment.coder.create_build("w", "stop", template_version_id="newer")


def test_a_certificate_that_is_not_accepted_is_no_lost_answer():
    assert not issubclass(CertificateProblem, LostAnswer)
    assert issubclass(CertificateProblem, InfrastructureError)
