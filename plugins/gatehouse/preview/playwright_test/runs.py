"""The processes of all projects: started once by the controller, followed by every process that awaits results."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.core.errors import GatehouseError, InfrastructureError, error_data
from gatehouse.core.folders import cache_folder
from gatehouse.core.processes import ProcessOwner
from gatehouse.preview.playwright_test.command import (
    GIVEN_VARIABLE,
    Shard,
    command,
    environment,
    selection,
    write_given,
)
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.failure import words
from gatehouse.preview.playwright_test.given import Given
from gatehouse.preview.playwright_test.judge import Finished, judge
from gatehouse.preview.playwright_test.listing import JourneyProject, Listing
from gatehouse.preview.playwright_test.project import Installation, installation
from gatehouse.preview.playwright_test.results import Attempt, Follower, ListedTest, ShardEvents
from gatehouse.preview.playwright_test.tree import Snapshot, changes, left_behind, snapshot
from gatehouse.preview.video import BROWSERS_VARIABLE, prepare_video

#: Seconds between two looks at a file of results.
POLL = 0.05

#: Seconds that a process may take to end after its time is up.
GRACE = 30.0


def shards_of(project: JourneyProject, bundle: Path) -> list[Shard]:
    """The processes of a project, and where in the bundle they write."""
    folder = bundle / "playwright" / project.key
    return [Shard(number, folder) for number in range(1, project.settings.shards + 1)]


@dataclass
class Watch:
    """Follows what a project's processes tell; every process of pytest has its own."""

    project: JourneyProject
    shards: list[Shard]
    _followers: list[Follower] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._followers = [Follower(each.results, self.project.config.parent) for each in self.shards]

    def look(self) -> list[tuple[ShardEvents, Ending | None]]:
        """What each process has told so far, and how it ended if it has. The ending is looked at first."""
        endings = [Ending.read(shard.ended) for shard in self.shards]
        return [(follower.read(), ending) for follower, ending in zip(self._followers, endings, strict=True)]

    def result(self, key: str) -> tuple[bool, list[Attempt], Ending | None]:
        """Whether no more is to be expected of a test, its attempts, and how the process that ran it ended.

        A test that others depend on runs in several processes; its worst result counts.
        """
        found: list[tuple[bool, list[Attempt], Ending | None]] = []
        seen = self.look()
        settled = all(events.begun or ending for events, ending in seen)
        for events, ending in seen:
            if key in events.attempts or any(test.key == key for test in events.tests):
                attempts = events.attempts.get(key, [])
                found.append((ending is not None or _is_final(attempts), attempts, ending))
        if not found:
            return settled, [], next((ending for _, ending in seen if ending), None)
        done = settled and all(final for final, _, _ in found)
        _, attempts, ending = max(found, key=lambda each: not (each[1] and each[1][-1].as_expected))
        return done, attempts, ending

    def await_result(
        self, key: str, waiting: Callable[[], None] = lambda: None
    ) -> tuple[list[Attempt], Ending | None]:
        """All attempts of a test, once there are no more to come. Calls `waiting` now and then."""
        stop_at = time.monotonic() + self.project.settings.timeout_seconds + GRACE
        while True:
            done, attempts, ending = self.result(key)
            if done or time.monotonic() > stop_at:
                return attempts, ending
            waiting()
            time.sleep(POLL)

    def cause(self, test: ListedTest) -> str:
        """What may have kept a test from running: an error of no test, or a failure before it in the same file."""
        seen = [events for events, _ in self.look()]
        errors = [error for events in seen for error in events.errors]
        if errors:
            return words(errors[0].message, "")[0]
        found: dict[bool, str] = {}
        for events in seen:
            specs = {each.key: each.spec for each in events.tests}
            for key, attempts in events.attempts.items():
                if not attempts[-1].as_expected and attempts[-1].errors:
                    found.setdefault(specs.get(key) == test.spec, attempts[-1].errors[0].message)
        return words(found.get(True) or found.get(False) or "", "")[0]

    def is_running(self, key: str) -> bool:
        """Whether a test had begun when its process was last heard of."""
        return any(key == each for events, _ in self.look() for each, _ in events.running)


def _is_final(attempts: list[Attempt]) -> bool:
    if not attempts:
        return False
    last = attempts[-1]
    return last.as_expected or (last.status != "interrupted" and last.retry >= last.retries)


class ProjectRuns:
    """Starts the chosen tests of all projects, and judges them at the end. On the controller only."""

    def __init__(self, bundle: Path, root: Path, known_secrets: frozenset[str]) -> None:
        self._bundle = bundle
        self._root = root
        self._secrets = known_secrets
        self._owner = ProcessOwner()
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-playwright-")
        self._threads: list[threading.Thread] = []
        self._chosen: list[tuple[JourneyProject, Listing, frozenset[str]]] = []
        self._before: Snapshot | None = None
        self._stopped = False
        self.notes: list[str] = []

    def start(
        self,
        chosen: list[tuple[JourneyProject, Listing, frozenset[str]]],
        given: Given,
        item_id: Callable[[JourneyProject, str], str],
    ) -> None:
        """Start every process. `item_id` gives the id of a listed test's item by its name."""
        self._chosen = chosen
        self._before = self._snapshot()
        for project, listing, keys in chosen:
            shards = shards_of(project, self._bundle)
            try:
                self._start(project, listing, keys, given, item_id)
            except GatehouseError as error:
                for shard in shards:
                    shard.folder.mkdir(parents=True, exist_ok=True)
                    Ending(1, output=str(error), refused=error_data(error)).write(shard.ended)

    def _start(
        self,
        project: JourneyProject,
        listing: Listing,
        keys: Collection[str],
        given: Given,
        item_id: Callable[[JourneyProject, str], str],
    ) -> None:
        installed = installation(project.config)
        arguments = selection(listing.tests, keys)
        items = {test.key: item_id(project, test.name) for test in listing.tests}
        base = {**os.environ}
        if base.get(BROWSERS_VARIABLE) == str(cache_folder() / "playwright"):
            del base[BROWSERS_VARIABLE]  # set for Python's Playwright; this one may have browsers of its own
        video = prepare_video(
            cache_folder() / "playwright", given.executable is not None, base, _browsers(installed)
        )
        if video:
            self.notes.append(f"video: none of failures of {project.name}, because {video}")
        if listing.web_server:
            self.notes.append(f"{project.name}: its webServer is not started; the preview is what is tested")
        own = given.environment(project.settings)
        variables = environment(base, self._secrets, given.base_url(project.settings), own)
        for shard in shards_of(project, self._bundle):
            shard.folder.mkdir(parents=True, exist_ok=True)
            file = Path(self._folder.name).resolve() / f"{project.key}-{shard.number}.json"
            write_given(file, installed, project.settings, given, shard, items=items, video=video is None)
            argv = command(installed, project.settings, shard, arguments)
            thread = threading.Thread(
                target=self._run, args=(project, shard, argv, {**variables, GIVEN_VARIABLE: str(file)})
            )
            self._threads.append(thread)
            thread.start()

    def _run(
        self, project: JourneyProject, shard: Shard, argv: list[str], variables: Mapping[str, str]
    ) -> None:
        timeout = project.settings.timeout_seconds
        log = self._bundle / "attachments" / f"playwright-test-{project.key}-{shard.number}.log"
        try:
            done = self._owner.run(argv, timeout=timeout, cwd=project.folder, env=variables, log=log)
            ending = Ending.of(done, timeout, self._stopped)
        except (GatehouseError, OSError) as error:
            ending = Ending(127, timeout, str(error))
        ending.write(shard.ended)

    def finish(self) -> list[GatehouseError]:
        """Wait for the ends, and say what is wrong beside the failures of tests."""
        for thread in self._threads:
            thread.join()
        problems: list[GatehouseError] = []
        for project, listing, keys in self._chosen:
            shards = []
            for events, ending in Watch(project, shards_of(project, self._bundle)).look():
                if ending is None:
                    problems.append(InfrastructureError(f"Playwright Test of {project.name} has no end"))
                else:
                    shards.append(Finished(events, ending))
            problems += judge(project.name, listing.tests, keys, shards)
        if changed := changes(self._before, self._snapshot()):
            problems.append(left_behind([project.name for project, _, _ in self._chosen], changed))
        return problems

    def stop(self) -> None:
        """End whatever still runs, and take the private folder away."""
        self._stopped = True
        self._owner.stop_all()
        for thread in self._threads:
            thread.join(timeout=GRACE)
        self._folder.cleanup()

    def _snapshot(self) -> Snapshot | None:
        return snapshot(self._root, [self._bundle])


def _browsers(installed: Installation) -> Path:
    """The file in which the project's Playwright says which browsers and tools it uses."""
    for folder in (installed.folder, *installed.folder.parents):
        for core in (folder / "node_modules" / "playwright-core", folder / "playwright-core"):
            if (core / "browsers.json").is_file():
                return core / "browsers.json"
    return installed.folder / "browsers.json"
