"""What is to be run where, and the objects that stand for it in the cluster. No I/O but the packaged template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

import yaml

from gatehouse.core.ledger import Entry
from gatehouse.job.handover import CONTAINER, WAIT
from gatehouse.kube.client import Object

#: The Secret that the template names.
SECRET = "gatehouse"  # noqa: S105 - the name of one, not its value

#: Seconds beyond the suite's own time and the wait for being collected until the cluster ends a Job whose maker died.
MARGIN = 120


@dataclass(frozen=True)
class Order:
    """One run of a suite in a namespace. `seconds` is what the suite may take, from the creation of the Job."""

    name: str
    namespace: str
    image: str
    seconds: float
    arguments: tuple[str, ...]
    secret: str = SECRET
    variables: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def template() -> Object:
    """The Job as the package has it."""
    text = resources.files(__package__).joinpath("job.yaml").read_text(encoding="utf-8")
    job: Object = yaml.safe_load(text)
    return job


def job_of(order: Order, entry: Entry) -> Object:
    """The Job to create. It says whose it is, and the cluster ends and removes it also when its maker has died."""
    job = template()
    job["metadata"] |= {"name": order.name, "namespace": order.namespace}
    _say_whose(job, entry)
    spec = job["spec"]
    spec["activeDeadlineSeconds"] = int(order.seconds + WAIT) + MARGIN
    pod = spec["template"]["spec"]
    (volume,) = (each for each in pod["volumes"] if "configMap" in each)
    volume["configMap"]["name"] = order.name
    (container,) = (each for each in pod["containers"] if each["name"] == CONTAINER)
    container["image"] = order.image
    container["args"] = list(order.arguments)
    container["envFrom"] = [{"secretRef": {"name": order.secret}}]
    container["env"] += [{"name": name, "value": value} for name, value in order.variables.items()]
    return job


def config_map_of(order: Order, entry: Entry, job: Object, files: Mapping[str, str]) -> Object:
    """The configuration to create: the Job's own, so that it goes when the Job goes."""
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    item: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": order.name, "namespace": order.namespace, "ownerReferences": [owner]},
        "data": dict(files),
    }
    _say_whose(item, entry)
    return item


def _say_whose(item: Object, entry: Entry) -> None:
    metadata = item["metadata"]
    metadata["labels"] = {
        **metadata.get("labels", {}),
        "gatehouse/owner": _label(entry.owner),
        "gatehouse/run": _label(entry.run),
    }
    metadata["annotations"] = {"gatehouse/created": entry.created, "gatehouse/expires": entry.expires}


def _label(text: str) -> str:
    """As the value of a label: letters, digits and `._-`, 63 characters at most."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:63].strip("-._")
