"""What goes wrong between a hostname and the pods behind it."""

from __future__ import annotations

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import Systems


@scenario("ingress")
def edge_down(systems: Systems) -> None:
    """The gateway answers 503 for the preview's public site."""
    systems.ingress.faults.down[f"www-pr-{PULL_REQUEST}.preview.localhost"] = 503


@scenario("ingress")
def hostname_unresolved(systems: Systems) -> None:
    """The configured address of one service is at a hostname that does not resolve."""
    systems.preview_domains["platform"] = "preview.invalid"


@scenario("ingress", https_previews=True)
def self_signed_certificate(_systems: Systems) -> None:
    """The previews are served over HTTPS, with a certificate of an authority that clients do not know."""
