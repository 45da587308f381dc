"""The provisioner daemon: takes build jobs and makes workspaces in the cluster, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.coder.records import Agent, AppState, Build, Database, ScriptRun, Workspace
from gatehouse.embedded.coder.templates import fill_in
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import CLAIM, DEPLOYMENT, NAMESPACE, VOLUME, kind_of
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore

DAEMON = "provisioner-1"


@dataclass
class ProvisionerFaults:
    """What a scenario makes go wrong."""

    #: No daemon takes jobs: builds stay pending.
    offline: bool = False
    #: A daemon is there for jobs, but never takes one.
    stuck: bool = False
    #: Builds of this transition never end.
    hanging: str = ""
    #: Terraform's words for builds of this transition; only so many of them fail where that is said.
    errors: dict[str, str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    #: Terraform's words for any build of workspaces with these ids.
    errors_of: dict[str, str] = field(default_factory=dict)
    #: Builds make resources without an agent.
    no_agents: bool = False
    #: What a delete leaves behind, though the build succeeds: kinds of object, or `Kind/namespace`.
    leaves_behind: set[str] = field(default_factory=set)
    #: A delete succeeds as soon as everything is marked for deletion, whatever keeps it from going.
    does_not_wait: bool = False


class Provisioner:
    """Runs the builds of a deployment; `on_started` is called with each agent that a start build makes."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        timings: Timings,
        version: str,
        on_started: Callable[[Workspace, Build], None],
    ) -> None:
        self._database = database
        self._store = store
        self._timings = timings
        #: What new agents are.
        self.version = version
        self._on_started = on_started
        self._tasks: set[asyncio.Task[None]] = set()
        self.faults = ProvisionerFaults()
        self.url = ""

    def enqueue(self, workspace: Workspace, build: Build) -> None:
        """Take up a build."""
        task = asyncio.create_task(self._run(workspace, build))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, workspace: Workspace, build: Build) -> None:
        job = build.job
        await pause(self._timings.build_queue)
        while (
            self.faults.offline
            or self.faults.stuck
            or any(other.job.status == "running" for other in workspace.builds if other is not build)
        ):
            await pause(self._timings.build_queue)
        if job.status == "canceled":
            return
        job.status, job.started_at = "running", clock.microseconds()
        job.worker_id, job.worker_name = self._database.deployment_id, DAEMON
        self._database.touch()
        try:
            await self._apply(workspace, build)
        except ApiError as error:
            self._fail(build, f"terraform apply: exit status 1: {error.message}")
        else:
            self._succeed(workspace, build)
        build.log.finish()
        self._database.touch()

    async def _apply(self, workspace: Workspace, build: Build) -> None:
        self._log(build, "Setting up", "")
        self._log(build, "Initializing Terraform Directory", "Initializing the backend...")
        await pause(self._timings.build_apply / 3)
        self._log(build, "Planning Infrastructure", "Terraform v1.13.4")
        await pause(self._timings.build_apply / 3)
        if self.faults.hanging == build.transition:
            self._log(build, "Starting Workspace", "kubernetes_pod.dev: Still creating... [10s elapsed]")
            await asyncio.Event().wait()
        if message := self.faults.errors_of.get(workspace.id) or self._error(build.transition):
            raise ApiError(500, "InternalError", message)
        values = self.values(workspace, build)
        if build.transition == "start":
            for manifest in [*build.version.always, *build.version.started]:
                self._create(workspace, build, fill_in(copied(manifest), values))
        elif build.orphan:
            self._log(build, "Cleaning Up", "orphaning resources: state was dropped, nothing was destroyed")
        else:
            await self._destroy(workspace, build, values)
        await pause(self._timings.build_apply / 3)

    def _error(self, transition: str) -> str | None:
        """Terraform's words if this build is to fail."""
        left = self.faults.failures.get(transition)
        if left == 0:
            return None
        if left:
            self.faults.failures[transition] = left - 1
        return self.faults.errors.get(transition)

    def values(self, workspace: Workspace, build: Build) -> dict[str, str]:
        """What the placeholders of a template stand for in this build."""
        return {
            "workspace_id": workspace.id,
            "workspace_name": workspace.name,
            "owner": workspace.owner.username,
            "owner_id": workspace.owner.id,
            "namespace": workspace.namespace,
            "template_name": workspace.template.name,
            "access_url": self.url,
            **{f"parameter.{name}": value for name, value in build.parameters.items()},
        }

    def _create(self, workspace: Workspace, build: Build, manifest: dict[str, Any]) -> None:
        """Make an object that is not in the workspace's state yet. Raises `ApiError` where another has made it."""
        kind = kind_of(manifest)
        metadata = manifest["metadata"]
        address = f"kubernetes_{kind.name.lower()}.{metadata['name']}"
        key = (kind.name, metadata.get("namespace", ""), metadata["name"])
        if key in workspace.state and self._store.find(kind, key[1], key[2]):
            self._log(build, "Starting Workspace", f"{address}: Refreshing state...")
            return
        self._store.create(kind, manifest, key[1])
        workspace.state.add(key)
        self._log(build, "Starting Workspace", f"{address}: Creation complete after 0s")

    async def _destroy(self, workspace: Workspace, build: Build, values: dict[str, str]) -> None:
        manifests = [*build.version.started]
        if build.transition == "delete":
            manifests += reversed(build.version.always)
        stage = "Deleting Workspace" if build.transition == "delete" else "Stopping Workspace"
        filled = fill_in(copied(manifests), values)
        kept_within = {each["metadata"].get("namespace") for each in filled if self._stays(each)}
        for manifest in filled:
            kind, metadata = kind_of(manifest), manifest["metadata"]
            key = (kind.name, metadata.get("namespace", ""), metadata["name"])
            kept = self._stays(manifest) or (kind is NAMESPACE and key[2] in kept_within)
            if not kept and key in workspace.state and self._store.find(kind, key[1], key[2]):
                self._store.delete(kind, key[1], key[2])
            workspace.state.discard(key)
            self._log(build, stage, f"kubernetes_{kind.name.lower()}.{key[2]}: Destruction complete after 1s")
        if build.transition == "delete" and not (self.faults.leaves_behind or self.faults.does_not_wait):
            await self._until_gone(workspace.namespace)

    def _stays(self, manifest: dict[str, Any]) -> bool:
        kind, namespace = manifest["kind"], manifest["metadata"].get("namespace", "")
        return not self.faults.leaves_behind.isdisjoint({kind, f"{kind}/{namespace}"})

    async def _until_gone(self, namespace: str) -> None:
        """Terraform waits for the namespace, and with it for everything inside and for its volumes."""
        version = 0
        while (
            self._store.find(NAMESPACE, "", namespace)
            or self._store.select(CLAIM, namespace)
            or self._store.select(DEPLOYMENT, namespace)
            or any(each["spec"]["claimRef"]["namespace"] == namespace for each in self._store.select(VOLUME))
        ):
            version = await self._store.changed_since(version)

    def _succeed(self, workspace: Workspace, build: Build) -> None:
        build.job.status, build.job.completed_at = "succeeded", clock.microseconds()
        if build.transition == "start":
            if workspace.ttl_ms:
                build.deadline = clock.now() + timedelta(milliseconds=workspace.ttl_ms)
            if self.faults.no_agents:
                return
            version = build.version
            build.agent = Agent(
                directory=fill_in(version.agent_directory, self.values(workspace, build)),
                apps=[AppState(app) for app in version.apps],
                scripts=[ScriptRun(script) for script in version.scripts],
                version=self.version,
            )
            self._on_started(workspace, build)
        elif build.transition == "delete":
            workspace.deleted = True

    def _fail(self, build: Build, message: str) -> None:
        self._log(build, "Starting Workspace", f"Error: {message}", "error")
        build.job.status, build.job.error, build.job.completed_at = "failed", message, clock.microseconds()

    def _log(self, build: Build, stage: str, output: str, level: str = "info") -> None:
        build.log.add(log_source="provisioner", log_level=level, stage=stage, output=output)
