"""Reads of a Kubernetes cluster, and commands in its pods, through the official client's connection.

Objects are plain dictionaries as the API gives them: the harness looks at many kinds, some of them custom.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline, clock_skew
from gatehouse.core.errors import InfrastructureError, NotFound, RateLimited, Transient, Unreachable
from gatehouse.kube.credentials import is_there_any, load_configuration

if TYPE_CHECKING:
    from gatehouse.core.settings import KubernetesSettings
    from gatehouse.kube.watch import Watch

Object = dict[str, Any]

#: Seconds one request may take, and all attempts of a read together.
REQUEST_TIMEOUT = 15.0
READ_BUDGET = 30.0
RETRY_PAUSE = 0.5

#: A log is text, and a server that is asked for nothing but JSON may refuse it (406).
JSON = "application/json, */*"

#: Asks for nothing but the metadata of listed objects; servers that cannot do that give the whole objects.
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"

#: Objects in one answer to a list, and in one that holds nothing but metadata.
PAGE = 500
METADATA_PAGE = 10_000

# The client logs every retry of a refused connection as a warning; the error that follows says it better.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: "Retrying" not in record.getMessage())


@dataclass(frozen=True)
class Kind:
    """A resource type: `path` is `api/v1` or `apis/<group>/<version>`."""

    path: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, as roles name it: empty for the core."""
        return self.path.split("/")[1] if self.path.startswith("apis/") else ""

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
ROLES = Kind("apis/rbac.authorization.k8s.io/v1", "roles")
ROLE_BINDINGS = Kind("apis/rbac.authorization.k8s.io/v1", "rolebindings")
CLUSTER_ROLES = Kind("apis/rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Kind("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False)
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
        """Use `kubeconfig`, else KUBECONFIG, else the service account of this pod, else ~/.kube/config.

        With a `context`, a kubeconfig has to be there. Raises `EnvironmentProblem` when nothing can be used.
        """
        # Imported here: it takes a good part of a second, and most runs of the inner suite do not need it.
        import kubernetes

        configuration = load_configuration(kubeconfig, context)
        self.configuration = configuration
        self._api = kubernetes.client.ApiClient(configuration)
        self._clock = clock
        self._bound: Deadline | None = None
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

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """Repeat reads that fail only as long as there is time, besides the budget here."""
        before, self._bound = self._bound, deadline
        try:
            yield
        finally:
            self._bound = before

    def list_metadata(self, kind: Kind) -> list[Object]:
        """All objects of a kind, `metadata` at least, in one answer for each 10,000. Raises as `list_all`."""
        items: list[Object] = []
        token = ""
        while True:
            query = [("limit", str(METADATA_PAGE))] + ([("continue", token)] if token else [])
            answer = self._read(kind.url(None), query, accept=METADATA_ONLY)
            items += answer.get("items") or []
            token = answer.get("metadata", {}).get("continue") or ""
            if not token:
                return items

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
            query = [("limit", str(PAGE))]
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
        query = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version)]
        query += [("timeoutSeconds", str(seconds))]
        query += [("labelSelector", labels)] if labels else []
        return self._stream(kind.url(namespace), query, seconds + REQUEST_TIMEOUT)

    def patch(self, kind: Kind, name: str, namespace: str | None, change: Object) -> Object:
        """Merge `change` into an object (RFC 7386); returns the object as it is then. Not repeated."""
        path = kind.url(namespace, name)
        response = self._send("PATCH", path, [], change, media_type="application/merge-patch+json")
        answer: Object = json.loads(self._read_answer(response, f"PATCH {path}"))
        return answer

    def create(self, kind: Kind, namespace: str | None, item: Object) -> Object:
        """Make an object; returns it as the server has it. Not sent twice: `Unreachable` leaves open what happened."""
        return self._request("POST", kind.url(namespace), [], item)

    def delete(
        self, kind: Kind, name: str, namespace: str | None, uid: str = "", *, foreground: bool = False
    ) -> None:
        """Ask for the deletion of an object, once, and of what it owns. Raises `NotFound` where there is none.

        With a `uid`, raises `Conflict` where another object has its name by now. In the `foreground` it goes only once
        all that it owns is gone. It may be there for a while yet.
        """
        path = kind.url(namespace, name)
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        options["propagationPolicy"] = "Foreground" if foreground else "Background"
        if uid:
            options["preconditions"] = {"uid": uid}
        self._read_answer(self._send("DELETE", path, [], options), f"DELETE {path}")

    def follow_log(self, namespace: str, pod: str, container: str) -> Watch:
        """All that a container has printed and goes on printing, until it ends.

        Raises `UsageError` (400) while there is no such container yet.
        """
        path = f"{PODS.url(namespace, pod)}/log"
        return self._stream(path, [("follow", "true"), ("container", container)], None)

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

    def _stream(self, path: str, query: list[tuple[str, str]], silence: float | None) -> Watch:
        """An answer that is read as it comes; one that says nothing for `silence` seconds is cut."""
        from gatehouse.kube.watch import Watch

        response = self._send("GET", path, query, timeout=(REQUEST_TIMEOUT, silence))
        if response.status != 200:
            self._read_answer(response, f"GET {path}")
        return Watch(response.response, f"GET {path}")

    def _read(self, path: str, query: list[tuple[str, str]], *, accept: str = JSON) -> Object:
        bound = self._bound
        deadline = bound.within(READ_BUDGET) if bound else Deadline.after(READ_BUDGET, self._clock)
        while True:
            try:
                return self._request("GET", path, query, accept=accept)
            except (Transient, Unreachable) as error:
                wait = max(error.retry_after if isinstance(error, RateLimited) else 0.0, RETRY_PAUSE)
                if deadline.remaining <= wait:
                    raise
                self._clock.sleep(wait)

    def _request(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        body: Object | None = None,
        *,
        accept: str = JSON,
    ) -> Object:
        response = self._send(method, path, query, body, accept=accept)
        answer: Object = json.loads(self._read_answer(response, f"{method} {path}"))
        return answer

    def _send(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        body: Object | None = None,
        *,
        media_type: str = "application/json",
        accept: str = JSON,
        timeout: float | tuple[float, float | None] = REQUEST_TIMEOUT,
    ) -> Any:
        """The response to a request, its body still to be read. Raises `Unreachable`."""
        import urllib3
        from kubernetes.client import ApiException

        headers = {"Accept": accept} | ({"Content-Type": media_type} if body else {})
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
        retry_after = response.getheader("Retry-After") or ""
        if problem := failure("Kubernetes", request, response.status, content_type, body, retry_after):
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


def connect(settings: KubernetesSettings | None) -> Cluster | None:
    """The cluster of a target; None where it has no section for one, or nothing here to be asked with.

    So one configuration does for a hosted runner, which cannot look into the cluster, and for a pod, which can.
    Raises `EnvironmentProblem` for credentials that are there and cannot be used.
    """
    if settings is None or not is_there_any(settings.kubeconfig, settings.context, os.environ, Path.home()):
        return None
    return Cluster(settings.kubeconfig, settings.context)
