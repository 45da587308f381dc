"""The states of a preview's Applications over time: judged when they change, and compared anew where that is needed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gatehouse.argocd.judge import Asked, Judgement, Snapshot, State, child_applications, judge
from gatehouse.argocd.source import ApplicationSource
from gatehouse.argocd.windows import closed_window
from gatehouse.core.deadline import Clock
from gatehouse.core.errors import NotFound, PermissionDenied, UnexpectedAnswer

Object = dict[str, Any]

#: Seconds for which a judgement on an unchanged Application holds; time alone may change it after that.
JUDGEMENT_LIFETIME = 0.5

#: Seconds that an Application may wait for its sync before the server is asked whether a sync window is
#: closed, and before it is asked again.
WINDOW_PATIENCE = 1.0
WINDOW_INTERVAL = 5.0

#: Seconds before an Application is compared anew for the second, the third and each later time.
REFRESH_PAUSES = (1.0, 2.0, 10.0)


@dataclass(frozen=True)
class _Judged:
    """A judgement, when it was made (monotonic seconds), and of what."""

    application: Object
    children: dict[str, State]
    judgement: Judgement
    at: float

    def holds(self, now: float) -> bool:
        """Whether the judgement is still true of the same Application; time never makes unready what is ready."""
        return self.judgement.state is State.READY or now - self.at < JUDGEMENT_LIFETIME


class ApplicationStates:
    """Judges Applications again and again, and remembers since when each has been well or unwell."""

    def __init__(self, asked: Asked, argocd: ApplicationSource, clock: Clock) -> None:
        self._asked = asked
        self._argocd = argocd
        self._clock = clock
        #: When each Application was first seen ready, and first seen unwell, since it last was otherwise.
        self._ready_since: dict[str, datetime] = {}
        self._unwell_since: dict[str, datetime] = {}
        self._judged: dict[str, _Judged] = {}
        self._refreshes: dict[str, list[float]] = {}
        self._windows: dict[str, tuple[float, str]] = {}
        self._rolling: Collection[str] = ()

    def judge_all(
        self, applications: dict[str, Object], rolling: Collection[str] = ()
    ) -> dict[str, Judgement]:
        """Every Application's state; children first, because a parent's health leaves them out.

        `rolling` names the Applications that their ApplicationSets sync step by step.
        """
        self._rolling = rolling
        # Most have not changed since the last look, and there can be hundreds.
        now = self._clock.monotonic()
        states = {
            name: known.judgement
            for name, application in applications.items()
            if (known := self._judged.get(name))
            and known.application is application
            and not known.children
            and known.holds(now)
        }

        def visit(name: str) -> State:
            if name not in applications:
                return State.ABSENT
            if name not in states:
                states[name] = Judgement(State.ROLLING_OUT, "is its own child")  # ends a circle
                children = {child: visit(child) for child in child_applications(applications[name])}
                states[name] = self._judge(name, applications[name], children)
            return states[name].state

        for name in applications:
            visit(name)
        return {name: states[name] for name in applications}

    def _judge(self, name: str, application: Object, children: dict[str, State]) -> Judgement:
        """The state of one Application; judged again once it changed, or time may have changed the answer."""
        now = self._clock.monotonic()
        known = self._judged.get(name)
        same = known is not None and known.application is application and known.children == children
        if known and same and known.holds(now):
            return known.judgement
        judgement = self._judge_anew(name, application, children)
        self._judged[name] = _Judged(application, children, judgement, now)
        return judgement

    def _judge_anew(self, name: str, application: Object, children: dict[str, State]) -> Judgement:
        seen = Snapshot(
            application,
            self._unwell_since.get(name),
            self._ready_since.get(name),
            children=children,
            closed_window=self._closed_window(name, application),
            rolling_sync=name in self._rolling,
        )
        judgement = judge(self._asked, seen, self._argocd.now())
        if judgement.refresh and self._may_refresh(name):
            project = application["spec"]["project"]
            fresh = self._argocd.application(name, project, refresh=True)
            judgement = judge(self._asked, replace(seen, application=fresh), self._argocd.now())
        well = judgement.state in (State.SETTLING, State.READY)
        kept, dropped = (
            (self._ready_since, self._unwell_since) if well else (self._unwell_since, self._ready_since)
        )
        kept.setdefault(name, self._argocd.now())
        dropped.pop(name, None)
        return judgement

    def _closed_window(self, name: str, application: Object) -> str:
        """The sync window that keeps an Application from being synced; asked only where one may."""
        status = application.get("status") or {}
        since = self._unwell_since.get(name)
        lasting = since is not None and (self._argocd.now() - since).total_seconds() >= WINDOW_PATIENCE
        waiting = (status.get("sync") or {}).get("status") == "OutOfSync" and not application.get("operation")
        if not (waiting and lasting):
            return ""
        now = self._clock.monotonic()
        known = self._windows.get(name)
        if known is None or now - known[0] >= WINDOW_INTERVAL:
            try:
                answer = self._argocd.sync_windows(name, application["spec"]["project"])
            except (NotFound, PermissionDenied, UnexpectedAnswer):
                answer = {}
            known = self._windows[name] = (now, closed_window(answer))
        return known[1]

    def _may_refresh(self, name: str) -> bool:
        """At once for the first time, soon for the second (times have whole seconds), then now and then."""
        times, now = self._refreshes.setdefault(name, []), self._clock.monotonic()
        pause = REFRESH_PAUSES[min(len(times), len(REFRESH_PAUSES)) - 1] if times else 0.0
        if times and now - times[-1] < pause:
            return False
        times.append(now)
        return True
