"""The JSON that Coder's API makes of what an import of a template version found and wrote."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded.coder.records import TemplateVersion

Json = dict[str, Any]


def template_resources(version: TemplateVersion) -> list[Json]:
    """List of `codersdk.WorkspaceResource` as an import finds them, once for each transition; no agents."""
    return [
        {
            "id": f"{version.id[:-4]}{number:04x}",
            "created_at": version.created_at,
            "job_id": version.job.id,
            "workspace_transition": transition,
            "type": f"kubernetes_{manifest['kind'].lower()}",
            "name": "main",
            "hide": False,
            "icon": "",
            "daily_cost": 0,
            "metadata": [],
            "agents": [],
        }
        for number, (transition, manifest) in enumerate(
            [("start", each) for each in version.always + version.started]
            + [("stop", each) for each in version.always]
        )
    ]


def import_log(version: TemplateVersion) -> list[Json]:
    """List of `codersdk.ProvisionerJobLog`."""
    stages = (
        "Setting up",
        "Parsing template parameters",
        "Detecting persistent resources",
        "Cleaning Up",
    )
    return [
        {
            "id": number,
            "created_at": version.created_at,
            "log_source": "provisioner_daemon",
            "log_level": "info",
            "stage": stage,
            "output": "",
        }
        for number, stage in enumerate(stages, 1)
    ]
