"""What goes wrong between Coder and whoever asks it: lost answers, cut streams, an older version."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.embedded.connections import abort, reset


@dataclass
class Loss:
    """A request whose answer is lost: after the server did what it asked for, or before. `path` is a pattern."""

    method: str
    path: str
    after: bool = True

    def is_meant(self, scope: Scope) -> bool:
        """Whether this request is the one."""
        return bool(scope["method"] == self.method and re.fullmatch(self.path, scope["path"]))


@dataclass
class Instead:
    """What is answered in place of Coder's own answer to requests whose method and path match the patterns."""

    method: str
    path: str
    status: int
    body: str
    media_type: str = "application/json"
    #: How many requests; None for all of them.
    times: int | None = None

    def is_meant(self, scope: Scope) -> bool:
        """Whether this request is one of them."""
        method = scope.get("method", "GET")  # a WebSocket begins as a GET, and its scope does not say so
        return bool(re.fullmatch(self.method, method) and re.fullmatch(self.path, scope["path"]))


@dataclass
class WireFaults:
    """What a scenario makes go wrong."""

    #: The first that is meant answers.
    instead: list[Instead] = field(default_factory=list)

    #: Seconds that each answer takes besides; one that takes a day never comes.
    seconds: float = 0.0
    #: Each is lost once.
    losses: list[Loss] = field(default_factory=list)
    #: After so many messages each WebSocket is cut; None for never.
    cut_after: int | None = None
    #: Patterns of WebSocket paths that this version does not know.
    unknown_sockets: list[str] = field(default_factory=list)

    def answer(self, scope: Scope) -> Instead | None:
        """What is answered to this request in place of Coder."""
        for each in self.instead:
            if each.is_meant(scope) and each.times != 0:
                each.times = each.times - 1 if each.times is not None else None
                return each
        return None

    def loss(self, scope: Scope) -> Loss | None:
        """The loss that this request is for, which is used up by it."""
        for loss in self.losses:
            if loss.is_meant(scope):
                self.losses.remove(loss)
                return loss
        return None


def breaking(application: ASGIApp, faults: WireFaults) -> ASGIApp:
    """An application whose connections break as the faults say. Its `send` has to be the server's own."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (loss := faults.loss(scope)):
            await _lose(loss, application, scope, receive, send)
        elif scope["type"] == "websocket" and faults.cut_after is not None:
            await application(scope, receive, _cutting(send, faults.cut_after))
        else:
            await application(scope, receive, send)

    return answer


async def _lose(loss: Loss, application: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Carry a request out, or not, and cut the connection in place of an answer."""
    if loss.after:

        async def nowhere(_message: Message) -> None:
            return

        await application(scope, receive, nowhere)
    await reset(receive, send)


def _cutting(send: Send, messages: int) -> Send:
    """A `send` for a WebSocket that cuts the connection after so many messages."""
    left = messages

    async def counted(message: Message) -> None:
        nonlocal left
        if message["type"] == "websocket.send":
            if left <= 0:
                abort(send)
                return
            left -= 1
        await send(message)

    return counted
