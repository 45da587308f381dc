"""The application controller: compares, syncs and judges the health of each Application."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.application_sets import FINALIZER
from gatehouse.embedded.argocd.health import health_of, worst
from gatehouse.embedded.argocd.manifests import ManifestError, apply_order, differs, render, tracked_by
from gatehouse.embedded.argocd.tree import resource_tree
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.code_host.repositories import GitError
from gatehouse.embedded.kubernetes.api import merge_patch
from gatehouse.embedded.kubernetes.kinds import APPLICATION, Kind, Object, kind_of
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore

REFRESH = "argocd.argoproj.io/refresh"

#: Attempts that auto-sync adds after the first when the Application does not set `syncPolicy.retry`.
RETRIES = 5


@dataclass
class _Target:
    """What was compared last: the spec and commit asked for, and the objects they stand for."""

    spec: Object
    revision: str
    objects: list[Object] = field(default_factory=list)
    error: str = ""


@dataclass
class Faults:
    """What a scenario makes go wrong, by Application name."""

    comparison_errors: dict[str, str] = field(default_factory=dict)
    sync_errors: dict[str, str] = field(default_factory=dict)
    #: Seconds that an Application's comparison takes longer than others'.
    slow: dict[str, float] = field(default_factory=dict)


class ApplicationController:
    """One task an Application. All writes go to the Application object in the store, as in a real cluster."""

    def __init__(self, store: ObjectStore, projects: dict[str, Project], timings: Timings) -> None:
        self._store = store
        self._projects = projects
        self._timings = timings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.faults = Faults()

    async def run(self) -> None:
        """Take up new Applications for ever."""
        version = 0
        try:
            while True:
                version = await self._store.changed_since(version)
                for application in self._store.select(APPLICATION):
                    uid = application["metadata"]["uid"]
                    if uid not in self._tasks or self._tasks[uid].done():
                        live = self._live(
                            application["metadata"]["namespace"], application["metadata"]["name"], uid
                        )
                        self._tasks[uid] = asyncio.create_task(live)
                for uid in [uid for uid, task in self._tasks.items() if task.done()]:
                    del self._tasks[uid]
        finally:
            for task in self._tasks.values():
                task.cancel()

    async def _live(self, namespace: str, name: str, uid: str) -> None:
        target: _Target | None = None
        compared_at = 0.0
        loop = asyncio.get_running_loop()
        version = 0
        while (application := self._find(namespace, name, uid)) is not None:
            if application["metadata"].get("deletionTimestamp"):
                await self._cascade(application)
                return
            refresh = application["metadata"].get("annotations", {}).get(REFRESH)
            due = loop.time() - compared_at > self._timings.application_poll
            if target is None or target.spec != application["spec"] or refresh or due:
                target = await self._compare(application)
                compared_at = loop.time()
            await self._judge(namespace, name, uid, target)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timings.application_poll):
                    version = await self._store.changed_since(version)
                    await pause(self._timings.event_batch)

    def _find(self, namespace: str, name: str, uid: str) -> Object | None:
        found = self._store.find(APPLICATION, namespace, name)
        return found if found and found["metadata"]["uid"] == uid else None

    # --- compare -------------------------------------------------------------------------------------

    async def _compare(self, application: Object) -> _Target:
        """A full comparison: resolve the revision, render the manifests, write down what was compared."""
        name = application["metadata"]["name"]
        started = clock.whole_seconds()
        spec = copy.deepcopy(application["spec"])
        await pause(self._timings.application_compare + self.faults.slow.get(name, 0.0))
        source = spec["source"]
        target = _Target(spec, source.get("targetRevision", "HEAD"))
        try:
            if message := self.faults.comparison_errors.get(name):
                raise ManifestError(message)
            repository = self._project(source["repoURL"]).repository
            wanted = source.get("targetRevision", "HEAD")
            target.revision = repository.resolve("main" if wanted == "HEAD" else wanted)
            target.objects = render(
                repository, target.revision, source, name, spec["destination"]["namespace"]
            )
        except (ManifestError, GitError, KeyError) as error:
            # As in Argo CD, the revision then shows what was asked for, unresolved.
            target.error = str(error) or "unable to resolve revision"
        if present := self._find(application["metadata"]["namespace"], name, application["metadata"]["uid"]):
            present["metadata"].setdefault("annotations", {}).pop(REFRESH, None)
            status = present.setdefault("status", {})
            status["reconciledAt"] = started
            status["sync"] = {**status.get("sync", {"status": "Unknown"}), "revision": target.revision}
            status["sync"]["comparedTo"] = {
                key: spec[key] for key in ("source", "destination", "ignoreDifferences") if key in spec
            }
            status["sourceType"] = "Kustomize" if "kustomize" in source else "Directory"
            status["resourceHealthSource"] = "appTree"
            status["conditions"] = _conditions(status, "ComparisonError", target.error)
            self._write(present)
        return target

    def _project(self, repo_url: str) -> Project:
        path = urlsplit(repo_url).path.strip("/").removesuffix(".git")
        if path not in self._projects:
            raise ManifestError(f"failed to get git client for repo {repo_url}: repository not found")
        return self._projects[path]

    async def _judge(self, namespace: str, name: str, uid: str, target: _Target) -> None:
        """Update sync and health from the live objects, and sync where the policy asks for it."""
        application = self._find(namespace, name, uid)
        if application is None or application["spec"] != target.spec:
            return
        status = application.setdefault("status", {})
        resources, healths = self._resources(target, name)
        pruning = [self._resource(kind, item, "OutOfSync") for kind, item in self._extra(target, name)]
        for each in pruning:
            each["requiresPruning"] = True
        status["resources"] = [each for each, _ in resources] + pruning
        in_sync = all(each["status"] == "Synced" for each in status["resources"])
        sync = "Unknown" if target.error else "Synced" if in_sync else "OutOfSync"
        status["sync"] = {**status["sync"], "status": sync}
        self._set_health(status, "Unknown" if target.error and not healths else worst(healths))
        status["summary"] = self._summary(name, target)
        self._write(application)
        if sync == "OutOfSync" and self._may_sync(application, target):
            await self._sync(namespace, name, uid, target)

    def _resources(self, target: _Target, name: str) -> tuple[list[tuple[Object, Object | None]], list[str]]:
        resources: list[tuple[Object, Object | None]] = []
        healths = []
        for wanted in target.objects:
            kind = kind_of(wanted)
            live = self._store.find(kind, wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"])
            in_sync = live is not None and tracked_by(live) == name and not differs(wanted, live)
            resources.append((self._resource(kind, wanted, "Synced" if in_sync else "OutOfSync"), live))
            if health := health_of(live):
                healths.append(health[0])
        if healths and "Missing" in healths and set(healths) != {"Missing"}:
            # Since 3.4 a missing resource counts only when all are missing; OutOfSync is what shows it.
            healths = [each for each in healths if each != "Missing"]
        return resources, healths

    @staticmethod
    def _resource(kind: Kind, item: Object, status: str) -> Object:
        entry = {
            "version": kind.version,
            "kind": kind.name,
            "name": item["metadata"]["name"],
            "status": status,
        }
        if kind.group:
            entry["group"] = kind.group
        if kind.namespaced:
            entry["namespace"] = item["metadata"]["namespace"]
        return entry

    def _extra(self, target: _Target, name: str) -> list[tuple[Kind, Object]]:
        """Live objects this Application tracks but no longer wants."""
        if target.error:
            return []
        wanted = {
            (kind_of(item), item["metadata"].get("namespace", ""), item["metadata"]["name"])
            for item in target.objects
        }
        return [
            (kind, item)
            for kind, item in self._store.everything()
            if tracked_by(item) == name
            and not item["metadata"].get("ownerReferences")
            and (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]) not in wanted
        ]

    @staticmethod
    def _set_health(status: Object, health: str) -> None:
        if status.get("health", {}).get("status") != health:
            status["health"] = {"status": health, "lastTransitionTime": clock.whole_seconds()}

    def _summary(self, name: str, target: _Target) -> Object:
        nodes = resource_tree(self._store, name)["nodes"]
        images = sorted({image for node in nodes for image in node.get("images", [])})
        hosts = [
            host
            for item in target.objects
            if item["kind"] == "HTTPRoute"
            for host in item["spec"]["hostnames"]
        ]
        return {"images": images} | ({"externalURLs": [f"http://{host}/" for host in hosts]} if hosts else {})

    # --- sync ----------------------------------------------------------------------------------------

    def _may_sync(self, application: Object, target: _Target) -> bool:
        automated = application["spec"].get("syncPolicy", {}).get("automated")
        if automated is None or target.error:
            return False
        last = application["status"].get("operationState")
        if not last or last["syncResult"].get("revision") != target.revision:
            return True
        same_source = last["syncResult"].get("source") == target.spec["source"]
        if last["phase"] in ("Failed", "Error"):
            return not same_source  # a failed attempt at the very same state is not repeated
        return not same_source or bool(automated.get("selfHeal"))

    async def _sync(self, namespace: str, name: str, uid: str, target: _Target) -> None:
        automated = target.spec["syncPolicy"]["automated"]
        limit = target.spec["syncPolicy"].get("retry", {}).get("limit", RETRIES)
        operation = {
            "sync": {"revision": target.revision, "prune": bool(automated.get("prune"))},
            "initiatedBy": {"automated": True},
            "retry": {"limit": limit},
        }
        state: Object = {
            "operation": operation,
            "phase": "Running",
            "message": "waiting for completion of the sync",
            "startedAt": clock.whole_seconds(),
            "syncResult": {"resources": [], "revision": target.revision, "source": target.spec["source"]},
        }
        for attempt in range(limit + 1):
            self._set_operation(namespace, name, uid, operation, state)
            await pause(self._timings.sync_wave)
            error, results = self._apply(name, target, bool(automated.get("prune")))
            state["syncResult"]["resources"] = results
            application = self._find(namespace, name, uid)
            if application is None or application["metadata"].get("deletionTimestamp"):
                return
            if not error:
                state |= {"phase": "Succeeded", "message": "successfully synced (all tasks run)"}
                break
            # An attempt that failed and will be repeated looks like this: Running, with a finish time.
            state |= {
                "finishedAt": clock.whole_seconds(),
                "message": f"{error}. Retrying attempt #{attempt + 1}.",
            }
            if attempt < limit:
                state["retryCount"] = attempt + 1
                self._set_operation(namespace, name, uid, operation, state)
                await pause(self._timings.sync_retry * min(2**attempt, 8))
                if application["spec"] != target.spec:
                    break
        else:
            state |= {"phase": "Failed", "message": f"{error} (retried {limit} times)."}
        state["finishedAt"] = clock.whole_seconds()
        self._finish_operation(namespace, name, uid, state, target)

    def _apply(self, name: str, target: _Target, prune: bool) -> tuple[str, list[Object]]:
        """Apply every object in order; the first error, if any, and a result for each object."""
        error, results = self.faults.sync_errors.get(name, ""), []
        for wanted in sorted(target.objects, key=apply_order) if not error else []:
            kind = kind_of(wanted)
            metadata = wanted["metadata"]
            entry = _sync_result(self._resource(kind, wanted, "Synced"))
            try:
                self._apply_one(kind, wanted, name)
                entry["message"] = f"{kind.plural}/{metadata['name']} configured"
            except ApiError as failure:
                entry |= {"status": "SyncFailed", "message": failure.message}
                error = error or f"one or more objects failed to apply, reason: {failure.message}"
            results.append(entry)
        for kind, item in self._extra(target, name) if prune and not error else []:
            self._store.delete(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            results.append(_sync_result(self._resource(kind, item, "Pruned")) | {"message": "pruned"})
        return error, results

    def _apply_one(self, kind: Kind, wanted: Object, name: str) -> None:
        metadata = wanted["metadata"]
        live = self._store.find(kind, metadata.get("namespace", ""), metadata["name"])
        if live is None:
            self._store.create(kind, wanted, metadata.get("namespace", ""))
            return
        owner = tracked_by(live)
        if owner and owner != name:
            raise ApiError(
                409,
                "Conflict",
                f"{kind.name}/{metadata['name']} is part of applications argocd/{name} and {owner}",
            )
        self._store.update(kind, merge_patch(live, wanted))

    def _set_operation(self, namespace: str, name: str, uid: str, operation: Object, state: Object) -> None:
        if application := self._find(namespace, name, uid):
            application["operation"] = operation
            application["status"]["operationState"] = copy.deepcopy(state)
            self._write(application)

    def _finish_operation(self, namespace: str, name: str, uid: str, state: Object, target: _Target) -> None:
        application = self._find(namespace, name, uid)
        if application is None:
            return
        application.pop("operation", None)
        status = application["status"]
        status["operationState"] = state
        failed = state["phase"] != "Succeeded"
        message = f"Failed last sync attempt to [{target.revision}]: {state['message']}" if failed else ""
        status["conditions"] = _conditions(status, "SyncError", message)
        if not failed:
            history = status.setdefault("history", [])
            history.append(
                {
                    "id": history[-1]["id"] + 1 if history else 0,
                    "revision": target.revision,
                    "source": target.spec["source"],
                    "deployStartedAt": state["startedAt"],
                    "deployedAt": state["finishedAt"],
                    "initiatedBy": {"automated": True},
                }
            )
            del history[:-10]
            # The comparison that follows a sync starts after it.
            status["reconciledAt"] = clock.whole_seconds()
        self._write(application)

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

    def _write(self, application: Object) -> None:
        with contextlib.suppress(ApiError):  # gone or changed meanwhile: the next round sees it
            self._store.update(APPLICATION, application)


def _sync_result(resource: Object) -> Object:
    """A result, unlike a resource's entry in the status, has its group and namespace even when empty."""
    return {"group": "", "namespace": "", **resource, "syncPhase": "Sync"}


def _conditions(status: Object, type_: str, message: str) -> list[Any]:
    """The conditions of a status with the one of this type replaced, or removed if there is no message."""
    others = [each for each in status.get("conditions", []) if each["type"] != type_]
    if not message:
        return others
    return [*others, {"type": type_, "message": message, "lastTransitionTime": clock.whole_seconds()}]
