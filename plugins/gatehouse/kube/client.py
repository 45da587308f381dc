"""Reads of a Kubernetes cluster, and commands in its pods, through the official client's connection.

Objects are plain dictionaries as the API gives them: the harness looks at many kinds, some of them custom.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gatehouse.core.answers import EMBEDDED_SERVER, failure
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import EnvironmentProblem, NotFound, Transient, Unreachable

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
JOBS = Kind("apis/batch/v1", "jobs")
INGRESSES = Kind("apis/networking.k8s.io/v1", "ingresses")
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

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._api.rest_client.pool_manager.clear()

    def list_all(self, kind: Kind, namespace: str | None = None, *, labels: str = "") -> list[Object]:
        """All objects of a kind, in one namespace or in all. Raises `PermissionDenied` (403)."""
        items: list[Object] = []
        token = ""
        while True:
            query = [("limit", "500")]
            query += [("labelSelector", labels)] if labels else []
            query += [("continue", token)] if token else []
            answer = self._read(kind.url(namespace), query)
            items += answer.get("items") or []
            token = answer.get("metadata", {}).get("continue") or ""
            if not token:
                return items

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
        import urllib3

        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
        request = self._api.param_serialize(
            method=method,
            resource_path=path,
            query_params=query,
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._api.call_api(*request, _request_timeout=REQUEST_TIMEOUT)
            text = response.read().decode(errors="replace")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(
                f"Kubernetes does not answer at {self.server}",
                seen=f"{type(error).__name__}: {error}",
                where=f"{method} {path}",
                next_step="check the kubeconfig's server address and the network",
            ) from error
        self.embedded = self.embedded or response.getheader("Server") == EMBEDDED_SERVER
        content_type = response.getheader("Content-Type") or ""
        if problem := failure("Kubernetes", f"{method} {path}", response.status, content_type, text):
            raise problem
        answer: Object = json.loads(text)
        return answer


def _in_cluster() -> bool:
    import os

    return "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG")
