"""Why something is still there after it was deleted: decided from the object and what is around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gatehouse.core.errors import GatehouseError
from gatehouse.core.ledger_entry import moment_of
from gatehouse.kube.client import CLAIMS, NAMESPACES, PODS, VOLUMES, Cluster, Object
from gatehouse.kube.inventory import Found

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"

#: Who usually sets a finalizer, and until when it stays; by the beginning of its name.
SETTERS = {
    CLAIM_PROTECTION: "Kubernetes, until no pod uses the claim",
    "kubernetes.io/pv-protection": "Kubernetes, until no claim is bound to the volume",
    "foregroundDeletion": "Kubernetes' garbage collector, until what the object owns is gone",
    "orphan": "Kubernetes' garbage collector, until what the object owns has no owner any more",
    "batch.kubernetes.io/job-tracking": "Kubernetes' Job controller, until it has counted the pod",
    "service.kubernetes.io/load-balancer-cleanup": "the cloud's Service controller, until the load balancer is gone",
    "external-provisioner.volume.kubernetes.io/": "the storage driver's provisioner, until the disk is gone",
    "external-attacher/": "the storage driver's attacher, until the disk is detached",
    "snapshot.storage.kubernetes.io/": "the snapshot controller, until no snapshot needs the object",
    "resources-finalizer.argocd.argoproj.io": "Argo CD, until what the Application deployed is gone",
    "finalizers.fluxcd.io": "Flux, until what it applied is gone",
    "elbv2.k8s.aws/": "the AWS load balancer controller",
    "ingress.k8s.aws/": "the AWS load balancer controller",
    "service.k8s.aws/": "the AWS load balancer controller",
    "networking.gke.io/": "GKE's load balancer controller",
}

#: What a namespace itself says of why it stays.
_TELLING = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)


@dataclass(frozen=True)
class Around:
    """What was asked for besides: pods by namespace, and namespaces as they are, where they could be had."""

    pods: Mapping[str, Sequence[Object]]
    namespaces: Mapping[str, Object]
    #: uids of everything of the workspace that is still there.
    present: frozenset[str] = frozenset()


def reason(found: Found, around: Around) -> str:
    """Why an object stays, in one phrase."""
    if found.ending:
        return _held(found, around)
    if found.kind == VOLUMES.plural and (words := _kept_volume(found.item)):
        return words
    owners = [each.get("uid") for each in found.item.get("metadata", {}).get("ownerReferences") or []]
    if owners and not set(owners) & around.present:
        return f"its owner {found.owners[0]} is gone, and the garbage collector has not come by yet"
    if owners:
        return f"its owner {found.owners[0]} is still there"
    return "nobody has deleted it"


def goes_by_itself(found: Found, present: frozenset[str]) -> bool:
    """Whether something in the cluster is still at work on removing an object, so that waiting makes sense."""
    if found.ending:
        return True
    spec, status = found.item.get("spec") or {}, found.item.get("status") or {}
    if found.kind == VOLUMES.plural and status.get("phase") == "Released":
        return spec.get("persistentVolumeReclaimPolicy") == "Delete"
    owners = {each.get("uid") for each in found.item.get("metadata", {}).get("ownerReferences") or []}
    return bool(owners) and not owners & present


def explained(cluster: Cluster, found: Iterable[Found], now: datetime) -> list[str]:
    """What is left with its age and the reason why it stays; asks for what the reasons need, and for no more."""
    everything = list(found)
    around = _look_around(cluster, everything)
    return [f"{each}: {_age(each, now)}{reason(each, around)}" for each in everything]


def setter_of(finalizer: str) -> str:
    """Who usually sets a finalizer, by its name."""
    for beginning, who in SETTERS.items():
        if finalizer.startswith(beginning):
            return who
    domain = finalizer.partition("/")[0]
    return f"whatever runs under the name {domain}; is it still running?"


def _held(found: Found, around: Around) -> str:
    if found.kind == NAMESPACES.plural and (words := _namespace_words(around.namespaces.get(found.name))):
        return words
    if CLAIM_PROTECTION in found.finalizers and (pods := _users(found, around)):
        return f"the pod {', '.join(pods)} still uses it ({CLAIM_PROTECTION})"
    if found.finalizers:
        return "; ".join(f"held by {each}, set by {setter_of(each)}" for each in found.finalizers)
    return "it is being deleted, and has not ended yet"


def _namespace_words(namespace: Object | None) -> str:
    if namespace is None:
        return ""
    conditions = namespace.get("status", {}).get("conditions") or []
    told = [each for each in conditions if each.get("type") in _TELLING and each.get("status") == "True"]
    words = [f"{each['type']}: {each.get('message', '')}".rstrip(": ") for each in told]
    own = (namespace["metadata"].get("finalizers") or []) + (
        namespace.get("spec", {}).get("finalizers") or []
    )
    words += [f"held by {each}, set by {setter_of(each)}" for each in own if each != "kubernetes"]
    return "; ".join(words)


def _users(claim: Found, around: Around) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in around.pods.get(claim.namespace, ())
        if any(
            (volume.get("persistentVolumeClaim") or {}).get("claimName") == claim.name
            for volume in pod.get("spec", {}).get("volumes") or []
        )
    ]


def _kept_volume(volume: Object) -> str:
    spec, status = volume.get("spec") or {}, volume.get("status") or {}
    storage = (
        f"storage class {spec['storageClassName']}" if spec.get("storageClassName") else "no storage class"
    )
    if spec.get("persistentVolumeReclaimPolicy") == "Retain":
        return (
            f"its reclaim policy is Retain ({storage}), so its data is kept until somebody deletes the volume"
        )
    if status.get("phase") == "Failed":
        return f"the storage driver could not delete the disk: {status.get('message') or 'no reason given'}"
    if status.get("phase") == "Released":
        return f"it is released, and the storage driver ({storage}) has not deleted the disk yet"
    return ""


def _look_around(cluster: Cluster, found: Sequence[Found]) -> Around:
    namespaces: dict[str, Object] = {}
    pods: dict[str, Sequence[Object]] = {}
    for each in found:
        try:
            if each.kind == NAMESPACES.plural and (item := cluster.get(NAMESPACES, each.name)):
                namespaces[each.name] = item
            elif each.kind == CLAIMS.plural and each.ending and each.namespace not in pods:
                pods[each.namespace] = cluster.list_all(PODS, each.namespace)
        except GatehouseError:
            continue  # then the reason is what the object itself says
    return Around(pods, namespaces, frozenset(each.uid for each in found))


def _age(found: Found, now: datetime) -> str:
    created = moment_of(found.item.get("metadata", {}).get("creationTimestamp", ""))
    if created is None:
        return ""
    seconds = max((now - created).total_seconds(), 0)
    return f"{seconds:.0f} s old, " if seconds < 600 else f"{seconds / 3600:.1f} h old, "
