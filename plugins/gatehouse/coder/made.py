"""The workspaces that a run makes for its tests: each in the ledger before it exists, all deleted in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from gatehouse.coder.client import CoderClient
from gatehouse.coder.creation import GRACE, INTERVAL, nothing_was_made
from gatehouse.coder.models import Workspace
from gatehouse.coder.ownership import ownership_parameters, place_of, workspace_name
from gatehouse.coder.workspaces import delete
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.ledger import Entry, Ledger
from gatehouse.core.settings import CoderSettings

#: Seconds a workspace may live longer than its budget, so that Coder never stops it under a test.
TTL_MARGIN = 3600.0


def template_under_test(coder: CoderClient, settings: CoderSettings) -> str:
    """The configured template, else the only one there is. Raises `UsageError` where there are others."""
    if settings.template:
        return settings.template
    names = [template.name for template in coder.templates() if not template.deprecated]
    if len(names) != 1:
        raise UsageError(
            "which template is to be tested?",
            seen=f"templates: {', '.join(names) or 'none'}",
            next_step="name it as coder.template of the target in gatehouse.yaml",
        )
    return names[0]


def make_workspace(
    coder: CoderClient,
    settings: CoderSettings,
    ledger: Ledger,
    template: str,
    *,
    suite: str,
    run_id: str,
    ttl_seconds: float,
    on_intended: Callable[[str], None],
    outlives_run: bool = False,
) -> Workspace:
    """Ask for a workspace that says whose it is by name and labels; it need not be ready yet.

    `on_intended` is given its name once that is in the ledger, before the call is sent. Of the parameters in the
    settings it gets those that the template declares. `outlives_run` is for what is left behind on purpose. Raises
    what the server refuses with.
    """
    version_id = coder.template(template).active_version_id
    entry = ledger.intend(
        "workspace",
        workspace_name(suite, run_id),
        run_id,
        ttl_seconds,
        where=place_of(coder),
        outlives_run=outlives_run,
    )
    on_intended(entry.name)
    declared = {parameter.name for parameter in coder.parameters(version_id)}
    configured = {name: value for name, value in settings.parameters.items() if name in declared}
    parameters = {**configured, **ownership_parameters(entry, declared)}
    return create_intended(coder, ledger, entry, version_id, parameters, ttl_seconds)


def create_intended(
    coder: CoderClient,
    ledger: Ledger,
    entry: Entry,
    version_id: str,
    parameters: Mapping[str, str],
    ttl_seconds: float,
) -> Workspace:
    """Ask for the workspace that the ledger has as intended. Raises what the server refuses with.

    What is refused is written down as gone: a workspace of this name, if there is one, is somebody else's.
    """
    try:
        workspace = coder.create_workspace(
            entry.name, template_version_id=version_id, parameters=parameters, ttl_seconds=ttl_seconds
        )
    except GatehouseError as error:
        if nothing_was_made(error):
            ledger.gone(entry.name)
        raise
    ledger.created(entry.name, workspace.id)
    return workspace


class MadeWorkspaces:
    """The workspaces of one run, made as they are asked for."""

    def __init__(self, coder: CoderClient, settings: CoderSettings, ledger: Ledger, run_id: str) -> None:
        self._coder = coder
        self._settings = settings
        self._ledger = ledger
        self._run_id = run_id
        self._names: list[str] = []
        #: Names of which nobody knows whether the request for them has made something, or still will.
        self._uncertain: set[str] = set()

    def make(self, template_name: str) -> Workspace:
        """Ask for a workspace; it need not be ready yet. Raises what the server refuses with."""
        before = len(self._names)
        try:
            return make_workspace(
                self._coder,
                self._settings,
                self._ledger,
                template_name,
                suite="smoke",
                run_id=self._run_id,
                ttl_seconds=self._settings.workspace_timeout_seconds + TTL_MARGIN,
                on_intended=self._names.append,
            )
        except BaseException as error:  # Ctrl-C, too, may come between a request and its answer
            if len(self._names) > before:
                if nothing_was_made(error):
                    self._ledger.gone(self._names.pop())
                else:
                    self._uncertain.add(self._names[-1])
            raise

    def make_ready(self, template_name: str, bring_up: Callable[[Workspace], Workspace]) -> Workspace:
        """Make a workspace and have it brought up; what does not become ready is deleted.

        Raises what `bring_up` raises, and never what the deletion after it raises: that is left to the ledger.
        """
        try:
            return bring_up(self.make(template_name))
        except BaseException:
            with contextlib.suppress(GatehouseError):
                self.remove_all()
            raise

    def remove_all(self) -> None:
        """Delete what was made, whatever state it is in. Raises the first error after all were tried."""
        errors = []
        while self._names:
            name = self._names.pop()
            try:
                self._remove(name)
            except GatehouseError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _remove(self, name: str) -> None:
        workspace = self._find(name)
        if workspace:
            delete(self._coder, workspace.id, Deadline.after(self._settings.teardown_timeout_seconds))
        elif name in self._uncertain:
            return  # it may come later: the ledger keeps it
        self._ledger.gone(name)

    def _find(self, name: str) -> Workspace | None:
        """The workspace of this name; one that may still be under way is waited for."""
        deadline = Deadline.after(GRACE if name in self._uncertain else 0.0)
        while True:
            found = self._coder.find_workspace(name)
            if found or deadline.remaining <= INTERVAL:
                return found
            deadline.clock.sleep(INTERVAL)
