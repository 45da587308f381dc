"""What goes wrong between Argo CD's API server and its callers: proxies, sign-in pages, streams that end."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import Object

STREAMS = "/api/v1/stream/"

GATEWAY_TIMEOUT = (
    "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n"
    "<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
SIGN_IN = (
    "<!doctype html><html><head><title>Sign in</title></head>"
    '<body><form action="/oauth2/start"><button>Sign in with OpenID Connect</button></form></body></html>'
)


@dataclass
class ApiFaults:
    """`padding` is how many bytes an Application's status is made longer by, by Application name."""

    #: Streams send no headers, even though there are Applications.
    stream_silent: bool = False
    #: Seconds after which every stream is ended; 0 for never.
    stream_cut_after: float = 0.0
    #: How many requests for each path are answered 504 by a proxy before the first that gets through.
    proxy_504: int = 0
    #: Every answer is a proxy's sign-in page, with status 200.
    html_answer: bool = False
    padding: dict[str, int] = field(default_factory=dict)

    def padded(self, application: Object) -> Object:
        """The Application, with a result of its last sync as long as hundreds of objects make it."""
        size = self.padding.get(application["metadata"]["name"], 0)
        result = application.get("status", {}).get("operationState", {}).get("syncResult")
        if not size or not result or not result["resources"]:
            return application
        example = result["resources"][0] | {"message": "configured, " + "x" * 900}
        padded = copied(application)
        resources = padded["status"]["operationState"]["syncResult"]["resources"]
        resources += [example | {"name": f"generated-{number:05}"} for number in range(size // 1000)]
        return padded


class FaultyProxy:
    """ASGI middleware in front of the API server."""

    def __init__(self, app: ASGIApp, faults: ApiFaults) -> None:
        self._app = app
        self._faults = faults
        self._seen: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it as what stands in between does."""
        faults, path = self._faults, scope.get("path", "")
        self._seen[path] += 1
        if faults.html_answer:
            await HTMLResponse(SIGN_IN)(scope, receive, send)
        elif self._seen[path] <= faults.proxy_504:
            await HTMLResponse(GATEWAY_TIMEOUT, 504)(scope, receive, send)
        elif faults.stream_silent and path.startswith(STREAMS):
            while (await receive())["type"] != "http.disconnect":
                pass
            await PlainTextResponse("", 499)(scope, receive, send)
        elif faults.stream_cut_after and path.startswith(STREAMS):
            await self._cut(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            async with asyncio.timeout(self._faults.stream_cut_after):
                await self._app(scope, receive, noting)
        except TimeoutError:
            if started:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                await HTMLResponse(GATEWAY_TIMEOUT, 504)(scope, receive, send)
