"""What a wait asks about Applications, whoever answers: Argo CD's API, or the cluster that holds the objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gatehouse.argocd.follow import ApplicationFollower
from gatehouse.core.errors import NotFound

Object = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """Which Applications are meant: by label selector, of projects, or by name; at least one of them is given."""

    selector: str = ""
    projects: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = (
            f"labelled {self.selector}" if self.selector else "",
            f"named {', '.join(self.names)}" if self.names else "",
            f"of project {', '.join(self.projects)}" if self.projects else "",
        )
        return f"Applications {' '.join(filter(None, parts))}"

    def covers(self, application: Object) -> bool:
        """Whether an Application that fits the selector is meant, by its name and project."""
        named = not self.names or application["metadata"]["name"] in self.names
        return named and (not self.projects or application["spec"]["project"] in self.projects)


class ApplicationSource(Protocol):
    """Where Applications, what they deploy, and the reasons of both are read.

    All of it raises the errors of the server that is asked, classified as in `gatehouse.core.errors`.
    """

    @property
    def server(self) -> str:
        """The address that is asked, without a slash at its end."""

    @property
    def embedded(self) -> bool:
        """Whether any answer said that it comes from the embedded platform."""

    def link(self, application: Object | None) -> str:
        """Where people look at an Application, or at all of them for None."""

    def now(self) -> datetime:
        """The time with which the times of objects are to be compared: the server's, where it is known."""

    def preflight(self, seconds: float) -> str:
        """Ask whether the source answers and accepts its token; a warning, if there is a reason for one.

        Raises `AuthenticationError`, `Unreachable`, and what else is answered.
        """

    def may_read(self, project: str, name: str = "*") -> bool | None:
        """Whether Applications of a project named like `name` may be read; None where the source cannot tell."""

    def applications(self, scope: Scope) -> list[Object]:
        """The Applications that are meant, as far as they exist."""

    def follow(self, scope: Scope) -> ApplicationFollower:
        """The Applications that are meant, kept up to date."""

    def application(self, name: str, project: str, *, refresh: bool = False) -> Object | None:
        """One Application, None if there is none of this name in the project.

        A `refresh` has it compared anew first, and is no more than a read where that cannot be had in time.
        """

    def resource_tree(self, name: str, project: str) -> list[Object]:
        """The nodes of what an Application deploys, down to its pods. Raises `NotFound` where there is none."""

    def resource(self, name: str, project: str, node: Object) -> Object:
        """The live object behind a node of the tree. Raises `NotFound` if it is gone."""

    def events(self, name: str, project: str, node: Object) -> list[Object]:
        """The core/v1 events about a node of the tree; none if they cannot be read."""

    def log_tail(
        self,
        name: str,
        project: str,
        node: Object,
        container: str = "",
        previous: bool = True,
        lines: int = 20,
    ) -> str:
        """The last lines that a pod's container printed, before it was started anew if `previous`.

        Empty where there are none, or they cannot be read.
        """

    def sync_windows(self, name: str, project: str) -> Object:
        """`activeWindows`, `assignedWindows` and `canSync`; what the source cannot tell is left out."""

    def application_sets(self) -> list[Object]:
        """The ApplicationSets."""


def existing_tree(source: ApplicationSource, name: str, application: Object) -> list[Object] | None:
    """The nodes of an Application's tree; None if the Application has gone meanwhile."""
    try:
        return source.resource_tree(name, application["spec"]["project"])
    except NotFound:
        return None
