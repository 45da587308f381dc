"""Asks a workspace something: a shell script in, its output and exit code out, over one of two ways."""

from __future__ import annotations

import base64
import binascii
import secrets
import shlex
from dataclasses import dataclass
from typing import Protocol

from gatehouse.coder.client import CoderClient
from gatehouse.coder.commands import run_in_workspace
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    GatehouseError,
    InfrastructureError,
    NotFound,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)
from gatehouse.kube.client import PODS, Cluster
from gatehouse.kube.exec import run_in_pod

#: Characters of a script that fit into the address of a terminal, and of one part of a longer one.
TERMINAL_SCRIPT = 2500

#: Characters of a script that proxies let through as part of the address of an exec.
LONGEST_ARGUMENT = 6000

#: Seconds between two attempts to get an answer.
PAUSE = 0.5

#: Seconds that one answer may take longer than what it waits for.
MARGIN = 20.0


@dataclass(frozen=True)
class Answer:
    """What a script printed, and its exit code: None, with the reason, when it is not known."""

    stdout: bytes
    stderr: bytes
    exit_code: int | None
    source: str

    @property
    def words(self) -> str:
        """The end of what it said, errors first."""
        return (self.stderr or self.stdout).decode(errors="replace").strip()[-400:]


class Shell(Protocol):
    """A way into a workspace."""

    #: `exec` or `terminal`.
    name: str
    #: Bytes of a stream that one answer can carry.
    limit: int

    def ask(self, script: str, deadline: Deadline) -> Answer:
        """Run a script with `sh`, without input. Raises `Unreachable`, `NotFound`, and what is refused."""

    def why_gone(self) -> str:
        """Why the other side is not there any more, in the cluster's words; '' if it is there or nobody knows."""


class ExecShell:
    """Kubernetes `pods/exec`: streams apart, any bytes, and the exit code from the API server."""

    name = "exec"
    limit = 4 * 1024 * 1024

    def __init__(self, cluster: Cluster, namespace: str, pod: str, container: str | None = None) -> None:
        self._cluster, self._namespace, self._pod, self._container = cluster, namespace, pod, container

    def ask(self, script: str, deadline: Deadline) -> Answer:
        """As `Shell`. A long script travels as input: what is an argument is part of an address."""
        argv, data = ["sh", "-c", script], b""
        if len(script) > LONGEST_ARGUMENT:
            data = script.encode()
            argv = ["sh", "-c", f'script=$(head -c {len(data)}) && exec sh -c "$script" </dev/null']
        result = run_in_pod(
            self._cluster,
            self._namespace,
            self._pod,
            argv,
            deadline,
            container=self._container,
            stdin=data,
        )
        return Answer(result.stdout, result.stderr, result.exit_code, result.exit_code_source)

    def why_gone(self) -> str:
        """As `Shell`."""
        pod = self._cluster.get(PODS, self._pod, self._namespace)
        if pod is None:
            return f"the pod {self._namespace}/{self._pod} is gone"
        status = pod.get("status", {})
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") in ("Failed", "Succeeded"):
            words = ": ".join(str(status[key]) for key in ("reason", "message") if status.get(key))
            return f"the pod {self._namespace}/{self._pod} was ended ({words or 'it is being deleted'})"
        for container in status.get("containerStatuses") or []:
            ended = (container.get("lastState") or {}).get("terminated") or {}
            if ended and container.get("restartCount"):
                return (
                    f"the container {container['name']} of pod {self._namespace}/{self._pod} was ended "
                    f"({ended.get('reason', 'no reason given')}, exit code {ended.get('exitCode', '?')})"
                )
        return ""


class TerminalShell:
    """Coder's web terminal, for who has nothing but a token. Slow and small; output comes back in base64."""

    name = "terminal"
    limit = 96 * 1024

    def __init__(self, coder: CoderClient, agent_id: str) -> None:
        self._coder, self._agent = coder, agent_id

    def ask(self, script: str, deadline: Deadline) -> Answer:
        """As `Shell`."""
        if len(script) > TERMINAL_SCRIPT:
            script = self._uploaded(script, deadline)
        wrapped = (
            f"out=$(mktemp) && err=$(mktemp) || exit 1\nsh -c {shlex.quote(script)} >$out 2>$err </dev/null; code=$?\n"
            f"head -c {self.limit + 4096} $out | base64; echo .; tail -c 4096 $err | base64; echo .; echo $code\n"
            "rm -f $out $err"
        )
        printed = run_in_workspace(
            self._coder, self._agent, wrapped, timeout=max(1.0, deadline.remaining), clock=deadline.clock
        )
        try:
            out, err, code = _sections(printed.output if printed.ok else "")
            return Answer(_decoded(out), _decoded(err), int(code), "the shell in the web terminal")
        except (ValueError, binascii.Error) as error:
            raise UnexpectedAnswer(
                "the terminal's answer is not whole",
                seen=printed.output.strip()[-300:],
                where=f"agent {self._agent}",
                next_step="are base64, head, tail and mktemp in the workspace's image?",
            ) from error

    def _uploaded(self, script: str, deadline: Deadline) -> str:
        """Write a script that is too long for an address into a file, part by part; gives the one that runs it."""
        path = f"/tmp/gatehouse-{secrets.token_hex(8)}.sh"  # noqa: S108 - a name nobody can know before
        encoded = base64.b64encode(script.encode()).decode()
        size = TERMINAL_SCRIPT - 200  # a part is in a script itself
        for place in range(0, len(encoded), size):
            part = encoded[place : place + size]
            self.ask(f"umask 077; printf %s '{part}' >>{path}", deadline)
        return f'text=$(base64 -d <{path}); rm -f {path}; exec sh -c "$text"'

    def why_gone(self) -> str:
        """As `Shell`."""
        agent = self._coder.agent(self._agent)
        return "" if agent.status == "connected" else f"the agent is {agent.status}, {agent.lifecycle_state}"


def _sections(output: str) -> list[str]:
    """The texts between lines that hold nothing but a full stop."""
    sections: list[str] = [""]
    for line in output.splitlines():
        if line == ".":
            sections.append("")
        else:
            sections[-1] += line
    return sections


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


#: After these the other side may still be there.
CUT = (Unreachable, UnexpectedAnswer, NotFound)


def ask_whole(shell: Shell, script: str, deadline: Deadline, what: str) -> bytes:
    """What a script prints, asked again as long as its answer is cut: it must not mind to run twice.

    Raises `InfrastructureError` with its words when it fails, and what the other side cannot be reached with.
    """
    mark = secrets.token_hex(8)
    marked = f"( {script}\n)\nprintf '\\n%s %s\\n' {mark} $?"
    while True:
        problem: GatehouseError | None = None
        try:
            answer = shell.ask(marked, deadline)
        except (*CUT, Transient) as error:
            problem = error
        else:
            output, _, code = answer.stdout.rpartition(f"\n{mark} ".encode())
            if code.strip() == b"0":
                return output
            if code.strip():
                raise InfrastructureError(
                    f"{what}: the workspace's shell ended with {code.decode().strip()}",
                    seen=(answer.stderr or output).decode(errors="replace").strip()[-400:],
                    next_step="open a terminal in a workspace of the same template and try it there",
                )
            problem = Unreachable(f"{what}: the answer was cut", seen=answer.source)
        if deadline.remaining <= PAUSE:
            raise problem
        deadline.clock.sleep(PAUSE)
