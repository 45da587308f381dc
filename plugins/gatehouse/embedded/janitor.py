"""Removes the namespaces of closed previews: Argo CD deletes their Applications, never the namespace."""

from __future__ import annotations

import re

from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.kubernetes.kinds import APPLICATION, NAMESPACE
from gatehouse.embedded.kubernetes.store import ObjectStore

NAME = re.compile(r"pr-\d+")


class NamespaceJanitor:
    """A namespace goes when its name and label match and no Application targets it any more."""

    def __init__(self, store: ObjectStore, timings: Timings) -> None:
        self._store = store
        self._timings = timings

    async def run(self) -> None:
        """Look at intervals, for ever."""
        while True:
            await pause(self._timings.namespace_janitor)
            targeted = {each["spec"]["destination"]["namespace"] for each in self._store.select(APPLICATION)}
            for namespace in self._store.select(NAMESPACE, labels="preview=true"):
                metadata = namespace["metadata"]
                orphan = NAME.fullmatch(metadata["name"]) and metadata["name"] not in targeted
                if orphan and not metadata.get("deletionTimestamp"):
                    self._store.delete(NAMESPACE, "", metadata["name"])
