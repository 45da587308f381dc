"""Runs a command in a workspace so that it survives whoever waits for it, and waits for it by short questions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem, GatehouseError, Transient
from gatehouse.task import programs
from gatehouse.task.shell import CUT, MARGIN, PAUSE, Answer, Shell

#: Seconds that one question waits for the command: short enough that no proxy takes the stream for idle.
QUESTION = 25.0

Report = Callable[[str], None]


def run_detached(
    shell: Shell,
    directory: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    deadline: Deadline,
    *,
    on_progress: Report = lambda _words: None,
) -> CommandResult:
    """Run `argv` in `directory` within the deadline; a cut stream is asked again.

    The exit code is unknown, with the reason, when the command's session vanished, its pod went, or no answer came
    any more. When the deadline passes first, the command is ended. Raises `EnvironmentProblem` when it could not be
    started, and what the first question is refused with.
    """
    folder = programs.run_folder(secrets.token_hex(8))
    program = programs.in_checkout(directory, argv, environment)
    started = deadline.elapsed
    cut = ""
    answered = False
    while not deadline.expired:
        seconds = min(QUESTION, deadline.remaining)
        script = (
            f"{programs.start_once(folder, program)}\n{programs.wait_for_end(folder, seconds, shell.limit)}"
        )
        try:
            answer = shell.ask(script, Deadline.after(seconds + MARGIN, deadline.clock))
        except (*CUT, Transient) as error:
            if not answered and not isinstance(error, Transient | CUT[0]):
                raise
            cut = f"{error.summary}" + (f" ({error.seen})" if error.seen else "")
            if why := _why_gone(shell):
                return _unknown(argv, f"unknown: {why}", shell, deadline.elapsed - started)
            deadline.clock.sleep(min(PAUSE, deadline.remaining))
            continue
        answered = True
        header, _, rest = answer.stdout.partition(b"\n")
        words = header.decode(errors="replace").split()
        match words:
            case ["ended", code, out_bytes, err_bytes] if _is_whole(
                rest, answer.stderr, int(out_bytes), int(err_bytes), shell.limit
            ):
                result = _ended(argv, answer, rest, int(code), (int(out_bytes), int(err_bytes)), shell, cut)
                return replace(result, seconds=deadline.elapsed - started)
            case ["running", size]:
                on_progress(f"the command runs, {size} bytes of output")
            case ["vanished"]:
                why = "unknown: the command's session vanished from the workspace, killed together with its shell"
                return _unknown(argv, why, shell, deadline.elapsed - started)
            case _ if answer.exit_code == programs.REFUSED:
                raise EnvironmentProblem(
                    "the command could not be started in the workspace",
                    seen=answer.words,
                    where=directory,
                    next_step="check that /tmp can be written there and that the folder exists",
                )
            case _:  # the stream ended before everything was there
                cut = answer.source
                if why := _why_gone(shell):
                    return _unknown(argv, f"unknown: {why}", shell, deadline.elapsed - started)
                deadline.clock.sleep(min(PAUSE, deadline.remaining))
    return _out_of_time(shell, folder, argv, deadline, cut, answered=answered)


def _is_whole(stdout: bytes, stderr: bytes, out_bytes: int, err_bytes: int, limit: int) -> bool:
    """Whether all came of both streams that the workspace was to send."""
    kept = limit // 2 * 2
    return len(stdout) >= min(out_bytes, kept) and len(stderr) >= min(err_bytes, kept)


def _ended(
    argv: Sequence[str],
    answer: Answer,
    stdout: bytes,
    code: int,
    sizes: tuple[int, int],
    shell: Shell,
    cut: str,
) -> CommandResult:
    """Both ways to know the exit code: the wrapper's file, and how the last question ended."""
    if answer.exit_code is not None and answer.exit_code != code:
        exit_code, source = (
            None,
            f"unknown: the workspace's file says {code}, {answer.source} says {answer.exit_code}",
        )
    elif answer.exit_code is None:
        exit_code, source = code, f"a file in the workspace ({answer.source})"
    else:
        exit_code, source = code, answer.source + (f", after the stream was cut: {cut}" if cut else "")
    out_bytes, err_bytes = sizes
    whole = len(stdout) >= out_bytes and len(answer.stderr) >= err_bytes
    return CommandResult(
        tuple(argv),
        stdout,
        answer.stderr,
        exit_code,
        source,
        truncated=not whole,
        stdout_bytes=out_bytes,
        stderr_bytes=err_bytes,
        channel=shell.name,
    )


def _unknown(argv: Sequence[str], why: str, shell: Shell, seconds: float) -> CommandResult:
    return CommandResult(tuple(argv), b"", b"", None, why, channel=shell.name, seconds=seconds)


def _out_of_time(
    shell: Shell, folder: str, argv: Sequence[str], deadline: Deadline, cut: str, *, answered: bool
) -> CommandResult:
    """End the command, and take what it printed."""
    spare = Deadline.after(programs.GRACE + MARGIN, deadline.clock)
    try:
        shell.ask(programs.end_it(folder), spare)
        answer = shell.ask(programs.wait_for_end(folder, 1, shell.limit), spare)
    except GatehouseError as error:
        why = cut or error.summary
        source = f"unknown: no answer within {deadline.budget:.0f} s ({why})"
        return CommandResult(
            tuple(argv),
            b"",
            b"",
            None,
            source,
            channel=shell.name,
            seconds=deadline.budget,
            timed_out=answered,
        )
    header, _, rest = answer.stdout.partition(b"\n")
    words = header.decode(errors="replace").split()
    known = words[:1] == ["ended"]
    return CommandResult(
        tuple(argv),
        rest if known else b"",
        answer.stderr if known else b"",
        None,
        f"unknown: the command did not end within {deadline.budget:g} s, and was ended",
        truncated=not known,
        stdout_bytes=int(words[2]) if known else None,
        stderr_bytes=int(words[3]) if known else None,
        channel=shell.name,
        seconds=deadline.budget,
        timed_out=True,
    )


def _why_gone(shell: Shell) -> str:
    try:
        return shell.why_gone()
    except GatehouseError:
        return ""
