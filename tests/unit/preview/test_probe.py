import pytest

from gatehouse.core.preview_settings import AnswerCheck, ServedCommitProbe
from gatehouse.preview.browser import find_browser, resolver_arguments
from gatehouse.preview.probe import Reply, served_commit, wrong_answer

JSON = ServedCommitProbe(url="www", json_field="build.commit")
HEADER = ServedCommitProbe(url="www", header="x-commit")
META = ServedCommitProbe(url="www", meta="commit")
TEXT = ServedCommitProbe(url="www", text="build ([0-9a-f]+)")


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
        (META, reply('<html><head><meta name="commit" content="abc"></head>'), "abc"),
        (META, reply('<meta property="commit" content="abc"/><meta name="commit" content="later">'), "abc"),
        (META, reply('<meta name="other" content="abc">'), None),
        (META, reply("<"), None),
        (TEXT, reply("<footer>build abc1234</footer>"), "abc1234"),
        (TEXT, reply("<footer></footer>"), None),
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


CHECK = AnswerCheck(url="www", status=[200, 204], contains="Welcome")


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (None, reply("", status=307), ""),
        (None, reply("no healthy upstream", status=503), "answered 503: no healthy upstream"),
        (None, reply("ConnectError: refused", status=0), "ConnectError: refused"),
        (CHECK, reply("<h1>Welcome</h1>"), ""),
        (CHECK, reply("", status=307), "answered 307: , expected 200 or 204"),
        (CHECK, reply("<h1>Oops</h1>"), "answered 200 without the text 'Welcome': <h1>Oops</h1>"),
        (AnswerCheck(url="www", status=[404]), reply("", status=404), ""),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_in_the_servers_words(check, answer, words):
    assert words in wrong_answer(check, answer)
    assert bool(wrong_answer(check, answer)) == bool(words)


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
