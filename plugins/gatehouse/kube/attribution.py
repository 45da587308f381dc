"""Which objects of a cluster belong to a workspace: decided from what was listed, never by asking again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gatehouse.kube.client import NAMESPACES, Kind, Object

#: Coder's stock templates put the workspace's id on what they make, but not on every pod.
WORKSPACE_LABEL = "com.coder.workspace.id"
NAME_LABEL = "com.coder.workspace.name"
USER_LABEL = "com.coder.user.username"

Listed = tuple[Kind, Object]


class Belongs(StrEnum):
    """By what an object is known to belong to a workspace."""

    LABEL = "its label"
    NAME = "its name"
    NAMESPACE = "its namespace"
    CLAIM = "its claim"
    OWNER = "its owner"
    NEW = "it is new and names the workspace"


@dataclass(frozen=True)
class Subject:
    """A workspace whose objects are looked for; `workspace_id` is empty while nobody knows it.

    `user` is the name of Coder's user, so that a namesake of somebody else's is told apart. `run` is set where
    nothing of the whole run may be there any more, so that new objects which name the run belong, too.
    """

    workspace_id: str
    name: str = ""
    user: str = ""
    run: str = ""


@dataclass(frozen=True)
class Before:
    """What there was before the workspace was made; of other kinds than these, nobody knows what is new."""

    uids: frozenset[str]
    kinds: frozenset[str]

    def has(self, kind: Kind, item: Object) -> bool:
        """Whether an object was there, or may have been."""
        return kind.plural not in self.kinds or item["metadata"]["uid"] in self.uids


@dataclass(frozen=True)
class Attribution:
    """Whose what is: what belongs, by what, and what is new without belonging to anyone that is known."""

    belonging: tuple[tuple[Kind, Object, Belongs], ...]
    new: tuple[Listed, ...] = ()
    #: Others' objects in namespaces that belong.
    strangers: tuple[Listed, ...] = ()


def attribute(
    objects: Iterable[Listed],
    subject: Subject,
    *,
    before: Before | None = None,
    seen: Collection[str] = (),
) -> Attribution:
    """Tell what belongs to a workspace. `seen` are uids known to be its own from earlier looks.

    An object that says of itself that it is another workspace's never belongs, whatever else it says.
    """
    listed = list(objects)
    everything = [each for each in listed if not _of_another(each[1], subject)]
    chosen: dict[str, tuple[Kind, Object, Belongs]] = {}

    def choose(how: Belongs, is_meant: Callable[[Listed], bool]) -> bool:
        found = [each for each in everything if each[1]["metadata"]["uid"] not in chosen and is_meant(each)]
        chosen.update({item["metadata"]["uid"]: (kind, item, how) for kind, item in found})
        return bool(found)

    choose(Belongs.LABEL, lambda each: _labelled(each[1], subject))
    choose(Belongs.NAME, lambda each: _named(each[1], subject.workspace_id))
    mentions = _mentions(subject)
    if before and mentions:
        choose(Belongs.NEW, lambda each: not before.has(*each) and _says(each[1], mentions))
    namespaces = {item["metadata"]["name"] for kind, item, _ in chosen.values() if kind == NAMESPACES}
    choose(Belongs.NAMESPACE, lambda each: each[1]["metadata"].get("namespace") in namespaces)
    while choose(Belongs.OWNER, lambda each: _owned(each[1], {*chosen, *seen})):
        pass
    choose(Belongs.CLAIM, lambda each: _claimed(each[1], {*chosen, *seen}, namespaces))
    strangers = [
        each
        for each in listed
        if each[1]["metadata"].get("namespace") in namespaces and _of_another(each[1], subject)
    ]
    return Attribution(tuple(chosen.values()), tuple(_new(listed, chosen, before)), tuple(strangers))


def _new(
    listed: Sequence[Listed], chosen: Collection[str], before: Before | None
) -> Iterable[tuple[Kind, Object]]:
    """What is new and nobody's; what it owns, and what is in a new namespace or another's, goes without saying."""
    if before is None:
        return
    told = {
        item["metadata"]["name"]
        for kind, item in listed
        if kind == NAMESPACES and (_is_a_workspaces(item) or not before.has(kind, item))
    }
    for kind, item in listed:
        metadata = item["metadata"]
        if metadata["uid"] in chosen or metadata.get("ownerReferences") or before.has(kind, item):
            continue
        if metadata.get("namespace") not in told and not _is_a_workspaces(item):
            yield kind, item


def _is_a_workspaces(item: Object) -> bool:
    return WORKSPACE_LABEL in (item["metadata"].get("labels") or {})


def _of_another(item: Object, subject: Subject) -> bool:
    labels = item["metadata"].get("labels") or {}
    known = (
        (WORKSPACE_LABEL, subject.workspace_id),
        (NAME_LABEL, subject.name),
        (USER_LABEL, subject.user),
    )
    if subject.workspace_id and labels.get(WORKSPACE_LABEL) == subject.workspace_id:
        return False
    return any(ours and labels.get(label, ours) != ours for label, ours in known)


def _labelled(item: Object, subject: Subject) -> bool:
    labels = item["metadata"].get("labels") or {}
    by_id = bool(subject.workspace_id) and labels.get(WORKSPACE_LABEL) == subject.workspace_id
    return by_id or (bool(subject.name) and labels.get(NAME_LABEL) == subject.name)


def _named(item: Object, workspace_id: str) -> bool:
    metadata, claim = item["metadata"], (item.get("spec") or {}).get("claimRef") or {}
    places = (metadata["name"], metadata.get("namespace"), claim.get("name"), claim.get("namespace"))
    return bool(workspace_id) and any(workspace_id in (text or "") for text in places)


def _mentions(subject: Subject) -> re.Pattern[str] | None:
    """What an object says that names the workspace: as a word of its own, or with words of its own after a hyphen."""
    words = [re.escape(word) for word in (subject.workspace_id, subject.name, subject.run) if word]
    return re.compile(rf"(?<![A-Za-z0-9])({'|'.join(words)})(?![A-Za-z0-9])") if words else None


def _says(item: Object, mentions: re.Pattern[str]) -> bool:
    metadata = item["metadata"]
    said = (metadata.get("labels") or {}) | (metadata.get("annotations") or {})
    return any(mentions.search(text) for text in (metadata["name"], *said.values()))


def _owned(item: Object, uids: Collection[str]) -> bool:
    return any(owner.get("uid") in uids for owner in item["metadata"].get("ownerReferences") or [])


def _claimed(item: Object, uids: Collection[str], namespaces: Collection[str]) -> bool:
    claim = (item.get("spec") or {}).get("claimRef") or {}
    return claim.get("uid") in uids or claim.get("namespace") in namespaces
