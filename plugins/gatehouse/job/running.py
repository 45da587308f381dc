"""One Job from its creation to its removal, with the evidence brought back in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import (
    AuthenticationError,
    Conflict,
    GatehouseError,
    LeakFound,
    NotFound,
    PermissionDenied,
    UsageError,
    WaitTimeout,
)
from gatehouse.core.ledger import Entry, Ledger
from gatehouse.core.waiting import Progress, wait_until
from gatehouse.job.collect import Collected, ask_to_stop, collect, tell_collected
from gatehouse.job.handover import CONTAINER, WAIT
from gatehouse.job.log import LogFollower
from gatehouse.job.order import Order, config_map_of, job_of
from gatehouse.job.state import described
from gatehouse.job.watching import Patience, Watcher
from gatehouse.kube.client import CONFIG_MAPS, JOBS, PODS, Cluster, Object

#: Refusals after which it is certain that nothing was made.
NOT_MADE = (PermissionDenied, AuthenticationError, UsageError, NotFound, Conflict)

#: The usual patience.
PATIENCE = Patience()


@dataclass
class JobRun:
    """One order under way. `say` is given lines about the Job, `write` what its suite prints."""

    cluster: Cluster
    order: Order
    ledger: Ledger
    run_id: str
    say: Callable[[str], None]
    write: Callable[[bytes], None]
    patience: Patience = PATIENCE
    clock: Clock = SYSTEM_CLOCK

    def run(self, files: dict[str, str], evidence: Path) -> Collected:
        """Create the Job, follow it, bring its evidence into `evidence`, and remove it whatever happens.

        `files` are its configuration. Raises what kept it from its end: `InfrastructureError` with the cluster's
        words, `WaitTimeout`, and `LeakFound` where the Job could not be proved gone.
        """
        lifetime = self.order.seconds + WAIT + self.patience.removal
        entry = self.ledger.intend("job", str(self.order), self.run_id, lifetime)
        deadline = Deadline.after(self.order.seconds, self.clock)
        try:
            job = self._create(entry)
        except KeyboardInterrupt:
            self._remove_after_error()
            raise
        try:
            self.ledger.created(str(self.order), job["metadata"]["uid"])
            self.say(f"job {self.order}: created")
            self.cluster.create(
                CONFIG_MAPS, self.order.namespace, config_map_of(self.order, entry, job, files)
            )
            collected = self._follow(evidence, deadline)
        except BaseException:
            self._remove_after_error()
            raise
        self._remove()
        return collected

    def _create(self, entry: Entry) -> Object:
        """The Job. Where the answer was lost it is looked up by its name, which nobody else has."""
        try:
            return self.cluster.create(JOBS, self.order.namespace, job_of(self.order, entry))
        except NOT_MADE as error:
            self.ledger.gone(str(self.order))
            if isinstance(error, NotFound):
                error.next_step = (
                    "make the namespace and what a Job needs there: kubectl apply -k deploy/setup"
                )
            error.next_step = error.next_step or "mend what the API server complains of; nothing was made"
            raise
        except GatehouseError:
            found = self.cluster.get(JOBS, self.order.name, self.order.namespace)
            if found is None:
                raise
            return found

    def _follow(self, evidence: Path, deadline: Deadline) -> Collected:
        """Wait until the suite has ended, and bring its evidence; also of one that had to be stopped, if it can be."""
        follower = LogFollower(self.cluster, self.order.namespace, CONTAINER, self.write)
        with follower as log:
            watcher = Watcher(self.cluster, self.order, self.patience, log.start, self.clock)
            try:
                seen = wait_until(
                    watcher.look,
                    what=f"job {self.order}",
                    ready=lambda seen: seen.has_evidence,
                    failed=watcher.failure,
                    describe=described,
                    deadline=deadline,
                    interval=self.patience.look,
                    on_change=self._tell,
                    next_step="give it more time with --timeout, or see in its log what it waits for",
                )
            except (KeyboardInterrupt, WaitTimeout):
                self._stop(watcher, evidence)
                raise
            assert seen.pod
            return self._bring(seen.pod["metadata"]["name"], evidence)

    def _bring(self, pod: str, evidence: Path) -> Collected:
        deadline = Deadline.after(WAIT, self.clock)
        collected = collect(self.cluster, self.order.namespace, pod, evidence, deadline)
        tell_collected(self.cluster, self.order.namespace, pod)
        return collected

    def _stop(self, watcher: Watcher, evidence: Path) -> None:
        """Have the suite tear down what it made, and bring the evidence of what it did."""
        pod = watcher.running_pod
        if not pod or not ask_to_stop(self.cluster, self.order.namespace, pod):
            return
        self.say(f"job {self.order}: the suite is asked to stop and to delete what it made")
        try:
            wait_until(
                watcher.look,
                what=f"job {self.order}",
                ready=lambda seen: seen.has_evidence,
                failed=watcher.failure,
                describe=described,
                deadline=Deadline.after(self.patience.stop, self.clock),
                interval=self.patience.look,
                on_change=self._tell,
            )
            self._bring(pod, evidence)
            self.say(f"evidence of the run that was stopped: {evidence}")
        except GatehouseError as error:
            self.say(f"the evidence of the run that was stopped was not brought back: {error.summary}")

    def _remove_after_error(self) -> None:
        try:
            self._remove()
        except LeakFound as error:  # the error at hand comes first
            self.say(str(error))

    def _remove(self) -> None:
        """Delete the Job with its pods and its configuration, and see it gone. Raises `LeakFound`."""
        name, namespace = self.order.name, self.order.namespace
        asked = False
        self.say(f"job {self.order}: is removed")

        def delete() -> None:
            nonlocal asked
            if not asked:
                with contextlib.suppress(NotFound):  # already gone; its pods may still be there
                    self.cluster.delete(JOBS, name, namespace, foreground=True)
                asked = True

        def left() -> list[str]:
            delete()
            job = self.cluster.get(JOBS, name, namespace)
            pods = self.cluster.list_all(PODS, namespace, labels=f"job-name={name}")
            return [f"job {name}"] * (job is not None) + [f"pod {pod['metadata']['name']}" for pod in pods]

        try:
            wait_until(
                left,
                what=f"removal of job {self.order}",
                ready=lambda found: not found,
                describe=lambda found: ", ".join(found) or "gone",
                deadline=Deadline.after(self.patience.removal, self.clock),
                interval=self.patience.look,
            )
        except GatehouseError as error:
            raise LeakFound(
                f"the Job {self.order} could not be removed, or nobody could see it gone",
                seen=": ".join(filter(None, (error.summary, error.seen))),
                where=str(self.ledger.path),
                next_step=f"kubectl --namespace {namespace} delete job {name}; left alone, it ends and goes by itself",
            ) from error
        self.ledger.gone(str(self.order))

    def _tell(self, progress: Progress) -> None:
        _, state = progress.history[-1]
        self.say(f"job {self.order}: {state}")
