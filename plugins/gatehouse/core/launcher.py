"""Starts programs without network, by a helper process: the other end of `core.offline`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from gatehouse.core import offline

#: Seconds in which the helper must answer: it never waits for a program.
TIMEOUT = 60.0


class LaunchedProcess:
    """A program that was started without network; as much of `subprocess.Popen` as is needed of it."""

    def __init__(self, launcher: OfflineLauncher, pid: int, streams: Sequence[IO[bytes] | None]) -> None:
        self._launcher = launcher
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = streams

    def wait(self) -> int:
        """The exit code, negative when a signal ended the program; which must have ended, or be about to."""
        if self.returncode is None:
            self.returncode = int(self._launcher.ask({"wait": self.pid})["exit_code"])
        return self.returncode


class OfflineLauncher:
    """The helper process; started at once, and ready a little later. Ends with `close`, or with this process."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        self._connection.settimeout(TIMEOUT)
        self._lock = threading.Lock()
        self._problem: str | None = None
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(offline.__file__)), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def problem(self) -> str:
        """Why programs cannot be started without network on this system; empty when they can."""
        with self._lock:
            if self._problem is None:
                try:
                    answer = offline.receive(self._connection)
                except OSError as error:
                    answer = ({"problem": str(error)}, [])
                self._problem = answer[0]["problem"] if answer else "the helper process ended at once"
            return str(self._problem)

    def start(
        self, argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], stdin: bool
    ) -> LaunchedProcess:
        """Start a program in a session of its own, with pipes for its output, and its input if `stdin`.

        Raises `OSError` as `subprocess.Popen` would, and `RuntimeError` when the helper process is gone.
        """
        if self.problem:
            raise RuntimeError(self.problem)
        output, error = os.pipe(), os.pipe()
        given = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), None)
        ours = [output[0], error[0], *([given[1]] if given[1] is not None else [])]
        request = {"argv": list(argv), "cwd": str(cwd or Path.cwd()), "env": dict(env)}
        try:
            answer = self.ask(request, (given[0], output[1], error[1]))
            if "pid" not in answer:
                raise _error(answer, argv[0])
        except BaseException:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in (given[0], output[1], error[1]):
                os.close(descriptor)
        writer = os.fdopen(given[1], "wb", buffering=0) if given[1] is not None else None
        return LaunchedProcess(
            self, int(answer["pid"]), (writer, os.fdopen(output[0], "rb"), os.fdopen(error[0], "rb"))
        )

    def ask(self, message: dict[str, Any], streams: Sequence[int] = ()) -> dict[str, Any]:
        """The helper's answer. Raises `RuntimeError` when it is gone."""
        with self._lock:
            try:
                offline.send(self._connection, message, streams)
                answer = offline.receive(self._connection)
            except OSError as error:
                raise RuntimeError(f"the process that starts programs without network: {error}") from error
        if answer is None:
            raise RuntimeError("the process that starts programs without network has ended")
        return answer[0]

    def close(self) -> None:
        """End the helper. Programs that still run are not ended by this."""
        self._connection.close()
        self._process.wait(timeout=10)


def _error(answer: Mapping[str, Any], program: str) -> OSError:
    number = int(answer.get("errno") or 0)
    return OSError(number, str(answer.get("error")), program) if number else OSError(str(answer.get("error")))
