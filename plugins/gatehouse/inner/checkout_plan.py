"""From a checkout to what is to be done about each of its checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.base import Base
from gatehouse.core.changes import Changes
from gatehouse.core.inner_settings import InnerSettings
from gatehouse.inner.affected import affected
from gatehouse.inner.cache import PassCache
from gatehouse.inner.checks import LANGUAGES, checks_for
from gatehouse.inner.checks.tools import TestClasses, Tools
from gatehouse.inner.discover import discover
from gatehouse.inner.environment import check_environment, key_environment
from gatehouse.inner.graph import Graph, build
from gatehouse.inner.identities import Identities
from gatehouse.inner.keys import check_key, package_keys
from gatehouse.inner.lockfiles import LockSlices
from gatehouse.inner.model import Blame, Check, Package, Phase
from gatehouse.inner.own_checks import required_tools, with_own_checks
from gatehouse.inner.ownership import Ownership
from gatehouse.inner.plan import Decision, Scope, decide


@dataclass(frozen=True)
class CheckoutPlan:
    """All decisions, in the order in which their errors are worth looking at."""

    root: Path
    graph: Graph
    decisions: tuple[Decision, ...]
    scope: Scope
    identities: Identities
    environment: Mapping[str, str]
    cache: PassCache

    @property
    def packages(self) -> list[Package]:
        """The packages, by manifest."""
        return [self.graph.packages[manifest] for manifest in sorted(self.graph.packages)]


def plan_checkout(
    root: Path,
    contents: Mapping[str, str],
    base: Base,
    changes: Changes,
    settings: InnerSettings,
    *,
    path: str,
    cache: Path,
    read_base: Callable[[str], bytes],
    base_environment: Mapping[str, str] = os.environ,
    more_checks: Sequence[Check] = (),
    everything: bool = False,
) -> CheckoutPlan:
    """Discover packages in `contents` (content ids by path), and decide about each check.

    `changes` are those since the base; where there is no base, everything is checked.
    `cache` is a folder outside of the checkout, `path` where programs are looked for. `read_base` gives the content of
    a file at the base, or raises `OSError`.
    """
    packages = discover(
        root, [name for name, what in contents.items() if not what.startswith("160000")], LANGUAGES
    )
    graph = build(packages, LANGUAGES)
    ownership = Ownership(packages, LANGUAGES, settings.inputs)
    tools = Tools(path, cache, TestClasses(tuple(settings.integration_names), tuple(settings.cluster_names)))
    found = with_own_checks(checks_for(packages, tools), packages, settings.checks, tools)
    checks = in_order([*more_checks, *required_tools(root, settings.required_tools, tools), *found], graph)
    environment = check_environment(base_environment, cache, settings.environment)
    identities = Identities(root)
    now = LockSlices(graph, lambda path: (root / path).read_bytes())
    keys = package_keys(graph, ownership, contents, now)
    passes = PassCache(cache / "inner" / "passes", settings.cache_megabytes)
    scope = _scope(base, changes, graph, ownership, (LockSlices(graph, read_base), now))
    keyed = key_environment(environment)
    decisions = tuple(
        decide(
            check,
            scope,
            silenced=settings.silence,
            key=_key(check, keys, identities, keyed, cache, settings),
            find=passes.find,
            everything=everything,
        )
        for check in checks
    )
    return CheckoutPlan(root, graph, decisions, scope, identities, environment, passes)


def in_order(checks: Sequence[Check], graph: Graph) -> list[Check]:
    """By phase, then by what explains what: blame, packages that others need first, id."""
    phases, blames = list(Phase), list(Blame)
    upstream = {manifest: number for number, manifest in enumerate(graph.upstream_first())}
    return sorted(
        checks,
        key=lambda check: (
            phases.index(check.phase),
            blames.index(check.blame),
            upstream.get(check.package.manifest, -1),
            check.id,
        ),
    )


def _scope(
    base: Base,
    changes: Changes,
    graph: Graph,
    ownership: Ownership,
    slices: tuple[LockSlices, LockSlices],
) -> Scope:
    if base.commit is None:
        return Scope({}, f"no base to compare with ({base.problem}), so everything is checked")
    changed = changes.paths
    if not changed:
        return Scope({}, f"nothing differs from {base.source}, so everything is checked")
    return Scope(affected(graph, ownership, LANGUAGES, changed, slices))


def _key(
    check: Check,
    keys: Mapping[str, str],
    identities: Identities,
    environment: Mapping[str, str],
    cache: Path,
    settings: InnerSettings,
) -> str:
    package = keys.get(check.package.manifest)
    if package is None or check.look is not None or check.missing:
        return ""
    return check_key(
        check, package, identities, environment, cache, settings.timeout_seconds, settings.network
    )
