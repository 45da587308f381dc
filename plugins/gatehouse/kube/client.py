"""Reads of a Kubernetes cluster, and commands in its pods, through the official client's connection.

Objects are plain dictionaries as the API gives them: the harness looks at many kinds, some of them custom.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline, clock_skew
from gatehouse.core.errors import EnvironmentProblem, InfrastructureError, NotFound, Transient, Unreachable

if TYPE_CHECKING:
    from gatehouse.kube.watch import Watch

Object = dict[str, Any]

#: Seconds one request may take, and all attempts of a read together.
REQUEST_TIMEOUT = 15.0
READ_BUDGET = 30.0
RETRY_PAUSE = 0.5

# The client logs every retry of a refused connection as a warning; the error that follows says it better.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: "Retrying" not in record.getMessage())


@dataclass(frozen=True)
class Kind:
    """A resource type: `path` is `api/v1` or `apis/<group>/<version>`."""

    path: str
    plural: str
    namespaced: bool = True

    def url(self, namespace: str | None, name: str = "") -> str:
        """The path of a collection or of one object."""
        scope = f"/namespaces/{quote(namespace)}" if self.namespaced and namespace else ""
        return f"/{self.path}{scope}/{self.plural}" + (f"/{quote(name)}" if name else "")


NAMESPACES = Kind("api/v1", "namespaces", namespaced=False)
PODS = Kind("api/v1", "pods")
CLAIMS = Kind("api/v1", "persistentvolumeclaims")
VOLUMES = Kind("api/v1", "persistentvolumes", namespaced=False)
SECRETS = Kind("api/v1", "secrets")
CONFIG_MAPS = Kind("api/v1", "configmaps")
SERVICES = Kind("api/v1", "services")
SERVICE_ACCOUNTS = Kind("api/v1", "serviceaccounts")
DEPLOYMENTS = Kind("apis/apps/v1", "deployments")
REPLICA_SETS = Kind("apis/apps/v1", "replicasets")
STATEFUL_SETS = Kind("apis/apps/v1", "statefulsets")
DAEMON_SETS = Kind("apis/apps/v1", "daemonsets")
JOBS = Kind("apis/batch/v1", "jobs")
CRON_JOBS = Kind("apis/batch/v1", "cronjobs")
EVENTS = Kind("api/v1", "events")
ENDPOINT_SLICES = Kind("apis/discovery.k8s.io/v1", "endpointslices")
HTTP_ROUTES = Kind("apis/gateway.networking.k8s.io/v1", "httproutes")
INGRESSES = Kind("apis/networking.k8s.io/v1", "ingresses")
GATEWAYS = Kind("apis/gateway.networking.k8s.io/v1", "gateways")
NETWORK_POLICIES = Kind("apis/networking.k8s.io/v1", "networkpolicies")
EXTERNAL_SECRETS = Kind("apis/external-secrets.io/v1", "externalsecrets")
SECRET_STORES = Kind("apis/external-secrets.io/v1", "secretstores")
CLUSTER_SECRET_STORES = Kind("apis/external-secrets.io/v1", "clustersecretstores", namespaced=False)
CUSTOM_RESOURCE_DEFINITIONS = Kind(
    "apis/apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False
)
REVIEWS = Kind("apis/authorization.k8s.io/v1", "selfsubjectaccessreviews", namespaced=False)


class Cluster:
    """A connection to one cluster. Use as a context manager, or call `close`."""

    def __init__(
        self, kubeconfig: Path | None = None, context: str | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Use `kubeconfig`, else KUBECONFIG and ~/.kube/config, else the service account of this pod.

        Raises `EnvironmentProblem` when none of them is there or usable.
        """
        # Imported here: it takes a good part of a second, and most runs of the inner suite do not need it.
        import kubernetes
        from kubernetes.config import ConfigException

        configuration = kubernetes.client.Configuration()
        configuration.retries = False
        try:
            if kubeconfig is None and _in_cluster():
                kubernetes.config.load_incluster_config(client_configuration=configuration)
            else:
                kubernetes.config.load_kube_config(
                    config_file=str(kubeconfig) if kubeconfig else None,
                    context=context,
                    client_configuration=configuration,
                )
        except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            # A file that is no kubeconfig trips the library in all of these ways.
            raise EnvironmentProblem(
                "no usable Kubernetes configuration",
                seen=f"{type(error).__name__}: {error}",
                where=str(kubeconfig or "KUBECONFIG, ~/.kube/config, service account"),
                next_step="set KUBECONFIG, or kubernetes.kubeconfig in gatehouse.yaml",
            ) from error
        self.configuration = configuration
        self._api = kubernetes.client.ApiClient(configuration)
        self._clock = clock
        self.server: str = configuration.host
        #: Whether any answer said that it comes from the embedded platform.
        self.embedded = False
        self._skew = timedelta()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        pools = self._api.rest_client.pool_manager.pools
        for key in pools.keys():  # noqa: SIM118 - this container cannot be iterated over
            if pool := pools.get(key):
                pool.close()  # forgetting it only closes its connections once nothing refers to it
        pools.clear()

    def server_time(self) -> datetime:
        """The time as the API server has it by its newest answer, with which the objects' times are to be compared."""
        return self._clock.now() + self._skew

    def list_all(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All objects of a kind, in one namespace or in all. Raises `PermissionDenied` (403).

        `labels` and `fields` are selectors. Objects of built-in kinds come without `apiVersion` and `kind`.
        """
        return self.list_versioned(kind, namespace, labels=labels, fields=fields)[0]

    def list_versioned(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> tuple[list[Object], str]:
        """As `list_all`, with the list's resource version, from which `watch` goes on without a gap."""
        items: list[Object] = []
        token = ""
        while True:
            query = [("limit", "500")]
            query += [("labelSelector", labels)] if labels else []
            query += [("fieldSelector", fields)] if fields else []
            query += [("continue", token)] if token else []
            answer = self._read(kind.url(namespace), query)
            items += answer.get("items") or []
            metadata = answer.get("metadata", {})
            token = metadata.get("continue") or ""
            if not token:
                return items, str(metadata.get("resourceVersion", ""))

    def watch(self, kind: Kind, namespace: str, version: str, seconds: int, *, labels: str = "") -> Watch:
        """The changes after `version`, with bookmarks; the server ends the watch after `seconds`.

        Returns once the server has accepted it. Raises `NotFound` (410) for a version that is forgotten.
        """
        from gatehouse.kube.watch import Watch

        query = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version)]
        query += [("timeoutSeconds", str(seconds))]
        query += [("labelSelector", labels)] if labels else []
        path = kind.url(namespace)
        response = self._send("GET", path, query, timeout=(REQUEST_TIMEOUT, seconds + REQUEST_TIMEOUT))
        if response.status != 200:
            self._read_answer(response, f"GET {path}")
        return Watch(response.response, f"GET {path}")

    def patch(self, kind: Kind, name: str, namespace: str | None, change: Object) -> Object:
        """Merge `change` into an object (RFC 7386); returns the object as it is then. Not repeated."""
        path = kind.url(namespace, name)
        response = self._send("PATCH", path, [], change, media_type="application/merge-patch+json")
        answer: Object = json.loads(self._read_answer(response, f"PATCH {path}"))
        return answer

    def log(
        self,
        namespace: str,
        pod: str,
        container: str = "",
        *,
        previous: bool = False,
        lines: int = 20,
        since_seconds: float | None = None,
    ) -> str:
        """The last lines a container printed, of its run before the present one if `previous`.

        `since_seconds` leaves out what is older than that.

        Raises `UsageError` (400) where there is no such run, or a container of several must be named.
        """
        query = [("tailLines", str(lines)), ("previous", "true" if previous else "false")]
        query += [("container", container)] if container else []
        query += [("sinceSeconds", f"{since_seconds:.0f}")] if since_seconds else []
        path = f"{PODS.url(namespace, pod)}/log"
        return self._read_answer(self._send("GET", path, query), f"GET {path}", text=True)

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None if there is none."""
        try:
            return self._read(kind.url(namespace, name), [])
        except NotFound:
            return None

    def may(self, verb: str, resource: str, namespace: str | None = None, *, group: str = "") -> bool:
        """Whether this identity is allowed to, by SelfSubjectAccessReview. `resource` may be `pods/exec`."""
        plural, _, subresource = resource.partition("/")
        attributes = {
            "verb": verb,
            "group": group,
            "resource": plural,
            "subresource": subresource,
            "namespace": namespace or "",
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self._request("POST", REVIEWS.url(None), [], review)
        return bool(answer.get("status", {}).get("allowed"))

    def version(self) -> str:
        """The server's version, such as v1.34.1."""
        return str(self._read("/version", [])["gitVersion"])

    def _read(self, path: str, query: list[tuple[str, str]]) -> Object:
        deadline = Deadline.after(READ_BUDGET, self._clock)
        while True:
            try:
                return self._request("GET", path, query)
            except (Transient, Unreachable):
                if deadline.remaining <= RETRY_PAUSE:
                    raise
                self._clock.sleep(RETRY_PAUSE)

    def _request(
        self, method: str, path: str, query: list[tuple[str, str]], body: Object | None = None
    ) -> Object:
        answer: Object = json.loads(
            self._read_answer(self._send(method, path, query, body), f"{method} {path}")
        )
        return answer

    def _send(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        body: Object | None = None,
        *,
        media_type: str = "application/json",
        timeout: float | tuple[float, float] = REQUEST_TIMEOUT,
    ) -> Any:
        """The response to a request, its body still to be read. Raises `Unreachable`."""
        import urllib3
        from kubernetes.client import ApiException

        # A log is text, and a server that is asked for nothing but JSON may refuse it (406).
        headers = {"Accept": "application/json, */*"} | ({"Content-Type": media_type} if body else {})
        request = self._api.param_serialize(
            method=method,
            resource_path=path,
            query_params=query,
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._api.call_api(*request, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, OSError, ApiException) as error:
            # An ApiException here is of the library's own making, as for a certificate that is not accepted.
            raise self._unreachable(f"{method} {path}", error) from error
        self.embedded = self.embedded or response.getheader("Server") == EMBEDDED_SERVER
        skew = clock_skew(response.getheader("Date") or "", self._clock.now())
        self._skew = self._skew if skew is None else skew
        return response

    def _read_answer(self, response: Any, request: str, *, text: bool = False) -> str:
        """The body of a response, JSON unless any `text` will do. Raises what a refusal stands for."""
        import urllib3

        try:
            body: str = response.read().decode(errors="replace")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(request, error) from error
        content_type = response.getheader("Content-Type") or ""
        if text and response.status < 400 and "html" not in content_type:
            return body
        if problem := failure("Kubernetes", request, response.status, content_type, body):
            raise problem
        return body

    def _unreachable(self, request: str, error: Exception) -> InfrastructureError:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):  # which does not pass by waiting
            return InfrastructureError(
                f"the certificate of the Kubernetes API server at {self.server} is not accepted",
                seen=" ".join(str(error).split()),
                where=request,
                next_step="compare the kubeconfig's certificate-authority with the server's; a wrong clock of this "
                "machine looks the same",
            )
        return Unreachable(
            f"Kubernetes does not answer at {self.server}",
            seen=f"{type(error).__name__}: {error}",
            where=request,
            next_step="check the kubeconfig's server address and the network",
        )


def _in_cluster() -> bool:
    import os

    return "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG")
