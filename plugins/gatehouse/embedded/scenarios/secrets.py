"""What goes wrong with secrets whose values are in a vault."""

from __future__ import annotations

from gatehouse.embedded.clock import pause
from gatehouse.embedded.kubernetes.conditions import conditions_of
from gatehouse.embedded.kubernetes.kinds import EXTERNAL_SECRET
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

PERMISSION_DENIED = "unable to log in with Kubernetes auth: Code: 403. Errors: * permission denied"

#: Takes the place of the plain Secret among what Argo CD deploys.
MANIFESTS = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata:
  name: vault
spec:
  provider:
    vault:
      server: https://vault.example.com
      path: kv
      auth: {kubernetes: {mountPath: kubernetes, role: previews}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: platform-auth
spec:
  refreshInterval: 1h0m0s
  secretStoreRef: {name: vault, kind: SecretStore}
  target: {name: platform-auth, creationPolicy: Owner}
  data:
    - secretKey: AUTH_SECRET
      remoteRef: {key: previews/platform, property: AUTH_SECRET}
    - secretKey: AUTH_KEYCLOAK_SECRET
      remoteRef: {key: previews/platform, property: AUTH_KEYCLOAK_SECRET}
    - secretKey: MEMBERS
      remoteRef: {key: previews/platform, property: MEMBERS}
"""


@scenario("kubernetes")
def secret_store_not_ready(systems: Systems) -> None:
    """The preview's secret is an ExternalSecret, and its SecretStore cannot sign in to the vault."""
    _keep_secrets_in_vault(systems)
    systems.external_secrets.refused = PERMISSION_DENIED


@scenario("kubernetes")
def secret_late(systems: Systems) -> None:
    """The preview's secret is an ExternalSecret that cannot be read for its first second and a half."""
    secret_store_not_ready(systems)

    async def let_in() -> None:
        await steps.until(
            systems,
            lambda: any("Ready" in conditions_of(each) for each in systems.store.select(EXTERNAL_SECRET)),
        )
        await pause(1.5)
        systems.external_secrets.refused = ""
        systems.external_secrets.reconcile()

    systems.background.append(let_in())


def _keep_secrets_in_vault(systems: Systems) -> None:
    files = {"previews/secrets/platform-auth.yaml": MANIFESTS}
    systems.gitops.repository.commit_files("main", files, "Keep the platform's secrets in the vault")
