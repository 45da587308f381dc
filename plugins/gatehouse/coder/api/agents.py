"""Calls about agents: their logs, terminals, ports and apps."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from gatehouse.coder import calls
from gatehouse.coder.api.base import Calls
from gatehouse.coder.models import Agent, ListeningPort, ListeningPorts, LogLine, Workspace
from gatehouse.coder.sockets import Socket
from gatehouse.coder.terminal import Terminal
from gatehouse.coder.transport import RawAnswer
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import NotFound


class AgentCalls(Calls):
    """What is in a running workspace."""

    def agent(self, agent_id: str) -> Agent:
        """GET /api/v2/workspaceagents/{agent}."""
        return self._transport.read(calls.AGENT, Agent, agent=agent_id)

    def agent_log(self, agent_id: str, *, after: int = 0) -> list[LogLine]:
        """GET /api/v2/workspaceagents/{agent}/logs, those after the line with id `after`."""
        return self._transport.read_list(
            calls.AGENT_LOGS, LogLine, {"after": after} if after else None, agent=agent_id
        )

    def listening_ports(self, agent_id: str) -> list[ListeningPort]:
        """GET /api/v2/workspaceagents/{agent}/listening-ports; Coder leaves out its own and those below 9."""
        return self._transport.read(calls.LISTENING_PORTS, ListeningPorts, agent=agent_id).ports

    @contextmanager
    def open_terminal(
        self,
        agent_id: str,
        command: str = "",
        *,
        reconnect: str = "",
        height: int = 24,
        width: int = 80,
        timeout: float = 20.0,
    ) -> Iterator[Terminal]:
        """/api/v2/workspaceagents/{agent}/pty: a terminal with a command in it, or with the user's shell.

        `reconnect` is the id of one that was opened before. `timeout` is for the connection, in seconds. Raises
        what the server refuses with; needs `workspace:ssh`.
        """
        name = reconnect or str(uuid.uuid4())
        query: dict[str, str | int] = {
            "reconnect": name,
            "command": command,
            "height": height,
            "width": width,
        }
        where = f"WebSocket {calls.TERMINAL.at(agent=agent_id)}"
        with self._transport.socket(calls.TERMINAL, query, timeout=timeout, agent=agent_id) as socket:
            yield Terminal(socket, name, where)

    def terminal(self, agent_id: str, command: str, reconnect: str = "", timeout: float = 20.0) -> str:
        """Run a command in a web terminal until it ends; what it printed, without an exit code.

        Raises `Unreachable` with what it has printed so far if it takes longer than `timeout` seconds.
        """
        deadline = Deadline.after(timeout, self._transport.clock)
        with self.open_terminal(agent_id, command, reconnect=reconnect, timeout=timeout) as terminal:
            return terminal.read_all(deadline)

    def app(
        self, workspace: Workspace, slug: str, path: str = "", query: Mapping[str, str | int] | None = None
    ) -> RawAnswer:
        """GET an application through Coder's own proxy, by its path URL; the answer as it came, of any status.

        Raises `Unreachable` if none came.
        """
        return self._transport.raw(calls.PATH_APP, self._app_path(workspace, slug) + path, query)

    def app_socket(
        self,
        workspace: Workspace,
        slug: str,
        path: str = "",
        query: Mapping[str, str | int] | None = None,
        *,
        timeout: float = 10.0,
    ) -> AbstractContextManager[Socket]:
        """A WebSocket to an application through Coder's own proxy. Raises what answers in place of the upgrade."""
        return self._transport.socket(
            calls.PATH_APP_SOCKET,
            query,
            timeout=timeout,
            below=path,
            **self._app_address(workspace, slug),
        )

    def app_url(self, workspace: Workspace, slug: str) -> str:
        """The path URL of an application, for a browser that is signed in."""
        return self._transport.url + self._app_path(workspace, slug)

    def _app_path(self, workspace: Workspace, slug: str) -> str:
        return calls.PATH_APP.at(**self._app_address(workspace, slug))

    @staticmethod
    def _app_address(workspace: Workspace, slug: str) -> dict[str, str]:
        agent = workspace.agent
        if agent is None:
            raise NotFound(
                f"the workspace {workspace.name} has no agent, so it has no app {slug}",
                seen=f"status {workspace.latest_build.status}",
                next_step="start it, and read it again",
            )
        return {
            "owner": workspace.owner_name,
            "workspace": workspace.name,
            "agent": agent.name,
            "slug": slug,
        }
