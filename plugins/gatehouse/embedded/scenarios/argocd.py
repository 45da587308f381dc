"""What goes wrong with Argo CD itself: its generators, its comparisons, its server, and the pull request meanwhile."""

from __future__ import annotations

from gatehouse.embedded.clock import pause
from gatehouse.embedded.kubernetes.kinds import APPLICATION_SET
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import PULL_REQUEST
from gatehouse.embedded.systems import Systems

MANIFEST_ERROR = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown "
    "desc = failed to unmarshal manifest: error converting YAML to JSON: line 4: did not find expected key"
)
REPOSITORY_ERROR = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unavailable "
    "desc = error reading server preface: read tcp 10.42.0.17:43210->10.43.8.20:8081: connection reset by peer"
)
NO_ROOM = "0/1 nodes are available: 1 Insufficient memory."

# --- comparisons ----------------------------------------------------------------------------------------


@scenario("argocd")
def manifest_error(systems: Systems) -> None:
    """One Application's manifests cannot be generated."""
    systems.applications.faults.comparison_errors["pr-7-platform"] = MANIFEST_ERROR


@scenario("argocd")
def comparison_error_passing(systems: Systems) -> None:
    """One Application's manifests cannot be generated for a second, then they can."""
    errors = systems.applications.faults.comparison_errors
    errors["pr-7-platform"] = REPOSITORY_ERROR

    def shown() -> bool:
        item = steps.application(systems, "platform") or {}
        return bool(item.get("status", {}).get("conditions"))

    async def pass_() -> None:
        await steps.until(systems, shown)
        await pause(1.0)
        errors.pop("pr-7-platform", None)
        steps.refresh(systems, "platform")

    systems.background.append(pass_())


@scenario("argocd")
def application_late(systems: Systems) -> None:
    """One Application takes two seconds longer than the others to be compared."""
    systems.applications.faults.slow["pr-7-platform"] = 2.0


@scenario("argocd")
def twelve_applications(systems: Systems) -> None:
    """One ApplicationSet makes twelve Applications, one of which takes two seconds longer to be compared."""
    names = [f"part-{number:02}" for number in range(1, 11)]
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\ndata: {{of: ten}}\n"
    steps.add_applications(systems, {name: {"config.yaml": manifest.format(name)} for name in names})
    systems.applications.faults.slow[steps.name_of(names[-1])] = 2.0


@scenario("argocd")
def invalid_spec(systems: Systems) -> None:
    """One Application names a project that does not exist."""
    steps.change_template(
        systems, "preview-baseline", lambda template: template["spec"].update(project="preview")
    )


@scenario("argocd")
def skip_reconcile(systems: Systems) -> None:
    """One Application is frozen by an annotation."""
    annotation = {"argocd.argoproj.io/skip-reconcile": "true"}
    steps.change_template(
        systems, "preview-baseline", lambda template: template["metadata"].update(annotations=annotation)
    )


@scenario("argocd")
def stale_status(systems: Systems) -> None:
    """Ready for an earlier commit; for the newest, one Application shows its old status for two seconds."""
    earlier = systems.shop.head(systems.shop.pulls[PULL_REQUEST])
    steps.commit_to_pull_request(systems)
    systems.application_sets.known_heads[PULL_REQUEST] = earlier
    slow = systems.applications.faults.slow

    def compared() -> bool:
        item = steps.application(systems, "platform") or {}
        compared_to = item.get("status", {}).get("sync", {}).get("comparedTo", {})
        return "spec" in item and compared_to.get("source") == item["spec"]["source"]

    async def arrive() -> None:
        await steps.until(systems, lambda: steps.all_ready(systems))
        slow["pr-7-platform"] = 2.0
        systems.application_sets.known_heads.pop(PULL_REQUEST, None)
        systems.application_sets.on_code_host_event()
        await steps.until(systems, lambda: not compared())
        await steps.until(systems, compared)
        slow.pop("pr-7-platform", None)

    systems.background.append(arrive())


# --- generators ------------------------------------------------------------------------------------------


@scenario("argocd")
def generator_error(systems: Systems) -> None:
    """One ApplicationSet's generator fails."""
    systems.application_sets.errors["preview-apps"] = (
        "error listing repos: error listing pull requests for acme/shop: 401 Bad credentials"
    )


@scenario("argocd")
def generator_error_passing(systems: Systems) -> None:
    """One ApplicationSet's generator fails for a second, then it works."""
    errors = systems.application_sets.errors
    errors["preview-apps"] = "error listing repos: error listing pull requests for acme/shop: 502 Bad Gateway"

    async def pass_() -> None:
        await pause(1.0)
        errors.pop("preview-apps", None)
        systems.application_sets.on_code_host_event()

    systems.background.append(pass_())


@scenario("argocd")
def generation_late(systems: Systems) -> None:
    """The Applications are generated only after two seconds."""
    systems.application_sets.first_after = 2.0


@scenario("argocd")
def one_application(systems: Systems) -> None:
    """Another shape of preview: one Application that tracks the pull request's head commit."""
    for application_set in systems.store.select(APPLICATION_SET):
        systems.store.delete(APPLICATION_SET, "argocd", application_set["metadata"]["name"])
    systems.store.create(APPLICATION_SET, systems.variants["one-application"], "argocd")


# --- the pull request meanwhile ---------------------------------------------------------------------------


@scenario("argocd")
def closed_while_waiting(systems: Systems) -> None:
    """The pull request is closed once its Applications exist, while their pods are Pending."""
    systems.kubelet.unschedulable = NO_ROOM

    async def close() -> None:
        await steps.until(systems, lambda: steps.all_there(systems))
        await pause(1.0)
        systems.shop.close(PULL_REQUEST)

    systems.background.append(close())


@scenario("argocd")
def pushed_while_waiting(systems: Systems) -> None:
    """A commit is pushed to the pull request once its Applications exist, while their pods are Pending."""
    systems.kubelet.unschedulable = NO_ROOM

    async def push() -> None:
        await steps.until(systems, lambda: steps.all_there(systems))
        await pause(1.0)
        steps.commit_to_pull_request(systems)
        systems.shop.pushed()

    systems.background.append(push())


# --- the server ------------------------------------------------------------------------------------------


@scenario("argocd")
def forbidden(systems: Systems) -> None:
    """The harness' account may read no project's Applications."""
    systems.accounts.accounts["gatehouse"].projects = ()


@scenario("argocd")
def application_sets_forbidden(systems: Systems) -> None:
    """The harness' account may read Applications, but no ApplicationSets."""
    systems.accounts.accounts["gatehouse"].application_sets = ()


@scenario("argocd")
def stream_silent(systems: Systems) -> None:
    """The event stream never answers, not even with headers."""
    systems.argocd.faults.stream_silent = True


@scenario("argocd")
def stream_cut(systems: Systems) -> None:
    """The event stream is cut every half second."""
    systems.argocd.faults.stream_cut_after = 0.5


@scenario("argocd")
def proxy_504(systems: Systems) -> None:
    """A proxy answers the first two requests for each path with 504 and a page of its own."""
    systems.argocd.faults.proxy_504 = 2


@scenario("argocd")
def html_answer(systems: Systems) -> None:
    """A proxy answers every request with its sign-in page, and with status 200."""
    systems.argocd.faults.html_answer = True


@scenario("argocd")
def large_events(systems: Systems) -> None:
    """One Application's status has three megabytes."""
    systems.argocd.faults.padding["pr-7-platform"] = 3_000_000
