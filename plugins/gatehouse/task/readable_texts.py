"""The texts about a task that more people may read than its tokens are for."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Sequence
from copy import deepcopy

from gatehouse.coder.client import CoderClient
from gatehouse.core.errors import GatehouseError, NotFound
from gatehouse.kube.client import PODS, Cluster
from gatehouse.kube.posture import Object, containers
from gatehouse.task.handoff import log_text
from gatehouse.task.running import Task


def readable_texts(
    coder: CoderClient, cluster: Cluster | None, task: Task, known: Sequence[str]
) -> tuple[dict[str, bytes], list[str]]:
    """Logs, template source and pod by what they are called, and what could not be read, with the server's words.

    `known` are patterns of variables that Coder's own templates set to a secret in the pod.
    """
    build = task.workspace.latest_build

    def template() -> bytes:
        return coder.template_files(coder.template_version(build.template_version_id))

    def pod() -> bytes:
        found = cluster.get(PODS, task.pod, task.namespace) if cluster and task.pod else None
        if found is None:
            raise NotFound("the pod cannot be looked at")
        return json.dumps(without_known(found, known)).encode()

    readers: dict[str, Callable[[], bytes]] = {
        "the agent's log": lambda: log_text(coder.agent_log(task.agent.id)),
        "the build's log": lambda: log_text(coder.build_log(build.id)),
        "the template's source": template,
        "the pod's specification": pod,
    }
    texts, unread = {}, []
    for name, read in readers.items():
        try:
            texts[name] = read()
        except GatehouseError as error:
            unread.append(f"{name} cannot be read ({error.seen or error.summary})")
    return texts, unread


def without_known(pod: Object, known: Sequence[str]) -> Object:
    """A pod without the values of variables whose names match one of the patterns."""
    kept = deepcopy(pod)
    for container in containers(kept):
        container["env"] = [
            each
            for each in container.get("env") or []
            if not any(fnmatch.fnmatchcase(each["name"], pattern) for pattern in known)
        ]
    return kept
