"""What runs may have left: from ledgers, from names in Coder, from labels in the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Workspace
from gatehouse.coder.ownership import (
    CREATED_ANNOTATION,
    EXPIRES_ANNOTATION,
    OWNER_LABEL,
    PREFIX,
    RUN_LABEL,
)
from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.ledger import Entry, read_ledger
from gatehouse.kube.attribution import NAME_LABEL, WORKSPACE_LABEL
from gatehouse.kube.client import Cluster, Object
from gatehouse.kube.inventory import list_everything
from gatehouse.task.sweep.model import Candidate, Source

LEDGERS = "ledger-*.jsonl"


@dataclass
class Found:
    """Candidates, the best known first, and what could not be looked at."""

    candidates: list[Candidate] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, more: Iterable[Candidate]) -> None:
        """Add what is not there yet, by id or by name."""
        ids = {each.entry.id for each in self.candidates if each.entry.id}
        names = {each.entry.name for each in self.candidates}
        self.candidates += [
            each for each in more if each.entry.id not in ids and each.entry.name not in names
        ]


def ledgers_in(paths: Sequence[Path]) -> list[Path]:
    """The ledgers that are named, or are in the bundles that are. Raises `UsageError` for what is not there."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"there is no {path}",
                expected="a bundle, or a ledger in one",
                next_step="name a folder such as reports/latest, or leave it out to sweep all that can be found",
            )
        found += sorted(path.glob(LEDGERS)) if path.is_dir() else [path]
    return list(dict.fromkeys(each.resolve() for each in found))


def ledgers_below(root: Path) -> list[Path]:
    """The ledgers of all bundles in a folder."""
    return list(dict.fromkeys(each.resolve() for each in sorted(root.glob(f"*/{LEDGERS}"))))


def from_ledgers(paths: Iterable[Path], *, named: bool) -> Found:
    """What ledgers say is outstanding."""
    found = Found()
    for path in paths:
        try:
            reading = read_ledger(path)
        except GatehouseError as error:
            found.problems.append(f"{error.summary}: {error.seen}")
            continue
        found.problems += reading.problems
        for entry in reading.entries:
            candidate = Candidate(entry, Source.LEDGER, reading.holder(entry), path, named)
            found.candidates.append(candidate)
    return found


def from_coder(coder: CoderClient) -> Found:
    """The token's own workspaces whose names begin as ours do, with what their parameters say of them."""
    found = Found()
    try:
        for workspace in coder.own_workspaces(f"{PREFIX}-"):
            said = {each.name: each.value for each in coder.build_parameters(workspace.latest_build.id)}
            found.candidates.append(Candidate(_entry_of(workspace, said), Source.CODER))
    except GatehouseError as error:
        found.problems.append(f"workspaces in Coder: {error.summary}: {error.seen}")
    return found


def from_cluster(cluster: Cluster) -> Found:
    """Workspaces of which objects with our labels are in the cluster."""
    objects, unverified, _ = list_everything(cluster)
    found = Found(problems=[f"{kind} in the cluster: {reason}" for kind, reason in unverified.items()])
    seen: dict[str, Candidate] = {}
    for _, item in objects:
        if (entry := _entry_of_object(item)) and entry.id:
            seen.setdefault(entry.id, Candidate(entry, Source.CLUSTER))
    found.candidates += seen.values()
    return found


def everything(ledgers: Sequence[Path], coder: CoderClient, cluster: Cluster | None, *, named: bool) -> Found:
    """What named ledgers say; where none is named, all that can be found by ledgers, names and labels."""
    found = from_ledgers(ledgers, named=named)
    if named:
        return found
    for more in _elsewhere(coder, cluster):
        found.add(more.candidates)
        found.problems += more.problems
    return found


def _elsewhere(coder: CoderClient, cluster: Cluster | None) -> Iterator[Found]:
    yield from_coder(coder)
    if cluster:
        yield from_cluster(cluster)


def _entry_of(workspace: Workspace, said: dict[str, str]) -> Entry:
    created = workspace.created_at.isoformat() if workspace.created_at else said.get("gatehouse_created", "")
    return Entry(
        kind="workspace",
        name=workspace.name,
        owner=said.get("gatehouse_owner", ""),
        run=said.get("gatehouse_run", ""),
        created=created,
        expires=said.get("gatehouse_expires", ""),
        id=workspace.id,
    )


def _entry_of_object(item: Object) -> Entry | None:
    labels = item["metadata"].get("labels") or {}
    annotations = item["metadata"].get("annotations") or {}
    if not (labels.get(RUN_LABEL) and labels.get(OWNER_LABEL) and labels.get(WORKSPACE_LABEL)):
        return None
    return Entry(
        kind="workspace",
        name=labels.get(NAME_LABEL, labels[WORKSPACE_LABEL]),
        owner=labels[OWNER_LABEL],
        run=labels[RUN_LABEL],
        created=annotations.get(CREATED_ANNOTATION, item["metadata"].get("creationTimestamp", "")),
        expires=annotations.get(EXPIRES_ANNOTATION, ""),
        id=labels[WORKSPACE_LABEL],
    )
