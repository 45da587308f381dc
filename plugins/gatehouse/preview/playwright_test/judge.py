"""Whether a project's results can be believed: a pure reading of what was listed, what ran, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gatehouse.core.errors import GatehouseError, InfrastructureError, ProductFailure
from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.failure import words
from gatehouse.preview.playwright_test.results import Attempt, ListedTest, ShardEvents

#: Names that are shown, at most.
MOST_NAMES = 5


@dataclass(frozen=True)
class Finished:
    """What one process has told, and how it ended."""

    events: ShardEvents
    ending: Ending


def judge(
    project: str, listed: Sequence[ListedTest], chosen: Collection[str], shards: Sequence[Finished]
) -> list[GatehouseError]:
    """What is wrong with a project's run beside the failures of its tests. `chosen` are keys of listed tests."""
    problems = [problem for each in shards for problem in _of_shard(project, each)]
    if all(each.events.begun for each in shards):
        problems += _disagreement(project, listed, chosen, shards)
    problems += _later_failures(project, listed, chosen, shards)
    return problems + _failures_around(project, listed, chosen, shards)


def _of_shard(project: str, finished: Finished) -> list[GatehouseError]:
    events, ending = finished.events, finished.ending
    problems = [global_error(project, error.message, error.place) for error in events.errors]
    if not ending.by_itself:
        names = {test.key: test.name for test in events.tests}
        running = sorted(names.get(key, key) for key, _ in events.running)
        return [
            InfrastructureError(
                f"Playwright Test of {project} {ending}",
                expected="an end by itself, with a result of every test",
                seen=f"no result yet of: {_some(running)}" if running else ending.last_words,
                next_step="look for what ended it (memory, a time limit), and run it again",
            ),
            *problems,
        ]
    if ending.refused:
        return problems  # each of its tests says why
    if not events.begun and not problems:
        summary, seen = words(ending.output, "it printed nothing")
        return [
            ProductFailure(f"Playwright Test of {project} {ending} before any test: {summary}", seen=seen)
        ]
    return problems or _contradiction(project, finished)


def _contradiction(project: str, finished: Finished) -> list[GatehouseError]:
    events, ending = finished.events, finished.ending
    failed = [key for key, attempts in events.attempts.items() if not attempts[-1].as_expected]
    if ending.exit_code == 0 and not events.ended:
        return [
            ProductFailure(
                f"Playwright Test of {project} ended with exit code 0 before it had come to its end",
                expected="an end by itself, after all of its teardown",
                next_step="look for what calls process.exit, such as a global teardown",
            )
        ]
    if bool(failed) == (ending.exit_code != 0):
        return []
    names = {test.key: test.name for test in events.tests}
    return [
        ProductFailure(
            f"Playwright Test of {project} {ending}, but "
            + (f"{len(failed)} tests have failed" if failed else "no test has failed"),
            expected="exit code 0 if and only if every test is as expected",
            seen=_some([names.get(key, key) for key in failed]) or f"status {events.ended or 'unknown'}",
            next_step="look for what sets the exit code: a teardown, failOnFlakyTests, process.exit",
        )
    ]


def _disagreement(
    project: str, listed: Sequence[ListedTest], chosen: Collection[str], shards: Sequence[Finished]
) -> list[GatehouseError]:
    """Tests that are there when listed and not when run, or the other way round."""
    ran = {test.key: test.name for each in shards for test in each.events.tests}
    known = {test.key for test in listed}
    missing = [test.name for test in listed if test.key in chosen and test.key not in ran]
    extra = [name for key, name in ran.items() if key not in known]
    if not missing and not extra:
        return []
    parts = [f"missing: {_some(missing)}"] * bool(missing) + [f"extra: {_some(extra)}"] * bool(extra)
    return [
        ProductFailure(
            f"{project} runs other tests than it lists",
            expected="the same tests from `playwright test --list` and from the run",
            seen="; ".join(parts),
            next_step="give tests names that are the same each time: nothing random, no time, no address in them",
        )
    ]


def _later_failures(
    project: str, listed: Sequence[ListedTest], chosen: Collection[str], shards: Sequence[Finished]
) -> list[GatehouseError]:
    """Tests that passed, and failed when their serial group was run again: their item has said passed."""
    names = {test.key: test.name for test in listed if test.key in chosen}
    failed = [
        names[key]
        for each in shards
        for key, attempts in each.events.attempts.items()
        if key in names and not attempts[-1].as_expected and _passed_before(attempts)
    ]
    if not failed:
        return []
    return [ProductFailure(f"{project}: passed at first, failed when its group ran again: {_some(failed)}")]


def _failures_around(
    project: str, listed: Sequence[ListedTest], chosen: Collection[str], shards: Sequence[Finished]
) -> list[GatehouseError]:
    """Tests of projects that the chosen ones bring with them (dependencies, teardown), and that have no item."""
    own = {test.project for test in listed if test.key in chosen}
    names = {test.key: test.name for test in listed if test.project not in own}
    failed = {
        names[key]: None
        for each in shards
        for key, attempts in each.events.attempts.items()
        if key in names and not attempts[-1].as_expected and not attempts[-1].did_not_run
    }
    if not failed:
        return []
    return [
        ProductFailure(f"{project}: what runs before or after the chosen tests failed: {_some([*failed])}")
    ]


def _passed_before(attempts: Sequence[Attempt]) -> bool:
    return any(attempt.as_expected for attempt in attempts[:-1])


def global_error(project: str, message: str, place: str) -> GatehouseError:
    """An error of Playwright's that belongs to no test: test.only, a file that cannot be loaded, a set-up."""
    summary, seen = words(message, "an error without words")
    return ProductFailure(f"{project}: {summary}", seen=seen, where=place)


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return "; ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
