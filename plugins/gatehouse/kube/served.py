"""Kinds that clusters serve in different versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gatehouse.core.errors import NotFound
from gatehouse.kube.client import Cluster, Kind, Object


def list_served(
    cluster: Cluster, kind: Kind, older: Sequence[str], namespace: str | None = None
) -> list[Object]:
    """The objects of a kind in the first version that the cluster serves: its own, else one of `older`.

    Raises `NotFound` where it serves none of them, `PermissionDenied` where they may not be listed.
    """
    missing: NotFound | None = None
    for version in _versions(kind, older):
        try:
            return cluster.list_all(version, namespace)
        except NotFound as error:
            missing = missing or error
    assert missing
    raise missing


def _versions(kind: Kind, older: Sequence[str]) -> Iterable[Kind]:
    yield kind
    for version in older:
        yield replace(kind, path=f"{kind.path.rpartition('/')[0]}/{version}")
