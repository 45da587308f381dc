"""Waits until a pull request's preview really is the one to test, and proves it.

Nothing is opened before every Application of every ApplicationSet that generates for the pull request is
synced and healthy, the running images are those of the expected commit, and the hostnames answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from gatehouse.argocd.diagnose import Blocker, find_blocker, waiting_pod, warning
from gatehouse.argocd.follow import ApplicationFollower
from gatehouse.argocd.judge import TERMINAL, Asked, Judgement, State
from gatehouse.argocd.source import ApplicationSource
from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import (
    GatehouseError,
    InfrastructureError,
    NotFound,
    ProductFailure,
    TerminalState,
    WrongSubject,
)
from gatehouse.core.settings import PreviewSettings
from gatehouse.core.waiting import Progress, wait_until
from gatehouse.github.client import GitHubClient, PullRequest
from gatehouse.preview.application_states import ApplicationStates
from gatehouse.preview.generators import expected_sets, owner_set
from gatehouse.preview.probe import fetch, served_commit
from gatehouse.preview.pull_request import require_head
from gatehouse.preview.subject import Outcome, SubjectProof, prove_subject, running_images

Object = dict[str, Any]
Report = Callable[[Progress], None]

#: Seconds between two looks at the environment while nothing is heard of a change.
INTERVAL = 0.5

#: Seconds between two looks at what changes seldom: the ApplicationSets, and the pull request's head.
SETS_INTERVAL = 2.0
HEAD_INTERVAL = 10.0

#: Answers in a row, each on a fresh connection, that a hostname must give.
ANSWERS_IN_A_ROW = 3

#: Seconds between two looks for the cause of what is not ready: trees are read only for those Applications.
DIAGNOSIS_INTERVAL = 1.0


@dataclass(frozen=True)
class PreviewEnvironment:
    """A preview that may be tested, and the proof that it is the right one."""

    number: int
    commit: str
    urls: dict[str, str]
    applications: dict[str, str]
    proof: SubjectProof
    embedded: bool = False

    @property
    def base_url(self) -> str:
        """The first URL of the settings."""
        return next(iter(self.urls.values()))

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return asdict(self)


@dataclass
class _Look:
    """One look at everything; `problem` is set when the wait can end.

    `trees` are the Applications' resource trees, read once all of them seem to be ready.
    """

    states: dict[str, Judgement] = field(default_factory=dict)
    applications: dict[str, Object] = field(default_factory=dict)
    trees: dict[str, list[Object]] = field(default_factory=dict)
    missing: str = ""
    problem: GatehouseError | None = None

    @property
    def ready(self) -> bool:
        return (
            bool(self.states)
            and not self.missing
            and all(each.state is State.READY for each in self.states.values())
        )

    def __str__(self) -> str:
        late = {name: each for name, each in self.states.items() if each.state is not State.READY}
        counted = f"{len(self.states) - len(late)} of {len(self.states)} Applications ready"
        if self.missing:
            return f"{counted}; {self.missing}" if self.states else self.missing
        if not late:
            return counted
        name, judgement = next(iter(late.items()))
        return f"{counted}; {name} is {judgement.state}: {judgement.reason}"


@dataclass(frozen=True)
class _Cause:
    """What keeps an Application from being ready, the newest warning about it, and when it was first seen."""

    blocker: Blocker
    words: str
    since: float


class PreviewWait:
    """One wait for one pull request."""

    def __init__(
        self,
        settings: PreviewSettings,
        argocd: ApplicationSource,
        github: GitHubClient,
        pull: PullRequest,
        commit: str | None,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._argocd = argocd
        self._github = github
        self._pull = pull
        self._commit = require_head(pull, commit)
        self._clock = clock
        self._diagnosed_at = clock.monotonic()
        self._causes: dict[str, _Cause] = {}
        self._sets: tuple[float, list[Object]] | None = None
        self._head_checked_at = clock.monotonic()
        asked = Asked(
            commit=self._commit,
            repository=github.repository,
            settle=settings.settle_seconds,
            grace=settings.failure_grace_seconds,
        )
        self._states = ApplicationStates(asked, argocd, clock)

    def run(self, deadline: Deadline, on_change: Report) -> PreviewEnvironment:
        """Wait, prove and return the environment.

        Raises `WrongSubject` when other images run or the head moved, `TerminalState` with the deepest
        failing object, `WaitTimeout` with the last state seen, and errors of the systems asked.
        """
        with self._argocd.follow(self._selector) as follower:
            snapshot = wait_until(
                lambda: self._observe(follower),
                what=f"preview of pull request {self._pull.number}",
                ready=lambda seen: seen.ready,
                failed=lambda seen: seen.problem,
                describe=str,
                deadline=deadline,
                interval=INTERVAL,
                pause=follower.wait,
                on_change=on_change,
                next_step=f"look at the Applications labelled {self._selector} in Argo CD",
            )
        return self._prove(snapshot.trees, deadline, on_change)

    @property
    def _selector(self) -> str:
        return self._settings.application_selector.format(number=self._pull.number, commit=self._commit)

    # --- the Applications ----------------------------------------------------------------------------

    def _observe(self, follower: ApplicationFollower) -> _Look:
        sets = self._application_sets()
        applications = follower.look()
        snapshot = _Look(applications=applications)
        snapshot.missing, snapshot.problem = self._check_expected(sets, list(applications.values()))
        self._require_current_head()
        snapshot.states = self._states.judge_all(applications)
        for name, judgement in snapshot.states.items():
            if judgement.state is State.GONE:
                self._require_current_head(at_once=True)  # most often the pull request was closed
            if judgement.state in TERMINAL:
                snapshot.problem = snapshot.problem or self._terminal(name, judgement, applications[name])
        if snapshot.ready:
            self._check_pods(snapshot)
        if not snapshot.ready:
            snapshot.problem = snapshot.problem or self._look_deeper(snapshot)
        return snapshot

    def _application_sets(self) -> list[Object]:
        now = self._clock.monotonic()
        if self._sets is None or now - self._sets[0] >= SETS_INTERVAL:
            self._sets = now, self._argocd.application_sets()
        return self._sets[1]

    def _require_current_head(self, *, at_once: bool = False) -> None:
        """Look now and then whether the pull request is still open and at the commit. Raises `WrongSubject`."""
        now = self._clock.monotonic()
        if at_once or now - self._head_checked_at >= HEAD_INTERVAL:
            self._head_checked_at = now
            require_head(self._github.pull_request(self._pull.number), self._commit)

    def _check_pods(self, snapshot: _Look) -> None:
        """An Application can be Healthy while its pods are Pending: their owners' health decides, not theirs."""
        snapshot.trees = {name: self._tree(each) for name, each in snapshot.applications.items()}
        for name, tree in snapshot.trees.items():
            if pod := waiting_pod(tree):
                status = pod["health"]["status"]
                reason = f"Healthy, but its pod {pod['name']} is {status}"
                snapshot.states[name] = Judgement(State.ROLLING_OUT, reason)

    def _check_expected(self, sets: list[Object], found: list[Object]) -> tuple[str, GatehouseError | None]:
        """What is not there yet though it should be, or why it never will."""
        expected = expected_sets(sets, self._github.repository, self._pull.label_names)
        generating = [each for each in expected if not each.missing_labels]
        if not generating:
            missing = expected[0].missing_labels if expected else frozenset()
            return "", self._nothing_generates(bool(expected), missing)
        for each in generating:
            if each.error:
                return "", TerminalState(
                    f"the ApplicationSet {each.name} cannot generate Applications",
                    seen=each.error,
                    next_step="repair its generator; until then no preview can be complete",
                )
        made = Counter(owner_set(application) for application in found)
        late = [
            f"ApplicationSet {each.name} has made {made[each.name]} of {each.count} Applications for it"
            for each in generating
            if made[each.name] < each.count
        ]
        return ", ".join(late), None

    def _nothing_generates(self, known: bool, missing: frozenset[str]) -> GatehouseError:
        number, repository = self._pull.number, self._github.repository
        if known:
            labels = ", ".join(sorted(missing))
            return ProductFailure(
                f"pull request {number} has no preview: it lacks the label {labels}",
                seen=f"labels: {', '.join(sorted(self._pull.label_names)) or 'none'}",
                next_step=f"add the label {labels} to the pull request",
            )
        return InfrastructureError(
            f"no ApplicationSet has a pull-request generator for {repository}",
            next_step="check that the token may read applicationsets and that the repository's name is right",
        )

    def _terminal(self, name: str, judgement: Judgement, application: Object) -> GatehouseError:
        blocker = find_blocker(self._tree(application))
        reason = (
            str(blocker)
            if blocker and blocker.stuck and judgement.state is State.FAILED
            else judgement.reason
        )
        return TerminalState(
            f"Application {name} is {judgement.state}: {reason}",
            expected=f"Synced and Healthy at {self._commit[:12]}",
            seen=judgement.reason,
            where=f"{self._argocd.server}/applications/argocd/{name}",
            next_step=self._advice(blocker.reason if blocker else ""),
        )

    @staticmethod
    def _advice(reason: str) -> str:
        if "Image" in reason:
            return "check that CI has published the image for this commit, and that the registry lets it be pulled"
        if reason == "CrashLoopBackOff":
            return "read the container's previous log: the program ends by itself"
        return "open the Application in Argo CD"

    def _look_deeper(self, snapshot: _Look) -> GatehouseError | None:
        """Name the pod that keeps each Application from being ready; an error once waiting cannot help."""
        now = self._clock.monotonic()
        due = now - self._diagnosed_at >= DIAGNOSIS_INTERVAL
        if due:
            self._diagnosed_at = now
        for name, judgement in snapshot.states.items():
            if judgement.state is not State.ROLLING_OUT:
                self._causes.pop(name, None)
                continue
            if due:
                self._diagnose(snapshot.applications[name], now)
            if cause := self._causes.get(name):
                snapshot.states[name] = Judgement(judgement.state, f"{cause.blocker}: {cause.words}")
                if cause.blocker.stuck and now - cause.since >= self._settings.failure_grace_seconds:
                    return TerminalState(
                        f"Application {name}: {cause.blocker}",
                        expected=f"a running pod of {self._commit[:12]}",
                        seen=cause.words,
                        where=f"{self._argocd.server}/applications/argocd/{name}",
                        next_step=self._advice(cause.blocker.reason),
                    )
        return None

    def _diagnose(self, application: Object, now: float) -> None:
        name = application["metadata"]["name"]
        blocker = find_blocker(self._tree(application))
        if blocker is None:
            self._causes.pop(name, None)
            return
        before = self._causes.get(name)
        lasting = before is not None and before.blocker.stuck and blocker.stuck
        events = self._argocd.events(name, application["spec"]["project"], blocker.node)
        words = warning(events) or blocker.message
        self._causes[name] = _Cause(blocker, words, before.since if before and lasting else now)

    def _tree(self, application: Object) -> list[Object]:
        """The nodes of an Application's tree; none if it has gone meanwhile, which the next look sees."""
        try:
            return self._argocd.resource_tree(application["metadata"]["name"], application["spec"]["project"])
        except NotFound:
            return []

    # --- the proof -----------------------------------------------------------------------------------

    def _prove(
        self, trees: dict[str, list[Object]], deadline: Deadline, on_change: Report
    ) -> PreviewEnvironment:
        current = self._github.pull_request(self._pull.number)
        require_head(current, self._commit)
        urls = {
            name: pattern.format(number=self._pull.number, commit=self._commit)
            for name, pattern in self._settings.urls.items()
        }
        images = running_images(trees)
        proof = prove_subject(self._commit, images, self._settings.product_images, {})
        if proof.outcome is Outcome.THIS_COMMIT:
            served = self._wait_for_urls(urls, deadline, on_change)
            proof = prove_subject(self._commit, images, self._settings.product_images, served)
        if proof.outcome is not Outcome.THIS_COMMIT:
            raise WrongSubject(
                f"the preview does not run the commit under test: {proof.outcome}",
                expected=f"every image of {', '.join(self._settings.product_images)} tagged {self._commit}",
                seen=proof.summary,
                next_step="add the label that makes previews use the pull request's images, or wait for CI to "
                "publish them; a test of these pods would say nothing about the change",
            )
        return PreviewEnvironment(
            number=self._pull.number,
            commit=self._commit,
            urls=urls,
            applications=dict.fromkeys(sorted(trees), "Synced and Healthy"),
            proof=proof,
            embedded=self._argocd.embedded,
        )

    def _wait_for_urls(self, urls: dict[str, str], deadline: Deadline, on_change: Report) -> dict[str, str]:
        """Wait until every URL answers several times in a row; the commits that the probe was told."""
        served: dict[str, str] = {}

        def look() -> list[str]:
            problems = []
            for name, url in urls.items():
                probe = self._settings.probe
                probed = probe if probe and probe.url == name else None
                reply = fetch(url.rstrip("/") + (probed.path if probed else "/"), self._settings.addresses)
                if not reply.reachable:
                    problems.append(str(reply))
                elif probed:
                    commit = served_commit(probed, reply)
                    if commit is None:
                        problems.append(f"{reply.url} names no commit")
                    else:
                        served[reply.url] = commit
            return problems

        wait_until(
            look,
            what=f"hostnames of pull request {self._pull.number}",
            ready=lambda problems: not problems,
            describe=lambda problems: problems[0] if problems else f"{len(urls)} hostnames answer",
            deadline=deadline,
            successes=ANSWERS_IN_A_ROW,
            interval=INTERVAL,
            on_change=on_change,
            next_step="check in this order: the edge, the routes' conditions, the services' endpoints, the pods",
        )
        return served
