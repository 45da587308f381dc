"""Calls whose answers the embedded platform does not give, against a server that says what it is told to."""

import http.server
import json
import threading
from urllib.parse import parse_qsl, urlsplit

import pytest

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.source import Scope

POD = {"kind": "Pod", "version": "v1", "namespace": "pr-7", "name": "web-1-x", "uid": "1"}


class Answers(http.server.ThreadingHTTPServer):
    """A server on loopback: `answer` is status and body, `asked` the requests so far."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = 200, ""
        self.asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        self.server.asked.append((url.path, dict(parse_qsl(url.query, keep_blank_values=True))))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server():
    with Answers() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    with ArgoCDClient(f"http://127.0.0.1:{server.server_port}", "token") as client:
        yield client


def log(*lines, last=True):
    entries = [{"result": {"content": line, "podName": "web-1-x"}} for line in lines]
    entries += [{"result": {"content": "", "last": True}}] if last else []
    return "".join(f"{json.dumps(each)}\n" for each in entries)


def test_a_log_is_the_lines_of_the_stream(client, server):
    server.answer = 200, log("one", "", "two")
    assert client.log_tail("web", "previews", POD, "main", lines=3) == "one\n\ntwo"


def test_a_log_is_asked_for_by_pod_and_container(client, server):
    server.answer = 200, log()
    client.log_tail("web", "previews", POD, "main", lines=3)
    assert server.asked == [
        (
            "/api/v1/applications/web/logs",
            {
                "project": "previews",
                "namespace": "pr-7",
                "podName": "web-1-x",
                "container": "main",
                "tailLines": "3",
                "previous": "true",
            },
        )
    ]


def test_what_a_log_says_before_it_breaks_off_is_kept(client, server):
    server.answer = 200, log("one", last=False) + '{"error": {"http_code": 500, "message": "cut"}}\n'
    assert client.log_tail("web", "previews", POD) == "one"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_log_that_is_refused_is_empty(client, server, status):
    server.answer = status, '{"error": {"message": "previous terminated container not found"}}'
    assert client.log_tail("web", "previews", POD) == ""


def test_sync_windows_are_as_the_server_tells_them(client, server):
    windows = {"activeWindows": [{"kind": "deny"}], "assignedWindows": [], "canSync": False}
    server.answer = 200, json.dumps(windows)
    assert client.sync_windows("web", "previews") == windows
    assert server.asked == [("/api/v1/applications/web/syncwindows", {"project": "previews"})]


def test_sync_windows_that_may_not_be_read_are_not_said_to_be_open(client, server):
    server.answer = 403, '{"message": "permission denied"}'
    assert client.sync_windows("web", "previews") == {}


def test_an_application_is_asked_about_where_it_is(server, client):
    """Servers can have Applications in any namespace, and look for a name in their own unless told."""
    listed = {"metadata": {"name": "pr-7-www", "namespace": "team-a"}, "spec": {"project": "previews"}}
    server.answer = 200, json.dumps({"items": [listed]})
    client.applications(Scope("preview/pr=7"))
    server.answer = 200, json.dumps({"nodes": [], "manifest": "{}"})
    client.application("pr-7-www", "previews", refresh=True)
    client.resource_tree("pr-7-www", "previews")
    client.resource("pr-7-www", "previews", POD)
    client.events("pr-7-www", "previews", POD)
    client.sync_windows("pr-7-www", "previews")
    client.log_tail("pr-7-www", "previews", POD)

    assert [query.get("appNamespace") for _path, query in server.asked[1:]] == ["team-a"] * 6
