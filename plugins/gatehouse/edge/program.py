"""The probe itself: one program for both sides, so that what they see can be compared.

From outside it is called; in a pod its source runs under the pod's own `python3`. So it needs nothing but Python's
standard library from 3.9 on, and nothing of Gatehouse. TLS is always verified; a connection that is not is only
opened to read the certificate of a server that could not be verified, and nothing is sent over it.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import urllib.parse
from collections.abc import Sequence
from typing import Any

#: Characters of a body that are kept.
BODY = 4000

_PARTIAL_CHAIN, _NO_TIME_CHECK = 0x80000, 0x200000  # flags of OpenSSL, which not every Python names
_WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


def look_at_all(requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each of some requests saw, in their order; all are made at once."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, min(16, len(requests)))) as pool:
        return list(pool.map(look, requests))


def look(request: dict[str, Any]) -> dict[str, Any]:
    """How far a request came: `stage` is where it ended (`name`, `connect`, `tls`, `http`), or `done`."""
    seen: dict[str, Any] = {"stage": "name", "words": "", "addresses": []}
    try:
        _look(request, seen)
    except Exception as error:  # noqa: BLE001 - whatever it was is the answer
        seen["words"] = f"{type(error).__name__}: {error}"
        if isinstance(error, (socket.timeout, TimeoutError)):
            seen["words"] = f"timed out after {request['timeout']} s"
        seen["timed_out"] = isinstance(error, (socket.timeout, TimeoutError))
        seen["refused"] = isinstance(error, ConnectionRefusedError)
    return seen


def _look(request: dict[str, Any], seen: dict[str, Any]) -> None:
    parts = urllib.parse.urlsplit(request["url"])
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    if request.get("address"):
        seen["addresses"] = [request["address"]]
    else:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        seen["addresses"] = sorted({each[4][0] for each in found})
    seen["stage"] = "connect"
    target = request.get("address") or host
    with contextlib.ExitStack() as stack:
        opened: socket.socket = stack.enter_context(
            socket.create_connection((target, port), request["timeout"])
        )
        seen["address"] = opened.getpeername()[0]
        if request.get("only_connect"):
            seen["stage"] = "done"
            return
        if parts.scheme == "https":
            seen["stage"] = "tls"
            opened = stack.enter_context(_verified(opened, host, target, port, request, seen))
        seen["stage"] = "http"
        _ask(opened, parts, request, seen)
        seen["stage"] = "done"


def _verified(
    opened: socket.socket, host: str, target: str, port: int, request: dict[str, Any], seen: dict[str, Any]
) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if request.get("authorities"):
        context.load_verify_locations(cadata=request["authorities"])
    if request.get("ca_file"):
        context.load_verify_locations(cafile=request["ca_file"])
    try:
        secure = context.wrap_socket(opened, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        seen["certificate_fault"] = getattr(error, "verify_code", 0)
        seen["certificate"] = _unverified_certificate(host, target, port, request["timeout"])
        raise
    seen["certificate"] = _certificate(secure.getpeercert() or {})
    return secure


def _unverified_certificate(host: str, target: str, port: int, timeout: float) -> dict[str, Any]:
    """What stands in a certificate that could not be verified: it is trusted itself, only to be read."""
    with contextlib.suppress(OSError, ValueError):
        anything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((target, port), timeout) as opened,
            anything.wrap_socket(opened, server_hostname=host) as secure,
        ):
            own = ssl.DER_cert_to_PEM_cert(secure.getpeercert(True) or b"")
        reading = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        reading.check_hostname = False
        reading.verify_flags |= _PARTIAL_CHAIN | _NO_TIME_CHECK
        reading.load_verify_locations(cadata=own)
        with (
            socket.create_connection((target, port), timeout) as opened,
            reading.wrap_socket(opened, server_hostname=host) as secure,
        ):
            return _certificate(secure.getpeercert() or {})
    return {}


def _certificate(certificate: Any) -> dict[str, Any]:
    def common_name(field: str) -> str:
        flat = dict(pair for part in certificate.get(field, ()) for pair in part)
        return flat.get("commonName") or flat.get("organizationName") or ""

    return {
        "names": [value for kind, value in certificate.get("subjectAltName", ())] or [common_name("subject")],
        "subject": common_name("subject"),
        "issuer": common_name("issuer"),
        "expires": ssl.cert_time_to_seconds(certificate["notAfter"]),
    }


def _ask(
    opened: socket.socket, parts: urllib.parse.SplitResult, request: dict[str, Any], seen: dict[str, Any]
) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    headers = dict(request.get("headers") or {})
    for name, path in (request.get("headers_from_files") or {}).items():
        with open(path) as file:  # noqa: PTH123 - as short as can be
            headers[name] = request.get("prefix", "") + file.read().strip()
    if request.get("websocket"):
        headers.update({"Connection": "Upgrade", "Upgrade": "websocket"})
        headers.update({"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"})
        if request.get("subprotocol"):
            headers["Sec-WebSocket-Protocol"] = request["subprotocol"]
    else:
        headers["Connection"] = "close"
    connection = http.client.HTTPConnection(parts.netloc, timeout=request["timeout"])
    connection.sock = opened
    headers["Host"] = parts.netloc.rpartition("@")[2]
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    connection.request(request.get("method", "GET"), path, body=request.get("body"), headers=headers)
    answer = connection.getresponse()
    seen["status"] = answer.status
    kept = ("content-type", "location", "server", "x-coder-build-version")
    seen["headers"] = {name.lower(): value for name, value in answer.getheaders() if name.lower() in kept}
    if answer.status == 101:
        digest = hashlib.sha1((key + _WEBSOCKET).encode()).digest()  # noqa: S324 - the protocol's choice
        accepted = base64.b64encode(digest).decode()
        seen["upgraded"] = answer.getheader("Sec-WebSocket-Accept") == accepted
    else:
        seen["body"] = answer.read(BODY).decode("utf-8", "replace")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look_at_all(json.loads(sys.stdin.buffer.read(int(sys.argv[2]))))))
