"""What goes wrong between a hostname and the pods behind it."""

from __future__ import annotations

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import Systems


@scenario("ingress")
def edge_down(systems: Systems) -> None:
    """The gateway answers 503 for the preview's public site."""
    systems.ingress.faults.down[f"www-pr-{PULL_REQUEST}.preview.localhost"] = 503
