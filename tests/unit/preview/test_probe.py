import socket
import threading
from contextlib import closing

import httpx
import pytest
from pydantic import ValidationError

from gatehouse.core.preview_settings import AnswerCheck, PreviewSettings, ServedCommitProbe
from gatehouse.preview.browser import find_browser, resolver_arguments
from gatehouse.preview.probe import ask, served_commit, wrong_answer
from gatehouse.preview.route import Reply, Route

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


@pytest.mark.parametrize("url", [f"https://{'a' * 70}.example.invalid", "https://a..example.invalid"])
def test_a_hostname_that_cannot_be_one_is_no_answer(url):
    assert Route().fetch(url).status == 0


@pytest.mark.parametrize(
    ("host", "address"), [("WWW.Example.invalid", "127.0.0.1"), ("bücher.invalid", "127.0.0.1")]
)
def test_any_way_to_write_a_hostname_leads_to_its_address(host, address, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with closing(socket.create_server((address, 0))) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096).decode())
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        asked = []
        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        answer = Route({"*.invalid": address}).fetch(f"http://{host}:{port}/")
        thread.join()

    assert (answer.status, answer.body) == (200, "ok")
    assert f"host: {httpx.URL(f'http://{host}').raw_host.decode()}:{port}\r\n" in asked[0].lower()


def test_an_address_can_be_one_of_ip_version_6():
    answer = Route({"*": "::1"}).fetch("https://www.example.invalid:1/")

    assert "InvalidURL" not in answer.body


@pytest.mark.parametrize("settings", [{"probe": {"url": "www", "header": "x"}}, {"checks": [{"url": "www"}]}])
def test_what_is_to_be_asked_of_an_address_that_there_is_not_is_no_success(settings):
    """Names of discovered addresses are only known once they are found."""
    asked = ask(
        {"shop": "https://a.invalid"},
        PreviewSettings(product_images=["x"], **settings),
        "c" * 40,
        Route(),
    )

    assert asked.problem == "probe or checks name the url www, and there are only shop"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image_tag": "pr-{number}"}, "the same for every commit"),
        ({"discovered_url": "https://{hostname}"}, "expected an address with"),
        ({"discovered_url": "https://www.example.com"}, "expected an address with"),
    ],
)
def test_settings_that_prove_or_find_nothing_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        PreviewSettings(product_images=["x"], **settings)


def test_a_probe_tells_the_commit_that_a_tag_does_not():
    assert PreviewSettings(product_images=["x"], image_tag="pr-{number}", probe=HEADER)
