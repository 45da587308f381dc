"""An upgrade of the embedded Coder: another version answers, and what existed before goes on."""

from __future__ import annotations

from gatehouse.embedded.systems import Systems

UPGRADED = "v2.37.0+embedded"


def upgrade(systems: Systems, version: str = UPGRADED) -> None:
    """Replace the server. Workspaces go on, and their agents stay what they were until they are restarted."""
    systems.coder.deployment.replicas = [version]
    systems.provisioner.version = version
    systems.database.touch()


def existing(systems: Systems) -> list[str]:
    """The ids of the workspaces that there are."""
    return [each.id for each in systems.database.workspaces.values() if not each.deleted]
