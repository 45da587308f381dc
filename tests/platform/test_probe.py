"""The probe of names against real servers: what it sees from here, by a pod's Python, and by a pod's curl."""

import base64
import hashlib
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading

import pytest

from gatehouse.core.command_result import CommandResult
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.edge import probe, with_curl
from gatehouse.embedded.certificates import Authority
from gatehouse.embedded.kubernetes.pod_network import PYTHON_FOLDER

HOST = "shop.preview.localhost"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket" and self.path == "/socket":
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header(
                "Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            )
            self.end_headers()
            self.close_connection = True
            return
        body = f"hello from {self.headers['Host']}".encode()
        self.send_response(200 if self.path != "/gone" else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])) + self.headers["Authorization"].encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_arguments):
        pass  # a handshake that a client gives up is what these tests are about


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def serve(authority):
    """Starts servers; returns their ports."""
    servers = []

    def serve(*names):
        server = QuietServer(("127.0.0.1", 0), Handler)
        if names:
            files = authority.issue(names[0].replace("*", "any"), *names)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.certificate, files.key)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def plain(serve):
    return serve()


@pytest.fixture(scope="module")
def secure(serve):
    return serve(HOST)


def run_here(argv, *, stdin=b""):
    """What `pods/exec` does, with the names of an emulated pod."""
    argv = [sys.executable if argv[0] == "python3" else argv[0], *argv[1:]]
    network = (
        '{"ports": [], "unresolvable": ["unknown.localhost"], "lost": ["lost.localhost"], "egress": null}'
    )
    environment = {**os.environ, "PYTHONPATH": str(PYTHON_FOLDER), "GATEHOUSE_POD_NETWORK": network}
    ended = subprocess.run(argv, input=stdin, capture_output=True, env=environment, timeout=60, check=False)
    return CommandResult(tuple(argv), ended.stdout, ended.stderr, ended.returncode, "")


def by_curl(requests):
    if shutil.which("curl") is None:
        pytest.skip("this machine has no curl")
    return [probe.seen_of(each) for each in with_curl.look_at_all(run_here, requests)]


MEANS = {
    "here": lambda requests: probe.from_here(requests),
    "python3": lambda requests: probe.from_inside(run_here, requests)[0],
    "curl": by_curl,
}


@pytest.fixture(params=MEANS)
def look(request):
    """Makes one request by one of the means."""

    def look(url, authority=None, **options):
        made = probe.request(url, 5, ca_file=authority.file if authority else None, **options)
        return MEANS[request.param]([made])[0]

    look.means = request.param
    return look


def test_a_page_is_seen_with_its_status_and_text(look, plain):
    seen = look(f"http://127.0.0.1:{plain}/")

    assert (seen.stage, seen.status, seen.body) == ("done", 200, f"hello from 127.0.0.1:{plain}")
    assert seen.address == "127.0.0.1"


def test_an_error_is_an_answer(look, plain):
    assert look(f"http://127.0.0.1:{plain}/gone").status == 404


def test_a_socket_is_upgraded_where_there_is_one_and_not_elsewhere(look, plain):
    assert look(f"http://127.0.0.1:{plain}/socket", websocket=True).upgraded
    other = look(f"http://127.0.0.1:{plain}/", websocket=True)
    assert (other.upgraded, other.status) == (False, 200)


def test_nothing_listening_is_a_refused_connection(look):
    seen = look("http://127.0.0.1:9/")

    assert (seen.stage, seen.refused, seen.timed_out) == ("connect", True, False)


def test_a_name_that_does_not_resolve_is_told_as_such(look):
    assert look("http://unknown.invalid/").stage == "name"


def test_a_bare_connection_needs_no_answer(look, plain):
    assert look(f"http://127.0.0.1:{plain}", only_connect=True).reached
    assert not look("http://127.0.0.1:9", only_connect=True).reached


def test_a_certificate_of_an_unknown_authority_is_not_accepted(look, secure):
    seen = look(f"https://localhost:{secure}/")

    assert seen.stage == "tls"
    assert seen.certificate_fault in (18, 19, 20, 21)


def test_a_certificate_for_another_name_is_not_accepted(look, secure, authority):
    seen = look(f"https://localhost:{secure}/", authority)

    assert (seen.stage, seen.certificate_fault) == ("tls", 62)


@pytest.mark.parametrize("means", ["here", "python3"])
def test_a_certificate_that_is_not_accepted_is_read_all_the_same(means, secure):
    (seen,) = MEANS[means]([probe.request(f"https://localhost:{secure}/", 5)])

    assert seen.certificate.names == (HOST,)
    assert seen.certificate.issuer == "Embedded platform CA"


def test_a_verified_certificate_is_read_with_its_names_and_its_end(secure, authority):
    request = probe.request(f"https://{HOST}:{secure}/", 5, address="127.0.0.1", ca_file=authority.file)

    (seen,) = probe.from_here([request])
    assert (seen.stage, seen.status) == ("done", 200)
    assert seen.certificate.names == (HOST,)
    assert seen.certificate.expires > 0


def test_a_plain_server_has_no_certificate(look, plain):
    seen = look(f"https://127.0.0.1:{plain}/")

    assert (seen.stage, seen.certificate_fault) == ("tls", 0)


def test_inside_names_go_through_the_pods_own_dns(plain):
    names = ("unknown.localhost", "lost.localhost", "shop.localhost")
    requests = [probe.request(f"http://{name}:{plain}/", 5) for name in names]

    unknown, lost, known = MEANS["python3"](requests)
    assert unknown.stage == "name"
    assert (lost.stage, lost.timed_out, lost.addresses) == ("connect", True, ("203.0.113.10",))
    assert known.status == 200


@pytest.mark.parametrize("means", MEANS)
def test_a_request_may_carry_a_token_from_a_file_of_the_pod(means, plain, tmp_path):
    (tmp_path / "token").write_text("t0ken\n")
    request = {
        "url": f"http://127.0.0.1:{plain}/",
        "timeout": 5,
        "method": "POST",
        "body": '{"a": "it\'s"}',
        "headers": {"Content-Type": "application/json"},
        "headers_from_files": {"Authorization": str(tmp_path / "token")},
        "prefix": "Bearer ",
    }

    (seen,) = MEANS[means]([request])
    assert (seen.status, seen.body) == (201, '{"a": "it\'s"}Bearer t0ken')


def test_several_requests_are_answered_in_their_order(plain):
    urls = [f"http://127.0.0.1:{plain}/", "http://127.0.0.1:9/", f"http://127.0.0.1:{plain}/gone"]

    for ask in MEANS.values():
        assert [each.status for each in ask([probe.request(url, 5) for url in urls])] == [200, 0, 404]


def test_a_pod_with_neither_python_nor_curl_is_told():
    def bare(argv, *, stdin=b""):
        return CommandResult(tuple(argv), b"neither\n", b"", 0, "")

    with pytest.raises(EnvironmentProblem, match="nothing can be asked from inside"):
        probe.from_inside(bare, [])


def test_a_probe_that_does_not_answer_is_told_with_its_last_words():
    def broken(argv, *, stdin=b""):
        found = b"/usr/bin/python3\n" if argv[0] == "sh" else b""
        return CommandResult(tuple(argv), found, b"MemoryError", 1, "")

    with pytest.raises(EnvironmentProblem) as caught:
        probe.from_inside(broken, [])
    assert "MemoryError" in str(caught.value)
