"""What a wait asks about Applications, whoever answers: Argo CD's API, or the cluster that holds the objects."""

from __future__ import annotations

from typing import Any, Protocol

from gatehouse.argocd.follow import ApplicationFollower

Object = dict[str, Any]


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

    def version(self) -> str:
        """The version of Argo CD; empty where the source cannot tell."""

    def applications(self, selector: str) -> list[Object]:
        """The Applications that a label selector matches."""

    def follow(self, selector: str) -> ApplicationFollower:
        """The Applications that a label selector matches, kept up to date."""

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
