"""The shell programs that the launcher runs in a workspace, as text. POSIX sh; no tools but coreutils' or busybox's.

A command is started in a session of its own, its streams and its exit code go into files of a run folder. Whoever
waits for it can be cut off and come back: the command goes on, and its exit code stays.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

#: Exit code of a program of ours that could not do its part, for a reason that is on its standard error.
REFUSED = 96

#: What the lines begin with on which a script says what it runs on.
SAYS = "[gatehouse] "

#: Seconds between SIGTERM and SIGKILL for a command whose budget is over.
GRACE = 5


def run_folder(nonce: str) -> str:
    """Where streams and exit code of one command are."""
    return f"/tmp/gatehouse-{nonce}"  # noqa: S108 - in the workspace, made by mkdir, which refuses one that is there


def in_checkout(directory: str, argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """A program that becomes `argv` in `directory`."""
    lines = [f"cd -- {shlex.quote(directory)} || exit {REFUSED}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join([*lines, f"exec {shlex.join(argv)}"])


def when_checked_out(
    directory: str, questions: str, demands: Sequence[str], program: str, seconds: int
) -> str:
    """A program that waits up to `seconds` for a checkout in `directory`, says what `questions` print, and goes on.

    It does not where one of `demands`, shell commands, fails. What it says is on lines that begin with `SAYS`.
    """
    refused = "".join(f"{each} || exit {REFUSED}\n" for each in demands)
    return f"""directory={shlex.quote(directory)}
waited=0
until git -C "$directory" rev-parse --verify --quiet HEAD >/dev/null; do
  [ $waited -lt {seconds} ] || {{ echo "no checkout in $directory" >&2; exit {REFUSED}; }}
  waited=$((waited + 1)); sleep 1
done
( {questions} ) | sed 's/^/{SAYS}/'
cd -- "$directory" || exit {REFUSED}
{refused}{program}"""


def start_once(folder: str, program: str) -> str:
    """Starts `program` in the background, unless it was started before; its files are in `folder`."""
    # The trap without a command: what is started still dies of a SIGTERM to the group, this shell notes the exit code.
    watched = (
        'trap : TERM INT HUP; sh -c "$1" >"$0/stdout" 2>"$0/stderr" </dev/null; code=$?; '
        'echo "$code" >"$0/code.part" && mv "$0/code.part" "$0/code"'
    )
    return f"""umask 077
folder={shlex.quote(folder)}
if mkdir "$folder" 2>"$folder.refused"; then
  : >"$folder/stdout"; : >"$folder/stderr"
  session=$(command -v setsid) || session=
  $session sh -c {shlex.quote(watched)} "$folder" {shlex.quote(program)} </dev/null >/dev/null 2>&1 &
  echo $! >"$folder/pid"
elif [ ! -d "$folder" ]; then
  cat "$folder.refused" >&2; exit {REFUSED}
fi"""


def wait_for_end(folder: str, seconds: float, limit: int) -> str:
    """Waits up to `seconds` for the command, then prints one line about it, and its streams once it has ended.

    The line is `running BYTES`, `vanished`, or `ended CODE STDOUT_BYTES STDERR_BYTES`. After the last one the
    program writes both streams, each to its own, and ends with the command's code; of a stream larger than `limit`
    bytes the first and the last half of that.
    """
    half = limit // 2
    return f"""folder={shlex.quote(folder)}
show() {{
  if [ "$(wc -c <"$1")" -le {limit} ]; then cat "$1"; else head -c {half} "$1"; tail -c {half} "$1"; fi
}}
until_second=$(($(date +%s) + {max(1, round(seconds))}))
pause=0.02; sleep $pause 2>/dev/null || pause=1
looks=0
while [ ! -e "$folder/code" ]; do
  if ! kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
    sleep 1; [ -e "$folder/code" ] || {{ echo vanished; exit 0; }}
    break
  fi
  [ "$(date +%s)" -lt $until_second ] || {{ echo "running $(wc -c <"$folder/stdout")"; exit 0; }}
  looks=$((looks + 1)); [ $looks -lt 50 ] || [ $pause = 1 ] || pause=0.2
  sleep $pause
done
code=$(cat "$folder/code")
echo "ended $code $(($(wc -c <"$folder/stdout"))) $(($(wc -c <"$folder/stderr")))"
show "$folder/stdout"
show "$folder/stderr" >&2
exit "$code\""""


def end_it(folder: str) -> str:
    """Ends the command and all that is in its session: first gently, then not."""
    return f"""folder={shlex.quote(folder)}
pid=$(cat "$folder/pid") || exit {REFUSED}
kill -TERM "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null
waited=0
while kill -0 "-$pid" 2>/dev/null && [ $waited -lt {GRACE * 10} ]; do
  sleep 0.1 2>/dev/null || sleep 1; waited=$((waited + 1))
done
kill -KILL "-$pid" 2>/dev/null
exit 0"""
