"""One command in a pod, with its streams apart and its exit code from the API server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from gatehouse.core.answers import failure
from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import InfrastructureError, Unreachable
from gatehouse.kube.client import Cluster

if TYPE_CHECKING:
    from kubernetes.stream.ws_client import WSClient

STDIN, STDOUT, STDERR, STATUS = 0, 1, 2, 3

#: Seconds that the API server may take to open a stream.
OPEN_TIMEOUT = 15.0

#: Seconds between looks at the clock while output is awaited.
LOOK = 0.25

#: Bytes of each stream that are kept; what comes after is counted and dropped.
STREAM_BYTES = 8 * 1024 * 1024


def run_in_pod(
    cluster: Cluster,
    namespace: str,
    pod: str,
    argv: Sequence[str],
    deadline: Deadline,
    *,
    container: str | None = None,
    stdin: bytes = b"",
    sink: IO[bytes] | None = None,
) -> CommandResult:
    """Run `argv` in a pod over `pods/exec` (WebSocket, subprotocols v5 and v4.channel.k8s.io).

    `stdin` is sent, and not closed: the command must know how much it reads. What is long belongs there, as `argv`
    is part of a URL, whose length servers and proxies limit to a few thousand characters.
    `sink` is given all of standard output, however long, and the result then has none of it.
    Needs the verbs `get` and `create` on `pods/exec` (kubernetes-client/python issue 2084).
    Raises `PermissionDenied`, `NotFound`, `Unreachable`, the last also for an API server that takes the connection
    and does not answer within `OPEN_TIMEOUT`; a cut stream or a passed deadline is a result.
    """
    from kubernetes.client import ApiException
    from kubernetes.stream.ws_client import WSClient, get_websocket_url
    from websocket import WebSocketException

    path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/exec"
    query = [("command", part) for part in argv] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    query += [("stdin", "true")] if stdin else []
    configuration = cluster.configuration
    headers = {}
    if authorization := configuration.auth_settings().get("BearerToken", {}).get("value"):
        headers["authorization"] = authorization
    where = f"exec in pod {namespace}/{pod}"
    address = get_websocket_url(configuration.host + path, query)
    try:
        socket = _opened(
            lambda: WSClient(configuration, address, headers, False, binary=True),
            min(OPEN_TIMEOUT, deadline.remaining),
        )
    except (ApiException, WebSocketException, OSError) as error:
        raise _refusal(error, where) from error
    if socket is None:
        raise _not_answered(cluster.server, where)
    kept: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray(), STATUS: bytearray()}
    truncated = False
    source = ""
    try:
        if stdin:
            socket.write_channel(STDIN, stdin)
        while socket.is_open() and not deadline.expired:
            socket.update(timeout=min(LOOK, deadline.remaining))
            truncated = _drain(socket, kept, sink) or truncated
        truncated = _drain(socket, kept, sink) or truncated
    except (WebSocketException, OSError) as error:
        source = f"unknown: the stream was cut ({error})"
    finally:
        socket.close()
        socket.sock.shutdown()  # close() leaves the connection open when the server has closed first
    code: int | None = None
    if kept[STATUS]:
        code, source = _exit_code(bytes(kept[STATUS]))
    elif not source:
        source = (
            f"unknown: the command did not end within {deadline.budget:.0f} s"
            if deadline.expired
            else "unknown: the stream ended without a status"
        )
    return CommandResult(tuple(argv), bytes(kept[STDOUT]), bytes(kept[STDERR]), code, source, truncated)


def _opened(open_stream: Callable[[], WSClient], seconds: float) -> WSClient | None:
    """What `open_stream` opens, or None if it has not after so many seconds. Raises what it raises.

    In a thread of its own, which a server that never answers keeps for itself: the library takes no limit for it.
    """
    opened: list[WSClient] = []
    failed: list[Exception] = []
    over = threading.Lock()
    late = False

    def run() -> None:
        try:
            stream = open_stream()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            failed.append(error)
            return
        with over:
            if late:
                stream.close()
            else:
                opened.append(stream)

    thread = threading.Thread(target=run, name="stream to a pod", daemon=True)
    thread.start()
    thread.join(seconds)
    with over:
        late = not opened
    if failed:
        raise failed[0]
    return opened[0] if opened else None


def _not_answered(server: str, where: str) -> Unreachable:
    return Unreachable(
        "the Kubernetes API server has not opened the stream for a command in time",
        expected=f"the connection to be upgraded to a WebSocket within {OPEN_TIMEOUT:.0f} s",
        seen=f"no answer of {server}",
        where=where,
        next_step="look at the API server and at its connection to the node's kubelet; a proxy in between must "
        "pass WebSockets on",
    )


def _drain(socket: object, kept: dict[int, bytearray], sink: IO[bytes] | None) -> bool:
    """Move what has arrived into `kept`, or standard output into `sink`; tells whether anything had to be dropped."""
    dropped = False
    for channel, buffer in kept.items():
        data: bytes = socket.read_channel(channel)  # type: ignore[attr-defined] # WSClient has no types
        if channel == STDOUT and sink is not None:
            sink.write(data)
            continue
        room = max(0, STREAM_BYTES - len(buffer))
        buffer += data[:room]
        dropped = dropped or len(data) > room
    return dropped


def _exit_code(status: bytes) -> tuple[int | None, str]:
    try:
        data = json.loads(status)
    except ValueError:
        return None, f"unknown: the status cannot be read ({status[:100]!r})"
    if data.get("status") == "Success":
        return 0, "kubernetes exec status"
    for cause in (data.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdigit():
            return int(cause["message"]), "kubernetes exec status"
    return None, f"unknown: {data.get('message', 'the command could not be started')}"


def _refusal(error: Exception, where: str) -> Exception:
    status = getattr(error, "status_code", None) or getattr(error, "status", None)
    body = getattr(error, "resp_body", None) or getattr(error, "body", None) or b""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    if status:
        known = failure("Kubernetes", where, int(status), "application/json", text or str(error))
        return known or InfrastructureError("the command could not be started", seen=str(error), where=where)
    return Unreachable("no connection for the command", seen=str(error), where=where)
