"""What the Job's container runs: pytest, and then a wait until its evidence was collected.

The exit code is pytest's. SIGTERM, or a file that asks for it, stops the suite, which tears down.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.job.handover import BUNDLE, COLLECTED, EXIT_CODE, STOP

#: Seconds between looks.
LOOK = 0.5

Started = subprocess.Popen[bytes]


class Supervisor:
    """Runs one command and waits for its evidence to be collected."""

    def __init__(self, folder: Path, wait: float, clock: Clock = SYSTEM_CLOCK) -> None:
        """`wait` is in seconds, after the command has ended."""
        self._folder = folder
        self._wait = wait
        self._clock = clock
        self._terminated = False

    def on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        """Note that the pod is to end."""
        self._terminated = True

    def run(
        self, command: Sequence[str], start: Callable[[Sequence[str]], Started] = subprocess.Popen
    ) -> int:
        """Run `command` to its end; its exit code, as a shell gives it for a signal."""
        process = start(command)
        stopped = False
        while (code := process.poll()) is None:
            if not stopped and (self._terminated or (self._folder / STOP).exists()):
                process.terminate()
                stopped = True
            self._clock.sleep(LOOK)
        code = code if code >= 0 else 128 - code
        self._hand_over(code)
        return code

    def _hand_over(self, code: int) -> None:
        """Say that the evidence is complete, and wait until it was collected, the time is over or the pod is to end."""
        part = self._folder / f".{EXIT_CODE}"
        part.write_text(f"{code}\n")
        part.replace(self._folder / EXIT_CODE)
        print(f"gatehouse: the suite ended with {code}; its evidence can be collected for {self._wait:.0f} s")
        deadline = Deadline.after(self._wait, self._clock)
        while not (deadline.expired or self._terminated or (self._folder / COLLECTED).exists()):
            self._clock.sleep(LOOK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run pytest with the arguments that are given, with its evidence in the folder."""
    parser = argparse.ArgumentParser(prog="python -m gatehouse.job.inside")
    parser.add_argument("--folder", type=Path, required=True, help="where the evidence is handed over")
    parser.add_argument("--wait", type=float, required=True, help="seconds to wait for being collected")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    options = parser.parse_args(arguments)
    supervisor = Supervisor(options.folder, options.wait)
    signal.signal(signal.SIGTERM, supervisor.on_sigterm)
    evidence = f"--gate-evidence={options.folder / BUNDLE}"
    # The image's own file system cannot be written to, so pytest must not try to remember anything there.
    return supervisor.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", evidence, *options.pytest]
    )


if __name__ == "__main__":
    sys.exit(main())
