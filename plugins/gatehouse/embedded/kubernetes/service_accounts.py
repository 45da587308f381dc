"""Service accounts: the tokens that pods are given, and what roles allow their bearers."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from gatehouse.embedded.kubernetes.access import Identity, Rule, rule
from gatehouse.embedded.kubernetes.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE,
    ROLE_BINDING,
    Object,
)
from gatehouse.embedded.kubernetes.store import ObjectStore

#: Where a container finds its token.
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class ServiceAccounts:
    """Hands out tokens and knows whose they are. `host` and `port` are the API's, as pods are told."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._tokens: dict[str, tuple[str, str]] = {}
        self.host, self.port, self.authority = "127.0.0.1", 443, ""

    def mount(self, pod: Object, folder: Path) -> dict[str, Path]:
        """Give a pod its token in `folder`; the mount path and where it leads, nothing for a pod without one."""
        if pod["spec"].get("automountServiceAccountToken") is False:
            return {}
        namespace, name = pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName", "default")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "namespace").write_text(namespace)
        (folder / "ca.crt").write_text(self.authority)
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text(self._issue(namespace, name))
        return {MOUNT: folder}

    def environment(self) -> dict[str, str]:
        """The variables by which programs in pods find the API."""
        return {"KUBERNETES_SERVICE_HOST": self.host, "KUBERNETES_SERVICE_PORT": str(self.port)}

    def identity(self, token: str) -> Identity | None:
        """Who bears a token, with what the roles bound to it allow now; None for a token of nobody's."""
        if token not in self._tokens:
            return None
        namespace, name = self._tokens[token]
        rules: list[Rule] = []
        for binding in self._store.select(ROLE_BINDING, namespace):
            if _binds(binding, namespace, name):
                rules += self._rules(binding, namespace)
        for binding in self._store.select(CLUSTER_ROLE_BINDING):
            if _binds(binding, namespace, name):
                rules += self._rules(binding, "")
        return Identity(f"system:serviceaccount:{namespace}:{name}", tuple(rules))

    def _rules(self, binding: Object, namespace: str) -> list[Rule]:
        reference = binding["roleRef"]
        kind = CLUSTER_ROLE if reference["kind"] == "ClusterRole" else ROLE
        role = self._store.find(kind, namespace, reference["name"]) or {}
        return [
            rule(" ".join(each["verbs"]), " ".join(each["resources"]), namespace or "*")
            for each in role.get("rules", [])
        ]

    def _issue(self, namespace: str, name: str) -> str:
        claims = {"iss": "https://kubernetes.default.svc", "sub": f"system:serviceaccount:{namespace}:{name}"}
        parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), secrets.token_hex(32))
        token = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        self._tokens[token] = (namespace, name)
        return token


def _binds(binding: Object, namespace: str, name: str) -> bool:
    return any(
        subject.get("kind") == "ServiceAccount"
        and subject.get("name") == name
        and subject.get("namespace", namespace) == namespace
        for subject in binding.get("subjects", [])
    )
