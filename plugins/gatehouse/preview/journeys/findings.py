"""What is found out about a journey: a test that opens pages of the preview."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

#: Of each kind of finding, at most so many are kept.
LIMIT = 50

#: Characters of a console message or an address that are kept.
SHOWN = 500

#: What browsers say of a request that the page itself gave up.
_GIVEN_UP = frozenset({"net::ERR_ABORTED", "NS_BINDING_ABORTED", "Load request cancelled"})

#: Pages of no origin: the browser's own, and those that a page makes itself.
_NO_ORIGIN = frozenset({"", "about", "data", "blob", "chrome", "chrome-error", "javascript", "file"})


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers compare them; empty for pages of no origin."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address: browsers open none either
        return ""
    if parts.scheme in _NO_ORIGIN:
        return ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.scheme}://{_host(parts.hostname or '')}" + (
        f":{port}" if port not in (None, default) else ""
    )


def _host(name: str) -> str:
    """A host's name as browsers show it in origins: in ASCII; addresses of IPv6 in brackets."""
    if ":" in name:
        return f"[{name}]"
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def is_foreign(url: str, allowed: Collection[str]) -> bool:
    """Whether a page of this address is of another origin than those that are allowed."""
    origin = origin_of(url)
    return bool(origin) and origin not in allowed


@dataclass
class Journey:
    """The findings of one attempt of a test.

    `console` holds `type`, `text` and `location` of errors; `requests` holds `method`, `url` and either `status`
    or `failure` of what was not answered well; `left` are addresses of pages outside of the preview. `steps` are the
    last things done, as far as a trace tells them.
    """

    trace_id: str = ""
    baggage: str = ""
    console: list[dict[str, str]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    artifacts: list[dict[str, str]] = field(default_factory=list)
    crashed: bool = False

    def add_console(self, kind: str, text: str, location: str = "") -> None:
        """Keep an error of the console, or one that a page did not catch."""
        if len(self.console) < LIMIT:
            self.console.append({"type": kind, "text": text[:SHOWN], "location": location[:SHOWN]})

    def add_answer(self, method: str, url: str, status: int) -> None:
        """Keep an answer of 400 or above."""
        if len(self.requests) < LIMIT:
            self.requests.append({"method": method, "url": url[:SHOWN], "status": status})

    def add_failure(self, method: str, url: str, failure: str) -> None:
        """Keep a request that was not answered; one that the page itself gave up is none."""
        if len(self.requests) < LIMIT and failure not in _GIVEN_UP:
            self.requests.append({"method": method, "url": url[:SHOWN], "failure": failure[:SHOWN]})

    def add_page(self, url: str, allowed: Collection[str]) -> None:
        """Keep the address of a page, or of an answer to a request, that is outside of the preview."""
        if is_foreign(url, allowed) and len(self.left) < LIMIT:
            self.left.append(url[:SHOWN])

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Journey:
        """What `as_data` made; unknown keys are passed over."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return asdict(self)
