"""Whether the pods that serve are those of a Deployment's current rollout.

`Available` alone does not tell: the pods of an older ReplicaSet satisfy it, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

Object = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


def moment(text: str) -> datetime:
    """A time as Kubernetes writes it (RFC 3339)."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def condition(item: Object, type_: str) -> Object:
    """A condition of an object's status, or an empty one."""
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == type_), {})


def is_ready(pod: Object) -> bool:
    """Whether a pod takes traffic."""
    ending = pod["metadata"].get("deletionTimestamp")
    return not ending and condition(pod, "Ready").get("status") == "True"


def owned(items: Iterable[Object], owner: Object) -> list[Object]:
    """Those of `items` whose owner is this object."""
    uid = owner["metadata"]["uid"]
    return [
        item
        for item in items
        if any(each.get("uid") == uid for each in item["metadata"].get("ownerReferences") or [])
    ]


def current_replica_set(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet of the newest revision, or None while there is none."""
    return max(owned(replica_sets, deployment), key=_revision, default=None)


def rollout_problems(deployment: Object, replica_sets: Iterable[Object], pods: Iterable[Object]) -> list[str]:
    """What keeps a Deployment from running its current version alone, one sentence each."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    generation, observed = deployment["metadata"].get("generation", 0), status.get("observedGeneration", 0)
    problems = []
    if not wanted:
        problems.append("it is scaled to 0 replicas")
    if observed < generation:
        problems.append(f"generation {generation} has not been taken up: the newest observed is {observed}")
    if deployment["spec"].get("paused"):
        problems.append("its rollout is paused")
    progressing = condition(deployment, "Progressing")
    if progressing.get("status") == "False":
        problems.append(f"{progressing.get('reason')}: {progressing.get('message')}")
    counts = {name: status.get(name, 0) for name in ("updatedReplicas", "availableReplicas")}
    problems += [f"{name} is {count}, not {wanted}" for name, count in counts.items() if count < wanted]
    return problems + _of_older_versions(deployment, list(replica_sets), list(pods))


def _of_older_versions(deployment: Object, replica_sets: list[Object], pods: list[Object]) -> list[str]:
    current = current_replica_set(deployment, replica_sets)
    if current is None:
        return ["it has no ReplicaSet"]
    problems = []
    for replica_set in owned(replica_sets, deployment):
        serving = [pod for pod in owned(pods, replica_set) if is_ready(pod)]
        if replica_set is current or not serving:
            continue
        problems += [
            f"pod {pod['metadata']['name']} serves, but is of revision {_revision(replica_set)} "
            f"(pod-template-hash {_hash(replica_set)}); the current one is {_revision(current)} ({_hash(current)})"
            for pod in serving
        ]
    if deployment["spec"].get("replicas", 1) and not any(is_ready(pod) for pod in owned(pods, current)):
        problems.append(f"no pod of the current revision {_revision(current)} ({_hash(current)}) is ready")
    return problems


def serving_pods(pods: Iterable[Object], now: datetime) -> list[dict[str, Any]]:
    """Name, hash, age in seconds and images of each pod, for the evidence."""
    return [
        {
            "pod": pod["metadata"]["name"],
            "pod_template_hash": (pod["metadata"].get("labels") or {}).get(HASH, ""),
            "ready": is_ready(pod),
            "age_seconds": round((now - moment(pod["metadata"]["creationTimestamp"])).total_seconds()),
            "images": [container.get("image") for container in pod["spec"].get("containers", [])],
        }
        for pod in pods
    ]


def _revision(replica_set: Object) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def _hash(replica_set: Object) -> str:
    return str((replica_set["metadata"].get("labels") or {}).get(HASH, "unknown"))
