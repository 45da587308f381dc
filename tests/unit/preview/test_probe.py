import pytest

from gatehouse.core.settings import ServedCommitProbe
from gatehouse.preview.browser import find_browser, resolver_arguments
from gatehouse.preview.probe import Reply, served_commit

JSON = ServedCommitProbe(url="www", json_field="build.commit")
HEADER = ServedCommitProbe(url="www", header="x-commit")


def reply(body="", status=200, **headers):
    return Reply("http://www/version.json", status, body, headers)


@pytest.mark.parametrize(
    ("probe", "answer", "commit"),
    [
        (JSON, reply('{"build": {"commit": "abc"}}'), "abc"),
        (JSON, reply('{"build": "abc"}'), None),
        (JSON, reply('{"build": {"commit": 7}}'), None),
        (JSON, reply("<html>"), None),
        (JSON, reply('{"build": {"commit": "abc"}}', status=500), None),
        (HEADER, reply("", **{"x-commit": "abc"}), "abc"),
        (HEADER, reply(""), None),
    ],
)
def test_the_commit_that_an_answer_names(probe, answer, commit):
    assert served_commit(probe, answer) == commit


@pytest.mark.parametrize(
    ("status", "reachable"),
    [(200, True), (307, True), (401, True), (404, False), (500, False), (503, False), (0, False)],
)
def test_a_redirect_or_a_sign_in_is_an_answer_of_the_application_and_an_edges_error_is_not(status, reachable):
    assert reply(status=status).reachable is reachable


def test_the_browser_named_by_the_environment_comes_before_the_path(tmp_path):
    program = tmp_path / "chromium"
    program.write_text("")
    program.chmod(0o755)

    assert find_browser({"GATEHOUSE_BROWSER": "/opt/mine", "PATH": str(tmp_path)}) == "/opt/mine"
    assert find_browser({"PATH": str(tmp_path)}) == str(program)
    assert find_browser({"PATH": "/nonexistent"}) is None


def test_hostnames_are_pointed_at_addresses_in_the_browser_as_well():
    assert resolver_arguments({"*.preview.example": "10.0.0.1"}) == [
        "--host-resolver-rules=MAP *.preview.example 10.0.0.1"
    ]
    assert resolver_arguments({}) == []
