"""One Application's object: what the controller knows of it, and what it shows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from gatehouse.embedded.argocd.faults import Faults
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import APPLICATION, Object
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore

#: What the controller writes of an Application, and what a rewritten one is given back before it is read.
PARTS = ("status", "operation")


class ApplicationRecord:
    """Reads and writes an Application. What a scenario rewrites is stored rewritten, and read as it truly is."""

    def __init__(
        self, store: ObjectStore, faults: Faults, application: Object, elapsed: Callable[[], float]
    ) -> None:
        """`elapsed` says for how many seconds the controller has been running."""
        metadata = application["metadata"]
        self.namespace: str = metadata["namespace"]
        self.name: str = metadata["name"]
        self.uid: str = metadata["uid"]
        self._store = store
        self._faults = faults
        self._elapsed = elapsed
        self._truth: Object | None = None

    def find(self) -> Object | None:
        """A copy of the Application, or None when it is gone."""
        found = self._store.find(APPLICATION, self.namespace, self.name)
        if found is None or found["metadata"]["uid"] != self.uid:
            return None
        for part in PARTS if self._truth is not None else ():
            found.pop(part, None)
            if part in (self._truth or {}):
                found[part] = copied((self._truth or {})[part])
        return found

    def write(self, application: Object) -> None:
        """Store the Application, unless it is gone or was changed meanwhile: the next round sees that."""
        rewrite = self._faults.rewrite.get(self.name)
        self._truth = None
        if rewrite:
            self._truth = copied({part: application[part] for part in PARTS if part in application})
            application = copied(application)
            rewrite(application, self._elapsed())
        with contextlib.suppress(ApiError):
            self._store.update(APPLICATION, application)

    def show_again(self) -> None:
        """Rewrite what is shown, which may depend on the time; show the truth once nothing rewrites it any more."""
        rewritten = self._truth is not None or self.name in self._faults.rewrite
        if rewritten and (application := self.find()):
            self.write(application)

    @property
    def terminating(self) -> bool:
        """Whether someone has asked for the running operation to be ended."""
        found = self._store.find(APPLICATION, self.namespace, self.name) or {}
        phase = found.get("status", {}).get("operationState", {}).get("phase")
        return "operation" in found and phase == "Terminating"
