"""What the API server answers in place of doing what it is asked for: too many requests, its own failures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehouse.embedded.kubernetes.store import ApiError

REASONS = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


@dataclass
class Refusal:
    """Requests whose method and path match the patterns are answered with `status`, `times` of them."""

    method: str
    path: str
    status: int
    message: str
    times: int

    def is_meant(self, scope: Scope) -> bool:
        """Whether this request is refused."""
        method = scope.get("method", "GET")
        return self.times > 0 and bool(
            re.fullmatch(self.method, method) and re.fullmatch(self.path, scope["path"])
        )


@dataclass
class ServerFaults:
    """What a scenario makes go wrong. `counted` has how often each method was asked for, by path."""

    refusals: list[Refusal] = field(default_factory=list)
    counted: dict[tuple[str, str], int] = field(default_factory=dict)


def refusing(application: ASGIApp, faults: ServerFaults) -> ASGIApp:
    """An application in front of which requests are refused as the faults say; the first that is meant counts."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        key = (scope.get("method", "GET"), scope.get("path", ""))
        faults.counted[key] = faults.counted.get(key, 0) + 1
        refusal = next((each for each in faults.refusals if each.is_meant(scope)), None)
        if scope["type"] != "http" or refusal is None:
            await application(scope, receive, send)
            return
        refusal.times -= 1
        error = ApiError(refusal.status, REASONS[refusal.status], refusal.message)
        headers = {"Retry-After": "1"} if refusal.status == 429 else {}
        await JSONResponse(error.status(), refusal.status, headers)(scope, receive, send)

    return answer
