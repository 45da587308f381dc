"""Applications read through the Kubernetes API of the cluster that holds them, where no Argo CD token is at hand.

Needs get, list and watch on applications and list on applicationsets (argoproj.io), and the rights to read what
is deployed (`gatehouse.argocd.live`); patch on applications lets it ask for comparisons, get on appprojects lets
it see sync windows, and get on pods/log and list on events let it quote the reasons.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from gatehouse.argocd.follow import ApplicationFollower, Source
from gatehouse.argocd.live import kind_of, live_objects
from gatehouse.argocd.source import Scope
from gatehouse.argocd.stream import messages
from gatehouse.argocd.tree import Reference, root_references, tree, with_health
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import GatehouseError, NotFound, PermissionDenied, Transient
from gatehouse.kube.client import EVENTS, Cluster, Kind
from gatehouse.kube.watch import Watch

Object = dict[str, Any]

APPLICATIONS = Kind("apis/argoproj.io/v1alpha1", "applications")
APPLICATION_SETS = Kind("apis/argoproj.io/v1alpha1", "applicationsets")
PROJECTS = Kind("apis/argoproj.io/v1alpha1", "appprojects")

#: Set on an Application, it asks for a comparison; the controller takes it off once it has compared.
REFRESH = "argocd.argoproj.io/refresh"

#: Seconds that a comparison is waited for at most, and between two looks for its end.
REFRESH_TIMEOUT = 30.0
REFRESH_PAUSE = 0.2

#: Seconds after which a watch is to be opened anew: the longest that a peer can be gone without being noticed.
WATCH_SECONDS = 60

#: States of health that can end a wait, so that it is told which resource they come from.
TELLING = ("Degraded", "Suspended")


class ClusterApplications:
    """The Applications in a namespace of a cluster: an `ApplicationSource`. The cluster stays the caller's."""

    def __init__(self, cluster: Cluster, *, namespace: str = "argocd", clock: Clock = SYSTEM_CLOCK) -> None:
        self.server = cluster.server.rstrip("/")
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock

    @property
    def embedded(self) -> bool:
        """Whether any answer said that it comes from the embedded platform."""
        return self._cluster.embedded

    def link(self, application: Object | None) -> str:
        """The command that shows an Application, or all of them."""
        name = f" {application['metadata']['name']} -o yaml" if application else ""
        return f"kubectl -n {self._namespace} get applications.argoproj.io{name}"

    def now(self) -> datetime:
        """The time as this machine has it."""
        return self._clock.now()

    def preflight(self, seconds: float) -> str:
        """List the ApplicationSets, for which the token must be right."""
        self.application_sets()
        return ""

    def may_read(self, project: str, name: str = "*") -> bool | None:
        """None: the cluster's permissions know no projects, and a list that is forbidden is refused."""
        return None

    def applications(self, scope: Scope) -> list[Object]:
        """The Applications that are meant, as far as they exist."""
        return self.listed(scope)[0]

    def listed(self, scope: Scope) -> tuple[list[Object], str]:
        """The Applications that are meant, and the version from which a watch goes on."""
        items, version = self._cluster.list_versioned(APPLICATIONS, self._namespace, labels=scope.selector)
        return [self.told(each) for each in items if scope.covers(each)], version

    def watch(self, scope: Scope, version: str) -> Watch:
        """The changes of these Applications after a version. Raises `NotFound` if that is forgotten."""
        labels = scope.selector
        return self._cluster.watch(APPLICATIONS, self._namespace, version, WATCH_SECONDS, labels=labels)

    def follow(self, scope: Scope) -> ApplicationFollower:
        """The Applications that are meant, kept up to date over one watch."""
        feed = _Feed(self, scope)
        return ApplicationFollower(Source(feed.list, feed.open), clock=self._clock)

    def application(self, name: str, project: str, *, refresh: bool = False) -> Object | None:
        """One Application; None if there is none of this name in the project.

        A `refresh` has it compared anew first, for which the right to patch it is needed; without it, and
        where the controller does not answer in time, this is a plain read.
        """
        found = self._find(name, project)
        if found is not None and refresh:
            found = self._refreshed(found, project)
        return self.told(found) if found else None

    def resource_tree(self, name: str, project: str) -> list[Object]:
        """The nodes of an Application's tree, made of the live objects.

        Raises `NotFound` for an Application that does not exist, `PermissionDenied` where its pods may not be
        read, and `EnvironmentProblem` for one that deploys to another cluster.
        """
        found = self._find(name, project)
        if found is None:
            raise NotFound(f"there is no Application {name} in the project {project}", where=self.server)
        return self._nodes(found)

    def resource(self, name: str, project: str, node: Object) -> Object:
        """The live object behind a node of the tree. Raises `NotFound` if it is gone."""
        reference = Reference(node.get("group", ""), node["kind"], node.get("namespace", ""), node["name"])
        kind = kind_of(reference, node["version"])
        found = self._cluster.get(kind, reference.name, reference.namespace)
        if found is None:
            where = f"{self.server}{kind.url(reference.namespace, reference.name)}"
            raise NotFound(f"{reference.kind} {reference.name} of Application {name} is gone", where=where)
        return found

    def events(self, name: str, project: str, node: Object) -> list[Object]:
        """The core/v1 events about a node; none if they cannot be read."""
        namespace = node.get("namespace") or "default"
        with suppress(NotFound, PermissionDenied):
            return self._cluster.list_all(EVENTS, namespace, fields=f"involvedObject.uid={node['uid']}")
        return []

    def log_tail(
        self,
        name: str,
        project: str,
        node: Object,
        container: str = "",
        previous: bool = True,
        lines: int = 20,
    ) -> str:
        """The last lines a pod's container printed; empty where there are none, or they cannot be read."""
        with suppress(GatehouseError):
            return self._cluster.log(
                node["namespace"], node["name"], container, previous=previous, lines=lines
            )
        return ""

    def sync_windows(self, name: str, project: str) -> Object:
        """The windows of the project that are assigned to an Application.

        Which of them are active now takes reading their cron schedules, and is left out, unless there are
        none; all is left out if the project may not be read.
        """
        try:
            found = self._cluster.get(PROJECTS, project, self._namespace)
            application = self._find(name, project) or {}
        except PermissionDenied:
            return {}
        windows = ((found or {}).get("spec") or {}).get("syncWindows") or []
        assigned = [each for each in windows if _assigned(each, name, application.get("spec") or {})]
        if not assigned:
            return {"activeWindows": [], "assignedWindows": [], "canSync": True}
        shown = ("kind", "schedule", "duration", "manualSync", "timeZone")
        return {"assignedWindows": [{key: each[key] for key in shown if key in each} for each in assigned]}

    def application_sets(self) -> list[Object]:
        """The ApplicationSets in the namespace."""
        return self._cluster.list_all(APPLICATION_SETS, self._namespace)

    def exists(self, application: Object) -> bool:
        """Whether this very Application, not another of its name, is there, whatever its labels."""
        metadata = application["metadata"]
        found = self._cluster.get(APPLICATIONS, metadata["name"], self._namespace)
        return found is not None and found["metadata"]["uid"] == metadata["uid"]

    def told(self, application: Object) -> Object:
        """The Application, with its resources' health from the live objects where that explains its own."""
        status = application.get("status") or {}
        carried = any("health" in each for each in status.get("resources") or [])
        if carried or (status.get("health") or {}).get("status") not in TELLING:
            return application
        with suppress(GatehouseError):  # whoever asks for the tree is told what is wrong
            return with_health(application, self._nodes(application))
        return application

    def _find(self, name: str, project: str) -> Object | None:
        found = self._cluster.get(APPLICATIONS, name, self._namespace)
        return found if found and (not project or found["spec"]["project"] == project) else None

    def _refreshed(self, application: Object, project: str) -> Object | None:
        name = application["metadata"]["name"]
        deadline = Deadline.after(REFRESH_TIMEOUT, self._clock)
        found: Object | None
        try:
            change = {"metadata": {"annotations": {REFRESH: "normal"}}}
            found = self._cluster.patch(APPLICATIONS, name, self._namespace, change)
        except GatehouseError:
            return self._find(name, project)
        while found and REFRESH in (found["metadata"].get("annotations") or {}) and not deadline.expired:
            self._clock.sleep(REFRESH_PAUSE)
            found = self._find(name, project)
        return found

    def _nodes(self, application: Object) -> list[Object]:
        return tree(live_objects(self._cluster, application), root_references(application))


class _Feed:
    """The lists and watches of one scope; a watch goes on from where the last one, or a list, ended."""

    def __init__(self, applications: ClusterApplications, scope: Scope) -> None:
        self._applications = applications
        self.scope = scope
        #: The version up to which everything is known; empty once the server has forgotten it.
        self.version = ""

    def list(self) -> list[Object]:
        items, self.version = self._applications.listed(self.scope)
        return items

    def open(self) -> _WatchStream:
        if not self.version:
            self.list()  # for its version; whoever follows lists anew once the watch stands
        try:
            return _WatchStream(self, self._applications.watch(self.scope, self.version))
        except NotFound:
            self.version = ""
            raise

    def told(self, application: Object) -> Object:
        return self._applications.told(application)

    def still_there(self, application: Object) -> bool:
        """Whether what a watch calls deleted has only lost its labels, which the next list will show."""
        return self._applications.exists(application)


class _WatchStream:
    """One open watch, read as it comes."""

    def __init__(self, feed: _Feed, watch: Watch) -> None:
        self._feed = feed
        self._watch = watch

    def events(self) -> Iterator[tuple[str, Object] | None]:
        yield None  # the server has accepted the watch: it stands, though nothing may happen for long
        for message in messages(self._watch.read):
            if message is None:
                continue
            kind, item = message["type"], message["object"]
            if kind == "ERROR":  # most often 410: the version to go on from is forgotten
                self._feed.version = ""
                raise Transient("Kubernetes ended the watch", seen=item.get("message", ""))
            silent = kind == "BOOKMARK" or (kind == "DELETED" and self._feed.still_there(item))
            silent = silent or not self._feed.scope.covers(item)
            yield None if silent else (kind, self._feed.told(item))
            self._feed.version = item["metadata"]["resourceVersion"]

    def close(self) -> None:
        self._watch.close()


def _assigned(window: Object, name: str, spec: Object) -> bool:
    """Whether a sync window's patterns cover an Application: one of its lists, or all that are set."""
    destination = spec.get("destination") or {}
    values = {
        "applications": (name,),
        "namespaces": (destination.get("namespace", ""),),
        "clusters": (destination.get("server", ""), destination.get("name", "")),
    }
    matches = [
        any(value and fnmatch.fnmatchcase(value, pattern) for value in values[key] for pattern in window[key])
        for key in values
        if window.get(key)
    ]
    return bool(matches) and (all(matches) if window.get("andOperator") else any(matches))
