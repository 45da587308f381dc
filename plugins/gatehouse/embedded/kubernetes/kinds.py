"""The kinds of object the embedded cluster serves, and the columns `kubectl get` shows of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Column = tuple[str, Callable[[Object], str]]


@dataclass(frozen=True)
class Kind:
    """One resource type. `columns` come between NAME and AGE in a table.

    `first_status` is what a new object has, for kinds whose status is a subresource; None for the others.
    """

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=(), compare=False)
    first_status: Object | None = field(default=None, compare=False)

    @property
    def api_version(self) -> str:
        """`v1` for the core group, else `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Where the group and version are served: `/api/v1` or `/apis/<group>/<version>`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


def _at(*path: str, default: str = "") -> Callable[[Object], str]:
    def read(item: Object) -> str:
        value: Any = item
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return default if value is None else str(value)

    return read


def _ready_containers(pod: Object) -> str:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return f"{sum(1 for each in statuses if each.get('ready'))}/{len(pod['spec'].get('containers', []))}"


def _pod_status(pod: Object) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for each in pod.get("status", {}).get("containerStatuses", []):
        for state in ("waiting", "terminated"):
            if reason := each.get("state", {}).get(state, {}).get("reason"):
                return str(reason)
    return str(pod.get("status", {}).get("phase", "Pending"))


def _restarts(pod: Object) -> str:
    return str(
        sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", []))
    )


def _replicas(item: Object) -> str:
    return f"{item.get('status', {}).get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}"


def _ready_condition(item: Object) -> str:
    conditions = item.get("status", {}).get("conditions", [])
    return next((str(each["status"]) for each in conditions if each["type"] == "Ready"), "")


def _namespace_status(item: Object) -> str:
    return str(item.get("status", {}).get("phase", "Active"))


NAMESPACE = Kind(
    "",
    "v1",
    "Namespace",
    "namespaces",
    namespaced=False,
    short_names=("ns",),
    columns=(("STATUS", _namespace_status),),
    first_status={"phase": "Active"},
)
NODE = Kind("", "v1", "Node", "nodes", False, ("no",))
POD = Kind(
    "",
    "v1",
    "Pod",
    "pods",
    short_names=("po",),
    columns=(("READY", _ready_containers), ("STATUS", _pod_status), ("RESTARTS", _restarts)),
    first_status={"phase": "Pending"},
)
SERVICE = Kind("", "v1", "Service", "services", short_names=("svc",), first_status={"loadBalancer": {}})
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", short_names=("ep",))
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
CLAIM = Kind(
    "",
    "v1",
    "PersistentVolumeClaim",
    "persistentvolumeclaims",
    short_names=("pvc",),
    columns=(("STATUS", _at("status", "phase")), ("VOLUME", _at("spec", "volumeName"))),
    first_status={"phase": "Pending"},
)
VOLUME = Kind(
    "",
    "v1",
    "PersistentVolume",
    "persistentvolumes",
    namespaced=False,
    short_names=("pv",),
    columns=(("STATUS", _at("status", "phase")), ("CLAIM", _at("spec", "claimRef", "name"))),
    first_status={"phase": "Pending"},
)
SECRET = Kind("", "v1", "Secret", "secrets", columns=(("TYPE", _at("type", default="Opaque")),))
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", short_names=("cm",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",))
EVENT = Kind(
    "",
    "v1",
    "Event",
    "events",
    short_names=("ev",),
    columns=(
        ("TYPE", _at("type")),
        ("REASON", _at("reason")),
        ("OBJECT", _at("involvedObject", "name")),
        ("MESSAGE", _at("message")),
    ),
)
DEPLOYMENT = Kind(
    "apps",
    "v1",
    "Deployment",
    "deployments",
    short_names=("deploy",),
    columns=(("READY", _replicas),),
    first_status={},
)
REPLICA_SET = Kind(
    "apps",
    "v1",
    "ReplicaSet",
    "replicasets",
    short_names=("rs",),
    columns=(("READY", _replicas),),
    first_status={},
)
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets", short_names=("sts",), first_status={})
DAEMON_SET = Kind("apps", "v1", "DaemonSet", "daemonsets", short_names=("ds",), first_status={})
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs", short_names=("cj",), first_status={})
JOB = Kind(
    "batch",
    "v1",
    "Job",
    "jobs",
    columns=(("SUCCEEDED", _at("status", "succeeded", default="0")),),
    first_status={},
)
INGRESS = Kind(
    "networking.k8s.io", "v1", "Ingress", "ingresses", short_names=("ing",), first_status={"loadBalancer": {}}
)
NETWORK_POLICY = Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short_names=("netpol",))
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
CUSTOM_RESOURCE_DEFINITION = Kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    namespaced=False,
    short_names=("crd",),
    first_status={},
)
GATEWAY = Kind(
    "gateway.networking.k8s.io",
    "v1",
    "Gateway",
    "gateways",
    short_names=("gtw",),
    columns=(("CLASS", _at("spec", "gatewayClassName")),),
    first_status={},
)
HTTP_ROUTE = Kind(
    "gateway.networking.k8s.io",
    "v1",
    "HTTPRoute",
    "httproutes",
    columns=(("HOSTNAMES", lambda route: ",".join(route["spec"].get("hostnames", []))),),
)
SECRET_STORE = Kind(
    "external-secrets.io",
    "v1",
    "SecretStore",
    "secretstores",
    short_names=("ss",),
    columns=(("READY", _ready_condition),),
    first_status={},
)
EXTERNAL_SECRET = Kind(
    "external-secrets.io",
    "v1",
    "ExternalSecret",
    "externalsecrets",
    short_names=("es",),
    columns=(("STORE", _at("spec", "secretStoreRef", "name")), ("READY", _ready_condition)),
    first_status={},
)
APPLICATION = Kind(
    "argoproj.io",
    "v1alpha1",
    "Application",
    "applications",
    short_names=("app",),
    columns=(
        ("SYNC STATUS", _at("status", "sync", "status")),
        ("HEALTH STATUS", _at("status", "health", "status")),
    ),
)
APPLICATION_SET = Kind(
    "argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets", short_names=("appset",)
)
APP_PROJECT = Kind("argoproj.io", "v1alpha1", "AppProject", "appprojects", short_names=("appproj",))

KINDS = (
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    ENDPOINTS,
    ENDPOINT_SLICE,
    CLAIM,
    VOLUME,
    SECRET,
    CONFIG_MAP,
    SERVICE_ACCOUNT,
    EVENT,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    CRON_JOB,
    JOB,
    INGRESS,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CUSTOM_RESOURCE_DEFINITION,
    GATEWAY,
    HTTP_ROUTE,
    SECRET_STORE,
    EXTERNAL_SECRET,
    APPLICATION,
    APPLICATION_SET,
    APP_PROJECT,
)


def kind_of(item: Object) -> Kind:
    """The kind that a manifest names. Raises `KeyError` for one that is not served."""
    for kind in KINDS:
        if (kind.api_version, kind.name) == (item.get("apiVersion"), item.get("kind")):
            return kind
    raise KeyError(f'no matches for kind "{item.get("kind")}" in version "{item.get("apiVersion")}"')
