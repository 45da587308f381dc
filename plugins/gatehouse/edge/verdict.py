"""What is wrong with a canonical name, told from what both sides saw of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection
from typing import Literal

from gatehouse.core.smoke_settings import NameSettings
from gatehouse.edge.probe import Certificate, Seen

Side = Literal["inside", "outside"]

#: Certificates that products of the edge serve for names that they do not know.
_VENDORS = (
    ("*.azurefd.net", "Azure Front Door"),
    ("*.azureedge.net", "Azure CDN"),
    ("*.trafficmanager.net", "Azure Traffic Manager"),
    ("*.cloudapp.azure.com", "Azure"),
    ("*.azurewebsites.net", "Azure App Service"),
    ("*.cloudfront.net", "Amazon CloudFront"),
    ("*.elb.amazonaws.com", "Amazon's load balancer"),
    ("*cloudflaressl.com", "Cloudflare"),
    ("*.traefik.default", "Traefik"),
    ("traefik default cert", "Traefik"),
    ("ingress.local", "ingress-nginx"),
    ("kubernetes ingress controller fake certificate", "ingress-nginx"),
)

#: OpenSSL's numbers: expired, not yet valid, self-signed (alone, in the chain), unknown issuer, another name.
_EXPIRED, _NOT_YET, _UNKNOWN, _OTHER_NAME = 10, 9, (18, 19, 20, 21), (62, 64)

DAY = 86400.0


def name_problem(host: str, side: Side, seen: Seen, other: Seen | None) -> str:
    """Why a name leads nowhere from one side, in a sentence; empty if a connection was made.

    `other` is what the other side saw: most causes show only in the difference.
    """
    elsewhere = other is not None and other.stage not in ("name", "connect")
    if seen.stage == "name":
        if side == "inside" and elsewhere:
            return (
                f"{host} does not resolve inside the cluster, though it does outside ({seen.words}): the cluster's "
                "DNS answers for this zone itself and does not list the name"
            )
        return f"{host} does not resolve from {side} ({seen.words})"
    if seen.stage != "connect":
        return ""
    where = ", ".join(seen.addresses) or host
    if seen.timed_out and side == "inside" and elsewhere:
        return (
            f"{host} is reached from outside, but connections to {where} time out inside the cluster ({seen.words}): "
            "pods are led to the public address and do not come back in (hairpin), or a policy drops them; give the "
            "name an internal address in the cluster's DNS"
        )
    if seen.refused:
        return f"nothing listens for {host} at {where}, seen from {side} ({seen.words})"
    return f"no connection to {host} at {where} from {side} ({seen.words})"


def certificate_problems(host: str, seen: Seen, wanted: str | None, now: float, days: float) -> list[str]:
    """What is wrong with the certificate that is served for a name; `now` is in seconds since 1970."""
    found = seen.certificate
    if seen.stage == "tls" and not seen.certificate_fault:
        return [f"no TLS handshake with {host}: {seen.words}"]
    problems = []
    if seen.certificate_fault:
        problems.append(_fault(host, seen, found))
    elif wanted and found and not _holds(found.names, wanted):
        problems.append(f"the certificate of {host} is for {_list(found.names)}, not for {wanted}")
    left = (found.expires - now) / DAY if found and found.expires else None
    if left is not None and 0 <= left < days:
        problems.append(
            f"the certificate of {host} ends in {left:.1f} days, less than the {days:g} it should have"
        )
    return problems


def answer_problem(host: str, settings: NameSettings, seen: Seen) -> str:
    """What is wrong with the answer itself, in a sentence with the server's words; empty if it is as asked."""
    if seen.stage == "http":
        return f"{settings.url} was connected to, but did not answer: {seen.words}"
    if not seen.reached:
        return ""
    expected = settings.status
    usual = seen.status < 500 and seen.status != 404
    if seen.status in expected or (not expected and usual):
        if settings.contains is not None and settings.contains not in seen.body:
            return f"{settings.url} answers {seen.status} without the text {settings.contains!r}: {seen.body_words}"
        return ""
    wanted = f", not {' or '.join(map(str, expected))}" if expected else ""
    words = f": {seen.body_words}" if seen.body_words else " with an empty page"
    return f"{settings.url} answers {seen.status}{wanted}{words}{_edge_cause(seen)}"


def websocket_problem(url: str, seen: Seen) -> str:
    """Why a connection is no WebSocket, in a sentence; empty if it is, or if Coder itself has none there."""
    if seen.upgraded:
        return ""
    if not seen.reached:
        return f"{url}: no answer to the request for a WebSocket: {seen.words}"
    if seen.status == 404 and "x-coder-build-version" in seen.headers:
        return ""  # the relay is switched off in this deployment
    if seen.status == 101:
        return f"{url}: the answer to the request for a WebSocket is another's (wrong Sec-WebSocket-Accept)"
    return (
        f"{url}: the connection was not upgraded to a WebSocket, the answer is {seen.status}: {seen.body_words}; "
        "a proxy in between may drop the Upgrade header"
    )


def sign_in_problem(url: str, redirect_uri: str, seen: Seen) -> str:
    """Why an authorise request does not end at a login page, in a sentence; empty if it does."""
    if not seen.reached:
        return f"no answer to the authorise request for {redirect_uri}: {seen.words}"
    location = seen.headers.get("location", "")
    if seen.status < 400 and "error=" not in location:
        return ""
    words = location if "error=" in location else seen.body_words
    return (
        f"the identity provider refuses to send people back to {redirect_uri}: {seen.status}: {words} ({url})"
    )


def vendor_of(certificate: Certificate) -> str:
    """Whose default certificate it is; empty for none that is known."""
    names = [name.lower() for name in (*certificate.names, certificate.subject)]
    return next(
        (vendor for known, vendor in _VENDORS if any(fnmatch.fnmatch(name, known) for name in names)), ""
    )


def _fault(host: str, seen: Seen, found: Certificate | None) -> str:
    names = f" (it is for {_list(found.names)}, issued by {found.issuer})" if found else ""
    vendor = vendor_of(found) if found else ""
    if vendor and seen.certificate_fault not in (_EXPIRED, _NOT_YET):
        return (
            f"the certificate served for {host} is {vendor}'s own{names}: its edge does not know the name; "
            "the custom domain or the TLS Secret is not active there, whatever its status says"
        )
    if seen.certificate_fault in _OTHER_NAME:
        return f"the certificate served for {host} is for another name{names}"
    if seen.certificate_fault == _EXPIRED:
        return f"the certificate of {host} has expired{names}"
    if seen.certificate_fault == _NOT_YET:
        return (
            f"the certificate of {host} is not valid yet{names}: a clock is wrong, or it was made too early"
        )
    if seen.certificate_fault in _UNKNOWN:
        return (
            f"the certificate of {host} is from an authority that is not trusted{names}; a private authority belongs "
            "into smoke.edge.ca_file, and into the trust store of workspaces"
        )
    return f"the certificate of {host} cannot be verified{names}: {seen.words}"


def _edge_cause(seen: Seen) -> str:
    if seen.status == 404 and not seen.body_words:
        return "; that is an edge that has no route for the name"
    if seen.status == 503 and "no healthy upstream" in seen.body:
        return "; the edge knows the name, but no pod behind it is ready"
    if seen.status in (502, 503, 504):
        return "; the edge has no answer from what is behind it"
    return ""


def _holds(names: Collection[str], wanted: str) -> bool:
    """Whether a certificate is for a name: a wildcard stands for one label."""
    same_level = [each for each in names if each.count(".") == wanted.count(".")]
    return wanted in names or any(
        each.startswith("*.") and wanted.partition(".")[2] == each[2:] for each in same_level
    )


def _list(names: Collection[str]) -> str:
    return ", ".join(names) or "no name"
