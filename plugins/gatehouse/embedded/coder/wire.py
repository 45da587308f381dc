"""The JSON that Coder's API makes of its records. Field names as in its published API description (v2.30)."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.coder.provisioner import ProvisionerFaults
from gatehouse.embedded.coder.records import (
    ORGANIZATION,
    Agent,
    AppState,
    Build,
    Database,
    Job,
    Template,
    TemplateVersion,
    Workspace,
)
from gatehouse.embedded.coder.users import User

Json = dict[str, Any]

NO_TIME = "0001-01-01T00:00:00Z"
NOBODY = "00000000-0000-0000-0000-000000000000"


class Wire:
    """Renders records; holds what several of them need to know about the deployment."""

    def __init__(self, database: Database, faults: ProvisionerFaults) -> None:
        self._database = database
        self._faults = faults

    def user(self, user: User) -> Json:
        """`codersdk.User`."""
        return {
            "id": user.id,
            "username": user.username,
            "name": user.username.title(),
            "email": f"{user.username}@example.com",
            "created_at": user.created_at,
            "updated_at": user.created_at,
            "last_seen_at": clock.microseconds(),
            "status": "active",
            "login_type": user.login_type,
            "organization_ids": [self._database.organization_id],
            "roles": [{"name": role, "display_name": role.title()} for role in user.roles],
            "avatar_url": "",
        }

    def job(self, job: Job) -> Json:
        """`codersdk.ProvisionerJob`."""
        waiting = job.status == "pending"
        shown: Json = {
            "id": job.id,
            "created_at": job.created_at,
            "status": job.status,
            "type": job.type,
            "file_id": NOBODY,
            "tags": {"owner": "", "scope": "organization"},
            "queue_position": 1 if waiting else 0,
            "queue_size": 1 if waiting else 0,
            "organization_id": self._database.organization_id,
            "logs_overflowed": False,
            "worker_name": job.worker_name,
            "available_workers": [self._database.deployment_id] if not self._faults.offline else [],
            "input": {},
        }
        optional = {
            "started_at": job.started_at,
            "completed_at": job.completed_at,
            "canceled_at": job.canceled_at,
            "error": job.error,
            "error_code": job.error_code,
            "worker_id": job.worker_id,
        }
        return shown | {name: value for name, value in optional.items() if value}

    def template(self, template: Template) -> Json:
        """`codersdk.Template`."""
        return {
            "id": template.id,
            "name": template.name,
            "display_name": template.display_name,
            "description": template.description,
            "organization_id": self._database.organization_id,
            "organization_name": ORGANIZATION,
            "active_version_id": template.active_version_id,
            "active_user_count": len({each.owner.id for each in self._live(template)}),
            "created_at": template.created_at,
            "updated_at": template.created_at,
            "provisioner": "terraform",
            "default_ttl_ms": 0,
            "deprecated": False,
            "deprecation_message": "",
            "allow_user_cancel_workspace_jobs": True,
        }

    def _live(self, template: Template) -> list[Workspace]:
        return [
            each
            for each in self._database.workspaces.values()
            if each.template is template and not each.deleted
        ]

    def template_version(self, version: TemplateVersion) -> Json:
        """`codersdk.TemplateVersion`."""
        return {
            "id": version.id,
            "template_id": version.template_id,
            "organization_id": self._database.organization_id,
            "name": version.name,
            "message": "",
            "readme": "",
            "created_at": version.created_at,
            "updated_at": version.created_at,
            "archived": False,
            "job": self.job(version.job) | {"file_id": version.file_id},
            "matched_provisioners": self._matched(),
        }

    def parameters(self, version: TemplateVersion) -> list[Json]:
        """List of `codersdk.TemplateVersionParameter`."""
        return [
            {
                "name": parameter.name,
                "display_name": parameter.name,
                "description": parameter.description,
                "description_plaintext": parameter.description,
                "type": "string",
                "form_type": "input",
                "mutable": parameter.mutable,
                "default_value": parameter.default or "",
                "required": parameter.default is None,
                "ephemeral": False,
                "icon": "",
                "options": [],
            }
            for parameter in version.parameters
        ]

    def _matched(self) -> Json:
        count = 1 if not self._faults.offline else 0
        return {
            "count": count,
            "available": count,
            "most_recently_seen": clock.microseconds() if count else None,
        }

    def workspace(self, workspace: Workspace) -> Json:
        """`codersdk.Workspace` with its latest build."""
        latest = workspace.latest
        template = workspace.template
        agents = [latest.agent] if latest.agent else []
        failing = [agent.id for agent in agents if not _agent_health(agent)["healthy"]]
        return {
            "id": workspace.id,
            "name": workspace.name,
            "owner_id": workspace.owner.id,
            "owner_name": workspace.owner.username,
            "owner_avatar_url": "",
            "organization_id": self._database.organization_id,
            "organization_name": ORGANIZATION,
            "template_id": template.id,
            "template_name": template.name,
            "template_display_name": template.display_name,
            "template_icon": "",
            "template_active_version_id": template.active_version_id,
            "template_allow_user_cancel_workspace_jobs": True,
            "template_require_active_version": False,
            "created_at": workspace.created_at,
            "updated_at": latest.created_at,
            "last_used_at": workspace.last_used_at,
            "outdated": latest.version.id != template.active_version_id,
            "automatic_updates": workspace.automatic_updates,
            "ttl_ms": workspace.ttl_ms,
            "favorite": False,
            "allow_renames": False,
            "health": {"healthy": not failing, "failing_agents": failing},
            "latest_build": self.build(workspace, latest),
            "latest_app_status": None,
        }

    def build(self, workspace: Workspace, build: Build) -> Json:
        """`codersdk.WorkspaceBuild` with its resources and agents."""
        return {
            "id": build.id,
            "build_number": build.number,
            "transition": build.transition,
            "status": build.status,
            "reason": build.reason,
            "created_at": build.created_at,
            "updated_at": build.job.completed_at or build.created_at,
            "deadline": clock.whole_seconds(build.deadline) if build.deadline else NO_TIME,
            "max_deadline": NO_TIME,
            "daily_cost": 0,
            "initiator_id": build.initiator.id,
            "initiator_name": build.initiator.username,
            "job": self.job(build.job),
            "matched_provisioners": self._matched(),
            "template_version_id": build.version.id,
            "template_version_name": build.version.name,
            "workspace_id": workspace.id,
            "workspace_name": workspace.name,
            "workspace_owner_id": workspace.owner.id,
            "workspace_owner_name": workspace.owner.username,
            "resources": self._resources(workspace, build),
        }

    def _resources(self, workspace: Workspace, build: Build) -> list[Json]:
        if build.job.status != "succeeded" or build.transition == "delete":
            return []
        manifests = build.version.always + (build.version.started if build.transition == "start" else [])
        resources = []
        for manifest in manifests:
            deployment = manifest["kind"] == "Deployment"
            resources.append(
                {
                    "id": build.resource_id if deployment else build.id,
                    "created_at": build.created_at,
                    "job_id": build.job.id,
                    "workspace_transition": build.transition,
                    "type": f"kubernetes_{manifest['kind'].lower()}",
                    "name": "main",
                    "hide": False,
                    "icon": "",
                    "daily_cost": 0,
                    "metadata": [],
                    "agents": [self.agent(workspace, build, build.agent)]
                    if deployment and build.agent
                    else [],
                }
            )
        return resources

    def agent(self, workspace: Workspace, build: Build, agent: Agent) -> Json:
        """`codersdk.WorkspaceAgent`."""
        connected = agent.status == "connected" and not agent.cut
        shown: Json = {
            "id": agent.id,
            "parent_id": None,
            "name": agent.name,
            "created_at": agent.created_at,
            "updated_at": agent.ready_at or agent.created_at,
            "status": agent.status if connected or agent.status != "connected" else "disconnected",
            "lifecycle_state": agent.lifecycle_state,
            "resource_id": build.resource_id,
            "architecture": "amd64",
            "operating_system": "linux",
            "environment_variables": {},
            "directory": agent.directory,
            "expanded_directory": agent.expanded_directory,
            "version": agent.version if agent.first_connected_at else "",
            "api_version": "2.7" if agent.first_connected_at else "",
            "connection_timeout_seconds": 120,
            "startup_script_behavior": "non-blocking",
            "troubleshooting_url": "",
            "health": _agent_health(agent),
            "display_apps": ["web_terminal"],
            "subsystems": ["envbuilder"],
            "logs_length": sum(len(line["output"]) for line in agent.log.lines),
            "logs_overflowed": agent.log.overflowed,
            "log_sources": [
                {
                    "id": run.source_id,
                    "workspace_agent_id": agent.id,
                    "created_at": agent.created_at,
                    "display_name": run.script.display_name,
                    "icon": "",
                }
                for run in agent.scripts
            ],
            "scripts": [
                {
                    "id": run.id,
                    "log_source_id": run.source_id,
                    "log_path": "",
                    "display_name": run.script.display_name,
                    "script": run.script.text,
                    "cron": "",
                    "run_on_start": True,
                    "run_on_stop": False,
                    "start_blocks_login": False,
                    "timeout": 0,
                }
                for run in agent.scripts
            ],
            "apps": [self._app(workspace, agent, app) for app in agent.apps],
        }
        if connected:
            shown["latency"] = {"Embedded": {"preferred": True, "latency_ms": 0.4}}
        times = {
            "first_connected_at": agent.first_connected_at,
            "last_connected_at": agent.last_connected_at,
            "disconnected_at": agent.disconnected_at,
            "started_at": agent.started_at,
            "ready_at": agent.ready_at,
        }
        return shown | {name: value for name, value in times.items() if value}

    @staticmethod
    def _app(workspace: Workspace, agent: Agent, state: AppState) -> Json:
        slug = state.app.slug
        return {
            "id": state.id,
            "slug": slug,
            "display_name": state.app.display_name,
            "url": f"http://localhost:{state.port}",
            "external": False,
            "subdomain": False,
            "subdomain_name": f"{slug}--{agent.name}--{workspace.name}--{workspace.owner.username}",
            "sharing_level": "owner",
            "health": state.health,
            "healthcheck": {
                "url": f"http://localhost:{state.port}{state.app.health_path}",
                "interval": 5,
                "threshold": 6,
            },
            "hidden": False,
            "icon": "",
            "open_in": "slim-window",
            "statuses": [],
        }

    def timings(self, build: Build) -> Json:
        """`codersdk.WorkspaceBuildTimings`."""
        agent = build.agent
        runs = [run for run in agent.scripts if run.exit_code is not None] if agent else []
        return {
            "provisioner_timings": [
                {
                    "job_id": build.job.id,
                    "stage": "apply",
                    "source": "kubernetes",
                    "action": "create",
                    "resource": "kubernetes_deployment.main",
                    "started_at": build.job.started_at,
                    "ended_at": build.job.completed_at,
                }
            ]
            if build.job.completed_at
            else [],
            "agent_connection_timings": [
                {
                    "stage": "connect",
                    "started_at": agent.created_at,
                    "ended_at": agent.first_connected_at,
                    "workspace_agent_id": agent.id,
                    "workspace_agent_name": agent.name,
                }
            ]
            if agent and agent.first_connected_at
            else [],
            "agent_script_timings": [
                {
                    "display_name": run.script.display_name,
                    "stage": "start",
                    "status": "ok" if run.exit_code == 0 else "exit_failure",
                    "exit_code": run.exit_code,
                    "started_at": run.started_at,
                    "ended_at": run.ended_at,
                    "workspace_agent_id": agent.id if agent else "",
                    "workspace_agent_name": agent.name if agent else "",
                }
                for run in runs
            ],
        }


def _agent_health(agent: Agent) -> Json:
    if agent.cut or agent.status in ("disconnected", "timeout"):
        return {"healthy": False, "reason": f"agent is {'disconnected' if agent.cut else agent.status}"}
    if agent.lifecycle_state in ("start_error", "start_timeout"):
        return {"healthy": False, "reason": f"agent startup script {agent.lifecycle_state}"}
    return {"healthy": True, "reason": ""}
