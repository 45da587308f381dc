"""`coder.budgets` in `gatehouse.yaml`: how long a workspace may be in each stage of its start."""

from __future__ import annotations

from pydantic import Field

from gatehouse.core.yaml_file import StrictModel


class WorkspaceBudgets(StrictModel):
    """Seconds that a starting workspace may spend in each stage. The wait for a node is counted apart."""

    queue_seconds: float = Field(
        default=300.0, gt=0, description="until a provisioner daemon takes the build"
    )
    build_seconds: float = Field(default=300.0, gt=0, description="while Terraform plans and applies")
    schedule_seconds: float = Field(default=60.0, gt=0, description="until the pod has a node")
    node_seconds: float = Field(
        default=600.0, gt=0, description="while no node has room, as after a scale to zero"
    )
    pull_seconds: float = Field(default=300.0, gt=0, description="while images are pulled")
    init_seconds: float = Field(
        default=900.0, gt=0, description="from there until the agent connects; dev containers are built then"
    )
    agent_seconds: float = Field(default=600.0, gt=0, description="while start scripts run")
