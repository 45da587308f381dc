"""A task that runs: its workspace, the way into it, and what it really is."""

from __future__ import annotations

from dataclasses import dataclass, field

from gatehouse.coder.models import Agent, Workspace
from gatehouse.core.command_result import CommandResult
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.channels import Channel
from gatehouse.task.provenance import Provenance
from gatehouse.task.shell import Shell


@dataclass
class Task:
    """A workspace that is ready for the task's command, or in which the template's script runs it already."""

    name: str
    definition: TaskSettings
    workspace: Workspace
    directory: str
    template_version: str
    channel: Channel
    shell: Shell
    #: Where its pod is; '' where the cluster cannot be looked at.
    namespace: str = ""
    pod: str = ""
    #: Seconds in each stage of its start.
    stages: dict[str, float] = field(default_factory=dict)
    provenance: Provenance | None = None
    results: list[CommandResult] = field(default_factory=list)

    @property
    def agent(self) -> Agent:
        """The agent of the workspace, which has one, as it is ready."""
        agent = self.workspace.agent
        assert agent, "a workspace that is ready has an agent"
        return agent
