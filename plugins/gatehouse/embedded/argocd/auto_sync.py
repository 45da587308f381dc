"""Whether auto-sync starts an operation, by the rules of Argo CD's controller."""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.embedded.argocd.targets import Target
from gatehouse.embedded.kubernetes.kinds import Object

#: Attempts that auto-sync adds after the first when the Application does not set `syncPolicy.retry`.
RETRIES = 5

#: Seconds between two attempts of self-heal at most, and after which the attempts are counted anew.
LONGEST_PAUSE = 5.0
COOLDOWN = 10.0


@dataclass(frozen=True)
class Decision:
    """The operation to start, or why none is: the message of a SyncError, or seconds still to wait."""

    operation: Object | None = None
    error: str = ""
    wait: float = 0.0


def decide(application: Object, target: Target, since_last: float, pause: float) -> Decision:
    """What auto-sync does about an Application that is OutOfSync and that no operation is running on.

    `since_last` is how many seconds ago the last operation ended, `pause` the first pause of self-heal.
    """
    automated = application["spec"].get("syncPolicy", {}).get("automated")
    status = application["status"]
    prune = bool(automated and automated.get("prune"))
    late = [each for each in status["resources"] if each.get("status") != "Synced"]
    if automated is None or automated.get("enabled") is False:
        return Decision()
    if not prune and all(each.get("requiresPruning") for each in late):
        return Decision()
    sync: Object = {"revision": target.revision, "prune": prune}
    last = status.get("operationState")
    if last and _attempted(last, target):
        if last["phase"] != "Succeeded":
            return Decision(error=f"Failed last sync attempt to [{target.revision}]: {last['message']}")
        if not automated.get("selfHeal"):
            return Decision()
        before = last["operation"]["sync"].get("autoHealAttemptsCount", 0) if since_last < COOLDOWN else 0
        wait = min(pause * 3 ** (before - 1), LONGEST_PAUSE) - since_last if before else 0.0
        if wait > 0:
            return Decision(wait=wait)
        sync["autoHealAttemptsCount"] = before + 1
        sync["resources"] = [
            {"group": each.get("group", ""), "kind": each["kind"], "name": each["name"]}
            for each in late
            if not each.get("hook")
        ]
    if prune and not automated.get("allowEmpty") and all(map(_to_be_pruned, status["resources"])):
        return Decision(
            error=f"Skipping sync attempt to [{target.revision}]: auto-sync will wipe out all resources"
        )
    limit = target.spec["syncPolicy"].get("retry", {}).get("limit", RETRIES)
    return Decision({"sync": sync, "initiatedBy": {"automated": True}, "retry": {"limit": limit}})


def _attempted(last: Object, target: Target) -> bool:
    result = last.get("syncResult", {})
    return bool(result.get("revision") == target.revision and result.get("source") == target.spec["source"])


def _to_be_pruned(resource: Object) -> bool:
    return bool(resource.get("requiresPruning"))
