"""Waits until a pull request's preview really is the one to test, and proves it.

Nothing is opened before every Application of every ApplicationSet that generates for the pull request is
synced and healthy, the running images are those of the expected commit, and the hostnames answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gatehouse.argocd.follow import ApplicationFollower
from gatehouse.argocd.judge import TERMINAL, Asked, Judgement, State
from gatehouse.argocd.source import ApplicationSource, Scope
from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import (
    GatehouseError,
    ServerFault,
    TerminalState,
    Transient,
    UnexpectedAnswer,
    Unreachable,
    WaitTimeout,
    WrongSubject,
)
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.core.waiting import Progress, wait_until
from gatehouse.github.client import GitHubClient, PullRequest
from gatehouse.preview.application_states import ApplicationStates
from gatehouse.preview.causes import Cause, Causes, last_line, may_pass
from gatehouse.preview.expectation import Expectation
from gatehouse.preview.judge import EnvironmentJudgement, EnvironmentSnapshot, judge_environment
from gatehouse.preview.memory import WaitMemory, WaitState
from gatehouse.preview.proof import Prover, check_pods, fingerprint
from gatehouse.preview.pull_request import require_head
from gatehouse.preview.registry import ImageRegistries
from gatehouse.preview.stages import StageClock, Stopwatch
from gatehouse.preview.subject import Outcome, SubjectProof
from gatehouse.preview.urls import FoundUrls, LiveObject

Object = dict[str, Any]

#: Seconds between two looks at the environment while nothing is heard of a change.
INTERVAL = 0.5

#: Seconds between two looks at the pull request's head, and while an Application is about another commit.
HEAD_INTERVAL = 20.0
HASTY_HEAD_INTERVAL = 0.5

#: Seconds that another subject must be seen for: trees and health need not be of the same moment.
SUBJECT_GRACE = 3.0


@dataclass(frozen=True)
class PreviewEnvironment:
    """A preview that may be tested, and the proof that it is the right one.

    `origins` says where each URL comes from. `deployment` tells, by Application, what changes when it is deployed
    anew. `seconds` is how long each stage of the wait took, `notes` what could not be looked at.
    """

    number: int
    commit: str
    urls: dict[str, str]
    applications: dict[str, str]
    proof: SubjectProof
    embedded: bool = False
    origins: dict[str, str] = field(default_factory=dict)
    deployment: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        """The first URL of the settings."""
        return next(iter(self.urls.values()))

    def as_data(self) -> dict[str, Any]:
        """JSON-like data, as it is written into the record."""
        return asdict(self)


@dataclass
class Look:
    """One look at everything, the judgement on it, and the error that ends the wait, if any."""

    snapshot: EnvironmentSnapshot
    judgement: EnvironmentJudgement
    applications: dict[str, Object] = field(default_factory=dict)
    trees: dict[str, list[Object]] = field(default_factory=dict)
    found: FoundUrls = field(default_factory=FoundUrls)
    proof: SubjectProof | None = None
    problem: GatehouseError | None = None

    def __str__(self) -> str:
        judgement, states = self.judgement, self.snapshot.applications
        ready = sum(each.state is State.READY for each in states.values())
        counted = f"{ready} of {len(states)} Applications ready" if states else "no Application yet"
        if judgement.state is State.READY:
            return counted
        what = (
            f"{judgement.application} is {judgement.state}" if judgement.application else str(judgement.state)
        )
        return f"{counted}; {what}: {judgement.reason}"


class WaitObserver:
    """Is told of a wait; what is told of is shown, or not."""

    def changed(self, progress: Progress) -> None:
        """The state in words has changed."""

    def looked(self, look: Look, stages: Mapping[str, float]) -> None:
        """There has been a look."""


class PreviewWait:
    """One wait for one pull request; `run` can be called again to prove the same once more."""

    def __init__(
        self,
        settings: PreviewSettings,
        source: ApplicationSource,
        github: GitHubClient,
        pull: PullRequest,
        commit: str | None,
        clock: Clock,
        *,
        registries: ImageRegistries,
        memory: WaitMemory | None = None,
        project: str = "",
    ) -> None:
        self._settings = settings
        self._source = source
        self._github = github
        self._pull = pull
        self._commit = require_head(pull, commit)
        self._clock = clock
        self._memory = memory
        self._head_checked_at = clock.monotonic()
        self._expectation = Expectation(settings, source, github.repository, pull, project, clock)
        self._causes = Causes(source, clock)
        self._prover = Prover(
            settings,
            source,
            registries,
            pull.number,
            self._commit,
            github.repository,
            github.changed_files(pull.number) if settings.components else None,
            clock,
        )
        asked = Asked(
            commit=self._commit,
            repository=github.repository,
            tag=self._prover.tag,
            product_images=tuple(settings.product_images),
            unchanged=self._prover.unchanged,
            settle=settings.settle_seconds,
            grace=settings.failure_grace_seconds,
            operation_grace=settings.operation_grace_seconds,
            allow_suspended=settings.allow_suspended,
        )
        self._states = ApplicationStates(asked, source, clock)
        self._stages = StageClock(settings.budgets, clock)
        self._passed = Stopwatch(clock)
        self._observer = WaitObserver()
        self._another_since: float | None = None
        self._deadline = Deadline.after(settings.timeout_seconds, clock)
        #: When the wait began, the states passed through, and the newest look; for the report of a failure.
        self.begun = clock.now()
        self.progress = Progress(f"preview of pull request {pull.number}")
        self.last: Look | None = None
        self.cause: Cause | None = None
        self.log = ""

    @property
    def commit(self) -> str:
        """The full SHA that is waited for."""
        return self._commit

    @property
    def number(self) -> int:
        """The pull request's number."""
        return self._pull.number

    @property
    def stages(self) -> dict[str, float]:
        """Seconds spent in each stage."""
        return self._stages.spent

    @property
    def states(self) -> dict[str, float]:
        """Seconds spent in each state of the environment."""
        return self._passed.spent

    def run(self, observer: WaitObserver) -> PreviewEnvironment:
        """Wait, prove and return the environment.

        Raises `WrongSubject` when other images run or the head moved, `TerminalState` with the deepest
        failing object, `WaitTimeout` with the last state seen, and errors of the systems asked.
        """
        self._observer = observer
        before = self._resume()
        self._deadline = Deadline.after(max(self._settings.timeout_seconds - before, 0.0), self._clock)
        try:
            scope = self._followed(before)
            with self._source.follow(scope) as follower:
                look = wait_until(
                    lambda: self._observe(follower),
                    what=self.progress.what,
                    ready=lambda seen: seen.judgement.state is State.READY,
                    failed=lambda seen: seen.problem,
                    describe=str,
                    deadline=self._deadline,
                    interval=INTERVAL,
                    pause=follower.wait,
                    on_change=lambda progress: self._changed(progress, before),
                    next_step=f"look at the {scope} in Argo CD",
                )
        except GatehouseError:
            self._forget()
            raise
        self._forget()
        return self._environment(look)

    def _followed(self, before: float) -> Scope:
        """Which Applications to follow; a server that does not answer is waited for."""

        def scope() -> Scope:
            try:
                return self._expectation.scope
            except (UnexpectedAnswer, ServerFault) as error:
                raise Transient(error.summary, seen=error.seen, where=error.where) from error

        with suppress(Transient, Unreachable):
            return scope()
        return wait_until(
            scope,
            what=self.progress.what,
            ready=lambda _scope: True,
            deadline=self._deadline,
            interval=INTERVAL,
            on_change=lambda progress: self._changed(progress, before),
        )

    # --- one look ------------------------------------------------------------------------------------

    def _observe(self, follower: ApplicationFollower) -> Look:
        try:
            return self._look(follower)
        except (UnexpectedAnswer, ServerFault) as error:
            # A proxy's page or a failing server: not the preview's fault, and it may pass.
            raise Transient(error.summary, seen=error.seen, where=error.where) from error

    def _look(self, follower: ApplicationFollower) -> Look:
        self._require_current_head()
        followed = follower.look()
        expected = self._expectation.look(followed)
        applications = expected.applications
        states = self._states.judge_all(applications)
        if any(each.state is State.GONE for each in states.values()):
            self._require_current_head(0.0)  # most often the pull request was closed
        if any(each.state is State.STALE for each in states.values()):
            self._require_current_head(HASTY_HEAD_INTERVAL)  # it may be at another commit
        snapshot = EnvironmentSnapshot(
            applications=states,
            absent=expected.absent,
            generator_error=expected.error,
            pending_images=self._prover.pending_images(applications, states),
        )
        look = Look(snapshot, judge_environment(self._commit, snapshot), applications)
        self.last = look
        self._prove(look)
        self._explain(look)
        self._count_time(look)
        if self._memory:
            self._memory.save(self._state())
        self._observer.looked(look, self._stages.spent)
        return look

    def _require_current_head(self, interval: float | None = None) -> None:
        """Look now and then whether the pull request is still open and at the commit. Raises `WrongSubject`."""
        now = self._clock.monotonic()
        if now - self._head_checked_at >= (HEAD_INTERVAL if interval is None else interval):
            self._head_checked_at = now
            try:
                pull = self._github.pull_request(self._pull.number)
            except (Transient, Unreachable, ServerFault):
                return  # the code host is not what is waited for; it is asked again, at last when all is ready
            seen = EnvironmentSnapshot(head=pull.head.sha, closed=pull.state != "open")
            self._judged(Look(seen, judge_environment(self._commit, seen)))
            require_head(pull, self._commit)

    def _prove(self, look: Look) -> None:
        """Where every Application says that it is ready: look at its pods, images and hostnames."""
        if look.judgement.state is not State.PROBING:
            return
        trees = self._prover.trees(look.applications)
        pods = check_pods(trees)
        gone = {name: Judgement(State.ABSENT, "disappeared while it was looked at") for name in pods.gone}
        look.trees = {name: tree for name, tree in trees.items() if tree is not None}
        self._judge(look, applications={**look.snapshot.applications, **gone}, pods=pods.problems)
        if look.judgement.state is not State.PROBING:
            return
        look.proof = self._prover.subject(look.applications, look.trees, {})
        if look.proof.outcome is not Outcome.THIS_COMMIT:
            self._another_subject(look, look.proof)
            return
        self._another_since = None
        objects = self._prover.edge_objects(look.applications, look.trees)
        look.found = self._prover.urls(objects)
        if look.found.problem:
            self._judge(look, probe=look.found.problem)
            return
        self._ask_hostnames(look, objects)

    def _another_subject(self, look: Look, proof: SubjectProof) -> None:
        """Another subject ends the wait once it has been seen for a moment."""
        now = self._clock.monotonic()
        self._another_since = now if self._another_since is None else self._another_since
        self._judge(look, pods={proof.images[0].application if proof.images else "": proof.summary})
        if now - self._another_since >= min(SUBJECT_GRACE, self._settings.failure_grace_seconds):
            look.problem = self._wrong_subject(proof)

    def _ask_hostnames(self, look: Look, objects: list[LiveObject]) -> None:
        answers = self._prover.ask(look.found.urls)
        proof = self._prover.subject(look.applications, look.trees, answers.served)
        look.proof = proof
        self._judge(look, probe=self._prover.explain(answers, objects) if answers.problem else "")
        if answers.another_commit and self._overdue(look):
            # Pods that are ending can still answer for a while; after that, something else is served.
            look.problem = self._wrong_subject(proof)
        elif not answers.problem and proof.outcome is not Outcome.THIS_COMMIT:
            look.problem = self._wrong_subject(proof)
        elif look.judgement.state is State.READY:
            # The last thing to ask; a code host that does not answer now is waited for like any other.
            require_head(self._github.pull_request(self._pull.number), self._commit)

    def _judge(self, look: Look, **seen: Any) -> None:
        look.snapshot = replace(look.snapshot, **seen)
        look.judgement = judge_environment(self._commit, look.snapshot)

    # --- why, and how long ---------------------------------------------------------------------------

    def _explain(self, look: Look) -> None:
        """Put the deepest failing object in place of what an Application says of itself; end what cannot get well."""
        if look.problem or look.judgement.state in (State.READY, State.PROBING):
            return
        snapshot, failed = look.snapshot, look.judgement.state in TERMINAL
        causes = self._causes.look(snapshot.applications, look.applications, snapshot.pods, at_once=failed)
        self._judge(
            look,
            applications={
                name: replace(each, reason=str(causes[name]))
                if name in causes and each.state is State.ROLLING_OUT
                else each
                for name, each in snapshot.applications.items()
            },
            pods={
                name: f"{each}: {causes[name]}" if name in causes else each
                for name, each in snapshot.pods.items()
            },
        )
        root = self._causes.root()
        if failed:
            mine = causes.get(look.judgement.application)
            self._fail(look, root if root and root.is_root else mine)
        elif root and self._is_stuck(look, root):
            self._fail(look, root)

    def _is_stuck(self, look: Look, cause: Cause) -> bool:
        name = cause.application
        known = name in look.snapshot.pending_images or self._prover.has_images_of(look.applications[name])
        lasting = self._clock.monotonic() - cause.since >= self._settings.failure_grace_seconds
        return cause.blocker.stuck and lasting and not may_pass(cause, image_is_known=known)

    def _fail(self, look: Look, cause: Cause | None) -> None:
        """The error for an environment that cannot become ready; its first line holds all that is needed."""
        judgement = look.judgement
        if cause and judgement.state in TERMINAL and not (cause.words or cause.blocker.stuck):
            cause = None  # the judgement says more
        name = cause.application if cause else judgement.application
        application = look.applications.get(name)
        self.cause, self.log = cause, cause.log if cause else ""
        words = str(cause) if cause else judgement.reason
        if application and not cause:
            self.log = self._causes.log_of_hook(name, application, judgement.reason)
            words = f"{words}: {last_line(self.log)}" if self.log else words
        if cause:
            look.judgement = EnvironmentJudgement(State.FAILED, words, judgement.stage, name)
        look.problem = TerminalState(
            self._first_line(look, name, str(look.judgement.state), words),
            expected=f"Synced, Healthy, and running {self._commit[:12]}",
            seen=judgement.reason if name == judgement.application and judgement.reason not in words else "",
            where=self.link(name),
            next_step=cause.advice if cause else _advice(judgement),
        )

    def _first_line(self, look: Look, name: str, state: str, words: str) -> str:
        application = look.applications.get(name)
        if application is None:
            return f"the preview of pull request {self._pull.number} is {state}: {words}"
        expected = self._prover.expected_image(application)
        observed = ((application.get("status") or {}).get("summary") or {}).get("images") or []
        running = ", ".join(each.replace(self._commit, self._commit[:12]) for each in observed)
        running = f", there runs {running}" if running and running != expected else ""
        return f"Application {name} is {state}: {words} (expected {expected}{running})"

    def _count_time(self, look: Look) -> None:
        """Count the time in the stage, and end the wait when the stage's budget is spent."""
        self._stages.enter(look.judgement.stage)
        self._passed.enter(look.judgement.state)
        if look.problem or not (overdue := self._overdue(look)):
            return
        state = look.judgement
        if state.state is State.READY:
            return
        self._judge(look, overdue=overdue)
        look.problem = WaitTimeout(
            self._first_line(look, state.application, str(State.TIMED_OUT), f"{state.reason} ({overdue})"),
            seen=str(self.progress),
            where=self.link(state.application),
            next_step=f"find out why, or raise preview.budgets.{state.stage}_seconds or preview.timeout_seconds",
        )

    def _overdue(self, look: Look) -> str:
        """Which limit is reached, in words; empty if none is."""
        self._stages.enter(look.judgement.stage)
        if stage := self._stages.overdue:
            return f"the budget of {self._stages.budget(stage):.0f} s for {stage} is spent"
        if self._deadline.expired:
            return f"the {self._settings.timeout_seconds:.0f} s for the whole wait are over"
        return ""

    def expected_of(self, application: Object) -> str:
        """What an Application should run: an image of the product, or the commit."""
        return self._prover.expected_image(application)

    def link(self, application: str) -> str:
        """Where to look at an Application, or at all of them."""
        known = self.last.applications.get(application) if self.last else None
        return self._source.link(known)

    def _wrong_subject(self, proof: SubjectProof) -> WrongSubject:
        wanted = ", ".join(self._settings.product_images) or self._github.repository
        return WrongSubject(
            f"the preview does not run the commit under test: {proof.outcome}: {proof.summary}",
            expected=f"every image of {wanted} tagged {self._prover.tag}",
            seen=proof.summary,
            where=self.link(""),
            next_step="add the label that makes previews use the pull request's images, or wait for CI to "
            "publish them; a test of these pods would say nothing about the change",
        )

    # --- begin and end -------------------------------------------------------------------------------

    def _resume(self) -> float:
        """Seconds that a command which was cut off has already spent on this wait."""
        state = self._memory.load() if self._memory else None
        if state is None:
            self._stages = StageClock(self._settings.budgets, self._clock)
            return 0.0
        self._stages = StageClock(self._settings.budgets, self._clock, state.stages)
        self.progress.history[:] = state.history
        self.progress.note(state.spent, f"resumed a wait that was cut off after {state.spent:.0f} s")
        self._observer.changed(self.progress)
        return state.spent

    def _changed(self, progress: Progress, before: float) -> None:
        """Keep the history over all commands of the wait; `before` is what earlier ones have spent."""
        elapsed, state = progress.history[-1]
        self.progress.note(before + elapsed, state)
        if self._memory:
            self._memory.save(self._state(), at_once=True)
        self._observer.changed(self.progress)

    def _judged(self, look: Look) -> None:
        if look.judgement.state in (State.SUPERSEDED, State.GONE):
            self.last = look
            self._passed.enter(look.judgement.state)
            self._observer.looked(look, self._stages.spent)

    def _state(self) -> WaitState:
        stages = self._stages.spent
        return WaitState(sum(stages.values()), stages, list(self.progress.history))

    def _forget(self) -> None:
        self._stages.enter(None)
        self._passed.enter(None)
        if self._memory:
            self._memory.forget()

    def _environment(self, look: Look) -> PreviewEnvironment:
        assert look.proof is not None, "an environment is ready only once it is proved"
        notes = [self._prover.registry_problem] if self._prover.registry_problem else []
        if not self._settings.tls.verify:
            notes.append("certificates were not verified (preview.tls.verify is false)")
        return PreviewEnvironment(
            number=self._pull.number,
            commit=self._commit,
            urls=look.found.urls,
            applications=dict.fromkeys(sorted(look.trees), "Synced and Healthy"),
            proof=look.proof,
            embedded=self._source.embedded,
            origins=look.found.origins,
            deployment={
                name: fingerprint(look.applications[name], tree) for name, tree in look.trees.items()
            },
            seconds={name: round(seconds, 3) for name, seconds in self._stages.spent.items()},
            notes=tuple(notes),
        )


def _advice(judgement: EnvironmentJudgement) -> str:
    if "image" in judgement.reason:
        return (
            "check that CI has published the image for this commit, and that the registry lets it be pulled"
        )
    if judgement.stage is not None and not judgement.application:
        return "repair the ApplicationSet's generator; until then no preview can be complete"
    return "open the Application in Argo CD"
