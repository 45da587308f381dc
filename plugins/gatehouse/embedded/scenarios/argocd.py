"""What goes wrong with Argo CD: its generators, its comparisons, its syncs."""

from __future__ import annotations

from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


@scenario("argocd")
def manifest_error(systems: Systems) -> None:
    """One Application's manifests cannot be generated."""
    systems.applications.faults.comparison_errors["pr-7-platform"] = (
        "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown "
        "desc = failed to unmarshal manifest: error converting YAML to JSON: line 4: did not find expected key"
    )


@scenario("argocd")
def application_late(systems: Systems) -> None:
    """One Application takes two seconds longer than the others to be compared."""
    systems.applications.faults.slow["pr-7-platform"] = 2.0


@scenario("argocd")
def generator_error(systems: Systems) -> None:
    """One ApplicationSet's generator fails."""
    systems.application_sets.errors["preview-apps"] = (
        "error listing repos: error listing pull requests for acme/shop: 401 Bad credentials"
    )


@scenario("argocd")
def one_application(systems: Systems) -> None:
    """Another shape of preview: one Application that tracks the pull request's head commit."""
    for application_set in systems.store.select(APPLICATION_SET):
        systems.store.delete(APPLICATION_SET, "argocd", application_set["metadata"]["name"])
    systems.store.create(APPLICATION_SET, systems.variants["one-application"], "argocd")
