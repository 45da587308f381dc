"""The external-secrets operator: secrets of the cluster whose values are in a vault."""

from __future__ import annotations

import base64

from gatehouse.embedded import clock
from gatehouse.embedded.kubernetes.conditions import condition, conditions_of, is_true
from gatehouse.embedded.kubernetes.kinds import EXTERNAL_SECRET, SECRET, SECRET_STORE, Kind, Object
from gatehouse.embedded.kubernetes.store import ObjectStore, owned_by, owner_reference


class _SyncError(Exception):
    """Why a secret cannot be made, in the operator's words."""


class ExternalSecrets:
    """Makes the Secret of each ExternalSecret. `vault` has properties and their values by key.

    While `refused` is not empty, the vault refuses to let any SecretStore sign in, with these words.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.vault: dict[str, dict[str, str]] = {}
        self.refused = ""

    def reconcile(self) -> None:
        """Judge every SecretStore, and make the Secrets that can be made."""
        for secret_store in self._store.select(SECRET_STORE):
            ready = (
                ("False", "InvalidProviderConfig", self.refused)
                if self.refused
                else ("True", "Valid", "store validated")
            )
            self._set_ready(SECRET_STORE, secret_store, *ready)
        for external_secret in self._store.select(EXTERNAL_SECRET):
            if not external_secret["metadata"].get("deletionTimestamp"):
                self._sync(external_secret)

    def _sync(self, external_secret: Object) -> None:
        try:
            self._require_store(external_secret)
            self._write_secret(external_secret, self._values(external_secret))
        except _SyncError as error:
            self._set_ready(EXTERNAL_SECRET, external_secret, "False", "SecretSyncedError", str(error))
        else:
            self._set_ready(EXTERNAL_SECRET, external_secret, "True", "SecretSynced", "secret synced")

    def _require_store(self, external_secret: Object) -> None:
        name = external_secret["spec"]["secretStoreRef"]["name"]
        secret_store = self._store.find(SECRET_STORE, external_secret["metadata"]["namespace"], name)
        if secret_store is None:
            missing = f'SecretStore.external-secrets.io "{name}" not found'
            raise _SyncError(f'could not get SecretStore "{name}", {missing}')
        if not is_true(secret_store, "Ready"):
            raise _SyncError(f'could not get SecretStore "{name}", store is not ready')

    def _values(self, external_secret: Object) -> dict[str, str]:
        values = {}
        for number, entry in enumerate(external_secret["spec"].get("data", [])):
            reference = entry["remoteRef"]
            value = self.vault.get(reference["key"], {}).get(reference.get("property", ""))
            if value is None:
                where = f"spec.data[{number}] (key: {reference['key']})"
                raise _SyncError(f"error processing {where}, err: Secret does not exist")
            values[entry["secretKey"]] = base64.b64encode(value.encode()).decode()
        return values

    def _write_secret(self, external_secret: Object, values: dict[str, str]) -> None:
        metadata = external_secret["metadata"]
        name = external_secret["spec"].get("target", {}).get("name", metadata["name"])
        found = self._store.find(SECRET, metadata["namespace"], name)
        if found is None:
            own = {"name": name, "ownerReferences": [owner_reference(external_secret)]}
            secret = {"metadata": own, "type": "Opaque", "data": values}
            self._store.create(SECRET, secret, metadata["namespace"])
        elif owned_by(found, metadata["uid"]):
            self._store.update(SECRET, {**found, "data": values})
        else:
            raise _SyncError(f"could not update secret: secret {name} is not owned by {metadata['name']}")

    def _set_ready(self, kind: Kind, item: Object, status: str, reason: str, message: str) -> None:
        metadata, before = item["metadata"], conditions_of(item)
        ready = condition(before, "Ready", status, reason, message)
        if before.get("Ready") == ready:
            return
        changed: Object = {"conditions": [ready]}
        if kind is EXTERNAL_SECRET:
            changed["refreshTime"] = clock.whole_seconds()
        self._store.set_status(kind, metadata["namespace"], metadata["name"], changed)
        if status == "False":
            cause = "UpdateFailed" if kind is EXTERNAL_SECRET else reason
            self._store.record_event(item, "Warning", cause, message, "external-secrets")
