"""The register of scenarios: a function that changes the seeded systems before they start."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from gatehouse.embedded.systems import Systems


@dataclass(frozen=True)
class Scenario:
    """A name, the system it is about, one line saying what is so, and the change that makes it so.

    `https` names the systems that speak HTTPS in it, and `clock_ahead` is how far the platform's clock is ahead of
    everybody else's: both must be known before anything is seeded.
    """

    name: str
    system: str
    summary: str
    apply: Callable[[Systems], None]
    https: frozenset[str] = frozenset()
    clock_ahead: timedelta = timedelta()


SCENARIOS: dict[str, Scenario] = {}

Change = Callable[[Systems], None]


def scenario(
    system: str, *, https: Collection[str] = (), clock_ahead: timedelta = timedelta()
) -> Callable[[Change], Change]:
    """Register a function as a scenario, named after it, described by its docstring's first line."""

    def register(change: Change) -> Change:
        name = getattr(change, "__name__", "").replace("_", "-")
        summary = (change.__doc__ or "").splitlines()[0].rstrip(".")
        SCENARIOS[name] = Scenario(name, system, summary, change, frozenset(https), clock_ahead)
        return change

    return register


class UnknownScenarioError(ValueError):
    """There is no scenario of that name; the message lists those there are."""


def https_systems(names: Iterable[str]) -> set[str]:
    """The systems that speak HTTPS in one of these scenarios, by the names of their ports."""
    return {system for name in names if name in SCENARIOS for system in SCENARIOS[name].https}


def clock_ahead(names: Iterable[str]) -> timedelta:
    """How far the platform's clock is ahead in these scenarios together."""
    return sum((SCENARIOS[name].clock_ahead for name in names if name in SCENARIOS), timedelta())


def apply(systems: Systems, names: Iterable[str]) -> None:
    """Apply scenarios in the order given. Raises `UnknownScenarioError` before anything is changed."""
    chosen = []
    for name in names:
        if name not in SCENARIOS:
            raise UnknownScenarioError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        chosen.append(SCENARIOS[name])
    for each in chosen:
        each.apply(systems)


@scenario("all")
def happy(_systems: Systems) -> None:
    """Everything works; pull request 7 is previewed with its own images."""
