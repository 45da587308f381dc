"""The cluster's objects, their versions and the history that watches read."""

from __future__ import annotations

import asyncio
import base64
import random
import re
import string
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Container, Iterator
from dataclasses import dataclass

from gatehouse.embedded import clock
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import EVENT, NAMESPACE, SECRET, Kind, Object

#: Changes kept for watches; a watch that asks for an older version is answered 410 Gone.
HISTORY = 5000


class ApiError(Exception):
    """An answer of the API server that is not a success, as a `Status` object."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        """`reason` is Kubernetes' word for it, such as `NotFound`."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message

    def status(self) -> Object:
        """The body of the answer."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


def not_found(kind: Kind, name: str) -> ApiError:
    """404 in the API server's words."""
    resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    return ApiError(404, "NotFound", f'{resource} "{name}" not found')


@dataclass(frozen=True)
class Change:
    """One entry of the history; `kind` of change is ADDED, MODIFIED or DELETED."""

    version: int
    type: str
    kind: Kind
    item: Object


class ObjectStore:
    """All objects by kind, namespace and name. Used from one event loop only.

    A stored object is never changed in place: writers hand in a new one, so that history and readers may
    keep what they were given. `get` gives a copy that may be edited; `select` gives the objects themselves.
    """

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._history: deque[Change] = deque(maxlen=HISTORY)
        self._waiting: list[asyncio.Future[None]] = []
        self.version = 1000

    # --- reading -------------------------------------------------------------------------------------

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """A copy of the object, or None."""
        found = self._objects.get(kind, {}).get((namespace if kind.namespaced else "", name))
        return copied(found) if found else None

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """A copy of the object. Raises `ApiError` 404."""
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def select(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """The objects of a kind in one namespace or all, filtered by label and field selectors."""
        matches_labels, matches_fields = label_selector(labels), field_selector(fields)
        return [
            item
            for (space, _), item in sorted(self._objects.get(kind, {}).items(), key=lambda entry: entry[0])
            if (namespace is None or space == namespace) and matches_labels(item) and matches_fields(item)
        ]

    def everything(self) -> Iterator[tuple[Kind, Object]]:
        """Every object with its kind."""
        for kind, items in list(self._objects.items()):
            for item in list(items.values()):
                yield kind, item

    def by_uid(self, uid: str) -> Object | None:
        """The object with this uid, whatever its kind."""
        return next((item for _, item in self.everything() if item["metadata"]["uid"] == uid), None)

    # --- writing -------------------------------------------------------------------------------------

    def create(self, kind: Kind, item: Object, namespace: str = "") -> Object:
        """Add an object; returns it with uid, version and creation time. Raises `ApiError` 404, 409, 422."""
        item = copied(item)
        metadata = item.setdefault("metadata", {})
        if kind.namespaced:
            metadata["namespace"] = namespace = namespace or metadata.get("namespace") or "default"
            self._require_namespace(kind, namespace, metadata.get("name", ""))
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + _suffix()
        name = metadata.get("name", "")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name) or len(name) > 253:
            raise ApiError(422, "Invalid", f'{kind.name} "{name}" is invalid: metadata.name: Invalid value')
        if (namespace, name) in self._objects.setdefault(kind, {}):
            resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise ApiError(409, "AlreadyExists", f'{resource} "{name}" already exists')
        item["apiVersion"], item["kind"] = kind.api_version, kind.name
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = clock.whole_seconds()
        metadata.pop("deletionTimestamp", None)
        if "spec" in item:
            metadata["generation"] = 1
        if kind.first_status is not None:
            item.setdefault("status", copied(kind.first_status))
        _encode_secret(kind, item)
        self._write("ADDED", kind, item)
        return copied(item)

    def update(self, kind: Kind, item: Object) -> Object:
        """Replace an object. Raises `ApiError` 404, and 409 if the version in `item` is not the present one.

        A change of nothing is not written. A change of `spec` raises `metadata.generation`. An object that is
        being deleted and has lost its last finalizer is removed, but for a namespace: its controller does that.
        """
        item = copied(item)
        metadata = item["metadata"]
        key = (metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        present = self._objects.get(kind, {}).get(key)
        if present is None:
            raise not_found(kind, metadata["name"])
        expected = metadata.get("resourceVersion")
        if expected and expected != present["metadata"]["resourceVersion"]:
            raise ApiError(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {kind.plural} "{metadata["name"]}": the object has been '
                "modified; please apply your changes to the latest version and try again",
            )
        for fixed in ("uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation"):
            if fixed in present["metadata"]:
                metadata[fixed] = present["metadata"][fixed]
            else:
                metadata.pop(fixed, None)
        item["apiVersion"], item["kind"] = kind.api_version, kind.name
        _encode_secret(kind, item)
        if item == present:
            return item
        if item.get("spec") != present.get("spec"):
            metadata["generation"] = present["metadata"].get("generation", 0) + 1
        ending = metadata.get("deletionTimestamp") and kind is not NAMESPACE
        if ending and not metadata.get("finalizers"):
            return self._remove(kind, item)
        self._write("MODIFIED", kind, item)
        return copied(item)

    def set_status(self, kind: Kind, namespace: str, name: str, status: Object) -> None:
        """Replace only the status; nothing happens if the object is gone."""
        if present := self.find(kind, namespace, name):
            present["status"] = status
            self.update(kind, present)

    def delete(
        self, kind: Kind, namespace: str, name: str, propagation: str = "Background", uid: str = ""
    ) -> Object:
        """Delete as the API server does: at once, or by `deletionTimestamp` while finalizers are left.

        `propagation` is Background, Foreground or Orphan. Pods and namespaces are finished by their
        controllers. Raises `ApiError` 404, and 409 if the object is not the one with `uid`.
        """
        item = self.get(kind, namespace, name)
        metadata = item["metadata"]
        if uid and uid != metadata["uid"]:
            raise ApiError(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {kind.plural} "{name}": Precondition failed: UID in '
                f"precondition: {uid}, UID in object meta: {metadata['uid']}",
            )
        if propagation == "Orphan":
            self._disown(metadata["uid"])
        if propagation == "Foreground" and "foregroundDeletion" not in metadata.get("finalizers", []):
            metadata.setdefault("finalizers", []).append("foregroundDeletion")
        if not metadata.get("finalizers") and kind.name not in ("Pod", "Namespace"):
            return self._remove(kind, item)
        if not metadata.get("deletionTimestamp"):
            metadata["deletionTimestamp"] = clock.whole_seconds()
            if kind is NAMESPACE:
                item["status"] = {"phase": "Terminating"}
            self._write("MODIFIED", kind, item)
        return item

    def finalize(self, kind: Kind, item: Object) -> None:
        """Remove an object whose controller has finished with it; kept while finalizers are left."""
        present = self.find(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if present and present["metadata"]["uid"] == item["metadata"]["uid"]:
            if not present["metadata"].get("finalizers"):
                self._remove(kind, present)
            elif not present["metadata"].get("deletionTimestamp"):
                self.delete(kind, present["metadata"].get("namespace", ""), present["metadata"]["name"])

    def remove_finalizer(self, kind: Kind, item: Object, finalizer: str) -> None:
        """Take one finalizer off an object; the last one to go lets a deleted object disappear."""
        present = self.find(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if present and finalizer in present["metadata"].get("finalizers", []):
            present["metadata"]["finalizers"].remove(finalizer)
            self.update(kind, present)

    def record_event(self, item: Object, type_: str, reason: str, message: str, component: str) -> None:
        """Add a core/v1 event about an object, or count one more of the same."""
        metadata = item["metadata"]
        namespace = metadata.get("namespace", "default")
        for event in self.select(EVENT, namespace):
            same = (event["involvedObject"]["uid"], event["reason"], event["message"])
            if same == (metadata["uid"], reason, message):
                event = copied(event)
                event["count"] += 1
                event["lastTimestamp"] = clock.whole_seconds()
                self.update(EVENT, event)
                return
        if self.find(NAMESPACE, "", namespace) is None:
            return
        self.create(
            EVENT,
            {
                "metadata": {"name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
                "involvedObject": {
                    "kind": item["kind"],
                    "apiVersion": item["apiVersion"],
                    "name": metadata["name"],
                    "namespace": namespace,
                    "uid": metadata["uid"],
                },
                "type": type_,
                "reason": reason,
                "message": message,
                "source": {"component": component},
                "firstTimestamp": clock.whole_seconds(),
                "lastTimestamp": clock.whole_seconds(),
                "count": 1,
                "reportingComponent": component,
                "reportingInstance": "",
            },
        )

    def _require_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        found = self._objects.get(NAMESPACE, {}).get(("", namespace))
        if found is None:
            raise not_found(NAMESPACE, namespace)
        if found["metadata"].get("deletionTimestamp") and kind is not EVENT:
            resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise ApiError(
                403,
                "Forbidden",
                f'{resource} "{name}" is forbidden: unable to create new content in namespace {namespace} '
                "because it is being terminated",
            )

    def _disown(self, uid: str) -> None:
        for kind, item in self.everything():
            owners = item["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == uid for owner in owners):
                orphan = copied(item)
                orphan["metadata"]["ownerReferences"] = [owner for owner in owners if owner["uid"] != uid]
                self.update(kind, orphan)

    def _remove(self, kind: Kind, item: Object) -> Object:
        metadata = item["metadata"]
        key = (metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        del self._objects[kind][key]
        self._note("DELETED", kind, item)
        return item

    def _write(self, type_: str, kind: Kind, item: Object) -> None:
        metadata = item["metadata"]
        key = (metadata.get("namespace", "") if kind.namespaced else "", metadata["name"])
        self._objects.setdefault(kind, {})[key] = item
        self._note(type_, kind, item)

    def _note(self, type_: str, kind: Kind, item: Object) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self._history.append(Change(self.version, type_, kind, item))
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    # --- watching ------------------------------------------------------------------------------------

    async def changed_since(self, version: int) -> int:
        """Wait until anything has changed after `version`; returns the present version."""
        while self.version <= version:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
        return self.version

    def changes_since(self, version: int) -> list[Change]:
        """All changes after `version`. Raises `ApiError` 410 when the history does not reach back to it."""
        if self._history and version < self._history[0].version - 1:
            raise ApiError(
                410, "Expired", f"too old resource version: {version} ({self._history[0].version - 1})"
            )
        return [change for change in self._history if change.version > version]

    async def watch(self, kind: Kind, since: int) -> AsyncIterator[Change]:
        """Changes of one kind after version `since`, for ever. Raises `ApiError` 410."""
        while True:
            for change in self.changes_since(since):
                since = change.version
                if change.kind is kind:
                    yield change
            await self.changed_since(since)

    def forget_history(self) -> None:
        """Drop the history, as compaction does: watches from older versions are answered 410."""
        self.version += 1
        self._history.clear()
        self._history.append(Change(self.version, "BOOKMARK", EVENT, {}))


def label_selector(text: str) -> Callable[[Object], bool]:
    """A predicate for `a=b,c!=d,e in (x,y),f notin (x),g,!h`. Raises `ApiError` 400 for anything else."""
    requirements = [_requirement(part.strip()) for part in re.split(r",(?![^(]*\))", text) if part.strip()]

    def matches(item: Object) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all((labels.get(key) in values) == wanted for key, values, wanted in requirements)

    return matches


def _requirement(text: str) -> tuple[str, Container[str | None], bool]:
    """A key, the values meant (None stands for absent), and whether one of them is wanted or unwanted."""
    if match := re.fullmatch(r"([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)", text):
        return match[1], {value.strip() for value in match[3].split(",")}, match[2] == "in"
    if match := re.fullmatch(r"([\w./-]+)\s*(==|=|!=)\s*([\w./-]*)", text):
        return match[1], {match[3]}, match[2] != "!="
    if match := re.fullmatch(r"(!?)\s*([\w./-]+)", text):
        return match[2], {None}, bool(match[1])
    raise ApiError(400, "BadRequest", f"unable to parse requirement: {text}")


def field_selector(text: str) -> Callable[[Object], bool]:
    """A predicate for `metadata.name=x,status.phase!=y`."""
    pairs = [re.split(r"(!=|==|=)", part, maxsplit=1) for part in text.split(",") if part]

    def matches(item: Object) -> bool:
        for path, operator, wanted in pairs:
            value: object = item
            for part in path.split("."):
                value = value.get(part, "") if isinstance(value, dict) else ""
            if (str(value) == wanted) == (operator == "!="):
                return False
        return True

    return matches


def _encode_secret(kind: Kind, item: Object) -> None:
    """`stringData` is only ever written; what is stored and read is `data`."""
    if kind is SECRET and "stringData" in item:
        for key, value in item.pop("stringData").items():
            item.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()


def _suffix() -> str:
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=5))  # noqa: S311 - a name, not a secret


def owner_reference(owner: Object, controller: bool = True) -> Object:
    """The reference that makes `owner` the owner of another object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def owned_by(item: Object, uid: str) -> bool:
    """Whether the object names the owner with this uid."""
    return any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", []))
