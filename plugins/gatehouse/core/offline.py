"""Runs a program without any network but this machine's own, where the system (Linux) allows it.

    python offline.py PROGRAM [ARGUMENT]...

It is started by its path, as a process of its own: namespaces cannot be changed safely between fork and exec of a
process with threads. Loopback stays: tests talk to servers that they started. Sources: unshare(2), user_namespaces(7),
netdevice(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _IS_UP = 0x8913, 0x8914, 0x1

#: How a shell ends for a program that it cannot find.
_NOT_FOUND = 127


def offline_command() -> tuple[str, ...]:
    """What to put before a command so that it has no network; empty where this system does not allow it."""
    command = (sys.executable, "-I", "-S", __file__)
    try:
        done = subprocess.run(
            [*command, sys.executable, "-I", "-S", "-c", ""], capture_output=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if done.returncode == 0 else ()


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
    with open(path, "w") as file:  # noqa: PTH123 - pathlib would double the time that this program takes
        file.write(text)


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _IS_UP))


def main(arguments: Sequence[str]) -> int:
    """Leave the network, and become the program."""
    try:
        leave_the_network()
    except OSError as error:
        print(f"the network cannot be cut off here: {error}", file=sys.stderr)
        return 1
    try:
        os.execvp(arguments[0], list(arguments))  # noqa: S606 - no shell
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
