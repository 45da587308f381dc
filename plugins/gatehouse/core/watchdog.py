"""Ends the processes of an owner that has died. A program of its own, on the standard library alone.

    python watchdog.py OWNER

It reads its standard input, which the owner holds open. The end of that input means that the owner is gone;
every process whose environment names the owner is then ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

OWNER_VARIABLE = "GATEHOUSE_PROCESS_OWNER"

#: Seconds between SIGTERM and SIGKILL.
GRACE = 1.0


def find_processes(owner: str) -> dict[int, str]:
    """Processes whose environment says that they belong to `owner`, as {pid: command line}.

    `owner` is matched as a prefix, so that it can name one owner or a single run of it.
    """
    found = _from_proc(owner) if Path("/proc/self/environ").exists() else _from_ps(owner)
    found.pop(os.getpid(), None)
    return found


def _from_proc(owner: str) -> dict[int, str]:
    marker = f"{OWNER_VARIABLE}={owner}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            environment = (entry / "environ").read_bytes()
            if environment.startswith(marker) or b"\0" + marker in environment:
                command = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                )
                if command:  # a zombie has none
                    found[int(entry.name)] = command
    return found


def _from_ps(owner: str) -> dict[int, str]:
    listing = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=False
    ).stdout
    found = {}
    for line in listing.splitlines():
        pid, _, command = line.strip().partition(" ")
        if f"{OWNER_VARIABLE}={owner}" in command and pid.isdigit():
            found[int(pid)] = command.split(f" {OWNER_VARIABLE}=")[0]
    return found


def end_processes(owner: str, spare: int | None = None) -> list[str]:
    """End all processes of `owner` but `spare`, gently first; returns the command lines of those that ran."""
    ended: dict[int, str] = {}
    stop_at = time.monotonic() + GRACE
    number = signal.SIGTERM
    while running := {pid: line for pid, line in find_processes(owner).items() if pid != spare}:
        ended |= running
        for pid in running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        if time.monotonic() > stop_at:
            if number == signal.SIGKILL and time.monotonic() > stop_at + GRACE:
                break  # cannot be killed (another user's, or stuck in the kernel): the caller reports them
            number = signal.SIGKILL
        time.sleep(0.02)
    return [ended[pid] for pid in sorted(ended)]


def main() -> None:
    """Wait for the owner's end, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while sys.stdin.buffer.read(4096):
        pass
    end_processes(sys.argv[1])


if __name__ == "__main__":
    main()
