"""The logs of an Application's pods, as the API server streams them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.tree import resource_tree
from gatehouse.embedded.kubernetes.containers import current_log
from gatehouse.embedded.kubernetes.kinds import POD, Object
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.store import ObjectStore


def pod_logs(
    store: ObjectStore, kubelet: Kubelet, application: str, parameters: Mapping[str, str]
) -> Iterator[Object]:
    """Every line of the chosen pods, and an empty last entry; nothing for a pod that is not the Application's.

    The pod is chosen by `namespace` and `podName`, or by the `group`, `kind` and `resourceName` of its owner.
    """
    found = False
    for pod in _chosen(store, application, parameters):
        found = True
        for line in _lines(kubelet, pod, parameters):
            yield _entry(pod["metadata"]["name"], line, last=False)
    if found:
        yield _entry("", "", last=True)


def _chosen(store: ObjectStore, application: str, parameters: Mapping[str, str]) -> list[Object]:
    nodes = {node["uid"]: node for node in resource_tree(store, application)["nodes"]}

    def owners(uid: str) -> Iterator[Object]:
        if node := nodes.get(uid):
            yield node
            for parent in node["parentRefs"]:
                yield from owners(parent["uid"])

    def chosen(pod: Object) -> bool:
        metadata = pod["metadata"]
        if metadata["uid"] not in nodes or parameters.get("namespace", "") not in ("", metadata["namespace"]):
            return False
        if name := parameters.get("podName"):
            return bool(metadata["name"] == name)
        wanted = {"group": "group", "kind": "kind", "name": "resourceName"}
        return any(
            all(parameters.get(key, "") in ("", node.get(part, "")) for part, key in wanted.items())
            for node in owners(metadata["uid"])
        )

    return [pod for pod in store.select(POD) if chosen(pod)]


def _lines(kubelet: Kubelet, pod: Object, parameters: Mapping[str, str]) -> list[str]:
    """The last lines of a container; the reason for there being none is a line as well, as with the real one."""
    pod_name = pod["metadata"]["name"]
    name = parameters.get("container") or pod["spec"]["containers"][0]["name"]
    if name not in {each["name"] for each in pod["spec"]["containers"]}:
        return [f"container {name} is not valid for pod {pod_name}"]
    running = kubelet.pods.get(pod["metadata"]["uid"])
    container = running.containers.get(name) if running else None
    if parameters.get("previous") == "true":
        if container is None or not container.restarts:
            return [f'previous terminated container "{name}" in pod "{pod_name}" not found']
        log = container.previous_log
    elif container is None:
        statuses = pod.get("status", {}).get("containerStatuses", [])
        waiting = [each["state"].get("waiting", {}) for each in statuses if each["name"] == name]
        reason = waiting[0].get("reason", "") if waiting else "ContainerCreating"
        return [f'container "{name}" in pod "{pod_name}" is waiting to start: {reason}']
    else:
        ended = container.process is None or container.process.returncode is not None
        log = current_log(container) or (container.previous_log if ended else b"")
    lines = log.decode(errors="replace").splitlines()
    tail = int(parameters.get("tailLines") or 0)
    return lines[-tail:] if tail else lines


def _entry(pod: str, content: str, *, last: bool) -> Object:
    moment = clock.whole_seconds()
    return {
        "result": {
            "content": content,
            "timeStamp": moment,
            "last": last,
            "timeStampStr": moment,
            "podName": pod,
        }
    }
