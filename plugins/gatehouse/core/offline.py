"""Starts programs for another process, each without any network but a loopback of its own (Linux).

    python offline.py DESCRIPTOR

It is a program of its own, on the standard library alone: namespaces cannot be changed safely between fork and exec
of a process with threads, and one Python that is there already is faster than one for each program. It reads requests
from the socket DESCRIPTOR (see `core.launcher`, its other end) until that is closed. Loopback stays: tests talk to
servers that they started; those of programs that run at the same time are apart. Sources: unshare(2),
user_namespaces(7), netdevice(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 0x1

#: A message is its length in bytes, and JSON; standard input, output and error come with the length.
LENGTH = struct.Struct("!Q")
STREAMS = 3


def main(arguments: Sequence[str]) -> None:
    """Say why programs cannot be started offline here, if so; then do what is asked for, until nobody can ask."""
    connection = socket.socket(fileno=int(arguments[0]))
    connection.set_inheritable(False)
    send(connection, {"problem": _problem()})
    while (request := receive(connection)) is not None:
        message, streams = request
        try:
            send(connection, _wait(message["wait"]) if "wait" in message else _start(message, streams))
        finally:
            for stream in streams:
                os.close(stream)


def send(connection: socket.socket, message: dict[str, Any], streams: Sequence[int] = ()) -> None:
    """Send a message, with file descriptors if given."""
    raw = json.dumps(message).encode()
    socket.send_fds(connection, [LENGTH.pack(len(raw))], list(streams))
    connection.sendall(raw)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message, and the file descriptors that came with it; None when the other end is closed."""
    begun, streams, _, _ = socket.recv_fds(connection, LENGTH.size, STREAMS)
    for stream in streams:
        os.set_inheritable(stream, False)
    head = begun + _exactly(connection, LENGTH.size - len(begun)) if begun else b""
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    raw = _exactly(connection, length)
    return (json.loads(raw), streams) if len(raw) == length else None


def _exactly(connection: socket.socket, length: int) -> bytes:
    """That many bytes, or fewer if the other end is closed meanwhile."""
    found = bytearray()
    while len(found) < length and (chunk := connection.recv(length - len(found))):
        found += chunk
    return bytes(found)


def _start(message: dict[str, Any], streams: Sequence[int]) -> dict[str, Any]:
    """Start a program in a session and a network of its own; its process id, or why it cannot be started."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(message, streams, write_end)
    os.close(write_end)
    with open(read_end, "rb") as pipe:  # noqa: PTH123 - a descriptor has no path
        error = pipe.read()
    if error:
        os.waitpid(pid, 0)
        return dict(json.loads(error))
    return {"pid": pid}


def _become(message: dict[str, Any], streams: Sequence[int], errors: int) -> None:
    """Be the program, in the process just forked; does not return. `errors` is closed when all went well."""
    try:
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and programs do not expect
            signal.signal(number, signal.SIG_DFL)
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
        leave_the_network()
        os.chdir(message["cwd"])
        os.execvpe(message["argv"][0], message["argv"], message["env"])  # noqa: S606 - no shell
    except OSError as error:
        os.write(errors, json.dumps({"errno": error.errno, "error": error.strerror}).encode())
    except BaseException as error:  # noqa: BLE001 - two processes must never go on in the same code
        os.write(errors, json.dumps({"errno": 0, "error": repr(error)}).encode())
    finally:
        os._exit(127)


def _wait(pid: int) -> dict[str, Any]:
    """The exit code of a program that was started here, negative when a signal ended it."""
    return {"exit_code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}


def _problem() -> str:
    """Why this system lets no process leave the network; empty when it does."""
    if not hasattr(os, "pidfd_open"):
        return "this system has no pidfd_open"
    nothing = {"argv": [sys.executable, "-I", "-S", "-c", ""], "cwd": "/", "env": {}}
    answer = _start(nothing, ())
    return str(answer.get("error", "")) if "pid" not in answer else _failed(answer["pid"])


def _failed(pid: int) -> str:
    code = _wait(pid)["exit_code"]
    return f"a program without network ended with exit code {code}" if code else ""


def leave_the_network() -> None:
    """Move this process to a network of its own that has loopback alone. Raises `OSError` where that is refused."""
    user, group = os.getuid(), os.getgid()
    # Whoever may do it without a user namespace keeps all rights on files of other users.
    try:
        _unshare(_NEW_NET)
    except PermissionError:
        _unshare(_NEW_USER | _NEW_NET)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    _bring_up_loopback()


def _unshare(what: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "unshare"):
        raise OSError("this system has no unshare")
    if library.unshare(what) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123 - pathlib would double the time that this program takes to start
        file.write(text)


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _IS_UP))


if __name__ == "__main__":
    main(sys.argv[1:])
