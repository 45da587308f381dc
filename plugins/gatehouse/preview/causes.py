"""What keeps Applications from being ready: the deepest failing object of each, in the words of who knows best.

Trees, events and logs are read only for Applications that are not well, and only now and then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.argocd.diagnose import (
    ROOT_KINDS,
    Blocker,
    find_blocker,
    pods_of,
    root_rank,
    warning,
)
from gatehouse.argocd.judge import Judgement, State, parse_time
from gatehouse.argocd.source import ApplicationSource, existing_tree
from gatehouse.core.deadline import Clock
from gatehouse.core.errors import InfrastructureError
from gatehouse.kube.image_pulls import PullProblem, pull_problem

Object = dict[str, Any]

#: Seconds between two looks for the cause of what is not ready, and how many Applications are looked at each time.
INTERVAL = 2.0
AT_ONCE = 5

#: States whose cause is looked for. An operation with hooks or waves waits for pods, too.
DIAGNOSED = frozenset({State.SYNCING, State.ROLLING_OUT, State.FAILED})

#: Lines of a container's log that are shown.
LOG_LINES = 20


@dataclass(frozen=True)
class Cause:
    """An object that keeps an Application from being ready: in whose words, how its log ends, what to do.

    `since` is when it was first seen so (monotonic seconds).
    """

    application: str
    blocker: Blocker
    words: str
    since: float
    log: str = ""

    @property
    def is_root(self) -> bool:
        """Whether the trouble of other Applications comes from such an object."""
        return self.blocker.node["kind"] in ROOT_KINDS

    @property
    def is_infrastructure(self) -> bool:
        """Whether the platform did not do its part, rather than what is previewed."""
        kind, pulling = self.blocker.node["kind"], "ImagePull" in self.blocker.reason
        refused = pulling and pull_problem(self.words) in (PullProblem.RATE_LIMIT, PullProblem.AUTHENTICATION)
        return refused or "Secret" in kind or "quota" in self.words

    @property
    def advice(self) -> str:
        """What to do about it, in a sentence."""
        reason, kind = self.blocker.reason, self.blocker.node["kind"]
        if reason == "InvalidImageName":
            return "correct the image's name in what Argo CD deploys"
        if "Image" in reason:
            return str(pull_problem(self.words).value)
        if reason == "CrashLoopBackOff":
            return "read the end of the container's log: the program ends by itself"
        if reason == "CreateContainerConfigError":
            return "make the Secret or ConfigMap that the container refers to"
        if kind in ("HTTPRoute", "GRPCRoute", "Ingress"):
            return "compare the route's hostnames and parents with the gateway's listeners"
        if kind in ("SecretStore", "ClusterSecretStore", "ExternalSecret"):
            return "repair the secret store's access to its vault, or the key that it is asked for"
        if "quota" in self.words:
            return "raise the namespace's quota, or remove what uses it up"
        return "open the Application in Argo CD"

    def __str__(self) -> str:
        return f"{self.blocker}: {self.words}" if self.words else str(self.blocker)


class Causes:
    """The causes known so far, by Application name."""

    def __init__(self, source: ApplicationSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._looked_at: float | None = None
        self._known: dict[str, Cause] = {}
        self._diagnosed_at: dict[str, float] = {}

    def look(
        self,
        states: Mapping[str, Judgement],
        applications: Mapping[str, Object],
        also: Collection[str] = (),
        *,
        at_once: bool = False,
    ) -> dict[str, Cause]:
        """The causes of all Applications that roll out or have failed, and of some others; read anew if that is due."""
        now = self._clock.monotonic()
        due = at_once or self._looked_at is None or now - self._looked_at >= INTERVAL
        unwell = [name for name, each in states.items() if each.state in DIAGNOSED or name in also]
        for name in [each for each in self._known if each not in unwell]:
            del self._known[name]
        if due and unwell:
            self._looked_at = now
            for name in sorted(unwell, key=lambda each: self._diagnosed_at.get(each, float("-inf")))[
                :AT_ONCE
            ]:
                self._diagnosed_at[name] = now
                self._diagnose(name, applications[name], now)
        return dict(self._known)

    def of(self, name: str) -> Cause | None:
        """The cause that keeps one Application from being ready, if one is known."""
        return self._known.get(name)

    def root(self) -> Cause | None:
        """Of all causes, the one that the others come from most likely: routes, then secrets, then what is stuck."""

        def rank(cause: Cause) -> tuple[int, bool, float]:
            kind = cause.blocker.node["kind"]
            return root_rank(kind), not cause.blocker.stuck, cause.since

        return min(self._known.values(), key=rank, default=None)

    def log_of_hook(self, name: str, application: Object, reason: str) -> str:
        """How the log of a failed hook's pod ends, if the reason names a Job and its pod is still there."""
        match = re.search(r"\bJob/([\w.-]+)", reason)
        if match is None:
            return ""
        tree = existing_tree(self._source, name, application) or []
        pods = pods_of(tree, "Job", match[1].rstrip(":"))
        return self._log(name, application, pods[-1], previous=False) if pods else ""

    def _diagnose(self, name: str, application: Object, now: float) -> None:
        blocker = find_blocker(existing_tree(self._source, name, application) or [])
        if blocker is None:
            self._known.pop(name, None)
            return
        before = self._known.get(name)
        lasting = before is not None and before.blocker.stuck and blocker.stuck
        project = application["spec"]["project"]
        # An object that is missing has no uid, and nobody tells anything of it.
        events = self._source.events(name, project, blocker.node) if blocker.node.get("uid") else []
        words = _without_repeats(warning(events) or blocker.message, blocker.node.get("images") or [])
        log = ""
        if blocker.reason == "CrashLoopBackOff":
            log = before.log if before and before.log else self._log(name, application, blocker.node)
            words = last_line(log) or words
        self._known[name] = Cause(name, blocker, words, before.since if before and lasting else now, log)

    def _log(self, name: str, application: Object, pod: Object, *, previous: bool = True) -> str:
        project = application["spec"]["project"]
        try:
            container = self._crashed_container(name, project, pod) if previous else ""
            return self._source.log_tail(name, project, pod, container, previous=previous, lines=LOG_LINES)
        except InfrastructureError:  # the log is a help, not a condition
            return ""

    def _crashed_container(self, name: str, project: str, pod: Object) -> str:
        """The container that is started again and again, where a pod has several; empty where it has one."""
        if len(pod.get("images") or []) < 2:
            return ""
        status = self._source.resource(name, project, pod).get("status") or {}
        waiting = (
            str(each["name"])
            for each in status.get("containerStatuses") or []
            if ((each.get("state") or {}).get("waiting") or {}).get("reason") == "CrashLoopBackOff"
        )
        return next(waiting, "")


def _without_repeats(words: str, images: list[str]) -> str:
    """A runtime's words with an image's long name only once: it repeats it at every step of a pull."""
    for image in images:
        before, name, after = words.partition(image)
        words = before + name + after.replace(f'"{image}"', "it").replace(image, "it")
    return words


def made_by_operation(cause: Cause, application: Object) -> bool:
    """Whether the object to blame was made after the Application's operation began."""
    operation = (application.get("status") or {}).get("operationState") or {}
    began, made = parse_time(operation.get("startedAt")), parse_time(cause.blocker.node.get("createdAt"))
    return bool(began and made and made >= began)


def may_pass(cause: Cause, *, image_is_known: bool) -> bool:
    """Whether waiting can still help although the object says that it is stuck.

    An image that is pending is waited for. One that the registry has by now is pulled at the end of the kubelet's
    back-off, up to five minutes later. `image_is_known` says that the registry tells which it is.
    """
    pulling = cause.blocker.reason in ("ErrImagePull", "ImagePullBackOff")
    missing = pulling and pull_problem(cause.words) is PullProblem.MISSING
    return not cause.blocker.stuck or (missing and image_is_known)


def last_line(text: str) -> str:
    """The last line of a text that says anything."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
