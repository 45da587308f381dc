"""What goes wrong when Argo CD syncs: hooks, waves, refusals, what is left from before, what undoes it."""

from __future__ import annotations

import yaml

from gatehouse.embedded.clock import pause
from gatehouse.embedded.kubernetes.kinds import APPLICATION, CONFIG_MAP, DEPLOYMENT, NAMESPACE, Object
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

DEPLOYMENT_FILE = "previews/platform/deployment.yaml"
CONFIG_FILE = "previews/platform/config.yaml"

#: A finalizer that no controller of the platform takes off.
HOLD = "backup.example.com/hold"

ROUTE = ("pr-7-platform", "HTTPRoute/platform")

# --- hooks and waves --------------------------------------------------------------------------------------


@scenario("argocd")
def hook_not_run(systems: Systems) -> None:
    """An Application made only of a hook Job is Synced and Healthy, and the Job has never run."""
    job = steps.hook_job(systems, "migrate", "PreSync", "echo migrated")
    steps.add_applications(systems, {"migrate": {"job.yaml": job}})


@scenario("argocd")
def hook_hanging(systems: Systems) -> None:
    """A PostSync hook Job never ends, so neither does the sync."""
    job = steps.hook_job(systems, "smoke", "PostSync", "echo 'waiting for the mail server'; exec sleep 3600")
    steps.add_to_platform(systems, "smoke.yaml", job)


@scenario("argocd")
def hook_failing(systems: Systems) -> None:
    """A PostSync hook Job fails, and says why on its log."""
    script = "echo 'smoke: GET /cart answered 500, expected 200' >&2; exit 1"
    job = steps.hook_job(systems, "smoke", "PostSync", script)
    steps.add_to_platform(systems, "smoke.yaml", job)
    steps.earlier_namespace(systems)
    steps.retry_at_most(systems, 1)


@scenario("argocd")
def wave_waiting(systems: Systems) -> None:
    """The second sync wave waits for a Deployment of the first that never becomes healthy."""
    wave = '\n  annotations: {argocd.argoproj.io/sync-wave: "-1"}\n'
    steps.edit(systems, DEPLOYMENT_FILE, "  name: platform\nspec:", f"  name: platform{wave}spec:")
    steps.edit(systems, CONFIG_FILE, "  name: platform-config\n", f"  name: platform-config{wave}")
    steps.edit(systems, DEPLOYMENT_FILE, "/healthz", "/never")


# --- what is refused ---------------------------------------------------------------------------------------


@scenario("argocd")
def sync_failed(systems: Systems) -> None:
    """One Application's sync is refused, and is not repeated any more."""
    systems.applications.faults.apply_errors[ROUTE] = (
        'admission webhook "validate.kyverno.svc-fail" denied the request: resource HTTPRoute/pr-7/platform was '
        "blocked due to the following policies: preview-hostnames"
    )
    steps.earlier_namespace(systems)
    steps.retry_at_most(systems, 1)


@scenario("argocd")
def sync_retrying(systems: Systems) -> None:
    """The first two attempts of one Application's sync fail, the third succeeds."""
    errors = systems.applications.faults.apply_errors
    errors[ROUTE] = (
        'Internal error occurred: failed calling webhook "validate.gateway.networking.k8s.io": failed to call '
        "webhook: dial tcp 10.43.12.9:443: connect: connection refused"
    )
    steps.earlier_namespace(systems)
    systems.timings.sync_retry = 0.5

    async def recover() -> None:
        await steps.until(
            systems, lambda: steps.operation_state(systems, "platform").get("retryCount", 0) >= 2
        )
        errors.pop(ROUTE, None)

    systems.background.append(recover())


@scenario("argocd")
def sync_window_closed(systems: Systems) -> None:
    """A sync window keeps one Application from being synced."""
    systems.applications.faults.closed_windows["pr-7-platform"] = "0 0 * * *"


@scenario("kubernetes")
def quota_exceeded(systems: Systems) -> None:
    """The namespace's quota lets no pods be created."""
    systems.controllers.quota_exceeded = (
        "exceeded quota: previews, requested: pods=1, used: pods=20, limited: pods=20"
    )


@scenario("argocd")
def rollout_suspended(systems: Systems) -> None:
    """One Application's Deployment is paused."""
    steps.edit(systems, DEPLOYMENT_FILE, "replicas: 1", "replicas: 1\n  paused: true")


@scenario("argocd")
def degraded(systems: Systems) -> None:
    """One Application's Deployment never becomes ready and exceeds its progress deadline."""
    steps.edit(systems, DEPLOYMENT_FILE, "/healthz", "/never")
    steps.edit(systems, DEPLOYMENT_FILE, "replicas: 1", "replicas: 1\n  progressDeadlineSeconds: 1")

    def rewrite(item: Object, _elapsed: float) -> None:
        health = item.get("status", {}).get("health", {})
        if health.get("status") == "Degraded":  # as newer servers do
            health["message"] = 'Deployment "platform" exceeded its progress deadline'

    systems.applications.faults.rewrite["pr-7-platform"] = rewrite


# --- nothing to sync, and what is left from before -----------------------------------------------------------


@scenario("argocd")
def zero_resources(systems: Systems) -> None:
    """One Application's folder renders nothing at all."""
    steps.add_applications(systems, {"reports": {"reports.yaml": "# No reports yet.\n"}})


@scenario("argocd")
def zero_resources_refused(systems: Systems) -> None:
    """One Application's folder no longer renders anything, and auto-sync refuses to remove all there was."""
    zero_resources(systems)
    steps.leave_behind(systems, "reports", "reports")


@scenario("argocd")
def prune_only(systems: Systems) -> None:
    """One Application is OutOfSync only because of an object to be pruned, and pruning is off."""
    steps.leave_behind(systems, "baseline", "old-settings")
    steps.change_template(
        systems,
        "preview-baseline",
        lambda template: template["spec"]["syncPolicy"]["automated"].update(prune=False),
    )


@scenario("argocd")
def namespace_terminating(systems: Systems) -> None:
    """The namespace of an earlier preview takes two seconds to go, and syncs into it fail until then."""
    steps.earlier_namespace(systems)
    left_over = steps.config_map("left-over")
    left_over["metadata"]["finalizers"] = [HOLD]
    left_over = systems.store.create(CONFIG_MAP, left_over, steps.PREVIEW)
    systems.store.delete(NAMESPACE, "", steps.PREVIEW)

    async def let_go() -> None:
        await pause(2.0)
        systems.store.remove_finalizer(CONFIG_MAP, left_over, HOLD)

    systems.background.append(let_go())


@scenario("argocd")
def application_deleted(systems: Systems) -> None:
    """One Application is being deleted, and does not go because of a finalizer on what it made."""

    async def delete() -> None:
        await steps.until(systems, lambda: systems.store.find(CONFIG_MAP, steps.PREVIEW, "preview"))
        settings = systems.store.get(CONFIG_MAP, steps.PREVIEW, "preview")
        settings["metadata"]["finalizers"] = [HOLD]
        systems.store.update(CONFIG_MAP, settings)
        systems.store.delete(APPLICATION, "argocd", "pr-7-baseline")

    systems.background.append(delete())


# --- what works against a sync --------------------------------------------------------------------------------


@scenario("argocd")
def shared_resource(systems: Systems) -> None:
    """Two Applications want the same ConfigMap, and take it from each other."""
    shared = yaml.safe_dump(steps.config_map("shared", owner="whoever came last"))
    steps.add_files(systems, {"previews/baseline/shared.yaml": shared})
    steps.add_to_platform(systems, "shared.yaml", shared)


@scenario("argocd")
def self_heal_loop(systems: Systems) -> None:
    """Something changes a Deployment back each time that self-heal corrects it."""
    steps.edit(systems, DEPLOYMENT_FILE, "replicas: 1", "replicas: 1\n  revisionHistoryLimit: 3")

    async def undo() -> None:
        version = 0
        while True:
            version = await systems.store.changed_since(version)
            found = systems.store.find(DEPLOYMENT, steps.PREVIEW, "platform")
            if found and found["spec"]["revisionHistoryLimit"] == 3:
                found["spec"]["revisionHistoryLimit"] = 10
                systems.store.update(DEPLOYMENT, found)

    systems.background.append(undo())
