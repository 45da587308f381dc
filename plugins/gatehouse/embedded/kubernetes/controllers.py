"""The controllers of the cluster: each looks at all its objects whenever anything has changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.conditions import condition, conditions_of, pod_ready
from gatehouse.embedded.kubernetes.jobs import JobController
from gatehouse.embedded.kubernetes.kinds import (
    CLAIM,
    CONFIG_MAP,
    DEPLOYMENT,
    NAMESPACE,
    POD,
    REPLICA_SET,
    SERVICE_ACCOUNT,
    VOLUME,
    Object,
)
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.namespace_status import terminating
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore, owned_by, owner_reference

logger = logging.getLogger(__name__)

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
REVISION = "deployment.kubernetes.io/revision"


class ControllerManager:
    """Runs every controller after every change, until nothing changes any more; `others` are not its own."""

    def __init__(
        self,
        store: ObjectStore,
        kubelet: Kubelet,
        timings: Timings,
        others: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._store = store
        self._timings = timings
        #: Namespaces, claims and volumes whose removal takes its time.
        self._ending: set[str] = set()
        self._reconcilers: tuple[Callable[[], None], ...] = (
            self._namespaces,
            self._volumes,
            self._deployments,
            self._replica_sets,
            JobController(store, self._new_pod, self._later).reconcile,
            *others,
            self._garbage,
            kubelet.reconcile,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        #: What becomes of a volume when its claim is gone, by storage class: Delete or Retain.
        self.reclaim_policies: dict[str, str] = {"standard": "Delete"}
        #: Why no pod may be created, in the words of the quota's admission; empty when they may.
        self.quota_exceeded: str = ""

    async def run(self) -> None:
        """Reconcile for ever."""
        version = 0
        while True:
            version = await self._store.changed_since(version)
            await asyncio.sleep(0)
            version = self._store.version
            for reconcile in self._reconcilers:
                try:
                    reconcile()
                except ApiError as error:  # changed under us: the next round sees the new state
                    logger.debug("%s: %s", reconcile.__qualname__, error)

    def _later(self, seconds: float, key: str, action: Callable[[], None]) -> None:
        """Do `action` once after some time, however often it is asked for meanwhile."""
        if key in self._ending:
            return
        self._ending.add(key)

        async def wait() -> None:
            await clock.pause(seconds)
            self._ending.discard(key)
            action()

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- namespaces, garbage, volumes ----------------------------------------------------------------

    def _namespaces(self) -> None:
        for namespace in self._store.select(NAMESPACE):
            name = namespace["metadata"]["name"]
            if namespace["metadata"].get("deletionTimestamp"):
                self._empty(namespace)
            elif not self._store.find(SERVICE_ACCOUNT, name, "default"):
                self._store.create(SERVICE_ACCOUNT, {"metadata": {"name": "default"}}, name)
                config = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}}
                self._store.create(CONFIG_MAP, config, name)
                self._store.set_status(NAMESPACE, "", name, {"phase": "Active"})

    def _empty(self, namespace: Object) -> None:
        name = namespace["metadata"]["name"]
        inside = [
            (kind, item)
            for kind, item in self._store.everything()
            if kind.namespaced and item["metadata"]["namespace"] == name
        ]
        for kind, item in inside:
            if not item["metadata"].get("deletionTimestamp"):
                self._store.delete(kind, name, item["metadata"]["name"])
        self._store.set_status(NAMESPACE, "", name, terminating(namespace, inside))
        if not inside:
            finish = lambda: self._store.finalize(NAMESPACE, namespace)  # noqa: E731 - a thunk
            self._later(self._timings.namespace_termination, namespace["metadata"]["uid"], finish)

    def _garbage(self) -> None:
        """Delete what no owner is left of, and finish foreground deletions."""
        everything = list(self._store.everything())
        uids = {item["metadata"]["uid"] for _, item in everything}
        for kind, item in everything:
            metadata = item["metadata"]
            owners = metadata.get("ownerReferences", [])
            ending = metadata.get("deletionTimestamp")
            if owners and not ending and not any(owner["uid"] in uids for owner in owners):
                self._store.delete(kind, metadata.get("namespace", ""), metadata["name"])
            if ending and "foregroundDeletion" in metadata.get("finalizers", []):
                self._foreground(kind, item, everything)

    def _foreground(self, kind: Any, item: Object, everything: Iterable[tuple[Any, Object]]) -> None:
        dependents = [pair for pair in everything if owned_by(pair[1], item["metadata"]["uid"])]
        for dependent_kind, dependent in dependents:
            metadata = dependent["metadata"]
            if not metadata.get("deletionTimestamp"):
                self._store.delete(
                    dependent_kind, metadata.get("namespace", ""), metadata["name"], "Foreground"
                )
        if not dependents:
            self._store.remove_finalizer(kind, item, "foregroundDeletion")

    def _volumes(self) -> None:
        used = {
            (pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"])
            for pod in self._store.select(POD)
            for volume in pod["spec"].get("volumes", [])
            if "persistentVolumeClaim" in volume
        }
        for claim in self._store.select(CLAIM):
            metadata = claim["metadata"]
            if metadata.get("deletionTimestamp"):
                if (metadata["namespace"], metadata["name"]) not in used:
                    self._store.remove_finalizer(CLAIM, claim, CLAIM_PROTECTION)
            elif claim.get("status", {}).get("phase") != "Bound":
                self._bind(claim)
        for volume in self._store.select(VOLUME):
            self._release(volume)

    def _bind(self, claim: Object) -> None:
        claim = copied(claim)
        metadata = claim["metadata"]
        if CLAIM_PROTECTION not in metadata.setdefault("finalizers", []):
            metadata["finalizers"].append(CLAIM_PROTECTION)
        name = f"pvc-{metadata['uid']}"
        storage_class = claim["spec"].get("storageClassName", "standard")
        reference = {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}
        capacity = claim["spec"].get("resources", {}).get("requests", {"storage": "1Gi"})
        if not self._store.find(VOLUME, "", name):
            spec = {
                "capacity": capacity,
                "accessModes": claim["spec"].get("accessModes", ["ReadWriteOnce"]),
                "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", **reference},
                "persistentVolumeReclaimPolicy": self.reclaim_policies.get(storage_class, "Delete"),
                "storageClassName": storage_class,
            }
            self._store.create(
                VOLUME, {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Bound"}}
            )
        claim["spec"]["volumeName"] = name
        claim["status"] = {"phase": "Bound", "capacity": capacity}
        self._store.update(CLAIM, claim)

    def _release(self, volume: Object) -> None:
        reference = volume["spec"]["claimRef"]
        claim = self._store.find(CLAIM, reference["namespace"], reference["name"])
        if claim and claim["metadata"]["uid"] == reference["uid"]:
            return
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
            self._store.delete(VOLUME, "", volume["metadata"]["name"])
        elif volume["status"]["phase"] != "Released":
            self._store.set_status(VOLUME, "", volume["metadata"]["name"], {"phase": "Released"})

    # --- workloads -----------------------------------------------------------------------------------

    def _deployments(self) -> None:
        for deployment in self._store.select(DEPLOYMENT):
            if not deployment["metadata"].get("deletionTimestamp"):
                self._roll_out(deployment)

    def _roll_out(self, deployment: Object) -> None:
        """A rolling update with maxUnavailable 0: old pods go when new ones are ready."""
        metadata, spec = deployment["metadata"], deployment["spec"]
        wanted = spec.get("replicas", 1)
        owned = [
            each
            for each in self._store.select(REPLICA_SET, metadata["namespace"])
            if owned_by(each, metadata["uid"])
        ]
        template_hash = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
        name = f"{metadata['name']}-{template_hash}"
        current = next((each for each in owned if each["metadata"]["name"] == name), None)
        if current is None:
            if spec.get("paused"):
                return
            self._new_replica_set(deployment, name, template_hash, 1 + max(map(_revision, owned), default=0))
            return
        older = [each for each in owned if each is not current]
        if current["spec"]["replicas"] != wanted:
            self._scale(current, wanted)
        ready = current.get("status", {}).get("readyReplicas", 0)
        if ready >= wanted:
            for each in older:
                if each["spec"]["replicas"]:
                    self._scale(each, 0)
        old_replicas = sum(each.get("status", {}).get("replicas", 0) for each in older)
        self._deployment_status(deployment, current, wanted, ready, old_replicas)

    def _new_replica_set(self, deployment: Object, name: str, template_hash: str, revision: int) -> None:
        template = copied(deployment["spec"]["template"])
        labels = {**template.get("metadata", {}).get("labels", {}), "pod-template-hash": template_hash}
        template.setdefault("metadata", {})["labels"] = labels
        self._store.create(
            REPLICA_SET,
            {
                "metadata": {
                    "name": name,
                    "labels": labels,
                    "annotations": {REVISION: str(revision)},
                    "ownerReferences": [owner_reference(deployment)],
                },
                "spec": {
                    "replicas": deployment["spec"].get("replicas", 1),
                    "selector": {"matchLabels": labels},
                    "template": template,
                },
            },
            deployment["metadata"]["namespace"],
        )

    def _scale(self, replica_set: Object, replicas: int) -> None:
        changed = copied(replica_set)
        changed["spec"]["replicas"] = replicas
        self._store.update(REPLICA_SET, changed)

    def _deployment_status(
        self, deployment: Object, current: Object, wanted: int, ready: int, old_replicas: int
    ) -> None:
        metadata = deployment["metadata"]
        before = conditions_of(deployment)
        updated = current.get("status", {}).get("replicas", 0)
        done = ready >= wanted and updated == wanted and not old_replicas
        name = current["metadata"]["name"]
        waited = clock.now() - clock.parse(current["metadata"]["creationTimestamp"])
        limit = deployment["spec"].get("progressDeadlineSeconds", self._timings.progress_deadline)
        if done:
            progressing = (
                "True",
                "NewReplicaSetAvailable",
                f'ReplicaSet "{name}" has successfully progressed.',
            )
        elif waited.total_seconds() > limit:
            progressing = (
                "False",
                "ProgressDeadlineExceeded",
                f'ReplicaSet "{name}" has timed out progressing.',
            )
        else:
            progressing = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
            self._later(max(limit - waited.total_seconds(), 0) + 1, f"deadline {name}", self._deployments)
        available = ready + (old_replicas if ready < wanted else 0) >= wanted
        availability = (
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
            if available
            else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        )
        failures = [
            each
            for each in current.get("status", {}).get("conditions", [])
            if each["type"] == "ReplicaFailure"
        ]
        status = {
            "observedGeneration": metadata["generation"],
            "replicas": updated + old_replicas,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(wanted - ready, 0),
            "conditions": [
                condition(before, "Available", *availability),
                condition(before, "Progressing", *progressing),
                *failures,
            ],
        }
        self._store.set_status(DEPLOYMENT, metadata["namespace"], metadata["name"], status)

    def _replica_sets(self) -> None:
        for replica_set in self._store.select(REPLICA_SET):
            metadata, spec = replica_set["metadata"], replica_set["spec"]
            pods = [
                pod
                for pod in self._store.select(POD, metadata["namespace"])
                if owned_by(pod, metadata["uid"]) and not pod["metadata"].get("deletionTimestamp")
            ]
            refusal = ""
            if not metadata.get("deletionTimestamp"):
                for _ in range(spec["replicas"] - len(pods)):
                    try:
                        self._new_pod(replica_set, f"{metadata['name']}-")
                    except ApiError as error:
                        refusal = self._refused_pod(replica_set, error)
                for pod in pods[spec["replicas"] :]:
                    self._store.delete(POD, metadata["namespace"], pod["metadata"]["name"])
            ready = sum(map(pod_ready, pods))
            status: Object = {
                "observedGeneration": metadata["generation"],
                "replicas": len(pods),
                "readyReplicas": ready,
                "availableReplicas": ready,
            }
            if refusal:
                before = {each["type"]: each for each in replica_set.get("status", {}).get("conditions", [])}
                failure = ("ReplicaFailure", "True", "FailedCreate", refusal)
                status["conditions"] = [condition(before, *failure)]
            self._store.set_status(REPLICA_SET, metadata["namespace"], metadata["name"], status)

    def _refused_pod(self, replica_set: Object, error: ApiError) -> str:
        """Tell of a pod that could not be created, once for each reason; returns the reason."""
        known = replica_set.get("status", {}).get("conditions", [])
        if not any(each["type"] == "ReplicaFailure" for each in known):
            message = f"Error creating: {error.message}"
            self._store.record_event(replica_set, "Warning", "FailedCreate", message, "replicaset-controller")
        return error.message

    def _new_pod(self, owner: Object, prefix: str) -> None:
        if self.quota_exceeded:
            name = f"{prefix}{owner['metadata']['uid'][:5]}"
            raise ApiError(403, "Forbidden", f'pods "{name}" is forbidden: {self.quota_exceeded}')
        template = copied(owner["spec"]["template"])
        metadata = template.setdefault("metadata", {})
        metadata["generateName"] = prefix
        metadata["ownerReferences"] = [owner_reference(owner)]
        if owner["kind"] == "Job":
            own = {"job-name": owner["metadata"]["name"], "controller-uid": owner["metadata"]["uid"]}
            labels = {**own, **{f"batch.kubernetes.io/{name}": value for name, value in own.items()}}
            metadata["labels"] = {**metadata.get("labels", {}), **labels}
        template["spec"].setdefault("serviceAccountName", "default")
        template["spec"].setdefault("restartPolicy", "Never" if owner["kind"] == "Job" else "Always")
        template["status"] = {"phase": "Pending"}
        self._store.create(POD, template, owner["metadata"]["namespace"])


def _revision(replica_set: Object) -> int:
    return int(replica_set["metadata"].get("annotations", {}).get(REVISION, "0"))
