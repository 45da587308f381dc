"""What the API server's answers to access reviews say of a task's service account."""

import json

import pytest

from gatehouse.core.smoke_settings import ForbiddenRight
from gatehouse.edge.probe import Seen
from gatehouse.kube.rights import questions
from gatehouse.task.privileges import judge_rights
from gatehouse.task.readable_texts import without_known

ASKED = questions([ForbiddenRight(verb="list", resource="secrets", namespace="own")], "ws")


def answered(allowed):
    return Seen("done", status=201, body=json.dumps({"status": {"allowed": allowed}}))


def test_a_right_that_is_allowed_is_red_and_one_that_is_not_is_fine():
    red = judge_rights(ASKED, [answered(True)])

    assert red.wrong == ("with the token in the task's pod one may list secrets in its namespace ws",)
    assert judge_rights(ASKED, [answered(False)]).wrong == ()


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Seen("connect", words="timed out after 10 s"), "cannot be asked from inside (timed out after 10 s)"),
        (Seen("done", status=403, body="forbidden: no reviews"), "answers 403 (forbidden: no reviews)"),
    ],
)
def test_an_api_that_does_not_tell_leaves_it_unverified(seen, words):
    found = judge_rights(ASKED, [seen])

    assert found.wrong == ()
    assert words in found.unverified[0]


def test_of_a_pod_only_the_variables_that_are_known_are_left_out():
    env = [{"name": "CODER_AGENT_TOKEN", "value": "a"}, {"name": "OTHER", "value": "b"}]
    pod = {"spec": {"containers": [{"name": "dev", "env": env}]}}
    kept = without_known(pod, ["CODER_AGENT_*"])

    assert [each["name"] for each in kept["spec"]["containers"][0]["env"]] == ["OTHER"]
    assert len(pod["spec"]["containers"][0]["env"]) == 2
