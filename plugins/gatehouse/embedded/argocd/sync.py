"""Operations: an Application's objects are applied phase by phase and wave by wave, its hooks are run."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import timedelta

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.faults import Faults
from gatehouse.embedded.argocd.health import health_of
from gatehouse.embedded.argocd.manifests import annotation, apply_order, wave_of
from gatehouse.embedded.argocd.record import ApplicationRecord
from gatehouse.embedded.argocd.targets import (
    PHASES,
    Target,
    hook_types,
    live_object,
    resource_entry,
    surplus,
)
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.api import merge_patch
from gatehouse.embedded.kubernetes.kinds import Object, kind_of
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore

DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy"

#: Attempts after which the pause between two of them no longer doubles.
LONGEST_PAUSE_AFTER = 3


class _TerminatedError(Exception):
    """Someone asked for the operation to be ended."""


@dataclass
class _Task:
    """One object to apply, to prune, or to run as a hook; `result` is what the status says of it."""

    item: Object
    phase: str
    wave: int
    hook: bool = False
    prune: bool = False
    result: Object = field(default_factory=dict)

    @property
    def title(self) -> str:
        kind = kind_of(self.item)
        return f"{kind.group}/{kind.name}/{self.item['metadata']['name']}"


class Sync:
    """One operation on one Application, with its retries; the Application says how far it is."""

    def __init__(
        self,
        store: ObjectStore,
        timings: Timings,
        faults: Faults,
        record: ApplicationRecord,
        target: Target,
        operation: Object,
    ) -> None:
        self._store = store
        self._timings = timings
        self._faults = faults
        self._record = record
        self._target = target
        self._operation = operation
        self._state: Object = {}
        self._tasks: list[_Task] = []

    async def run(self) -> None:
        """Try until it succeeds, fails for the last time, is terminated, or the Application goes."""
        try:
            await self._run()
        except _TerminatedError:
            self._end_hooks()
            self._finish("Failed", "Operation terminated")

    async def _run(self) -> None:
        self._state = {"operation": self._operation, "startedAt": clock.whole_seconds()}
        limit, retries = self._operation["retry"]["limit"], 0
        while True:
            self._begin(retries)
            await pause(self._timings.sync_wave)
            problem = await self._attempt()
            application = self._record.find()
            if application is None or application["metadata"].get("deletionTimestamp"):
                return
            if not problem:
                self._finish("Succeeded", self._state["message"])
                return
            if retries == limit:
                self._finish("Failed", f"{problem} (retried {retries} times)." if retries else problem)
                return
            wait = self._timings.sync_retry * 2 ** min(retries, LONGEST_PAUSE_AFTER)
            retries += 1
            # An attempt that failed and will be repeated looks like this: Running, with a finish time.
            again = (clock.now() + timedelta(seconds=wait)).strftime("%I:%M%p").lstrip("0")
            self._state |= {
                "finishedAt": clock.whole_seconds(),
                "retryCount": retries,
                "message": f"{problem}. Retrying attempt #{retries} at {again}.",
            }
            self._tell()
            await pause(wait)

    def _begin(self, retries: int) -> None:
        source = self._target.spec["source"]
        self._state |= {
            "phase": "Running",
            "syncResult": {"resources": [], "revision": self._target.revision, "source": source},
        }
        self._state.pop("finishedAt", None)
        if retries:
            self._state["message"] = f"Retrying operation. Attempt #{retries}"
        self._tell()

    # --- one attempt ---------------------------------------------------------------------------------

    async def _attempt(self) -> str:
        """Do every step once; says what went wrong, or nothing."""
        if error := self._faults.sync_errors.get(self._record.name):
            return error
        self._tasks = []
        steps = self._steps()
        for step in steps:
            waited_for = [each for each in self._tasks if len(steps) > 1 or each.hook]
            if problem := await self._completed(waited_for):
                return problem
            self._tasks += step
            for task in step:
                await self._start(task)
            failed = [each.result["message"] for each in step if each.result.get("status") == "SyncFailed"]
            if failed:
                return f"one or more objects failed to apply, reason: {','.join(failed)}"
        # The last wave's objects are not waited for, whatever becomes of them; hooks are.
        if not any(task.hook for task in (steps[-1] if steps else [])):
            self._state["message"] = "successfully synced (all tasks run)"
            return ""
        problem = await self._completed([each for each in self._tasks if len(steps) > 1 or each.hook])
        self._state["message"] = "successfully synced (no more tasks)"
        return problem

    def _steps(self) -> list[list[_Task]]:
        """What is to be done, by phase and wave. A sync of some resources only runs no hooks."""
        chosen = self._operation["sync"].get("resources")
        tasks = [
            _Task(item, "Sync", wave_of(item))
            for item in sorted(self._target.objects, key=apply_order)
            if chosen is None or _named(item, chosen)
        ]
        last = max((task.wave for task in tasks), default=0)
        if self._operation["sync"]["prune"]:
            for _, item in surplus(self._store, self._target, self._record.name):
                if not hook_types(item) and (chosen is None or _named(item, chosen)):
                    tasks.append(_Task(item, "Sync", last, prune=True))
        for item in self._target.hooks if chosen is None else ():
            tasks += [
                _Task(item, phase, wave_of(item), hook=True) for phase in hook_types(item) if phase in PHASES
            ]
        places = sorted({(PHASES.index(task.phase), task.wave) for task in tasks})
        return [
            [task for task in tasks if (PHASES.index(task.phase), task.wave) == place] for place in places
        ]

    async def _start(self, task: _Task) -> None:
        kind, metadata = kind_of(task.item), task.item["metadata"]
        # A result, unlike an entry of the status, has its group and namespace even when they are empty.
        entry = {"group": "", "namespace": "", **resource_entry(kind, task.item), "syncPhase": task.phase}
        task.result = entry
        resource = f"{kind.name.lower()}{'.' if kind.group else ''}{kind.group}/{metadata['name']}"
        try:
            if task.prune:
                self._store.delete(kind, metadata.get("namespace", ""), metadata["name"])
                entry |= {"status": "Pruned", "message": "pruned"}
            elif task.hook:
                entry |= {"hookType": task.phase, "hookPhase": "Running"}
                await self._create_hook(task)
                entry["message"] = f"{resource} created"
            else:
                how = self._apply(task.item)
                entry |= {"status": "Synced", "hookPhase": "Running", "message": f"{resource} {how}"}
        except ApiError as failure:
            entry |= {"status": "SyncFailed", "hookPhase": "Failed", "message": failure.message}
        self._state["syncResult"]["resources"] = [each.result for each in self._tasks if each.result]

    def _apply(self, wanted: Object) -> str:
        kind, metadata = kind_of(wanted), wanted["metadata"]
        refusal = self._faults.apply_errors.get((self._record.name, f"{kind.name}/{metadata['name']}"))
        if refusal:
            raise ApiError(403, "Forbidden", refusal)
        live = live_object(self._store, wanted)
        if live is None:
            self._store.create(kind, wanted, metadata.get("namespace", ""))
            return "created"
        # An object of another Application is taken over: the last to apply it owns it.
        changed = self._store.update(kind, merge_patch(copied(live), wanted))
        return "unchanged" if changed == live else "configured"

    async def _create_hook(self, task: _Task) -> None:
        kind, metadata = kind_of(task.item), task.item["metadata"]
        namespace = metadata.get("namespace", "")
        policies = annotation(task.item, DELETE_POLICY) or "BeforeHookCreation"
        if "BeforeHookCreation" in policies and live_object(self._store, task.item):
            self._store.delete(kind, namespace, metadata["name"])
            while live_object(self._store, task.item):
                await self._change()
        self._store.create(kind, task.item, namespace)

    async def _completed(self, tasks: list[_Task]) -> str:
        """Wait until hooks have ended and objects are healthy; says so when one of them failed."""
        while running := [task for task in tasks if not self._is_complete(task)]:
            first = running[0]
            what = "completion of hook" if first.hook else "healthy state of"
            more = f" and {len(running) - 1} more {'hooks' if first.hook else 'resources'}"
            self._state["message"] = f"waiting for {what} {first.title}{more if len(running) > 1 else ''}"
            self._tell()
            await self._change()
        if any(task.result.get("hookPhase") == "Failed" for task in tasks):
            return "one or more synchronization tasks completed unsuccessfully"
        return ""

    def _is_complete(self, task: _Task) -> bool:
        if task.prune or task.result.get("hookPhase") in ("Succeeded", "Failed"):
            return True
        live = live_object(self._store, task.item)
        if live is None:
            return False
        status, message = health_of(live) or ("Healthy", "")
        if status not in ("Healthy", "Degraded"):
            return False
        phase = "Succeeded" if status == "Healthy" else "Failed"
        task.result |= {"hookPhase": phase} | ({"message": message} if message else {})
        if task.hook and f"Hook{phase}" in annotation(task.item, DELETE_POLICY):
            self._delete_hook(task)
        return True

    def _end_hooks(self) -> None:
        for task in self._tasks:
            if task.hook and task.result.get("hookPhase") == "Running":
                task.result |= {"hookPhase": "Failed", "message": "Terminated"}
                self._delete_hook(task)

    def _delete_hook(self, task: _Task) -> None:
        metadata = task.item["metadata"]
        with contextlib.suppress(ApiError):
            self._store.delete(kind_of(task.item), metadata.get("namespace", ""), metadata["name"])

    # --- what the Application says -------------------------------------------------------------------

    async def _change(self) -> None:
        """Wait for a change in the cluster. Raises `_TerminatedError`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.application_poll):
                await self._store.changed_since(self._store.version)
                await pause(self._timings.event_batch)
        if self._record.terminating:
            raise _TerminatedError

    def _tell(self) -> None:
        if self._record.terminating:
            raise _TerminatedError
        if application := self._record.find():
            application["operation"] = self._operation
            application["status"]["operationState"] = copied(self._state)
            self._record.write(application)

    def _finish(self, phase: str, message: str) -> None:
        finished = clock.whole_seconds()
        self._state |= {"phase": phase, "message": message, "finishedAt": finished}
        application = self._record.find()
        if application is None:
            return
        application.pop("operation", None)
        status = application["status"]
        status["operationState"] = copied(self._state)
        if phase == "Succeeded":
            if "resources" not in self._operation["sync"]:
                _add_history(status, self._target, self._state)
            # The comparison that follows a sync starts after it.
            status["reconciledAt"] = finished
        self._record.write(application)


def _named(item: Object, chosen: list[Object]) -> bool:
    kind = kind_of(item)
    key = (kind.group, kind.name, item["metadata"]["name"])
    return any((each["group"], each["kind"], each["name"]) == key for each in chosen)


def _add_history(status: Object, target: Target, state: Object) -> None:
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
