"""What the gateway and Coder's app proxy have in common: passing a request on to a port of this machine."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import httpx
from starlette.requests import Request
from starlette.responses import Response

#: Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1), and those that the
#: forwarder sets itself.
_NOT_PASSED_ON = {
    *("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"),
    *("content-length", "content-encoding", "server", "date"),
}

#: Seconds that the program behind may take for one answer.
TIMEOUT = 30.0


class Forwarder:
    """Forwards requests. It keeps no cookies: one visitor's session must never reach another."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=TIMEOUT)
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def forward(self, request: Request, port: int, raw_path: bytes) -> Response:
        """The answer of whatever listens on `port`. Raises `httpx.TransportError` if nothing does."""
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON}
        answer = await self._client.request(
            request.method,
            httpx.URL(f"http://127.0.0.1:{port}", raw_path=raw_path),
            headers=headers,
            content=await request.body(),
        )
        response = Response(answer.content, answer.status_code)
        for name, value in answer.headers.multi_items():
            if name not in _NOT_PASSED_ON:
                response.headers.append(name, value)
        return response

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
