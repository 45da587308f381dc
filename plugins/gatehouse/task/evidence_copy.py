"""Takes files out of a workspace: only what was asked for, only plain files inside the checkout, within limits."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import ProductFailure, UnexpectedAnswer
from gatehouse.core.task_settings import EvidenceFile
from gatehouse.task.shell import Shell, ask_whole

#: Files of one pattern that are taken, at most.
LARGEST_COUNT = 500


@dataclass(frozen=True)
class Copied:
    """One file as it was in the workspace; `sha256` is of these bytes, before anything is masked."""

    path: str
    content: bytes = field(repr=False)
    sha256: str


@dataclass(frozen=True)
class Refused:
    """A file, or a pattern, of which nothing was taken, and why."""

    path: str
    why: str
    required: bool = True

    def as_data(self) -> dict[str, Any]:
        """JSON-like data."""
        return asdict(self)


@dataclass(frozen=True)
class Listed:
    """What the workspace says of one path of a pattern."""

    path: str
    size: int
    problem: str = ""


def listing(directory: str, pattern: str) -> str:
    """A shell script that prints `SIZE PATH` or `!PROBLEM PATH`, NUL-separated, for what a pattern stands for."""
    # The pattern is expanded by the shell: quoted but for its wildcards.
    expanded = "".join(each if each in "*?[]" else shlex.quote(each) for each in pattern)
    return f"""cd -- {shlex.quote(directory)} || exit 1
root=$(pwd -P); count=0
for each in {expanded}; do
  [ -e "$each" ] || [ -L "$each" ] || continue
  count=$((count + 1)); [ $count -le {LARGEST_COUNT} ] || {{ printf '!too many %s\\0' "$each"; break; }}
  [ -e "$each" ] || {{ printf '!dangling %s\\0' "$each"; continue; }}
  real=$(readlink -f -- "$each" 2>/dev/null || realpath -- "$each" 2>/dev/null)
  case "$real" in
    "$root"/*) if [ -f "$real" ] && [ -r "$real" ]; then printf '%s %s\\0' $(($(wc -c <"$real"))) "$each"
      elif [ -d "$real" ]; then printf '!folder %s\\0' "$each"; else printf '!unreadable %s\\0' "$each"; fi ;;
    *) printf '!outside %s\\0' "$each" ;;
  esac
done
true"""


_PROBLEMS = {
    "!folder": "it is a folder; name files, such as with a pattern",
    "!unreadable": "it is not a plain file that can be read",
    "!dangling": "it is a symbolic link to nothing",
    "!outside": "it leads out of the checkout",
    "!too": f"the pattern stands for more than {LARGEST_COUNT} files",
}


def parse_listing(output: bytes) -> list[Listed]:
    """What the script of `listing` printed."""
    found = []
    for entry in output.split(b"\0"):
        first, _, path = entry.decode(errors="surrogateescape").partition(" ")
        if first.isdigit():
            found.append(Listed(path, int(first)))
        elif first in _PROBLEMS:
            found.append(Listed(path.removeprefix("many "), 0, _PROBLEMS[first]))
    return found


def copy_out(
    shell: Shell, directory: str, wanted: Iterable[EvidenceFile], total_bytes: int, deadline: Deadline
) -> tuple[list[Copied], list[Refused]]:
    """Take the files; what could not be taken is told, never left out in silence.

    Raises `WaitTimeout` and what the workspace cannot be reached with.
    """
    copied: list[Copied] = []
    refused: list[Refused] = []
    left = total_bytes
    for entry in wanted:
        what = f"looking for the evidence {entry.path}"
        found = parse_listing(ask_whole(shell, listing(directory, entry.path), deadline, what))
        if not found:
            refused.append(Refused(entry.path, "there is no such file", entry.required))
        for each in found:
            if problem := each.problem or _too_large(each, entry, left):
                refused.append(Refused(each.path, problem, entry.required))
                continue
            content = read_file(shell, f"{directory}/{each.path}", each.size, deadline)
            left -= len(content)
            copied.append(Copied(each.path, content, hashlib.sha256(content).hexdigest()))
    return copied, refused


def _too_large(found: Listed, entry: EvidenceFile, left: int) -> str:
    if found.size > entry.max_bytes:
        return f"it has {found.size} bytes, at most {entry.max_bytes} are taken"
    return (
        f"all evidence together would have more bytes than are taken ({left} left)"
        if found.size > left
        else ""
    )


def read_file(shell: Shell, path: str, size: int, deadline: Deadline) -> bytes:
    """The bytes of a file, read in parts. Raises `UnexpectedAnswer` when it is another size by then."""
    content = b"".join(_parts(shell, path, size, deadline))
    if len(content) != size:
        raise UnexpectedAnswer(
            f"{path} changed while it was read",
            expected=f"{size} bytes",
            seen=f"{len(content)} bytes",
            next_step="have the command end everything that writes to it",
        )
    return content


def _parts(shell: Shell, path: str, size: int, deadline: Deadline) -> Iterator[bytes]:
    for place in range(0, size, shell.limit):
        script = f"tail -c +{place + 1} -- {shlex.quote(path)} | head -c {shell.limit}"
        yield ask_whole(shell, script, deadline, f"reading {path}")


def require_taken(refused: Iterable[Refused], workspace: str) -> None:
    """Raise `ProductFailure` if evidence that is required was not taken."""
    missing = [each for each in refused if each.required]
    if missing:
        first = missing[0]
        raise ProductFailure(
            f"the evidence {first.path} cannot be taken: {first.why}",
            expected="a plain file inside the checkout, within the limits",
            seen="; ".join(f"{each.path}: {each.why}" for each in missing),
            where=f"workspace {workspace}",
            next_step="have the task's command write it there, or say in the task that it is not required",
        )
