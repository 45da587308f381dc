"""The application controller: compares, judges the health of each Application, and has it synced."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.application_sets import FINALIZER
from gatehouse.embedded.argocd.auto_sync import decide
from gatehouse.embedded.argocd.faults import Faults
from gatehouse.embedded.argocd.health import health_of, worst
from gatehouse.embedded.argocd.manifests import (
    ManifestError,
    annotation,
    differs,
    render,
    tracked_by,
    wave_of,
)
from gatehouse.embedded.argocd.record import ApplicationRecord
from gatehouse.embedded.argocd.sync import Sync
from gatehouse.embedded.argocd.targets import (
    Target,
    conditions,
    hook_types,
    live_object,
    resource_entry,
    surplus,
)
from gatehouse.embedded.argocd.tree import resource_tree
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.code_host.repositories import GitError
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import APP_PROJECT, APPLICATION, Object, kind_of
from gatehouse.embedded.kubernetes.store import ObjectStore

REFRESH = "argocd.argoproj.io/refresh"

#: An Application with this annotation is left alone altogether, its deletion included.
SKIP_RECONCILE = "argocd.argoproj.io/skip-reconcile"

#: Seconds between two times that rewritten Applications are shown again.
REWRITE_PERIOD = 0.1


@dataclass
class _Operations:
    """The operations on one Application: the one that runs, and when (by the loop's clock) the last one ended."""

    running: asyncio.Task[None] | None = None
    ended_at: float = 0.0


class ApplicationController:
    """One task an Application. All writes go to the Application object in the store, as in a real cluster."""

    def __init__(self, store: ObjectStore, projects: dict[str, Project], timings: Timings) -> None:
        self._store = store
        self._projects = projects
        self._timings = timings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._records: dict[str, ApplicationRecord] = {}
        self._started_at = 0.0
        self.faults = Faults()

    async def run(self) -> None:
        """Take up new Applications for ever."""
        self._started_at = asyncio.get_running_loop().time()
        showing = asyncio.create_task(self._show_again())
        version = 0
        try:
            while True:
                version = await self._store.changed_since(version)
                for application in self._store.select(APPLICATION):
                    uid = application["metadata"]["uid"]
                    if uid not in self._tasks or self._tasks[uid].done():
                        record = ApplicationRecord(self._store, self.faults, application, self._elapsed)
                        self._records[uid] = record
                        self._tasks[uid] = asyncio.create_task(self._live(record))
                for uid in [uid for uid, task in self._tasks.items() if task.done()]:
                    del self._tasks[uid], self._records[uid]
        finally:
            showing.cancel()
            for task in self._tasks.values():
                task.cancel()

    def _elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self._started_at

    async def _show_again(self) -> None:
        while True:
            await pause(REWRITE_PERIOD)
            for record in list(self._records.values()):
                record.show_again()

    async def _live(self, record: ApplicationRecord) -> None:
        target: Target | None = None
        compared_at = 0.0
        loop = asyncio.get_running_loop()
        operations = _Operations()
        version = 0
        try:
            while (application := record.find()) is not None:
                wait = self._timings.application_poll
                if annotation(application, SKIP_RECONCILE) == "true":
                    pass
                elif application["metadata"].get("deletionTimestamp"):
                    break
                else:
                    due = loop.time() - compared_at > self._timings.application_poll
                    refresh = annotation(application, REFRESH)
                    if target is None or target.spec != application["spec"] or refresh or due:
                        target = await self._compare(record, application)
                        compared_at = loop.time()
                    wait = min(wait, self._judge(record, target, operations) or wait)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        version = await self._store.changed_since(version)
                        await pause(self._timings.event_batch)
        finally:
            if operations.running:
                operations.running.cancel()
        if application is not None:
            await self._cascade(application)

    # --- compare -------------------------------------------------------------------------------------

    async def _compare(self, record: ApplicationRecord, application: Object) -> Target:
        """A full comparison: resolve the revision, render the manifests, write down what was compared."""
        started = clock.whole_seconds()
        spec = copied(application["spec"])
        await pause(self._timings.application_compare + self.faults.slow.get(record.name, 0.0))
        target = Target(spec, spec["source"].get("targetRevision", "HEAD"))
        if not self._store.find(APP_PROJECT, record.namespace, spec["project"]):
            target.invalid = f"Application referencing project {spec['project']} which does not exist"
        else:
            self._load(target, record.name)
        if present := record.find():
            (present["metadata"].get("annotations") or {}).pop(REFRESH, None)
            self._set_compared(present.setdefault("status", {}), target, started)
            record.write(present)
        return target

    def _load(self, target: Target, name: str) -> None:
        source = target.spec["source"]
        try:
            if message := self.faults.comparison_errors.get(name):
                raise ManifestError(message)
            repository = self._project(source["repoURL"]).repository
            wanted = source.get("targetRevision", "HEAD")
            target.revision = repository.resolve("main" if wanted == "HEAD" else wanted)
            namespace = target.spec["destination"]["namespace"]
            for item in render(repository, target.revision, source, name, namespace):
                (target.hooks if hook_types(item) else target.objects).append(item)
        except (ManifestError, GitError, KeyError) as error:
            # As in Argo CD, the revision then shows what was asked for, unresolved.
            target.error = str(error) or "unable to resolve revision"

    @staticmethod
    def _set_compared(status: Object, target: Target, started: str) -> None:
        if target.invalid:  # not compared at all, so that what was compared before stays
            status["sync"] = {"comparedTo": {"source": {"repoURL": ""}, "destination": {}}} | status.get(
                "sync", {}
            )
            return
        compared = ("source", "destination", "ignoreDifferences")
        status["reconciledAt"] = started
        status["sync"] = {**status.get("sync", {"status": "Unknown"}), "revision": target.revision}
        status["sync"]["comparedTo"] = {key: target.spec[key] for key in compared if key in target.spec}
        status["sourceType"] = "Kustomize" if "kustomize" in target.spec["source"] else "Directory"
        status["resourceHealthSource"] = "appTree"
        status["conditions"] = conditions(status, {"ComparisonError": target.error})

    def _project(self, repo_url: str) -> Project:
        path = urlsplit(repo_url).path.strip("/").removesuffix(".git")
        if path not in self._projects:
            raise ManifestError(f"failed to get git client for repo {repo_url}: repository not found")
        return self._projects[path]

    def _judge(self, record: ApplicationRecord, target: Target, operations: _Operations) -> float:
        """Update sync and health from the live objects, and start a sync where the policy asks for it.

        Returns after how many seconds to look again, 0 for after the next change.
        """
        application = record.find()
        if application is None or application["spec"] != target.spec:
            return 0.0
        status = application.setdefault("status", {})
        if target.invalid:
            status["sync"]["status"] = "Unknown"
            self._set_health(status, "Unknown")
            status["conditions"] = conditions(status, {"InvalidSpecError": target.invalid})
            record.write(application)
            return 0.0
        shared, healths = self._set_resources(status, target, record)
        in_sync = all(each.get("status") in (None, "Synced") for each in status["resources"])
        status["sync"]["status"] = "Unknown" if target.error else "Synced" if in_sync else "OutOfSync"
        self._set_health(status, "Unknown" if target.error and not healths else worst(healths))
        status["summary"] = self._summary(record.name, target)
        decision = None
        busy = operations.running is not None and not operations.running.done()
        closed = record.name in self.faults.closed_windows
        if status["sync"]["status"] == "OutOfSync" and not busy and not closed:
            since_last = asyncio.get_running_loop().time() - operations.ended_at
            decision = decide(application, target, since_last, self._timings.self_heal)
        messages = {
            "InvalidSpecError": "",
            "SharedResourceWarning": shared,
            "SyncError": decision.error if decision else "",
        }
        status["conditions"] = conditions(status, messages)
        record.write(application)
        if decision and decision.operation:
            sync = Sync(self._store, self._timings, self.faults, record, target, decision.operation)
            operations.running = asyncio.create_task(self._operate(sync, operations))
        return decision.wait if decision else 0.0

    async def _operate(self, sync: Sync, operations: _Operations) -> None:
        await sync.run()
        operations.ended_at = asyncio.get_running_loop().time()

    def _set_resources(
        self, status: Object, target: Target, record: ApplicationRecord
    ) -> tuple[str, list[str]]:
        """List the objects; returns which of them another Application owns, and the health of each."""
        resources, healths, shared = [], [], ""
        for wanted in target.objects:
            kind, live = kind_of(wanted), live_object(self._store, wanted)
            owner = tracked_by(live) if live else ""
            in_sync = live is not None and owner == record.name and not differs(wanted, live)
            entry = resource_entry(kind, wanted) | {"status": "Synced" if in_sync else "OutOfSync"}
            if wave := wave_of(wanted):
                entry["syncWave"] = wave
            resources.append(entry)
            if health := health_of(live):
                healths.append(health[0])
            if owner and owner != record.name:
                applications = f"{record.namespace}/{record.name} and {owner}"
                shared = f"{kind.name}/{wanted['metadata']['name']} is part of applications {applications}"
        for kind, item in surplus(self._store, target, record.name):
            # A hook that has run is listed, but it does not make the Application OutOfSync.
            how = {"hook": True} if hook_types(item) else {"status": "OutOfSync"}
            resources.append(resource_entry(kind, item) | how | {"requiresPruning": True})
        if "Missing" in healths and set(healths) != {"Missing"}:
            # Since 3.4 a missing resource counts only when all are missing; OutOfSync is what shows it.
            healths = [each for each in healths if each != "Missing"]
        status["resources"] = resources
        return shared, healths

    @staticmethod
    def _set_health(status: Object, health: str) -> None:
        if status.get("health", {}).get("status") != health:
            status["health"] = {"status": health, "lastTransitionTime": clock.whole_seconds()}

    def _summary(self, name: str, target: Target) -> Object:
        nodes = resource_tree(self._store, name)["nodes"]
        images = sorted({image for node in nodes for image in node.get("images", [])})
        hosts = [
            host
            for item in target.objects
            if item["kind"] == "HTTPRoute"
            for host in item["spec"]["hostnames"]
        ]
        return {"images": images} | ({"externalURLs": [f"http://{host}/" for host in hosts]} if hosts else {})

    # --- delete --------------------------------------------------------------------------------------

    async def _cascade(self, application: Object) -> None:
        """Delete what the Application tracks, wait until it is gone, then let the Application go."""
        metadata = application["metadata"]
        version = 0
        while True:
            tracked = [pair for pair in self._store.everything() if tracked_by(pair[1]) == metadata["name"]]
            for kind, item in tracked:
                if not item["metadata"].get("deletionTimestamp"):
                    self._store.delete(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            if not tracked:
                break
            version = await self._store.changed_since(version)
        self._store.remove_finalizer(APPLICATION, application, FINALIZER)
