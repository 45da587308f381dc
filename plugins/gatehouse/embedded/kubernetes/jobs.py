"""The Job controller: pods until enough have succeeded, a failure too many, or the deadline."""

from __future__ import annotations

from collections.abc import Callable

from gatehouse.embedded import clock
from gatehouse.embedded.kubernetes.conditions import conditions_of, pod_ready
from gatehouse.embedded.kubernetes.kinds import JOB, POD, Object
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore, owned_by

#: Does something after some seconds, once for each key, as the controller manager does.
Later = Callable[[float, str, Callable[[], None]], None]

#: The two conditions with which a Job ends.
COMPLETE, FAILED = "Complete", "Failed"


class JobController:
    """Looks at all Jobs whenever anything has changed."""

    def __init__(self, store: ObjectStore, new_pod: Callable[[Object, str], None], later: Later) -> None:
        self._store = store
        self._new_pod = new_pod
        self._later = later
        #: The pods of each Job that were seen alive: one that is gone before it has ended has failed.
        self._alive: dict[str, set[str]] = {}
        self._lost: dict[str, int] = {}

    def reconcile(self) -> None:
        """Bring every Job up to date."""
        for job in self._store.select(JOB):
            if job["metadata"].get("deletionTimestamp"):
                continue
            if _has_ended(job):
                self._expire(job)
            else:
                self._go_on(job)

    def _go_on(self, job: Object) -> None:
        metadata, spec = job["metadata"], job["spec"]
        pods = self._pods(job)
        phases = [pod.get("status", {}).get("phase") for pod in pods]
        failed = phases.count("Failed") + self._count_lost(job, pods)
        succeeded = phases.count("Succeeded")
        active = [pod for pod in pods if not _is_over(pod)]
        status: Object = {
            "startTime": job.get("status", {}).get("startTime", clock.whole_seconds()),
            "active": len(active),
            "ready": sum(map(pod_ready, active)),
            "succeeded": succeeded,
            "failed": failed,
        }
        left = self._seconds_left(spec, status)
        if succeeded >= spec.get("completions", 1):
            self._end(
                job, status, COMPLETE, "CompletionsReached", "Reached expected number of succeeded pods"
            )
        elif failed > spec.get("backoffLimit", 6):
            self._stop(active)
            words = "Job has reached the specified backoff limit"
            self._end(job, status, FAILED, "BackoffLimitExceeded", words)
        elif left is not None and left <= 0:
            self._stop(active)
            words = "Job was active longer than specified deadline"
            self._end(job, status, FAILED, "DeadlineExceeded", words)
        else:
            if left is not None:
                self._later(left + 0.01, f"job deadline {metadata['uid']}", self.reconcile)
            if not active and not spec.get("suspend"):
                self._start(job)
            self._store.set_status(JOB, metadata["namespace"], metadata["name"], status)

    def _pods(self, job: Object) -> list[Object]:
        uid, namespace = job["metadata"]["uid"], job["metadata"]["namespace"]
        return [pod for pod in self._store.select(POD, namespace) if owned_by(pod, uid)]

    def _count_lost(self, job: Object, pods: list[Object]) -> int:
        uid = job["metadata"]["uid"]
        present = {pod["metadata"]["uid"] for pod in pods}
        self._lost[uid] = self._lost.get(uid, 0) + len(self._alive.get(uid, set()) - present)
        self._alive[uid] = {pod["metadata"]["uid"] for pod in pods if not _is_over(pod)}
        return self._lost[uid]

    @staticmethod
    def _seconds_left(spec: Object, status: Object) -> float | None:
        if "activeDeadlineSeconds" not in spec:
            return None
        active_for = clock.now() - clock.parse(status["startTime"])
        return float(spec["activeDeadlineSeconds"]) - active_for.total_seconds()

    def _start(self, job: Object) -> None:
        name = job["metadata"]["name"]
        try:
            self._new_pod(job, f"{name}-")
        except ApiError as error:
            words = f"Error creating: {error.message}"
            self._store.record_event(job, "Warning", "FailedCreate", words, "job-controller")

    def _stop(self, pods: list[Object]) -> None:
        for pod in pods:
            self._store.delete(POD, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _end(self, job: Object, status: Object, type_: str, reason: str, message: str) -> None:
        now = clock.whole_seconds()
        condition = {
            "type": type_,
            "status": "True",
            "reason": reason,
            "message": message,
            "lastProbeTime": now,
            "lastTransitionTime": now,
        }
        if type_ == COMPLETE:
            status["completionTime"] = now
        status |= {"active": 0, "ready": 0, "conditions": [condition]}
        metadata = job["metadata"]
        self._store.set_status(JOB, metadata["namespace"], metadata["name"], status)
        kind, event, words = (
            ("Normal", "Completed", "Job completed") if type_ == COMPLETE else ("Warning", reason, message)
        )
        self._store.record_event(job, kind, event, words, "job-controller")

    def _expire(self, job: Object) -> None:
        """Delete a Job whose time after its end is over."""
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None:
            return
        (condition,) = (each for type_, each in conditions_of(job).items() if type_ in (COMPLETE, FAILED))
        left = seconds - (clock.now() - clock.parse(condition["lastTransitionTime"])).total_seconds()
        metadata = job["metadata"]
        if left > 0:
            self._later(left + 0.01, f"job ttl {metadata['uid']}", self.reconcile)
        else:
            self._store.delete(JOB, metadata["namespace"], metadata["name"], "Foreground")


def _has_ended(job: Object) -> bool:
    return bool({COMPLETE, FAILED} & conditions_of(job).keys())


def _is_over(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
