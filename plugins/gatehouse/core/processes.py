"""Programs run as children that cannot outlive their purpose.

Each child gets its own session (so its whole process group can be signalled), no standard input, a time
limit and capped output. It also inherits an environment variable that names its owner: processes that left
the group, by forking into a session of their own, are found by that variable and ended too. A watchdog
process does the same when the owner itself dies, even by SIGKILL.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gatehouse.core import watchdog
from gatehouse.core.errors import NotInstalled
from gatehouse.core.launcher import LaunchedProcess, OfflineLauncher

Process = subprocess.Popen[bytes] | LaunchedProcess

OWNER_VARIABLE = watchdog.OWNER_VARIABLE

#: Bytes of a stream kept in memory: this much of its beginning and this much of its end.
CAPTURE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Completed:
    """How a program ended.

    `exit_code` is None when the time limit ended it; negative when a signal did (as in `subprocess`).
    `stdout` and `stderr` are decoded with replacement characters and may have their middle cut out.
    `left_behind` names processes that were still running after the program ended, and were ended.
    """

    argv: tuple[str, ...]
    exit_code: int | None
    stdout: str
    stderr: str
    duration: float
    timed_out: bool = False
    truncated: bool = False
    left_behind: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with exit code 0."""
        return self.exit_code == 0


class _Capture(threading.Thread):
    """Reads a stream to its end; keeps its first and last bytes, and writes all of it to a file if asked."""

    def __init__(self, stream: IO[bytes], limit: int, log: IO[bytes] | None) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._limit = limit
        self._log = log
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0
        self.start()

    def run(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed under us: what was read so far stands
            while chunk := os.read(self._stream.fileno(), 65536):
                self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        self._total += len(chunk)
        if self._log:
            self._log.write(chunk)
        room = self._limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room < len(chunk) else b""
        del self._tail[: -self._limit]

    @property
    def truncated(self) -> bool:
        return self._total > len(self._head) + len(self._tail)

    def text(self) -> str:
        cut = self._total - len(self._head) - len(self._tail)
        middle = f"\n[… {cut} bytes left out …]\n".encode() if cut else b""
        return bytes(self._head + middle + self._tail).decode(errors="replace")


class ProcessOwner:
    """Starts programs and answers for all of them; use as a context manager or call `stop_all`."""

    def __init__(self, launcher: OfflineLauncher | None = None) -> None:
        """`launcher` starts what is `run` without network, where it can; it stays its maker's to close."""
        self._launcher = launcher
        self.name = f"gatehouse-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._count = 0

    def __enter__(self) -> ProcessOwner:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop_all()

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """`base` (default: this process's environment) with the variable that marks children of this owner.

        Programs started elsewhere, such as by an event loop, join this owner by being given this.
        """
        self._ensure_watchdog()
        with self._lock:
            self._count += 1
            marked = f"{self.name}.{self._count}."
        return {**(os.environ if base is None else base), OWNER_VARIABLE: marked}

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        grace: float = 2.0,
        capture_bytes: int = CAPTURE_BYTES,
        log: Path | None = None,
    ) -> Completed:
        """Run a program to its end, or end it with its whole group after `timeout` seconds.

        SIGTERM is followed by SIGKILL after `grace` seconds. `log` receives the whole of both streams.
        Raises `NotInstalled` when the program cannot be found or started.
        """
        marked = self.environment(env)
        started = time.monotonic()
        try:
            process = self._start(argv, cwd, marked, stdin is not None)
        except (FileNotFoundError, PermissionError) as error:
            if cwd is not None and not cwd.is_dir():
                raise NotInstalled(
                    f"the folder {cwd} does not exist, so {argv[0]} cannot run there"
                ) from error
            raise NotInstalled(
                f"{argv[0]} cannot be started on this machine",
                seen=str(error),
                next_step=f"install {argv[0]}, or put it on the PATH",
            ) from error
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(log.open("ab")) if log else None
            assert process.stdout and process.stderr
            captures = [_Capture(stream, capture_bytes, sink) for stream in (process.stdout, process.stderr)]
            if stdin is not None:
                threading.Thread(target=_feed, args=(process, stdin), daemon=True).start()
            timed_out = True
            try:
                timed_out = not _ended_within(process, timeout)
            finally:
                left_behind = _end_group(process, marked[OWNER_VARIABLE], grace)
            for capture in captures:
                capture.join(timeout=1.0)
            process.stdout.close()
            process.stderr.close()
        return Completed(
            argv=tuple(argv),
            exit_code=None if timed_out else process.returncode,
            stdout=captures[0].text(),
            stderr=captures[1].text(),
            duration=time.monotonic() - started,
            timed_out=timed_out,
            truncated=any(capture.truncated for capture in captures),
            left_behind=() if timed_out else left_behind,
        )

    def _start(
        self, argv: Sequence[str], cwd: Path | None, env: Mapping[str, str], with_stdin: bool
    ) -> Process:
        if self._launcher is not None and not self._launcher.problem:
            return self._launcher.start(argv, cwd=cwd, env=env, stdin=with_stdin)
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def stop_all(self) -> list[str]:
        """End every process of this owner that still runs; returns their command lines."""
        ended = watchdog.end_processes(self.name)
        with self._lock:
            guard, self._watchdog = self._watchdog, None
        if guard and guard.stdin:
            guard.stdin.close()
            guard.wait(timeout=10)
        return ended

    def _ensure_watchdog(self) -> None:
        with self._lock:
            if self._watchdog is None:
                self._watchdog = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), self.name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    # Not marked itself: an outer owner must not end the watchdog before it has done its work.
                    env={name: value for name, value in os.environ.items() if name != OWNER_VARIABLE},
                )


def _feed(process: Process, data: bytes) -> None:
    assert process.stdin
    with contextlib.suppress(BrokenPipeError, OSError):
        process.stdin.write(data)
        process.stdin.close()


def _ended_within(process: Process, timeout: float) -> bool:
    """Wait for a child's end without reaping it where the system can, so that its group id stays ours."""
    if not hasattr(os, "pidfd_open"):
        assert isinstance(process, subprocess.Popen)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
        return process.returncode is not None
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


def _end_group(process: Process, marker: str, grace: float) -> tuple[str, ...]:
    """End what is left of the process and everything it started; returns command lines of the leftovers."""
    if process.returncode is None and not _ended_within(process, 0):
        _signal_group(process.pid, signal.SIGTERM)
        _ended_within(process, grace)
    leftovers = watchdog.end_processes(marker, spare=process.pid)
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    return tuple(leftovers)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def find_program(name: str, path: str | None = None) -> str | None:
    """The absolute path of a program on the PATH (or on `path`), or None."""
    return shutil.which(name, path=path)
