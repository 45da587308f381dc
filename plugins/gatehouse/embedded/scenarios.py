"""Named states of the platform: the happy one, and what goes wrong in each system.

A scenario is a function that changes the seeded systems before they start. Several can be combined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import IMAGES, Systems


@dataclass(frozen=True)
class Scenario:
    """A name, the system it is about, one line saying what is so, and the change that makes it so."""

    name: str
    system: str
    summary: str
    apply: Callable[[Systems], None]


SCENARIOS: dict[str, Scenario] = {}

Change = Callable[[Systems], None]


def scenario(system: str) -> Callable[[Change], Change]:
    """Register a function as a scenario, named after it, described by its docstring's first line."""

    def register(change: Change) -> Change:
        name = getattr(change, "__name__", "").replace("_", "-")
        summary = (change.__doc__ or "").splitlines()[0].rstrip(".")
        SCENARIOS[name] = Scenario(name, system, summary, change)
        return change

    return register


class UnknownScenarioError(ValueError):
    """There is no scenario of that name; the message lists those there are."""


def apply(systems: Systems, names: Iterable[str]) -> None:
    """Apply scenarios in the order given. Raises `UnknownScenarioError` before anything is changed."""
    chosen = []
    for name in names:
        if name not in SCENARIOS:
            raise UnknownScenarioError(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        chosen.append(SCENARIOS[name])
    for each in chosen:
        each.apply(systems)


@scenario("all")
def happy(_systems: Systems) -> None:
    """Everything works; pull request 7 is previewed with its own images."""


# --- code host and registry --------------------------------------------------------------------------


@scenario("code host")
def no_preview_label(systems: Systems) -> None:
    """The pull request has no label, so no preview is made."""
    systems.shop.pulls[PULL_REQUEST].labels.clear()


@scenario("code host")
def base_images(systems: Systems) -> None:
    """The pull request lacks the second label, so the base environment's images run."""
    systems.shop.pulls[PULL_REQUEST].labels.remove("preview-images")


@scenario("code host")
def mixed_images(systems: Systems) -> None:
    """One service runs the pull request's image, the other the base environment's."""
    base_images(systems)
    application_set = systems.store.get(APPLICATION_SET, "argocd", "preview-apps")
    services = application_set["spec"]["generators"][0]["matrix"]["generators"][1]["list"]["elements"]
    head = systems.shop.head(systems.shop.pulls[PULL_REQUEST])
    services[0]["base"] = f"{IMAGES}/{services[0]['component']}:{head}"
    systems.store.update(APPLICATION_SET, application_set)


@scenario("code host")
def login_broken(systems: Systems) -> None:
    """The pull request has a fault that only the deployed application shows: nobody can sign in."""
    _edit(systems, "services/platform/platform_app/__main__.py", 'name="username"', 'name="user"')


@scenario("code host")
def unit_test_fails(systems: Systems) -> None:
    """The pull request has a fault that its own unit tests find."""
    # In Python, because machines without Go or Node.js run the demonstration as well.
    _edit(systems, "services/platform/platform_app/cart.py", "        PRICES[product]\n", "")


@scenario("registry")
def image_missing(systems: Systems) -> None:
    """The pull request's image of one service was never published."""
    head = systems.shop.head(systems.shop.pulls[PULL_REQUEST])
    reference = f"{IMAGES}/platform:{head}"
    systems.registry.refusals[reference] = (
        f'failed to resolve reference "{reference}": {reference}: not found'
    )


def _edit(systems: Systems, path: str, old: str, new: str) -> None:
    pull = systems.shop.pulls[PULL_REQUEST]
    head = systems.shop.repository.commit_edit(pull.branch, path, old, new, f"Change {path}")
    systems.builds.build_now(head)


# --- Coder -------------------------------------------------------------------------------------------


@scenario("coder")
def provisioner_offline(systems: Systems) -> None:
    """No provisioner daemon is connected, so builds stay pending."""
    systems.provisioner.faults.offline = True


@scenario("coder")
def editor_dead(systems: Systems) -> None:
    """Workspaces become ready, but the web editor behind the proxy does not answer."""
    systems.agents.faults.dead_apps = frozenset({"code-server"})


@scenario("coder")
def start_script_fails(systems: Systems) -> None:
    """The workspace's start script ends with exit code 3."""
    systems.agents.faults.script_prefix = "echo 'cannot reach the package mirror' >&2; exit 3\n"


@scenario("coder")
def build_fails(systems: Systems) -> None:
    """Terraform refuses to start workspaces."""
    systems.provisioner.faults.errors["start"] = 'networkpolicies.networking.k8s.io "egress" already exists'


@scenario("coder")
def agent_never_connects(systems: Systems) -> None:
    """The workspace's pod runs, but its agent never calls home."""
    systems.agents.faults.never_connects = True


@scenario("coder")
def database_reset(systems: Systems) -> None:
    """The database came back empty: first-run set-up is open; users, tokens and templates are gone."""
    systems.database.users.clear()
    systems.database.tokens.clear()
    systems.database.templates.clear()


# --- Kubernetes --------------------------------------------------------------------------------------


@scenario("kubernetes")
def claim_leaks(systems: Systems) -> None:
    """Deleting a workspace succeeds, but leaves its claim, volume and namespace behind."""
    systems.provisioner.faults.leaves_behind = {"PersistentVolumeClaim"}


@scenario("kubernetes")
def unschedulable(systems: Systems) -> None:
    """No node has room, so pods stay Pending."""
    systems.kubelet.unschedulable = "0/1 nodes are available: 1 Insufficient memory."


# --- Argo CD and the edge ----------------------------------------------------------------------------


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


@scenario("ingress")
def edge_down(systems: Systems) -> None:
    """The gateway answers 503 for the preview's public site."""
    systems.ingress.faults.down[f"www-pr-{PULL_REQUEST}.preview.localhost"] = 503


@scenario("argocd")
def one_application(systems: Systems) -> None:
    """Another shape of preview: one Application that tracks the pull request's head commit."""
    for application_set in systems.store.select(APPLICATION_SET):
        systems.store.delete(APPLICATION_SET, "argocd", application_set["metadata"]["name"])
    systems.store.create(APPLICATION_SET, systems.variants["one-application"], "argocd")
