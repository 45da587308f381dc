"""Waits until a pull request's preview really is the one to test, and proves it.

Nothing is opened before every Application of every ApplicationSet that generates for the pull request is
synced and healthy, the running images are those of the expected commit, and the hostnames answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from gatehouse.argocd.follow import ApplicationFollower
from gatehouse.argocd.judge import TERMINAL, Asked, Judgement, State
from gatehouse.argocd.source import ApplicationSource
from gatehouse.core.deadline import Clock, Deadline
from gatehouse.core.errors import (
    GatehouseError,
    InfrastructureError,
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
from gatehouse.preview.advice import advice_for
from gatehouse.preview.application_states import ApplicationStates
from gatehouse.preview.causes import Cause, Causes, last_line, made_by_operation, may_pass
from gatehouse.preview.expectation import Expectation
from gatehouse.preview.judge import EnvironmentJudgement, EnvironmentSnapshot, judge_environment
from gatehouse.preview.look import Look, PreviewEnvironment, WaitObserver
from gatehouse.preview.memory import WaitMemory, WaitState
from gatehouse.preview.moment import deployed_now
from gatehouse.preview.proof import Prover, check_pods, fingerprint
from gatehouse.preview.pull_request import require_head
from gatehouse.preview.registry import ImageRegistries
from gatehouse.preview.stages import Stage, StageClock, Stopwatch
from gatehouse.preview.subject import Outcome, RunningImage, SubjectProof
from gatehouse.preview.urls import LiveObject

Object = dict[str, Any]
Seen = TypeVar("Seen")

#: Seconds between two looks at the environment while nothing is heard of a change.
INTERVAL = 0.5

#: Seconds between two looks at hostnames that do not answer as they should.
PROBE_INTERVAL = 2.0

#: Seconds between two looks at the pull request's head, and while an Application is about another commit.
HEAD_INTERVAL = 20.0
HASTY_HEAD_INTERVAL = 0.5

#: Seconds that another subject must be seen for: trees and health need not be of the same moment.
SUBJECT_GRACE = 3.0


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
        self._spent_before = 0.0
        self._deadline = Deadline.after(settings.timeout_seconds, clock)
        #: When the wait began, the states passed through, and the newest look; for the report of a failure.
        self.begun = clock.now()
        self.progress = Progress(f"preview of pull request {pull.number}")
        self.last: Look | None = None
        self.cause: Cause | None = None
        self.log = ""
        #: Whether it has come to a proof before.
        self.proved = False

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
        self._spent_before = self._resume()
        left = max(self._settings.timeout_seconds - self._spent_before, 0.0)
        self._deadline = Deadline.after(left, self._clock)
        try:
            scope = self._wait(
                lambda: self._expectation.scope, ready=lambda _scope: True, describe=lambda _scope: ""
            )
            with self._source.follow(scope) as follower:
                look = self._wait(
                    lambda: self._look(follower),
                    ready=lambda seen: seen.judgement.state is State.READY,
                    failed=lambda seen: seen.problem,
                    describe=str,
                    pause=lambda seconds: follower.wait(max(seconds, self._patience)),
                )
        except GatehouseError:
            self._forget()
            raise
        self._forget()
        return self._environment(look)

    @property
    def _patience(self) -> float:
        """Seconds to the next look: one at hostnames that do not answer also reads every resource tree."""
        probing = self.last is not None and self.last.judgement.state is State.PROBING
        return min(PROBE_INTERVAL, self._deadline.remaining) if probing else 0.0

    def now(self, deployment: dict[str, Any]) -> list[str]:
        """How the Applications that were proved are at this moment, in words."""
        return deployed_now(self._source, self.last.applications if self.last else {}, deployment)

    # --- one look ------------------------------------------------------------------------------------

    def _wait(
        self,
        observe: Callable[[], Seen],
        *,
        ready: Callable[[Seen], bool],
        describe: Callable[[Seen], str],
        failed: Callable[[Seen], GatehouseError | None] = lambda _seen: None,
        pause: Callable[[float], None] | None = None,
    ) -> Seen:
        """Wait within what is left of the time; a server that fails and a proxy's page may pass as well."""

        def patiently() -> Seen:
            try:
                return observe()
            except (UnexpectedAnswer, ServerFault) as error:
                raise Transient(error.summary, seen=error.seen, where=error.where) from error

        return wait_until(
            patiently,
            what=self.progress.what,
            ready=ready,
            failed=failed,
            describe=describe,
            deadline=self._deadline,
            interval=INTERVAL,
            pause=pause,
            on_change=self._changed,
            next_step="look at the Applications in Argo CD, and at what stands between it and here",
        )

    def _look(self, follower: ApplicationFollower) -> Look:
        self._require_current_head()
        followed = follower.look()
        expected = self._expectation.look(followed)
        applications = expected.applications
        states = self._states.judge_all(applications, expected.rolling)
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
        before, self.last = self.last, look
        self._prove(look)
        self._explain(look)
        self._count_time(look)
        if self._memory:
            self._memory.save(
                self._state(), at_once=before is None or before.judgement.stage != look.judgement.stage
            )
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
        images = self._prover.running(look.applications, look.trees)
        look.proof = self._prover.subject(look.applications, images, {})
        if look.proof.outcome is not Outcome.THIS_COMMIT:
            self._another_subject(look, look.proof)
            return
        self._another_since = None
        objects = self._prover.edge_objects(look.applications, look.trees)
        look.found = self._prover.urls(objects)
        if look.found.problem:
            self._judge(look, probe=look.found.problem)
            return
        self._ask_hostnames(look, images, objects)

    def _another_subject(self, look: Look, proof: SubjectProof) -> None:
        """Another subject ends the wait once it has been seen for a moment."""
        now = self._clock.monotonic()
        self._another_since = now if self._another_since is None else self._another_since
        about = proof.wrong or proof.images
        self._judge(look, pods={about[0].application if about else "": proof.summary})
        lasting = now - self._another_since >= min(SUBJECT_GRACE, self._settings.failure_grace_seconds)
        if self._overdue(look) or (lasting and not self._prover.may_still_come(proof, look.applications)):
            look.problem = self._wrong_subject(proof)

    def _ask_hostnames(self, look: Look, images: list[RunningImage], objects: list[LiveObject]) -> None:
        answers = self._prover.ask(look.found.urls)
        look.proof = proof = self._prover.subject(look.applications, images, answers.served)
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
                name: _deeper(each, causes.get(name)) for name, each in snapshot.applications.items()
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
        elif stuck := next((each for each in causes.values() if self._is_stuck(look, each)), None):
            self._fail(look, root if root and root.is_root else stuck)

    def _is_stuck(self, look: Look, cause: Cause) -> bool:
        name = cause.application
        known = name in look.snapshot.pending_images or self._prover.has_images_of(look.applications[name])
        lasting = self._clock.monotonic() - cause.since >= self._settings.failure_grace_seconds
        if look.snapshot.applications[name].state is State.SYNCING and not made_by_operation(
            cause, look.applications[name]
        ):
            return False  # the operation may replace what was there before it
        return cause.blocker.stuck and lasting and not may_pass(cause, image_is_known=known)

    def _fail(self, look: Look, cause: Cause | None) -> None:
        """The error for an environment that cannot become ready; its first line holds all that is needed."""
        judgement = look.judgement
        if cause and judgement.state in TERMINAL and not (cause.blocker.stuck or cause.is_root):
            of_health = judgement.reason.startswith("Degraded")
            cause = cause if of_health and cause.words else None  # else the judgement says more
        name = cause.application if cause else judgement.application
        application = look.applications.get(name)
        self.cause, self.log = cause, cause.log if cause else ""
        words = str(cause) if cause else judgement.reason
        if application and not cause:
            self.log = self._causes.log_of_hook(name, application, judgement.reason)
            words = f"{words}: {last_line(self.log)}" if self.log else words
        if cause:
            look.judgement = EnvironmentJudgement(State.FAILED, words, judgement.stage, name)
        kind = InfrastructureError if self._is_infrastructure(look, cause) else TerminalState
        look.problem = kind(
            self._first_line(look, name, str(look.judgement.state), words),
            expected=f"Synced, Healthy, and running {self._commit[:12]}",
            seen=judgement.reason if name == judgement.application and judgement.reason not in words else "",
            where=self.link(name),
            next_step=cause.advice if cause else advice_for(judgement),
        )

    @staticmethod
    def _is_infrastructure(look: Look, cause: Cause | None) -> bool:
        generator = look.judgement.stage is Stage.GENERATION and not look.judgement.application
        return cause.is_infrastructure if cause else generator

    def _first_line(self, look: Look, name: str, state: str, words: str) -> str:
        application = look.applications.get(name)
        if application is None:
            return f"the preview of pull request {self._pull.number} is {state}: {words}"
        expected = self._prover.expected_image(application)
        observed = ((application.get("status") or {}).get("summary") or {}).get("images") or []
        names = [each.replace(self._commit, self._commit[:12]) for each in observed]
        running = f", there runs {', '.join(names)}" if names and expected not in names else ""
        return f"Application {name} is {state}: {words} (expected {expected}{running})"

    def _count_time(self, look: Look) -> None:
        """Count the time in the stage, and end the wait when the stage's budget is spent."""
        state, overdue = look.judgement, self._overdue(look)
        self._passed.enter(state.state)
        if look.problem or not overdue or state.state is State.READY:
            return
        self._judge(look, overdue=overdue)
        application = look.applications.get(state.application)
        self.cause = self._causes.of(state.application)
        if application and not self.log:
            self.log = self._causes.log_of_hook(state.application, application, state.reason)
        budget = (
            f"preview.budgets.{state.stage}_seconds" if self._stages.overdue else "preview.timeout_seconds"
        )
        look.problem = WaitTimeout(
            self._first_line(look, state.application, str(State.TIMED_OUT), f"{state.reason} ({overdue})"),
            seen=" → ".join(f"{words} ({at:.0f} s)" for at, words in self.progress.history[-3:]),
            where=self.link(state.application),
            next_step=f"{self.cause.advice if self.cause else advice_for(state)}; or raise {budget}",
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
            where=self.link(proof.wrong[0].application if proof.wrong else ""),
            next_step=f"{proof.advice}; a test of these pods would say nothing about the change",
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

    def _changed(self, progress: Progress) -> None:
        """Keep the history over all commands of the wait."""
        _, state = progress.history[-1]
        if not state:
            return  # there is something to follow now, which is not worth a word
        self.progress.note(self._spent_before + self._deadline.elapsed, state)
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
        self.proved = True
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


def _deeper(judgement: Judgement, cause: Cause | None) -> Judgement:
    """A judgement with the object that keeps the Application from getting on."""
    if cause is None or judgement.state not in (State.ROLLING_OUT, State.SYNCING):
        return judgement
    before = f"{judgement.reason}; " if judgement.state is State.SYNCING else ""
    return replace(judgement, reason=f"{before}{cause}")
