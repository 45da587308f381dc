"""The node: pods as real processes in folders of this machine."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.clock import Timings, pause, whole_seconds
from gatehouse.embedded.kubernetes.containers import Container, RunningPod, open_log, read_log
from gatehouse.embedded.kubernetes.exec import ExecFaults
from gatehouse.embedded.kubernetes.host import (
    end_marked,
    end_process,
    free_port,
    http_answers,
    kill,
    succeeds,
)
from gatehouse.embedded.kubernetes.kinds import NODE, POD, SECRET, Object
from gatehouse.embedded.kubernetes.pod_inputs import (
    claims_are_bound,
    translate_files,
    variables,
    volume_folders,
)
from gatehouse.embedded.kubernetes.pod_status import phase, pod_condition, terminated
from gatehouse.embedded.kubernetes.scheduling import no_fitting_node
from gatehouse.embedded.kubernetes.service_accounts import ServiceAccounts
from gatehouse.embedded.kubernetes.store import ObjectStore
from gatehouse.embedded.registry import Image, InvalidReferenceError, PullError, Registry

NODE_NAME = "node-1"
NODE_INFO = {
    "architecture": "amd64",
    "bootID": "embedded",
    "containerRuntimeVersion": "processes://1",
    "kernelVersion": "embedded",
    "kubeProxyVersion": "",
    "kubeletVersion": "v1.34.1",
    "machineID": "embedded",
    "operatingSystem": "linux",
    "osImage": "Gatehouse embedded platform",
    "systemUUID": "embedded",
}

#: What images must be made for.
PLATFORM = f"{NODE_INFO['operatingSystem']}/{NODE_INFO['architecture']}"


#: Kubernetes' word for what a node does to a pod when it runs out of something.
EVICTED = "Evicted"

#: Readiness probes that fail in a row before a container is no longer ready: the default of Kubernetes.
FAILURE_THRESHOLD = 3


class Kubelet:
    """Starts and ends pods as the store asks for it, and writes their status back."""

    def __init__(
        self, store: ObjectStore, registry: Registry, timings: Timings, folder: Path, owner: ProcessOwner
    ) -> None:
        self._store = store
        self._registry = registry
        self._timings = timings
        self._folder = folder
        self._owner = owner
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.pods: dict[str, RunningPod] = {}
        self.service_accounts = ServiceAccounts(store)
        #: Pods stay Pending with this scheduler message while it is set.
        self.unschedulable: str = ""
        self.exec_faults = ExecFaults()
        #: Images by reference that the node already has and does not pull again, with their references by digest.
        self.on_node: dict[str, tuple[Image, str]] = {}

    def volume_folder(self, volume: str) -> Path:
        """Where the data of a persistent volume is."""
        return self._folder / "volumes" / volume

    def register_node(self) -> None:
        """Add the Node object."""
        status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": NODE_INFO}
        self._store.create(NODE, {"metadata": {"name": NODE_NAME}, "status": status})

    def reconcile(self) -> None:
        """Take up new pods; a pod's own task does the rest."""
        for pod in self._store.select(POD):
            uid = pod["metadata"]["uid"]
            if uid not in self._tasks:
                self._tasks[uid] = asyncio.create_task(self._live(pod), name=f"pod {pod['metadata']['name']}")

    async def stop(self) -> None:
        """End all pods' tasks and processes."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # --- the life of a pod ---------------------------------------------------------------------------

    async def _live(self, pod: Object) -> None:
        metadata = pod["metadata"]
        uid = metadata["uid"]
        folders = self._folder / "pods" / uid, self._folder / "v" / uid[:8]
        running = RunningPod(uid, metadata["namespace"], metadata["name"], *folders)
        work = asyncio.create_task(self._run(running))
        try:
            await self._until_deleted(running)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._end(running)
        self.pods.pop(running.uid, None)
        self._store.finalize(POD, pod)
        shutil.rmtree(running.folder, ignore_errors=True)
        shutil.rmtree(running.volumes, ignore_errors=True)

    async def _until_deleted(self, running: RunningPod) -> None:
        version = 0
        while (pod := self._current(running)) and not pod["metadata"].get("deletionTimestamp"):
            version = await self._store.changed_since(version)

    async def _end(self, running: RunningPod) -> None:
        for container in running.containers.values():
            for process in (*container.commands, container.process):
                if process:
                    await end_process(process)
            await asyncio.to_thread(end_marked, container.markers)
        await pause(self._timings.pod_termination)

    def _current(self, running: RunningPod) -> Object | None:
        pod = self._store.find(POD, running.namespace, running.name)
        return pod if pod and pod["metadata"]["uid"] == running.uid else None

    async def _run(self, running: RunningPod) -> None:
        await self._schedule(running)
        volumes = await self._volumes(running)
        pod = self._current(running)
        if pod is None:
            return
        running.folder.mkdir(parents=True, exist_ok=True)
        self.pods[running.uid] = running
        specs = pod["spec"]["containers"]
        await asyncio.gather(*(self._run_container(running, pod, spec, volumes) for spec in specs))

    async def _schedule(self, running: RunningPod) -> None:
        while True:
            await pause(self._timings.pod_schedule)
            reason = self.unschedulable or no_fitting_node(self._store, self._current(running))
            if not reason:
                break
            condition = pod_condition("PodScheduled", False, "Unschedulable", reason)
            self._set_status(running, {"phase": "Pending", "conditions": [condition]})
            if pod := self._current(running):
                self._store.record_event(pod, "Warning", "FailedScheduling", reason, "default-scheduler")
        if pod := self._current(running):
            pod["spec"]["nodeName"] = NODE_NAME
            pod["status"] = {"phase": "Pending", "conditions": [pod_condition("PodScheduled", True)]}
            self._store.update(POD, pod)
            where = f"Successfully assigned {running.namespace}/{running.name} to {NODE_NAME}"
            self._store.record_event(pod, "Normal", "Scheduled", where, "default-scheduler")

    async def _volumes(self, running: RunningPod) -> dict[str, Path]:
        """The folders of the pod's volumes by name, once all of them are there."""
        while pod := self._current(running):
            try:
                if claims_are_bound(self._store, pod):
                    return volume_folders(self._store, pod, running.volumes, self._folder / "volumes")
            except LookupError as error:
                self._warn(running, "FailedMount", str(error))
            await pause(self._timings.volume_binding)
        return {}

    async def _run_container(
        self, running: RunningPod, pod: Object, spec: Object, volumes: Mapping[str, Path]
    ) -> None:
        image, image_id = await self._pull(running, spec)
        folder = running.folder / spec["name"]
        folder.mkdir(parents=True, exist_ok=True)
        if image.unpack:
            await image.unpack(folder)
        claims = {each["name"] for each in pod["spec"].get("volumes", []) if "persistentVolumeClaim" in each}
        mounts = {
            mount["mountPath"]: volumes[mount["name"]]
            for mount in spec.get("volumeMounts", [])
            if mount["name"] in volumes
        }
        for mounted in mounts.values():
            mounted.mkdir(parents=True, exist_ok=True)
        claimed = [
            mounts[each["mountPath"]] for each in spec.get("volumeMounts", []) if each["name"] in claims
        ]
        working = next(iter(claimed), folder)
        mounts |= self.service_accounts.mount(pod, running.folder / "service-account")
        declared = await self._resolved_environment(running, spec)
        environment = {
            "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            **self.service_accounts.environment(),
            **image.environment,
            **declared,
        }
        container = Container(spec["name"], folder, environment, mounts, working, image_id)
        container.environment = {key: container.real(value) for key, value in environment.items()}
        translate_files(pod, volumes, container.real)
        running.containers[container.name] = container
        command = tuple(spec.get("command", ())) + tuple(spec.get("args", ())) or image.command
        finite = pod["spec"].get("restartPolicy", "Always") != "Always"
        while True:
            code = await self._run_process(running, container, spec, command)
            container.previous_log, container.log = container.log, b""
            once = finite and (code == 0 or pod["spec"]["restartPolicy"] == "Never")
            if once or container.ended_by == EVICTED:
                container.log = container.previous_log
                self._set_terminated(running, container, code)
                return
            container.restarts += 1
            what = f"container={container.name} pod={running.name}_{running.namespace}"
            waiting = {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed {what}"}
            last = {"terminated": terminated(code)}
            self._set_container(running, container, {"waiting": waiting}, False, last)
            self._warn(running, "BackOff", waiting["message"])
            await pause(self._timings.crash_backoff * min(container.restarts, 6))

    async def _pull(self, running: RunningPod, spec: Object) -> tuple[Image, str]:
        reference = spec["image"]
        attempts = 0
        self._set_waiting(running, spec, "ContainerCreating", "")
        while True:
            self._tell(running, "Pulling", f'Pulling image "{reference}"')
            await pause(self._timings.image_pull)
            if reference in self.on_node:
                self._tell(running, "Pulled", f'Container image "{reference}" already present on machine')
                return self.on_node[reference]
            try:
                found = self._registry.resolve(reference, PLATFORM, signed_in=self._has_pull_secret(running))
            except InvalidReferenceError as error:
                self._warn(running, "InspectFailed", str(error))
                self._set_waiting(running, spec, "InvalidImageName", str(error))
                await pause(self._timings.image_pull_backoff)
                continue
            except PullError as error:
                attempts += 1
                self._warn(running, "Failed", f'Failed to pull image "{reference}": {error}')
                self._set_waiting(running, spec, "ErrImagePull", str(error))
            else:
                self._tell(running, "Pulled", f'Successfully pulled image "{reference}"')
                return found
            await pause(self._timings.image_pull_backoff / 2)
            self._set_waiting(running, spec, "ImagePullBackOff", f'Back-off pulling image "{reference}"')
            await pause(self._timings.image_pull_backoff * min(attempts, 4))

    def _has_pull_secret(self, running: RunningPod) -> bool:
        """Whether a pull secret of the pod is there; those that are not are told of."""
        pod = self._current(running)
        names = [each["name"] for each in pod["spec"].get("imagePullSecrets", [])] if pod else []
        missing = [name for name in names if not self._store.find(SECRET, running.namespace, name)]
        if missing:
            words = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image"
            self._warn(running, "FailedToRetrieveImagePullSecret", f"{words} may not succeed.")
        return len(missing) < len(names)

    def _tell(self, running: RunningPod, reason: str, message: str) -> None:
        if pod := self._current(running):
            self._store.record_event(pod, "Normal", reason, message, "kubelet")

    def _warn(self, running: RunningPod, reason: str, message: str) -> None:
        if pod := self._current(running):
            self._store.record_event(pod, "Warning", reason, message, "kubelet")

    async def _run_process(
        self, running: RunningPod, container: Container, spec: Object, command: tuple[str, ...] | None
    ) -> int:
        """Start the main process, mark it ready when its probe answers, and wait for its end."""
        container.port = free_port()
        argv = [container.real(part) for part in command] if command else ["sleep", "infinity"]
        if argv[0] in ("python", "python3"):  # the machine's own may be older than the sample needs
            argv[0] = sys.executable
        environment = {**container.environment, "PORT": str(container.port), "HOST": "127.0.0.1"}
        with open_log(container) as sink:
            container.process = process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=container.folder,
                env=self._owner.environment(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        started = {"running": {"startedAt": whole_seconds()}}
        probed = bool(spec.get("ports") or spec.get("readinessProbe"))
        self._set_container(running, container, started, not probed)
        probing = asyncio.create_task(self._probe(running, container, spec, started)) if probed else None
        try:
            return await process.wait()
        finally:
            if probing:
                probing.cancel()
            container.log = read_log(container)

    async def _probe(self, running: RunningPod, container: Container, spec: Object, started: Object) -> None:
        probe = spec.get("readinessProbe", {})
        ready, failures = False, 0
        while True:
            answers = await _answers(container, probe, self._owner)
            failures = 0 if answers else failures + 1
            if answers != ready and (answers or failures >= probe.get("failureThreshold", FAILURE_THRESHOLD)):
                ready = answers
                self._set_container(running, container, started, ready)
            # A command costs this machine a process each time, so as seldom as the probe says.
            await pause(probe.get("periodSeconds", 10) if "exec" in probe else self._timings.readiness_period)

    # --- what can befall pods ------------------------------------------------------------------------

    def kill_for_memory(self, namespace: str, name: str) -> None:
        """End a pod's processes as the kernel does when they use more memory than their limit."""
        for container in self._containers(namespace, name):
            container.ended_by = "OOMKilled"
            kill(container.process)

    def evict(self, namespace: str, name: str, message: str) -> None:
        """End a pod as the kubelet does when its node runs out of something, with these words."""
        pod = self._store.get(POD, namespace, name)
        self._store.record_event(pod, "Warning", EVICTED, message, "kubelet")
        status = {**pod["status"], "phase": "Failed", "reason": EVICTED, "message": message}
        self._store.set_status(POD, namespace, name, status)
        for container in self._containers(namespace, name):
            container.ended_by = EVICTED
            kill(container.process)
            end_marked(container.markers)

    def _containers(self, namespace: str, name: str) -> list[Container]:
        return [
            container
            for pod in self.pods.values()
            if (pod.namespace, pod.name) == (namespace, name)
            for container in pod.containers.values()
        ]

    # --- environment and status ----------------------------------------------------------------------

    async def _resolved_environment(self, running: RunningPod, spec: Object) -> dict[str, str]:
        """The container's variables, once every Secret and ConfigMap it refers to is there."""
        while True:
            try:
                return variables(self._store, running.namespace, spec)
            except LookupError as error:
                self._set_waiting(running, spec, "CreateContainerConfigError", str(error))
                self._warn(running, "Failed", f"Error: {error}")
            await pause(self._timings.image_pull)

    def _set_waiting(self, running: RunningPod, spec: Object, reason: str, message: str) -> None:
        status = {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": "",
            "ready": False,
            "started": False,
            "restartCount": 0,
            "state": {"waiting": {"reason": reason, **({"message": message} if message else {})}},
            "lastState": {},
        }
        self._merge_container_status(running, status)

    def _set_container(
        self,
        running: RunningPod,
        container: Container,
        state: Object,
        ready: bool,
        last: Object | None = None,
    ) -> None:
        pod = self._current(running)
        specs = pod["spec"]["containers"] if pod else []
        image = next((each["image"] for each in specs if each["name"] == container.name), "")
        status = {
            "name": container.name,
            "image": image,
            "imageID": container.image_id,
            "ready": ready,
            "started": "running" in state,
            "restartCount": container.restarts,
            "state": state,
            "lastState": last or {},
        }
        self._merge_container_status(running, status)

    def _set_terminated(self, running: RunningPod, container: Container, code: int) -> None:
        self._set_container(running, container, {"terminated": terminated(code, container.ended_by)}, False)

    def _merge_container_status(self, running: RunningPod, status: Object) -> None:
        pod = self._current(running)
        if pod is None:
            return
        present = pod.get("status", {})
        statuses = {each["name"]: each for each in present.get("containerStatuses", [])}
        if not status.get("lastState"):  # how the last run ended stays known when the next one has begun
            status = {**status, "lastState": statuses.get(status["name"], {}).get("lastState", {})}
        statuses[status["name"]] = status
        ordered = [statuses[each["name"]] for each in pod["spec"]["containers"] if each["name"] in statuses]
        ready = len(ordered) == len(pod["spec"]["containers"]) and all(each["ready"] for each in ordered)
        self._set_status(
            running,
            {
                **present,
                "phase": phase(ordered, present.get("phase", "Pending")),
                "podIP": "127.0.0.1",
                "hostIP": "127.0.0.1",
                "startTime": present.get("startTime", whole_seconds()),
                "containerStatuses": ordered,
                "conditions": [
                    pod_condition("PodScheduled", True),
                    pod_condition("Initialized", True),
                    pod_condition("ContainersReady", ready),
                    pod_condition("Ready", ready),
                ],
            },
        )

    def _set_status(self, running: RunningPod, status: Object) -> None:
        if self._current(running):
            self._store.set_status(POD, running.namespace, running.name, status)


async def _answers(container: Container, probe: Object, owner: ProcessOwner) -> bool:
    """Whether a readiness probe succeeds now: a command's, else an address's, else any connection."""
    if "exec" not in probe:
        return await http_answers(container.port, probe.get("httpGet", {}).get("path", ""))
    argv = [container.real(part) for part in probe["exec"]["command"]]
    return await succeeds(argv, container.folder, owner.environment(container.environment))
