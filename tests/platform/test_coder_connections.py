"""Why there is no connection to Coder, over real sockets: each cause is said in words of its own."""

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatehouse.coder import transport
from gatehouse.coder.client import CoderClient
from gatehouse.coder.errors import CertificateProblem, LostAnswer, NotConnected, Redirected
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import UnexpectedAnswer
from tests.support.clock import FakeClock

TOKEN = "abcdefghij-0123456789abcdefghijkl"
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Server(ThreadingHTTPServer):
    """Says who it is, over TLS if it has a certificate; quiet about connections that clients give up."""

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokens = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_arguments):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.tokens.append(self.headers.get("Coder-Session-Token"))
        body = json.dumps({"version": "v2.36.4"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def serve():
    """Starts a server; gives it and its port."""
    started = []

    def serve(certificate=None):
        server = Server(certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server, server.server_address[1]

    yield serve
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder, name="127.0.0.1", start=NOW - DAY, end=NOW + DAY, signer=None):
    """A file with a key and a certificate for a name or address, self-signed unless a (key, name) signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    try:
        host = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        host = x509.DNSName(name)
    signing_key, issuer = signer or (key, subject)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    file = folder / f"{name}-{made.serial_number}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def trusting(file):
    return ssl.create_default_context(cafile=file)


def client(url, trust=None):
    """A client that does not wait for anything to get better."""
    return CoderClient(url, TOKEN, trust=trust, clock=FakeClock())


def both(coder):
    """What a request and a WebSocket are told."""
    errors = []
    for call in (coder.build_info, lambda: coder.echo("x")):
        with pytest.raises(Exception, match=r".") as caught:
            call()
        errors.append(caught.value)
        assert TOKEN not in str(caught.value)
    return errors


@pytest.mark.parametrize(
    ("options", "trusted", "words"),
    [
        ({}, False, "self-signed"),
        ({"start": NOW - 3 * DAY, "end": NOW - DAY}, True, "has expired"),
        ({"start": NOW + DAY, "end": NOW + 3 * DAY}, True, "not valid yet"),
        ({"name": "127.0.0.2"}, True, "for another address"),
        (
            {
                "signer": (
                    ec.generate_private_key(ec.SECP256R1()),
                    x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "X")]),
                )
            },
            False,
            "not known here",
        ),
    ],
    ids=["self-signed", "expired", "not yet valid", "another address", "unknown authority"],
)
def test_a_certificate_that_is_not_accepted_says_why_and_sees_no_token(
    tmp_path, serve, options, trusted, words
):
    file = certificate(tmp_path, **options)
    server, port = serve(file)

    with client(f"https://127.0.0.1:{port}", trusting(file) if trusted else None) as coder:
        for error in both(coder):
            assert isinstance(error, CertificateProblem), error
            assert words in error.summary
            assert error.next_step
    assert server.tokens == []


def test_a_certificate_for_another_name_says_so(tmp_path, serve):
    file = certificate(tmp_path, "coder.example")
    server, port = serve(file)

    with client(f"https://localhost:{port}", trusting(file)) as coder:
        assert all("for another name" in error.summary for error in both(coder))
    assert server.tokens == []


def test_a_certificate_problem_is_not_waited_for(tmp_path, serve):
    _, port = serve(certificate(tmp_path))
    coder = client(f"https://127.0.0.1:{port}")

    with coder, pytest.raises(CertificateProblem):
        coder.build_info()
    assert sum(coder.requests.values()) == 1


def test_an_accepted_certificate_is_no_problem(tmp_path, serve, monkeypatch):
    file = certificate(tmp_path)
    server, port = serve(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with client(f"https://127.0.0.1:{port}") as coder:
        assert coder.build_info().version == "v2.36.4"
    assert server.tokens == [TOKEN]


def unused_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def test_a_refused_connection_names_host_and_port():
    port = unused_port()

    with client(f"http://127.0.0.1:{port}") as coder:
        for error in both(coder):
            assert isinstance(error, NotConnected)
            assert f"127.0.0.1, port {port}: the connection was refused" in error.summary
            assert "CODER_URL" in error.next_step


def test_a_name_that_is_not_known_is_said_to_be_so(monkeypatch):
    def unknown(*_arguments, **_keywords):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with client("https://coder.invalid") as coder:
        for error in both(coder):
            assert isinstance(error, NotConnected)
            assert "coder.invalid is not known to the resolver" in error.summary
            assert "Name or service not known" in error.seen


def test_plain_http_where_tls_was_expected_is_said_to_be_so(serve):
    _, port = serve()

    with client(f"https://127.0.0.1:{port}") as coder:
        for error in both(coder):
            assert isinstance(error, NotConnected)
            assert "no TLS connection" in error.summary


def test_silence_is_a_lost_answer_where_the_request_was_sent(monkeypatch):
    monkeypatch.setattr(transport, "REQUEST_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with CoderClient(url, TOKEN, clock=FakeClock()) as coder, pytest.raises(LostAnswer, match="in time"):
            coder.set_ttl("w", 60)
        assert sum(coder.requests.values()) == 1


def test_a_websocket_that_is_not_passed_on_says_what_came_instead(serve):
    _, port = serve()

    with client(f"http://127.0.0.1:{port}") as coder, pytest.raises(UnexpectedAnswer, match="not upgraded"):
        coder.echo("x")


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_the_token_does_not_follow_a_redirect_to_another_origin(serve, scheme):
    other, other_port = serve()

    class Redirecting(Handler):
        def do_GET(self):
            self.send_response(307)
            self.send_header("Location", f"{scheme}://127.0.0.1:{other_port}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server, port = serve()
    server.RequestHandlerClass = Redirecting
    with client(f"http://127.0.0.1:{port}") as coder:
        for error in both(coder):
            assert isinstance(error, Redirected)
            assert f"127.0.0.1:{other_port}" in error.seen
    assert other.tokens == []


def test_the_machines_own_clock_is_the_default():
    with CoderClient("http://127.0.0.1:1", TOKEN) as coder:
        assert abs((coder.server_time() - SYSTEM_CLOCK.now()).total_seconds()) < 5
