"""git's smart HTTP protocol, by running git's own `http-backend` program."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from gatehouse.embedded.code_host.accounts import Account, Accounts
from gatehouse.embedded.code_host.repositories import CLOSED, environment


class SmartHttp:
    """Serves the repositories below a folder: reading is open to all, pushing needs a token."""

    def __init__(self, root: Path, accounts: Accounts, pushed: Callable[[str], Awaitable[None]]) -> None:
        """`pushed` is called with the repository's name after each push."""
        self._root = root
        self._accounts = accounts
        self._pushed = pushed
        exec_path = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout
        self._backend = str(Path(exec_path.strip()) / "git-http-backend")

    async def serve(self, request: Request) -> Response:
        """Answer one request of a git client."""
        service = request.query_params.get("service", "")
        pushing = "git-receive-pack" in (service, request.url.path.rsplit("/", 1)[-1])
        account = self._account(request) if pushing else None
        if pushing and account is None:
            return PlainTextResponse(
                "Authentication failed", 401, headers={"WWW-Authenticate": 'Basic realm="git"'}
            )
        if account and not account.may("push"):
            return PlainTextResponse("Write access to repository not granted.", 403)
        body = await request.body()
        process = await asyncio.create_subprocess_exec(
            self._backend,
            env={
                **environment(),
                "GIT_PROJECT_ROOT": str(self._root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": request.url.path,
                "QUERY_STRING": request.url.query,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("content-type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
                "REMOTE_USER": "git",
                CLOSED: " ".join(self._accounts.closed_to(account)) if account else "",
                "REMOTE_ADDR": "127.0.0.1",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin and process.stdout
        feeding = asyncio.create_task(_feed(process.stdin, body))
        status, headers = await _read_headers(process.stdout)
        output = process.stdout

        async def stream() -> AsyncIterator[bytes]:
            while chunk := await output.read(65536):
                yield chunk
            await feeding
            await process.wait()
            if pushing and request.method == "POST":
                owner, name = request.path_params["owner"], request.path_params["name"]
                await self._pushed(f"{owner}/{name}")

        return StreamingResponse(stream(), status, headers)

    def _account(self, request: Request) -> Account | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            _, _, password = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return None
        return self._accounts.by_token.get(password)


async def _feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # the program may end without reading all of it
        stdin.write(body)
        await stdin.drain()
        stdin.close()


async def _read_headers(stdout: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """The CGI header block: an optional `Status` line, then ordinary headers."""
    status, headers = 200, {}
    while line := (await stdout.readline()).decode().strip():
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value
    return status, headers
