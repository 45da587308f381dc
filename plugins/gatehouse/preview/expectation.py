"""Which Applications a pull request's preview is made of: from its ApplicationSets, by label, or by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gatehouse.argocd.judge import child_applications, seconds_since
from gatehouse.argocd.source import ApplicationSource, Scope
from gatehouse.core.deadline import Clock
from gatehouse.core.errors import (
    GatehouseError,
    InfrastructureError,
    PermissionDenied,
    ProductFailure,
    UsageError,
)
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.core.setting_types import fill
from gatehouse.github.client import PullRequest
from gatehouse.preview.generators import ExpectedSet, expected_sets, owner_set

Object = dict[str, Any]

#: Seconds between two looks at the ApplicationSets.
SETS_INTERVAL = 5.0


@dataclass(frozen=True)
class Expected:
    """What the ApplicationSets tell: the pull request's Applications, what is missing, and why it never will come."""

    applications: dict[str, Object]
    absent: str = ""
    error: str = ""
    rolling: frozenset[str] = frozenset()


class Expectation:
    """The Applications of one pull request. `project` is the Argo CD project of the settings, empty if none."""

    def __init__(
        self,
        settings: PreviewSettings,
        source: ApplicationSource,
        repository: str,
        pull: PullRequest,
        project: str,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._source = source
        self._repository = repository
        self._pull = pull
        self._project = project
        self._clock = clock
        self._begun = source.now()
        self._sets: tuple[float, list[ExpectedSet]] | None = None
        self._permission_checked = False
        self._made: tuple[set[str], Counter[str | None]] | None = None

    @property
    def scope(self) -> Scope:
        """Which Applications are followed. Raises what `_generating` raises, and `UsageError`."""
        number, commit = self._pull.number, self._pull.head.sha
        if self._settings.applications:
            names = tuple(fill(each, number, commit) for each in self._settings.applications)
            return Scope(names=names, projects=(self._project,) if self._project else ())
        if self._settings.application_selector:
            return Scope(selector=fill(self._settings.application_selector, number, commit))
        sets = self._generating()
        if untold := [each.name for each in sets if each.application_name is None]:
            raise UsageError(
                f"which Applications of the ApplicationSet {untold[0]} belong to pull request {number}?",
                seen="the name in its template holds no parameter of the pull request, or only in an expression",
                next_step="set preview.application_selector in gatehouse.yaml",
            )
        projects = {each.project for each in sets}
        return Scope(projects=tuple(sorted(projects)) if "" not in projects else ())

    def look(self, found: Mapping[str, Object]) -> Expected:
        """Compare the Applications that are there with those that should be.

        Raises `ProductFailure` for a missing label, `PermissionDenied` where the token may not see them, and
        `InfrastructureError` where nothing generates for the repository.
        """
        if self._settings.applications:
            missing = [name for name in self.scope.names if name not in found]
            return Expected(
                dict(found), f"there is no Application {', '.join(missing)} yet" if missing else ""
            )
        sets = self._generating()
        mine = dict(found)
        if not self._settings.application_selector:
            mine = _with_children(
                {name for name, each in found.items() if any(one.makes(each) for one in sets)}, found
            )
        absent = self._absent(mine, sets)
        if absent and not mine:
            self._require_permission(sets)
        stepwise = {one.name for one in sets if one.rolling}
        rolling = frozenset(name for name, each in mine.items() if stepwise and owner_set(each) in stepwise)
        return Expected(mine, absent, self._error(sets), rolling)

    def _absent(self, mine: Mapping[str, Object], sets: list[ExpectedSet]) -> str:
        if self._made is None or self._made[0] != mine.keys():  # there can be hundreds, many times a second
            self._made = {*mine}, Counter(owner_set(application) for application in mine.values())
        made = self._made[1]
        wanted: Counter[str] = Counter()
        for one in sets:  # a set can have several generators
            wanted[one.name] += one.count
        late = [each for each in sets if made[each.name] < wanted[each.name]]
        if late:
            name = late[0].name
            whose = f"labelled {self.scope.selector}" if self._settings.application_selector else "for it"
            counted = f"ApplicationSet {name} has made {made[name]} of {wanted[name]} Applications {whose}"
            counted += f", and {len(late) - 1} more are behind" if len(late) > 1 else ""
            poll = max(each.poll for each in late)
            due = (self._begun + timedelta(seconds=poll)).strftime("%H:%M:%S")
            return f"{counted}; without a webhook it polls every {poll:.0f} s, next by {due} UTC"
        if len(mine) < self._settings.application_count:
            return f"{len(mine)} of at least {self._settings.application_count} Applications are there"
        return ""

    def _error(self, sets: list[ExpectedSet]) -> str:
        """The error of a generator that has lasted."""
        for each in sets:
            since = each.error_since
            lasting = self._settings.failure_grace_seconds
            if each.error and (since is None or seconds_since(since, self._source.now()) >= lasting):
                return f"the ApplicationSet {each.name} cannot generate Applications: {each.error}"
        return ""

    def _generating(self) -> list[ExpectedSet]:
        """The sets that generate for the pull request; looked at now and then."""
        now = self._clock.monotonic()
        if self._sets is None or now - self._sets[0] >= SETS_INTERVAL:
            sets = self._source.application_sets()
            known = expected_sets(sets, self._repository, self._pull)
            generating = [each for each in known if not each.missing_labels and not each.filtered]
            # Who says how many there must be can have them made by something else than a set for GitHub.
            counted = (
                self._settings.application_selector and "application_count" in self._settings.model_fields_set
            )
            if not generating and (known or not counted):
                raise self._nothing_generates(known, len(sets))
            self._sets = now, generating
        return self._sets[1]

    def _nothing_generates(self, known: list[ExpectedSet], seen: int) -> GatehouseError:
        number, labels = self._pull.number, sorted(self._pull.label_names)
        if known and all(each.filtered for each in known):
            return ProductFailure(
                f"pull request {number} has no preview: the filters of the ApplicationSet {known[0].name} leave it out",
                seen=f"{self._pull.head.ref} into {self._pull.base.ref}",
                next_step="compare the generator's filters with the pull request's branches and title",
            )
        if known:
            unlabelled = next(each for each in known if not each.filtered)
            missing = ", ".join(sorted(unlabelled.missing_labels))
            return ProductFailure(
                f"pull request {number} has no preview: it lacks the label {missing}",
                seen=f"labels: {', '.join(labels) or 'none'}",
                next_step=f"add the label {missing} to the pull request",
            )
        return InfrastructureError(
            f"no ApplicationSet has a pull-request generator for {self._repository}",
            seen=f"the token sees {seen} ApplicationSets",
            next_step="check that the token may read them (applicationsets, get), and the repository's name",
        )

    def _require_permission(self, sets: list[ExpectedSet]) -> None:
        """A server lists nothing for who may read nothing: ask it, once, whether that is so."""
        if self._permission_checked:
            return
        self._permission_checked = True
        for project, name in sorted({(each.project, each.example) for each in sets if each.project}):
            if self._source.may_read(project, name) is False:
                raise PermissionDenied(
                    f"the token may not read the Applications of project {project}",
                    expected=f"the permission applications, get, {project}/{name}",
                    where=self._source.server,
                    next_step="add the permission to the account's role in Argo CD",
                )


def _with_children(names: set[str], found: Mapping[str, Object]) -> dict[str, Object]:
    """The Applications of these names and those among their resources (app of apps), as far as they are found."""
    known, new = set(names), set(names)
    while new:
        new = {child for name in new for child in child_applications(found[name]) if child in found} - known
        known |= new
    return {name: each for name, each in found.items() if name in known}
