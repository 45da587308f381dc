"""Why a web editor does not answer though its pod runs: asked inside the workspace, judged here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatehouse.coder.elf import HEADER_BYTES, machine_of, same_machine


def questions(folders: Sequence[str]) -> str:
    """A shell script that prints what `parse_facts` reads: processor, installed programs, processes, open ports.

    Only processes of programs in `folders` count; `$HOME` in a folder is the user's.
    """
    quoted = " ".join(shlex.quote(each).replace("$HOME", "'\"$HOME\"'") for each in folders)
    return f"""echo "machine=$(uname -m)"
for folder in {quoted}; do
  [ -d "$folder" ] || continue
  echo "folder=$folder"
  find -L "$folder" -maxdepth 5 -type f -name node 2>/dev/null | head -n 4 | while read -r program; do
    echo "program=$(head -c {HEADER_BYTES} "$program" | od -An -v -tx1 | tr -d ' \\n') $program"
  done
  for process in /proc/[0-9]*; do
    tr '\\0' ' ' < "$process/cmdline" 2>/dev/null | grep -qF "$folder/" || continue
    echo "process=${{process#/proc/}}"
    for open in "$process"/fd/*; do
      case "$(readlink "$open" 2>/dev/null)" in socket:*) readlink "$open";; esac
    done | tr -d 'socket:[]' | while read -r inode; do echo "socket=$inode"; done
  done
done
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _ _ _ _ _ inode _; do
  [ "$state" = 0A ] && echo "listening=$inode ${{local##*:}}"
done
true"""


@dataclass(frozen=True)
class Program:
    """An installed program and the first bytes of its file."""

    path: str
    header: bytes


@dataclass(frozen=True)
class EditorFacts:
    """What was found in the workspace."""

    #: The processor, as `uname -m` says.
    machine: str
    #: Those of the folders asked about that are there.
    folders: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()
    #: Ids of processes of the editor, and the ports that they listen on.
    processes: tuple[int, ...] = ()
    ports: tuple[int, ...] = ()


def parse_facts(text: str) -> EditorFacts:
    """What the script of `questions` printed."""
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals:
            said.setdefault(name, []).append(value)
    programs = []
    for each in said.get("program", []):
        digits, _, path = each.partition(" ")
        if re.fullmatch(r"(?:[0-9a-f]{2})+", digits):
            programs.append(Program(path, bytes.fromhex(digits)))
    sockets = set(said.get("socket", []))
    listening = (each.split() for each in said.get("listening", []))
    ports = {int(port, 16) for inode, port in listening if inode in sockets}
    return EditorFacts(
        machine=next(iter(said.get("machine", [])), ""),
        folders=tuple(dict.fromkeys(said.get("folder", []))),
        programs=tuple(dict.fromkeys(programs)),
        processes=tuple(int(each) for each in dict.fromkeys(said.get("process", [])) if each.isdigit()),
        ports=tuple(sorted(ports)),
    )


@dataclass(frozen=True)
class EditorCause:
    """Why the editor does not answer, and the remedy."""

    words: str
    remedy: str


def cause_of(facts: EditorFacts, port: int | None, log: Iterable[str] = ()) -> EditorCause:
    """The cause, from what was found in the workspace; `port` is the app's, `log` the agent's log."""
    for program in facts.programs:
        made_for = machine_of(program.header)
        if made_for and not same_machine(made_for, facts.machine):
            folder = next(
                (each for each in facts.folders if program.path.startswith(f"{each}/")), program.path
            )
            return EditorCause(
                f"the installed {program.path} is made for {made_for}, and the workspace runs on {facts.machine}: "
                "a cached install of another architecture",
                f"remove the cache folder {folder} in the workspace and restart it, so that it is installed anew; "
                "have the template keep a folder for each architecture",
            )
    said = next((line.strip() for line in log if _TELLING.search(line)), "")
    also = f"; the log says: {said}" if said else ""
    if facts.processes and port and facts.ports and port not in facts.ports:
        listens = ", ".join(map(str, facts.ports))
        return EditorCause(
            f"the editor listens on port {listens}, and the app's address has port {port}{also}",
            "give the template's coder_app the port that the editor is started with",
        )
    if facts.processes:
        return EditorCause(
            f"the editor's process {facts.processes[0]} runs, but does not answer on port {port or '?'}{also}",
            "read the editor's own log in the workspace, and restart it there",
        )
    if not facts.folders:
        return EditorCause(
            f"the editor is not installed in any of the folders it was looked for{also}",
            "read the agent's log for its installation; name its folder in coder.editor_folders",
        )
    return EditorCause(
        f"the editor's process is not running{also}",
        "read the agent's log for how it was started; remove its cache folder "
        f"({facts.folders[0]}) and restart the workspace",
    )


#: What an agent's log says of an editor that does not start.
_TELLING = re.compile(
    r"[Ee]xec format error|cannot execute|EADDRINUSE|No space left on device|(?:code-server|openvscode).*"
    r"(?:[Ee]rror|not found|No such file)",
)
