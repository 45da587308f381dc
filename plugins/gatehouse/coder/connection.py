"""Why there is no connection, or no longer one: each cause in words of its own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from gatehouse.coder.errors import CertificateProblem, LostAnswer, NotConnected
from gatehouse.coder.sockets import NotOpened, SocketClosed
from gatehouse.core.errors import GatehouseError

#: What OpenSSL calls the ways in which a certificate is not accepted (x509_vfy.h).
_CERTIFICATES = {
    9: (
        "the certificate is not valid yet",
        "compare this machine's clock with the server's, then renew the certificate",
    ),
    10: (
        "the certificate has expired",
        "renew it, or have whatever renews it looked at; a wrong clock here looks the same",
    ),
    18: (
        "the certificate is self-signed",
        "have coder.ca_file or SSL_CERT_FILE name it, if it is the right one, or install one of an authority",
    ),
    19: (
        "an authority that is not trusted here has signed the certificate",
        "have coder.ca_file or SSL_CERT_FILE name the authority's certificate",
    ),
    20: (
        "who signed the certificate is not known here",
        "have coder.ca_file or SSL_CERT_FILE name the authority, and the server send the certificates in between",
    ),
    62: (
        "the certificate is for another name",
        "check the address; if it is right, the gateway serves the wrong certificate",
    ),
    64: (
        "the certificate is for another address",
        "use the name that is in the certificate, not the IP address",
    ),
}

#: What is raised before anything of a request has been sent.
_BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, NotOpened)


def connection_problem(error: Exception, url: str, where: str) -> GatehouseError:
    """What a failed connection to `url` means; `where` is the method and path asked for."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_problem(cause, url, where)
    words, next_step = _words(error, causes, url)
    kind = NotConnected if isinstance(error, _BEFORE) else LostAnswer
    return kind(words, seen=_seen(error, causes), where=where, next_step=next_step)


def _words(error: Exception, causes: list[BaseException], url: str) -> tuple[str, str]:
    address = httpx.URL(url)
    host, port = address.host, address.port or (443 if address.scheme == "https" else 80)
    if any(isinstance(each, socket.gaierror) for each in causes):
        return (
            f"the name {host} is not known to the resolver of this machine",
            "check CODER_URL; names that only the cluster or a VPN resolves need that network",
        )
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return (
            f"nothing listens at {host}, port {port}: the connection was refused",
            "check CODER_URL and its port, and that the gateway and the deployment are up",
        )
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return (
            f"no TLS connection to {host}, port {port}",
            "check that the address begins with the right one of http: and https:",
        )
    if isinstance(error, httpx.ProxyError):
        return (
            f"the proxy on the way to {host} refuses",
            "check HTTPS_PROXY, and whether NO_PROXY should name the host",
        )
    if any(isinstance(each, TimeoutError | httpx.TimeoutException) for each in causes):
        if isinstance(error, httpx.ConnectTimeout):
            return (
                f"no connection to {host}, port {port} in time",
                "a firewall that drops packets looks like this; check the network between here and there",
            )
        return (
            f"Coder does not answer at {url} in time",
            "look at the deployment's load and database, and at time limits of proxies on the way",
        )
    if any(isinstance(each, ConnectionResetError | SocketClosed) for each in causes):
        return f"the connection to {host} was cut", "look for restarts of the deployment or the gateway"
    return f"Coder does not answer at {url}", "check CODER_URL and that the deployment is up"


def _certificate_problem(error: ssl.SSLCertVerificationError, url: str, where: str) -> CertificateProblem:
    words, next_step = _CERTIFICATES.get(
        error.verify_code, ("the certificate is not accepted", "have the certificate looked at")
    )
    return CertificateProblem(
        f"{httpx.URL(url).host}: {words}",
        expected="a certificate that verifies, with the token at stake",
        seen=error.verify_message or str(error),
        where=where,
        next_step=next_step,
    )


def _seen(error: Exception, causes: list[BaseException]) -> str:
    """The innermost cause that says something."""
    for cause in reversed(causes):
        if str(cause):
            return f"{type(cause).__name__}: {cause}"
    return type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
