"""The newest known version of each Application, folded from events and lists that come late, twice or never."""

from __future__ import annotations

from typing import Any

from gatehouse.core.errors import EnvironmentProblem

Object = dict[str, Any]


class ApplicationTable:
    """Applications by name. Not thread-safe: one thread applies, or a lock of the caller's does.

    The stream's known holes (an update lost while it opens, a full buffer that drops, deletions during a
    disconnect, a label that stops matching) are closed by a list now and then, never by the stream alone.
    """

    def __init__(self) -> None:
        self._applications: dict[str, Object] = {}
        self._deleted: dict[str, str] = {}
        #: Counts the changes, and what it was when each name changed last.
        self.revision = 0
        self._changed: dict[str, int] = {}

    @property
    def applications(self) -> dict[str, Object]:
        """The present Applications by name."""
        return dict(self._applications)

    def apply(self, kind: str, application: Object) -> bool:
        """Take in an event (`ADDED`, `MODIFIED`, `DELETED`); tells whether it changed anything.

        An older version of the same object is ignored, and so is one that is known to be deleted.
        """
        name, uid = application["metadata"]["name"], application["metadata"].get("uid", "")
        present = self._applications.get(name)
        if present is not None and not _supersedes(application, present, equal=kind == "DELETED"):
            return False
        if kind == "DELETED":
            self._deleted[name] = uid
            return self._remove(name)
        if self._deleted.get(name) == uid:
            return False
        return self._put(name, application)

    def replace(self, applications: list[Object], since: int) -> None:
        """Take in a whole list, asked for when `revision` was `since`.

        What the list lacks is gone, unless an event told of it after the list was asked for.
        """
        listed = {each["metadata"]["name"] for each in applications}
        if len(listed) < len(applications):
            raise EnvironmentProblem(
                "several Applications have the same name, in different namespaces",
                seen=", ".join(sorted(_full_name(each) for each in applications)),
                next_step="narrow down preview.application_selector to those of the pull request",
            )
        for application in applications:
            name = application["metadata"]["name"]
            present = self._applications.get(name)
            another = present is not None and _uid(present) != _uid(application)
            if another and self._changed.get(name, 0) <= since:
                self._put(name, application)  # whatever the versions say: a restored cluster counts anew
            else:
                self.apply("MODIFIED", application)
        for name in [each for each in self._applications if each not in listed]:
            if self._changed.get(name, 0) <= since:
                self._remove(name)

    def _put(self, name: str, application: Object) -> bool:
        self._applications[name] = application
        self._note(name)
        return True

    def _remove(self, name: str) -> bool:
        gone = self._applications.pop(name, None) is not None
        if gone:
            self._note(name)
        return gone

    def _note(self, name: str) -> None:
        self.revision += 1
        self._changed[name] = self.revision


def _full_name(application: Object) -> str:
    metadata = application["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def _uid(application: Object) -> str:
    return str(application["metadata"].get("uid", ""))


def _version(application: Object) -> int:
    text = str(application["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def _supersedes(one: Object, other: Object, *, equal: bool) -> bool:
    """Whether `one` is newer than `other`, or as new where `equal` is enough.

    Versions count up across all objects, so this also tells an object from an earlier one of its name. A
    version that is no number cannot be ordered; what came last is then taken for newer.
    """
    first, second = _version(one), _version(other)
    return not first or not second or first > second or (equal and first == second)
