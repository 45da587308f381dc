"""Starts automation tasks and ends them: ledger, create, ready, run, evidence, destroy, proof."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from gatehouse.coder import workspaces
from gatehouse.coder.client import CoderClient
from gatehouse.coder.creation import TIME_TOLERANCE, nothing_was_made
from gatehouse.coder.made import create_intended
from gatehouse.coder.models import TemplateVersion, Workspace
from gatehouse.coder.ownership import ownership_parameters, place_of, workspace_name
from gatehouse.core.command_result import CommandResult
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import (
    EnvironmentProblem,
    GatehouseError,
    NotFound,
    PermissionDenied,
    ProductFailure,
    UnexpectedAnswer,
    UsageError,
    WrongSubject,
)
from gatehouse.core.ledger import Entry, Ledger
from gatehouse.core.settings import Target
from gatehouse.core.task_settings import EvidenceFile, TaskSettings
from gatehouse.core.waiting import Progress, log_change
from gatehouse.core.workspace_settings import WorkspaceBudgets
from gatehouse.kube.attribution import Subject
from gatehouse.kube.client import PODS, Cluster
from gatehouse.kube.inventory import Search
from gatehouse.task import channels, clone, evidence_copy, planes, programs
from gatehouse.task.detached import run_detached
from gatehouse.task.leaks import LeakProof, prove_gone
from gatehouse.task.provenance import Inside, Provenance, container_image, demands, judge, parse, questions
from gatehouse.task.running import Task
from gatehouse.task.script_channel import run_by_script
from gatehouse.task.shell import ExecShell, Shell, TerminalShell, ask_whole
from gatehouse.workspace.startup import Started, bring_up

#: Seconds for which the template's script waits for its checkout, where scripts run side by side.
CHECKOUT_WAIT = 600


@dataclass
class Outstanding:
    """A workspace that may exist, and what is needed to end it; `id` is None until the create call has answered."""

    entry: Entry
    teardown_seconds: float
    planes: list[str]
    #: None without a cluster.
    search: Search | None
    id: str | None = None


class TaskLauncher:
    """Starts tasks and ends them. Everything it makes is in the ledger before it exists. For one thread."""

    def __init__(
        self,
        settings: TaskSettings,
        coder: CoderClient,
        cluster: Cluster | None,
        ledger: Ledger,
        run_id: str,
        *,
        target: Target | None = None,
        clock: Clock = SYSTEM_CLOCK,
        on_change: Callable[[Progress], None] = log_change,
    ) -> None:
        """`target` has the budgets of the stages of a start. Without a cluster commands go over the web terminal."""
        self.settings = settings
        self._coder = coder
        self._cluster = cluster
        self.ledger = ledger
        self._run_id = run_id
        self._target = target or Target()
        self._budgets = self._target.coder.budgets if self._target.coder else WorkspaceBudgets()
        self.clock = clock
        self._on_change = on_change
        #: Workspaces by name that have been asked for and not yet proved gone.
        self.outstanding: dict[str, Outstanding] = {}
        #: What became of the others.
        self.proofs: list[LeakProof] = []

    # --- start ---------------------------------------------------------------------------------------

    def start(
        self, parameters: Mapping[str, str] | None = None, *, definition: TaskSettings | None = None
    ) -> Task:
        """Make a workspace, and bring it through the four gates: build, pod, agent, provenance.

        The task's own command is not run. Raises what the server refuses with;
        `TerminalState` with the end of the log when build or start scripts fail; `WaitTimeout` naming the stage;
        `WrongSubject` when it is not what was asked for.
        """
        task = self.begin(parameters, definition=definition)
        self.prove(task)
        return task

    def begin(
        self,
        more_parameters: Mapping[str, str] | None = None,
        *,
        definition: TaskSettings | None = None,
        runs_command: bool = False,
    ) -> Task:
        """As `start`, without the last gate. Where the task's own command runs, its template's script may run it."""
        settings = definition or self.settings
        self._require_token_outlives(settings)
        version = self._version(settings)
        declared = {parameter.name for parameter in self._coder.parameters(version.id)}
        if runs_command:
            channel = channels.choose(settings, declared, self._exec_refused())
        else:  # the script is for the task's own command only
            other = settings.channel if settings.channel != "script" else "auto"
            asked = settings.model_copy(update={"channel": other})
            channel = channels.choose(asked, declared - {settings.command_parameter}, self._exec_refused())
        values = {
            **settings.parameters,
            **(more_parameters or {}),
            **_checkout_parameters(settings, declared),
        }
        if channel.name == "script":
            values[settings.command_parameter] = _script(settings)
        name = workspace_name("task", self._run_id)
        search = self._search(name)
        entry = self.ledger.intend(
            "workspace", name, self._run_id, settings.time_to_live, where=place_of(self._coder)
        )
        made = Outstanding(entry, settings.budgets.teardown, settings.planes, search)
        self.outstanding[name] = made
        parameters = {**values, **ownership_parameters(entry, declared)}
        try:
            workspace = create_intended(
                self._coder, self.ledger, entry, version.id, parameters, settings.time_to_live
            )
        except GatehouseError as error:
            if nothing_was_made(error):
                del self.outstanding[name]
            raise
        made.id = workspace.id
        with self._coder.hints(workspace.id) as hints:
            started = bring_up(
                self._coder,
                self._cluster,
                workspace.id,
                self._budgets,
                settings.budgets.start,
                clock=self.clock,
                on_change=self._on_change,
                scripts=channel.name != "script",
                pause=hints.pause,
            )
        task = self._task(settings, name, version, channel, started)
        if settings.clone != "template":
            clone.make(task.shell, settings, task.directory, self._deadline(settings.budgets.start))
        return task

    def _task(
        self,
        settings: TaskSettings,
        name: str,
        version: TemplateVersion,
        channel: channels.Channel,
        started: Started,
    ) -> Task:
        agent = started.workspace.agent
        assert agent, "a workspace that is ready has an agent"
        pod = started.pod
        shell: Shell
        if self._cluster and pod and pod.name and channel.name != "terminal":
            shell = ExecShell(self._cluster, pod.namespace, pod.name)
        elif channel.name == "exec":
            raise EnvironmentProblem(
                f"the pod of the workspace {name} cannot be told, so no command can be run in it",
                seen=started.unseen,
                next_step="check that the identity may list pods and their owners, or choose the channel terminal",
            )
        else:
            shell = TerminalShell(self._coder, agent.id)
        return Task(
            name=name,
            definition=settings,
            workspace=started.workspace,
            directory=_directory(settings, agent.expanded_directory or agent.directory),
            template_version=version.name,
            channel=channel,
            shell=shell,
            namespace=pod.namespace if pod else "",
            pod=pod.name if pod else "",
            stages={str(stage): seconds for stage, seconds in started.seconds.items()},
        )

    def _version(self, settings: TaskSettings) -> TemplateVersion:
        template = self._coder.template(settings.template)
        if settings.template_version is None:
            return self._coder.template_version(template.active_version_id)
        versions = self._coder.template_versions(template.id)
        for version in versions:
            if version.name == settings.template_version:
                return version
        raise UsageError(
            f"the template {settings.template} has no version {settings.template_version}",
            seen=f"versions: {', '.join(each.name for each in versions[:10])}",
            next_step="name one of them as task.template_version, or leave it out for the active one",
        )

    def _require_token_outlives(self, settings: TaskSettings) -> None:
        try:
            left = self._coder.token_seconds_left()
        except (NotFound, PermissionDenied):
            return  # limited tokens may not look at themselves
        if left < settings.budgets.total:
            raise EnvironmentProblem(
                "the Coder token would expire before the task is over, and nobody could delete its workspace",
                expected=f"at least {settings.budgets.total:.0f} s, which all budgets are together",
                seen=f"{left:.0f} s left",
                next_step="make one that lives longer (`coder tokens create --lifetime 24h`), or lower task.budgets",
            )

    def _exec_refused(self) -> str:
        """Why commands cannot be run in pods; '' if they can."""
        if self._cluster is None:
            return "the target has no kubernetes section"
        for verb, resource in (("list", "pods"), ("get", "pods/exec"), ("create", "pods/exec")):
            if not self._cluster.may(verb, resource):
                return f"this identity may not {verb} {resource}"
        return ""

    # --- provenance ----------------------------------------------------------------------------------

    def prove(self, task: Task) -> Provenance:
        """Look at what is really there. Raises `WrongSubject` when it is not what was asked for."""
        settings = task.definition
        deadline = self._deadline(settings.budgets.provenance)
        pod = self._cluster.get(PODS, task.pod, task.namespace) if self._cluster and task.pod else None
        image, image_id = container_image(pod)
        inside: Inside | None = None
        if task.channel.name != "script":  # there the checkout may still be under way
            asked = ask_whole(
                task.shell, questions(settings, task.directory), deadline, "looking at the checkout"
            )
            inside = parse(asked.decode(errors="replace"))
        found = Provenance(
            settings.template,
            task.workspace.latest_build.template_version_name or task.template_version,
            task.directory,
            image=image,
            image_id=image_id,
        )
        return self._judge(task, found, inside, pods_unseen="" if pod else "the cluster cannot be looked at")

    def _judge(
        self, task: Task, found: Provenance, inside: Inside | None, *, pods_unseen: str = ""
    ) -> Provenance:
        settings = task.definition
        task.provenance = judge(
            settings,
            found,
            inside,
            expected_version=task.template_version,
            log=[line.output for line in self._coder.agent_log(task.agent.id)],
            pods_unseen=pods_unseen,
        )
        if task.provenance.wrong:
            raise WrongSubject(
                f"the workspace {task.name} is not what the task asks for: {task.provenance.wrong[0]}",
                seen="; ".join(task.provenance.wrong),
                where=f"template {settings.template}, version {task.template_version}",
                next_step="read the agent's log in the evidence; nothing that runs there would say anything",
            )
        if inside and inside.missing:
            raise EnvironmentProblem(
                f"the workspace lacks what the task needs: {', '.join(inside.missing)}",
                expected="these variables, given by the template or its Secrets",
                where=f"workspace {task.name}",
                next_step="have the template inject them; the launcher passes no values",
            )
        return task.provenance

    # --- commands ------------------------------------------------------------------------------------

    def run(
        self,
        task: Task,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> CommandResult:
        """Run a command in the task's checkout, within `timeout` seconds (default: the command's budget).

        How it ended is in the result, also when that is not known. Raises when it could not be started.
        """
        deadline = self._deadline(task.definition.budgets.command if timeout is None else timeout)
        result = run_detached(task.shell, task.directory, argv, environment or {}, deadline)
        task.results.append(result)
        return result

    def run_command(self, task: Task) -> CommandResult:
        """Run the task's own command over its channel; with `script`, wait for what runs already."""
        settings = task.definition
        if task.channel.name != "script":
            return self.run(task, settings.argv, environment=settings.environment)
        deadline = self._deadline(settings.budgets.command)
        result, said = run_by_script(
            self._coder, task.workspace.id, settings.command_script, settings.argv, deadline
        )
        task.results.append(result)
        if said and task.provenance:
            self._judge(task, task.provenance, parse(said))
        return result

    def commit(self, task: Task) -> str:
        """The commit that is checked out in the task. Raises `UnexpectedAnswer` if there is none."""
        result = self.run(task, ["git", "rev-parse", "HEAD"])
        commit = result.stdout.decode(errors="replace").strip()
        if result.exit_code != 0 or len(commit) != 40:
            raise UnexpectedAnswer(
                "the task's checkout names no commit",
                seen=result.stderr.decode(errors="replace").strip() or commit,
                where=task.directory,
                next_step="check the template's clone step and the repository parameter",
            )
        return commit

    def pull(self, task: Task, path: str) -> bytes:
        """A file of the checkout. Raises `ProductFailure` if it is absent, outside, no plain file, or too large."""
        copied, refused = evidence_copy.copy_out(
            task.shell,
            task.directory,
            [EvidenceFile(path=path)],
            task.definition.evidence_bytes,
            self._deadline(task.definition.budgets.evidence),
        )
        evidence_copy.require_taken(refused, task.name)
        if len(copied) != 1:
            raise ProductFailure(f"{path} stands for {len(copied)} files", next_step="name one file")
        return copied[0].content

    # --- end -----------------------------------------------------------------------------------------

    def destroy(self, name: str) -> LeakProof | None:
        """Delete a workspace, whatever state it is in, and prove that nothing is left; None if none was made.

        Builds under way are waited for, never cancelled; the delete is tried again; nothing is orphaned. What an
        interrupt leaves is in the ledger, and not tried again.
        """
        made = self.outstanding[name]
        try:
            return self._destroy(name, made)
        except KeyboardInterrupt:
            self.outstanding.pop(name, None)
            raise

    def _destroy(self, name: str, made: Outstanding) -> LeakProof | None:
        deadline = self._deadline(made.teardown_seconds)
        if made.id is None:
            found = self._coder.find_workspace(name)
            if found is None or _is_older(found, made.entry):
                self.ledger.gone(name)
                del self.outstanding[name]
                return None
            made.id = found.id
        if made.search:
            made.search.subject = replace(made.search.subject, workspace_id=made.id)
            with contextlib.suppress(GatehouseError):  # the proof will say what cannot be looked at
                made.search.look()  # what is there now is known again when its owner is gone
        with self._coder.hints(made.id) as hints:
            workspaces.delete(self._coder, made.id, deadline, on_change=self._on_change, pause=hints.pause)
        proof = prove_gone(
            self._coder,
            self._cluster,
            made.id,
            deadline,
            search=made.search,
            planes=planes.looks(planes.load_planes(made.planes), self._target, made.entry),
        )
        self.proofs.append(proof)
        del self.outstanding[name]
        if proof.outcome == "clean":
            self.ledger.gone(name)
        return proof

    def _search(self, name: str) -> Search | None:
        """What there is in the cluster before the workspace is."""
        if self._cluster is None:
            return None
        search = Search(self._cluster, Subject("", name))
        search.remember_before()
        return search

    def destroy_all(self) -> None:
        """Destroy what is outstanding. Raises the first problem, when all have been tried."""
        problems = []
        for name in list(self.outstanding):
            try:
                self.destroy(name)
            except GatehouseError as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _deadline(self, seconds: float) -> Deadline:
        return Deadline.after(seconds, self.clock)


def _is_older(found: Workspace, entry: Entry) -> bool:
    """Whether a workspace was there before ours was asked for, whose answer was lost."""
    asked = datetime.fromisoformat(entry.created)
    return found.created_at is not None and found.created_at < asked - timedelta(seconds=TIME_TOLERANCE)


def _script(settings: TaskSettings) -> str:
    """What the template's start script runs. Raises `UsageError` where the checkout's folder is not known before."""
    if not settings.directory and not settings.profile:
        raise UsageError(
            "the channel script needs to know where the checkout is before the workspace is there",
            next_step="set task.profile or task.directory, or choose the channel exec",
        )
    directory = _directory(settings, "")
    program = programs.in_checkout(directory, settings.argv, settings.environment)
    asked = questions(settings, directory)
    return programs.when_checked_out(directory, asked, demands(settings), program, CHECKOUT_WAIT)


def _directory(settings: TaskSettings, agents: str) -> str:
    """Where the task works: in a place where its profile's AGENTS.md applies."""
    if settings.directory:
        return settings.directory
    if settings.profile:
        return str(PurePosixPath("/workspaces") / settings.profile / "repo")
    return agents or "."


def _checkout_parameters(settings: TaskSettings, declared: set[str]) -> dict[str, str]:
    """What the template is told of repository and ref. Raises `UsageError` when it does not want to know."""
    wanted = {"repository": settings.repository, "ref": settings.ref or settings.commit}
    if settings.clone != "template":
        return {}
    given = {name: value for name, value in wanted.items() if value is not None}
    given = {name: value for name, value in given.items() if name not in settings.parameters}
    if missing := sorted(set(given) - declared - ({"ref"} if not settings.ref else set())):
        raise UsageError(
            f"the template {settings.template} has no parameter {', '.join(missing)} to tell it what to clone",
            seen=f"parameters: {', '.join(sorted(declared)) or 'none'}",
            next_step="declare it in the template, name another one in task.parameters, or set task.clone to full",
        )
    return {name: value for name, value in given.items() if name in declared}
