"""Whose fault an error of Playwright is, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatehouse.core.errors import FailureClass


@dataclass(frozen=True)
class Meaning:
    """What an error of Playwright's says about whom."""

    failure_class: FailureClass
    next_step: str = ""


_BROWSER_GONE = Meaning(
    FailureClass.INFRASTRUCTURE,
    "the browser went away: look at the memory of this machine (dmesg), or give it more shared memory",
)
_NO_BROWSER = Meaning(
    FailureClass.ENVIRONMENT,
    "install the browser: playwright install --with-deps, or apt-get install chromium",
)
_NO_SPACE = Meaning(
    FailureClass.ENVIRONMENT, "free space where pytest keeps its temporary files and the evidence"
)

#: What Playwright and Chromium say, in the order of search. Firefox, WebKit and Node.js have words of their own.
_MEANINGS = (
    (r"strict mode violation", Meaning(FailureClass.PRODUCT)),
    (r"BrowserType\.(launch|connect)|Executable doesn't exist", _NO_BROWSER),
    (r"No space left on device|ENOSPC", _NO_SPACE),
    (
        r"ERR_TOO_MANY_REDIRECTS|NS_ERROR_REDIRECT_LOOP|[Tt]oo many (HTTP )?redirects|Max redirect count exceeded",
        Meaning(
            FailureClass.PRODUCT,
            "look at where the page redirects to; a login that fails often leads in a circle",
        ),
    ),
    (
        r"ERR_CERT_|SEC_ERROR|SSL_ERROR|ERR_SSL_|certificate",
        Meaning(
            FailureClass.ENVIRONMENT,
            "let the preview have a certificate that is trusted here, or name its authority in preview.tls.ca_file",
        ),
    ),
    (
        r"ERR_NAME_NOT_RESOLVED|NS_ERROR_UNKNOWN_HOST|getaddrinfo",
        Meaning(
            FailureClass.ENVIRONMENT, "name the address of the host in preview.addresses, or mend its DNS"
        ),
    ),
    (
        r"ERR_(CONNECTION_|EMPTY_RESPONSE|SOCKET|HTTP2)|NS_ERROR_(NET|CONNECTION)|ECONNRE|socket hang up",
        Meaning(
            FailureClass.INFRASTRUCTURE,
            "look at the pods and the edge in front of them at the time of the failure",
        ),
    ),
    (
        r"crashed|Target (page, context or browser|closed)|has been closed|Browser closed|Connection closed",
        _BROWSER_GONE,
    ),
)


def meaning_of(kind: str, message: str) -> Meaning | None:
    """The meaning of an error of Playwright; a time-out is the page's, which did not show what was waited for.

    `kind` is the name of its class. None for what says nothing about whose fault it is. Only the first line counts, and
    no address in it: what follows quotes the test and the page.
    """
    first = message.strip().partition("\n")[0]
    words = re.sub(r" at \S+://\S+", "", first)
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, words):
            return meaning
    return Meaning(FailureClass.PRODUCT) if kind == "TimeoutError" else None
