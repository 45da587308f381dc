"""Runs one command in an ephemeral workspace: ledger, create, ready, run, evidence, destroy, proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gatehouse.coder import workspaces
from gatehouse.coder.client import CoderClient
from gatehouse.coder.models import Workspace
from gatehouse.coder.ownership import ownership_parameters, place_of, workspace_name
from gatehouse.core.deadline import SYSTEM_CLOCK, Clock, Deadline
from gatehouse.core.errors import InfrastructureError, ProductFailure, UnexpectedAnswer
from gatehouse.core.ledger import Ledger
from gatehouse.core.settings import TaskSettings
from gatehouse.core.waiting import Progress, log_change
from gatehouse.kube.client import PODS, Cluster
from gatehouse.kube.exec import CommandResult, run_in_pod
from gatehouse.kube.inventory import workspace_inventory
from gatehouse.task.leaks import LeakProof, prove_gone

#: Added to the budgets of a task for the workspace's own time to live, in seconds.
TTL_MARGIN = 1800.0

#: Bytes of one piece of evidence that are pulled out of a workspace, at most.
EVIDENCE_BYTES = 4 * 1024 * 1024

#: Enters the checkout, then becomes the command; the folder and the command are arguments, never code.
_IN_FOLDER = ("sh", "-c", 'cd "$1" && shift && exec "$@"', "sh")


@dataclass
class Task:
    """A workspace that is ready for one command."""

    name: str
    workspace: Workspace
    namespace: str
    pod: str
    directory: str
    template_version: str
    results: list[CommandResult] = field(default_factory=list)


class TaskLauncher:
    """Starts tasks and ends them. Everything it makes is in the ledger before it exists."""

    def __init__(
        self,
        settings: TaskSettings,
        coder: CoderClient,
        cluster: Cluster,
        ledger: Ledger,
        run_id: str,
        *,
        clock: Clock = SYSTEM_CLOCK,
        on_change: Callable[[Progress], None] = log_change,
    ) -> None:
        self._settings = settings
        self._coder = coder
        self._cluster = cluster
        self.ledger = ledger
        self._run_id = run_id
        self._clock = clock
        self._on_change = on_change
        #: Workspaces by name that have been asked for and not yet proved gone, with their ids if known.
        self.outstanding: dict[str, str | None] = {}

    def start(self, parameters: Mapping[str, str] | None = None) -> Task:
        """Make a workspace and wait until a command can be run in its checkout.

        Raises what the server refuses with; `TerminalState` with the end of the log when build or start
        scripts fail; `WaitTimeout` with the last state seen.
        """
        settings = self._settings
        template = self._coder.template(settings.template)
        version = self._coder.template_version(template.active_version_id)
        ttl = settings.timeout_seconds + settings.command_timeout_seconds + TTL_MARGIN
        name = workspace_name("task", self._run_id)
        entry = self.ledger.intend("workspace", name, self._run_id, ttl, where=place_of(self._coder))
        self.outstanding[name] = None
        declared = {parameter.name for parameter in self._coder.parameters(version.id)}
        values = {**settings.parameters, **(parameters or {}), **ownership_parameters(entry, declared)}
        if settings.repository and "repository" in declared:
            values.setdefault("repository", settings.repository)
        workspace = self._coder.create_workspace(
            name, template_version_id=version.id, parameters=values, ttl_seconds=ttl
        )
        self.outstanding[name] = workspace.id
        self.ledger.created(name, workspace.id)
        deadline = Deadline.after(settings.timeout_seconds, self._clock)
        workspaces.wait_for_build(self._coder, workspace.id, deadline, on_change=self._on_change)
        workspace = workspaces.wait_for_agent(self._coder, workspace.id, deadline, on_change=self._on_change)
        namespace, pod = self._find_pod(workspace)
        assert workspace.agent, "a ready workspace has an agent"
        return Task(
            name=name,
            workspace=workspace,
            namespace=namespace,
            pod=pod,
            directory=workspace.agent.expanded_directory or workspace.agent.directory,
            template_version=version.name,
        )

    def _find_pod(self, workspace: Workspace) -> tuple[str, str]:
        """The workspace's pod by owner chain: stock templates give all workspaces' pods the same labels."""
        found = [
            each
            for each in workspace_inventory(self._cluster, workspace.id).found
            if each.kind == PODS.plural and not each.ending
        ]
        if len(found) != 1:
            raise InfrastructureError(
                f"the pod of workspace {workspace.name} could not be told",
                expected="exactly one pod that belongs to it",
                seen=", ".join(map(str, found)) or "none",
                next_step="check that the identity may list pods and their owners in the workspace's namespace",
            )
        return found[0].namespace, found[0].name

    def run(self, task: Task, argv: Sequence[str]) -> CommandResult:
        """Run a command in the task's checkout, within the command's budget."""
        deadline = Deadline.after(self._settings.command_timeout_seconds, self._clock)
        result = run_in_pod(
            self._cluster, task.namespace, task.pod, [*_IN_FOLDER, task.directory, *argv], deadline
        )
        task.results.append(result)
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
        """A file of the checkout. Raises `ProductFailure` if it is absent, outside, a link, or too large."""
        script = (
            'real=$(realpath -e -- "$1") && root=$(realpath -e -- .) || { echo "no such file" >&2; exit 1; }; '
            'case "$real" in "$root"/*) ;; *) echo "outside of the checkout: $real" >&2; exit 1;; esac; '
            '[ -f "$real" ] || { echo "not a plain file" >&2; exit 1; }; exec cat -- "$real"'
        )
        result = self.run(task, ["sh", "-c", script, "sh", path])
        if result.exit_code != 0 or len(result.stdout) > EVIDENCE_BYTES or result.truncated:
            too_large = len(result.stdout) > EVIDENCE_BYTES or result.truncated
            raise ProductFailure(
                f"the evidence {path} cannot be taken",
                expected=f"a plain file inside the checkout of at most {EVIDENCE_BYTES} bytes",
                seen="it is larger" if too_large else result.stderr.decode(errors="replace").strip(),
                where=f"workspace {task.name}",
                next_step="have the task's command write it there",
            )
        return result.stdout

    def destroy(self, name: str) -> LeakProof | None:
        """Delete a workspace, whatever state it is in, and prove that nothing is left; None if none was made."""
        deadline = Deadline.after(self._settings.teardown_timeout_seconds, self._clock)
        workspace_id = self.outstanding.get(name)
        if workspace_id is None:
            found = self._coder.find_workspace(name)
            if found is None:
                self.ledger.gone(name)
                self.outstanding.pop(name, None)
                return None
            workspace_id = found.id
        workspaces.delete(self._coder, workspace_id, deadline, on_change=self._on_change)
        proof = prove_gone(self._coder, self._cluster, workspace_id, deadline)
        self.outstanding.pop(name, None)
        if proof.outcome == "clean":
            self.ledger.gone(name)
        return proof
