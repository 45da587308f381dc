"""All canonical names, asked for from one side, and what is wrong with each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gatehouse.core.smoke_settings import EdgeSettings, NameSettings
from gatehouse.edge import verdict
from gatehouse.edge.names import address_of
from gatehouse.edge.probe import Request, Seen, request

Ask = Callable[[Sequence[Request]], list[Seen]]


@dataclass(frozen=True)
class SideView:
    """What one side saw: of each name its page, and its WebSocket where one is asked for."""

    side: verdict.Side
    pages: Mapping[str, Seen]
    websockets: Mapping[str, Seen]


def look(names: Mapping[str, NameSettings], settings: EdgeSettings, side: verdict.Side, ask: Ask) -> SideView:
    """Ask for every name from one side, all at once."""
    pages = [name for name, each in names.items() if (each.inside if side == "inside" else each.outside)]
    sockets = [name for name in pages if names[name].websocket]
    requests = [_request(names[name], settings, side) for name in pages]
    requests += [_request(names[name], settings, side, websocket=True) for name in sockets]
    seen = ask(requests)
    return SideView(
        side,
        dict(zip(pages, seen[: len(pages)], strict=True)),
        dict(zip(sockets, seen[len(pages) :], strict=True)),
    )


def _request(
    name: NameSettings, settings: EdgeSettings, side: verdict.Side, *, websocket: bool = False
) -> Request:
    parts = urlsplit(name.url)
    url = f"{parts.scheme}://{parts.netloc}{name.websocket}" if websocket else name.url
    return request(
        url,
        settings.timeout_seconds,
        # Inside, the cluster's own DNS is under test, too.
        address=address_of(settings, parts.hostname or "") if side == "outside" else "",
        ca_file=settings.ca_file,
        websocket=websocket,
        subprotocol=name.subprotocol or "",
    )


def unreached(names: Mapping[str, NameSettings], view: SideView, other: SideView | None) -> list[str]:
    """Names that one side cannot connect to, with the cause as far as the other side tells it."""
    return _told(
        (
            name,
            verdict.name_problem(
                _host(names[name]), view.side, seen, other.pages.get(name) if other else None
            ),
        )
        for name, seen in view.pages.items()
    )


def wrong_answers(names: Mapping[str, NameSettings], view: SideView) -> list[str]:
    """Names at which something else answers than should."""
    return _told(
        (name, verdict.answer_problem(_host(names[name]), names[name], seen))
        for name, seen in view.pages.items()
    )


def wrong_certificates(
    names: Mapping[str, NameSettings],
    view: SideView,
    settings: EdgeSettings,
    now: Callable[[], float] = time.time,
) -> list[str]:
    """Certificates that cannot be verified, are for other names, or end soon."""
    return _told(
        (name, problem)
        for name, seen in view.pages.items()
        for problem in verdict.certificate_problems(
            _host(names[name]), seen, names[name].subject_name, now(), settings.certificate_days
        )
    )


def wrong_websockets(names: Mapping[str, NameSettings], view: SideView) -> list[str]:
    """WebSockets that were not opened; a name that cannot be connected to at all is told of elsewhere."""
    return _told(
        (name, verdict.websocket_problem(f"{_host(names[name])}{names[name].websocket}", seen))
        for name, seen in view.websockets.items()
        if seen.stage in ("http", "done")
    )


def _told(problems: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {problem}" for name, problem in problems if problem]


def _host(name: NameSettings) -> str:
    return urlsplit(name.url).hostname or name.url
