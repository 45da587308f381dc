"""What an SRE would ask for first when something is broken, gathered while it still is: health, logs, events.

As `coder support bundle` does, but also from the cluster, and within a time of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Workspace
from gatehouse.core.errors import GatehouseError
from gatehouse.core.ledger import Entry
from gatehouse.kube.client import EVENTS, PODS, Cluster, Object
from gatehouse.kube.inventory import belonging

#: Lines of each log that are kept, from its end.
LINES = 200

Sources = dict[str, Callable[[], Any]]


def collect(sources: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """The answer of each source, or its error's words; what has not answered after `seconds` in all is said to be so.

    A source that never returns holds nobody up: it is left to a thread of its own.
    """
    found: dict[str, Any] = {}

    def run() -> None:
        for name, source in sources.items():
            try:
                found[name] = source()
            except Exception as error:  # noqa: BLE001 - the failure at hand must not be hidden by another
                words = (
                    str(error) if isinstance(error, GatehouseError) else f"{type(error).__name__}: {error}"
                )
                found[name] = {"not collected": words}

    thread = threading.Thread(target=run, name="support", daemon=True)
    thread.start()
    thread.join(seconds)
    late = {"not collected": f"no answer within {seconds:.0f} s for all of this"}
    return {name: found.get(name, late) for name in sources}


def sources(
    coder: CoderClient, owner: CoderClient, cluster: Cluster | None, workspaces: Iterable[Entry]
) -> Sources:
    """What there is to ask: of the deployment, and of each workspace that this run has made."""
    found: Sources = {
        "build info": lambda: coder.build_info().model_dump(mode="json"),
        "health": lambda: owner.health().model_dump(mode="json"),
        "provisioner daemons": lambda: [
            daemon.model_dump(mode="json")
            for organization in coder.organizations()
            for daemon in owner.provisioner_daemons(organization.id)
        ],
    }
    for entry in workspaces:
        found |= _of_workspace(coder, cluster, entry)
    return found


def _of_workspace(coder: CoderClient, cluster: Cluster | None, entry: Entry) -> Sources:
    def workspace() -> Workspace:
        found = (
            coder.workspace(entry.id, include_deleted=True) if entry.id else coder.find_workspace(entry.name)
        )
        if found is None:
            raise LookupError("Coder does not know it: the create call did not arrive, or it is deleted")
        return found

    def build_log() -> list[str]:
        return [line.output for line in coder.build_log(workspace().latest_build.id)][-LINES:]

    def agent_logs() -> dict[str, list[str]]:
        agents = workspace().latest_build.agents
        return {agent.name: [line.output for line in coder.agent_log(agent.id)][-LINES:] for agent in agents}

    name = entry.name
    found: Sources = {
        f"{name}: workspace": lambda: workspace().model_dump(mode="json"),
        f"{name}: build log": build_log,
        f"{name}: agent logs": agent_logs,
        f"{name}: timings": lambda: coder.timings(workspace().id).model_dump(mode="json"),
    }
    if cluster is not None:
        found[f"{name}: pods"] = lambda: _pods(cluster, workspace().id)
    return found


def _pods(cluster: Cluster, workspace_id: str) -> dict[str, Any]:
    """Of each pod of a workspace: its conditions and containers, events, and logs also of the run before."""
    pods = cluster.list_all(PODS)
    own = {each.uid for each in belonging([(PODS, pod) for pod in pods], workspace_id)}
    return {pod["metadata"]["name"]: _pod(cluster, pod) for pod in pods if pod["metadata"]["uid"] in own}


def _pod(cluster: Cluster, pod: Object) -> dict[str, Any]:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    status = pod.get("status") or {}
    events = cluster.list_all(EVENTS, namespace, fields=f"involvedObject.name={name}")
    logs = {}
    for container in pod["spec"].get("containers") or []:
        for previous in (False, True):
            key = f"{container['name']}{' before' if previous else ''}"
            try:
                logs[key] = cluster.log(namespace, name, container["name"], previous=previous, lines=LINES)
            except GatehouseError as error:
                logs[key] = f"not collected: {error.summary}"
    return {
        "phase": status.get("phase"),
        "conditions": status.get("conditions"),
        "containers": status.get("containerStatuses"),
        "events": [f"{each.get('reason')}: {each.get('message')}" for each in events],
        "logs": logs,
    }
