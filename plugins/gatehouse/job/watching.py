"""Looks at a Job again and again, and says when nothing can come of it any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import GatehouseError, InfrastructureError, Transient, Unreachable
from gatehouse.job.order import Order
from gatehouse.job.state import Seen, why_it_does_not_start, why_it_ended, why_it_is_pending
from gatehouse.kube.client import EVENTS, JOBS, PODS, Cluster, Object


@dataclass(frozen=True)
class Patience:
    """How many seconds each thing may take.

    `look` is between looks; `hindrance` is for what keeps a container from starting, such as a pull that fails;
    `start` for a node and the start as a whole; `connection` for a cluster that does not answer; `stop` for a suite
    that was asked to stop; `removal` for a Job to be gone.
    """

    look: float = 1.0
    hindrance: float = 30.0
    start: float = 600.0
    connection: float = 120.0
    stop: float = 330.0
    removal: float = 360.0


@dataclass
class Watcher:
    """What is seen of one Job. `on_running` is told the name of its pod once its container has started."""

    cluster: Cluster
    order: Order
    patience: Patience
    on_running: Callable[[str], None]
    clock: Clock
    #: The pod whose container has started.
    running_pod: str = ""
    _start: Deadline = field(init=False)
    _hindered: Deadline | None = None
    _lost: Deadline | None = None

    def __post_init__(self) -> None:
        self._start = Deadline.after(self.patience.start, self.clock)

    def look(self) -> Seen:
        """The present state. A connection that stays lost raises `InfrastructureError`."""
        try:
            seen = self._see()
        except (Transient, Unreachable) as error:
            self._lost = self._lost or Deadline.after(self.patience.connection, self.clock)
            if self._lost.expired:
                raise InfrastructureError(
                    f"the cluster has not answered for {self.patience.connection:.0f} s, so nobody knows how the "
                    f"Job {self.order} gets on",
                    seen=": ".join(filter(None, (error.summary, error.seen))),
                    where=error.where,
                    next_step="mend the connection and run it again",
                ) from error
            raise
        self._lost = None
        if seen.container_has_started and seen.pod:
            self.running_pod = str(seen.pod["metadata"]["name"])
            self.on_running(self.running_pod)
        return seen

    def failure(self, seen: Seen) -> GatehouseError | None:
        """Why no evidence can be expected any more, or None while it can."""
        if words := why_it_ended(seen):
            return self._error("ended before its evidence was brought back", words)
        if words := why_it_does_not_start(seen):
            self._hindered = self._hindered or Deadline.after(self.patience.hindrance, self.clock)
            return self._error("does not start", words) if self._hindered.expired else None
        self._hindered = None
        if self._start.expired and not seen.container_has_started:
            words = why_it_is_pending(seen, self.clock.now())
            return self._error(f"has not started within {self.patience.start:.0f} s", words)
        return None

    def _error(self, what: str, words: str) -> InfrastructureError:
        return InfrastructureError(
            f"the Job {self.order} {what}, so there is no verdict",
            seen=words,
            where=f"image {self.order.image}, Secret {self.order.secret}",
            next_step="mend what the cluster says, and run it again",
        )

    def _see(self) -> Seen:
        namespace = self.order.namespace
        # The Job last: it then says why what was seen of its pod is so.
        pods = self.cluster.list_all(PODS, namespace, labels=f"job-name={self.order.name}")
        job = self.cluster.get(JOBS, self.order.name, namespace)
        seen = Seen(job, pods)
        return seen if seen.container_has_started else Seen(job, pods, self._events())

    def _events(self) -> list[Object]:
        try:
            return self.cluster.list_all(EVENTS, self.order.namespace)
        except GatehouseError:
            return []  # they only say why
