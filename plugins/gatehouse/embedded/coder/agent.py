"""The workspace agent: connects when the pod is up, runs the start scripts and apps as real processes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded import clock
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.coder.provisioner import Provisioner
from gatehouse.embedded.coder.records import Agent, AppState, Build, Database, ScriptRun, Workspace
from gatehouse.embedded.coder.templates import fill_in
from gatehouse.embedded.kubernetes.conditions import pod_ready
from gatehouse.embedded.kubernetes.containers import Container
from gatehouse.embedded.kubernetes.host import end_process, free_port, http_answers
from gatehouse.embedded.kubernetes.kinds import POD
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.store import ObjectStore

#: Health checks until an app that runs is unhealthy, and until one that does not run is.
APP_CHECKS = 50
APP_THRESHOLD = 6


@dataclass
class AgentFaults:
    """What a scenario makes go wrong."""

    #: The agent never connects, though the pod runs.
    never_connects: bool = False
    #: Slugs of apps whose process is not started, so that the proxy answers 502.
    dead_apps: frozenset[str] = frozenset()
    #: Seconds for which the agent is late: Coder gives up on it, and then it connects all the same.
    connects_after: float | None = None
    #: Lines put in front of every start script.
    script_prefix: str = ""
    #: What the log of the builder says before the agent connects.
    builder_log: tuple[str, ...] = ()
    #: The version of the agent that is in the image, in place of the server's.
    version: str = ""
    #: Seconds after which an agent that was ready loses its connection.
    unhealthy_after: float | None = None
    #: Added to the environment of apps.
    app_environment: dict[str, str] = field(default_factory=dict)


class Agents:
    """Runs one agent for each started workspace, until its pod goes."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        kubelet: Kubelet,
        timings: Timings,
        owner: ProcessOwner,
    ) -> None:
        self._database = database
        self._store = store
        self._kubelet = kubelet
        self._timings = timings
        self._owner = owner
        self._tasks: set[asyncio.Task[None]] = set()
        self.provisioner: Provisioner | None = None
        self.faults = AgentFaults()

    def start(self, workspace: Workspace, build: Build) -> None:
        """Take up the agent of a start build."""
        task = asyncio.create_task(self._live(workspace, build))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def container(self, workspace: Workspace) -> Container | None:
        """The container a workspace's agent runs in, if it is up."""
        for pod in self._store.select(POD, workspace.namespace):
            running = self._kubelet.pods.get(pod["metadata"]["uid"])
            if running and running.containers and not pod["metadata"].get("deletionTimestamp"):
                return next(iter(running.containers.values()))
        return None

    async def _live(self, workspace: Workspace, build: Build) -> None:
        agent = build.agent
        assert agent
        container = await self._until_pod_runs(workspace, build)
        if container is None:
            return
        for line in self.faults.builder_log:
            agent.log.add(level="error", output=line, source_id=agent.id)
        if self.faults.never_connects:
            return
        if self.faults.connects_after is not None:
            agent.status = "timeout"
            self._database.touch()
            await pause(self.faults.connects_after)
        agent.version = self.faults.version or agent.version
        await pause(self._timings.agent_connect)
        agent.status, agent.first_connected_at = "connected", clock.microseconds()
        agent.last_connected_at = agent.started_at = clock.microseconds()
        agent.lifecycle_state = "starting"
        agent.expanded_directory = container.real(agent.directory)
        self._database.touch()
        processes: list[asyncio.subprocess.Process] = []
        try:
            failed = False
            for run in agent.scripts:
                failed = await self._run_script(workspace, build, agent, run, container) != 0 or failed
            agent.lifecycle_state = "start_error" if failed else "ready"
            agent.ready_at = clock.microseconds()
            self._database.touch()
            if self.faults.unhealthy_after is not None:
                losing = asyncio.create_task(self._lose(agent, self.faults.unhealthy_after))
                self._tasks.add(losing)
                losing.add_done_callback(self._tasks.discard)
            await asyncio.gather(*(self._start_app(app, container, agent, processes) for app in agent.apps))
            await self._until_pod_goes(workspace, build)
        finally:
            for process in processes:
                await end_process(process)
            agent.status, agent.lifecycle_state = "disconnected", "off"
            agent.disconnected_at = clock.microseconds()
            agent.log.finish()
            self._database.touch()

    async def _lose(self, agent: Agent, seconds: float) -> None:
        await pause(seconds)
        agent.cut = True
        self._database.touch()

    async def _until_pod_runs(self, workspace: Workspace, build: Build) -> Container | None:
        version = 0
        while workspace.latest is build:
            ready = any(pod_ready(pod) for pod in self._store.select(POD, workspace.namespace))
            if ready and (container := self.container(workspace)):
                return container
            version = await self._store.changed_since(version)
        return None

    async def _until_pod_goes(self, workspace: Workspace, build: Build) -> None:
        version = 0
        while workspace.latest is build and self.container(workspace):
            version = await self._store.changed_since(version)

    # --- scripts -------------------------------------------------------------------------------------

    async def _run_script(
        self, workspace: Workspace, build: Build, agent: Agent, run: ScriptRun, container: Container
    ) -> int:
        assert self.provisioner
        values = self.provisioner.values(workspace, build)
        text = container.real(self.faults.script_prefix + fill_in(run.script.text, values))
        environment = {
            **container.environment,
            "CODER": "true",
            "CODER_WORKSPACE_NAME": workspace.name,
            "CODER_AGENT_TOKEN": agent.token,
            **{
                name: container.real(fill_in(value, values))
                for name, value in build.version.environment.items()
            },
        }
        run.started_at = clock.microseconds()
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            text,
            cwd=container.working_folder,
            env=self._owner.environment(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        container.commands.add(process)
        assert process.stdout and process.stderr
        readers = [
            asyncio.create_task(_log_lines(process.stdout, agent, run, "info")),
            asyncio.create_task(_log_lines(process.stderr, agent, run, "error")),
        ]
        code = await process.wait()
        # A child in the background that holds the pipes open is cut off after ten seconds.
        await asyncio.wait(readers, timeout=10)
        container.commands.discard(process)
        run.exit_code, run.ended_at = code if code >= 0 else 128 - code, clock.microseconds()
        self._database.touch()
        return run.exit_code

    # --- apps ----------------------------------------------------------------------------------------

    async def _start_app(
        self, state: AppState, container: Container, agent: Agent, processes: list[asyncio.subprocess.Process]
    ) -> None:
        state.port = free_port()
        process = await self._app_process(state, container, agent)
        if process:
            processes.append(process)
        for check in range(APP_CHECKS):
            if await http_answers(state.port, state.app.health_path):
                state.health = "healthy"
                break
            if check >= APP_THRESHOLD and (process is None or process.returncode is not None):
                break  # nothing is there that could still become healthy
            await pause(self._timings.app_check)
        if state.health != "healthy":
            state.health = "unhealthy"
        self._database.touch()

    async def _app_process(
        self, state: AppState, container: Container, agent: Agent
    ) -> asyncio.subprocess.Process | None:
        """The app's program, or None where it is not to be started or this machine cannot run it."""
        if state.app.slug in self.faults.dead_apps:
            return None
        environment = {**container.environment, **self.faults.app_environment, "PORT": str(state.port)}
        command = [container.real(part) for part in state.app.command]
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=container.working_folder,
                env=self._owner.environment(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            words = f"{command[0]}: cannot execute binary file: {error.strerror}"
            agent.log.add(level="error", output=words, source_id=agent.id)
            return None


async def _log_lines(stream: asyncio.StreamReader, agent: Agent, run: ScriptRun, level: str) -> None:
    """One log entry a line; a line longer than a read is cut into several."""
    rest = b""
    while chunk := await stream.read(32 * 1024):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= 32 * 1024:
            lines, rest = [*lines, rest], b""
        for line in lines:
            agent.log.add(level=level, output=line.decode(errors="replace"), source_id=run.source_id)
    if rest:
        agent.log.add(level=level, output=rest.decode(errors="replace"), source_id=run.source_id)
