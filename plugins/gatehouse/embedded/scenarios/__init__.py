"""Named states of the platform: the happy one, and what goes wrong in each system. Several can be combined."""

from gatehouse.embedded.scenarios import (  # noqa: F401 - imported, they register their scenarios
    application_status,
    argocd,
    code_host,
    coder,
    coder_connections,
    coder_upgrades,
    edge,
    editors,
    images,
    journeys,
    kubernetes,
    leaks,
    secrets,
    smoke_cluster,
    smoke_edge,
    smoke_posture,
    syncs,
    tasks,
    tokens,
    workspaces,
)
from gatehouse.embedded.scenarios.catalogue import (
    SCENARIOS,
    Scenario,
    UnknownScenarioError,
    apply,
    clock_ahead,
    https_systems,
)

__all__ = [
    "SCENARIOS",
    "Scenario",
    "UnknownScenarioError",
    "apply",
    "clock_ahead",
    "https_systems",
]
