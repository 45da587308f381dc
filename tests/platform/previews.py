"""What the preview suite does before it opens anything, without pytest around it."""

import contextlib

import pytest

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.core.deadline import SYSTEM_CLOCK
from gatehouse.core.errors import WaitTimeout
from gatehouse.github.client import GitHubClient
from gatehouse.preview.environment import PreviewWait
from gatehouse.preview.look import WaitObserver
from gatehouse.preview.registry import ImageRegistries
from tests.platform.conftest import target_of


class Watcher(WaitObserver):
    """Keeps the states that a wait reports, and lets `act` react to each."""

    def __init__(self, act=lambda _words: None):
        self.words = []
        self.looks = []
        self._act = act

    def changed(self, progress):
        self.words.append(progress.last)
        self._act(progress.last)

    def looked(self, look, stages):
        self.looks.append(look)

    @property
    def everything(self):
        """All that was told: of the environment, and of each Application."""
        states = (each for look in self.looks for each in look.snapshot.applications.items())
        return {*self.words, *(f"{name} is {each.state}: {each.reason}" for name, each in states)}

    @property
    def last(self):
        """The judgement at the end."""
        return self.looks[-1].judgement


@contextlib.contextmanager
def waiting(platform, commit=None, clock=SYSTEM_CLOCK, source=None, project="", **changes):
    """A wait for the platform's pull request, with other settings where they are named."""
    settings = target_of(platform).preview.model_copy(
        update={"settle_seconds": 0.25, "failure_grace_seconds": 0.5, "timeout_seconds": 60, **changes}
    )
    with contextlib.ExitStack() as stack:
        source = source or stack.enter_context(
            ArgoCDClient(platform.urls.argocd, platform.credentials.argocd)
        )
        github = stack.enter_context(
            GitHubClient(platform.urls.code_host + "/api/v3", "acme/shop", platform.credentials.code_host)
        )
        registries = stack.enter_context(ImageRegistries(settings.registries))
        yield PreviewWait(
            settings,
            source,
            github,
            github.pull_request(7),
            commit,
            clock,
            registries=registries,
            project=project,
        )


def prove_preview(platform, commit=None, *, watcher=None, **options):
    """The environment of the platform's pull request, or the error that says why there is none."""
    with waiting(platform, commit, **options) as wait:
        return wait.run(watcher or Watcher())


def refusal(platform, kind, **options):
    """What an error says that ends the wait."""
    with pytest.raises(kind) as caught:
        prove_preview(platform, **options)
    return str(caught.value)


class JumpingClock:
    """The system's clock, until it jumps far ahead."""

    sleep, now = SYSTEM_CLOCK.sleep, SYSTEM_CLOCK.now

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return SYSTEM_CLOCK.monotonic() + self.ahead


def time_out(platform, words, **options):
    """What a time-out says whose time is over once these words were reported, however long that takes."""
    clock = JumpingClock()

    def jump(seen):
        if words in seen:
            clock.ahead = 3600.0

    return refusal(platform, WaitTimeout, watcher=Watcher(jump), clock=clock, **options)
