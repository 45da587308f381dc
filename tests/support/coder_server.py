"""A Coder deployment for unit tests: answers in place of the network, and a clock that does not really wait."""

import httpx

from gatehouse.coder.client import CoderClient
from tests.support.clock import FakeClock

TOKEN = "abcdefghij-0123456789abcdefghijkl"
JOB = {"id": "j", "status": "succeeded"}
BUILD = {
    "id": "b",
    "build_number": 1,
    "transition": "start",
    "status": "running",
    "job": JOB,
    "template_version_id": "v",
    "initiator_id": "u",
}
WORKSPACE = {"id": "w", "name": "one", "owner_id": "u", "owner_name": "bot", "latest_build": BUILD}
USER = {"id": "u", "username": "bot"}


class Server:
    """Answers in turn; the last answer repeats. Exceptions are raised, as a broken connection would be."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        # The same answer may be given again, which httpx allows only as a copy.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Routes:
    """Answers by method and path; a list is given in turn, the last of it for ever, and functions are asked."""

    def __init__(self, routes):
        self.routes = {
            key: list(value) if isinstance(value, list) else [value] for key, value in routes.items()
        }
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        key = f"{request.method} {request.url.path}"
        answers = self.routes.get(key)
        if answers is None:
            return error(404, "Route not found.")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def sent(self, method):
        """The paths of the requests with this method."""
        return [request.url.path for request in self.requests if request.method == method]


def asking(server, **options):
    """A client of the server, and the clock it waits by."""
    clock = FakeClock()
    return CoderClient(
        "http://coder", TOKEN, clock=clock, transport=httpx.MockTransport(server), **options
    ), clock


def client(*answers, **options):
    """A client of a server that gives these answers, the server, and the clock."""
    server = Server(*answers)
    coder, clock = asking(server, **options)
    return coder, server, clock


def ok(data, status=200, **headers):
    return httpx.Response(status, json=data, headers=headers)


def error(status, message="no", detail="", headers=None):
    body = {"message": message, **({"detail": detail} if detail else {})}
    return httpx.Response(status, json=body, headers=headers)
