"""What Coder has left in the cluster: removed where its labels say that it is the run's, and told where not."""

from __future__ import annotations

from gatehouse.coder.ownership import OWNER_LABEL, RUN_LABEL, label_value
from gatehouse.core.errors import Conflict, GatehouseError, NotFound
from gatehouse.core.ledger import Entry
from gatehouse.kube.client import NAMESPACES, Cluster
from gatehouse.kube.inventory import Found, Inventory


def remove_leftovers(cluster: Cluster, inventory: Inventory, entry: Entry) -> list[str]:
    """Delete what may be deleted of a workspace that Coder says is gone; what was done, one sentence each.

    Each object is deleted only as the one that was seen, by its uid. Finalizers are never taken away: whoever set
    one has not finished.
    """
    done = []
    for found in inventory.found:
        if not is_removable(found, entry, inventory):
            continue
        assert found.resource
        try:
            cluster.delete(found.resource, found.name, found.namespace or None, found.uid)
        except (NotFound, Conflict):
            continue  # it went by itself, or another has taken its name
        except GatehouseError as error:
            done.append(f"could not delete {found.kind} {found.name}: {error.summary}: {error.seen}")
        else:
            done.append(f"deleted {found.kind} {_place(found)}")
    return done


def is_removable(found: Found, entry: Entry, inventory: Inventory) -> bool:
    """Whether an object says of itself that the run of the entry made it, and nobody is at work on it.

    What has an owner goes with it. A namespace that holds something of anyone else's is not removed.
    """
    metadata = found.item.get("metadata", {})
    labels = metadata.get("labels") or {}
    ours = labels.get(RUN_LABEL) == label_value(entry.run) and labels.get(OWNER_LABEL) == label_value(
        entry.owner
    )
    if not ours or not entry.run or not entry.owner or found.ending or found.owners:
        return False
    if found.kind != NAMESPACES.plural:
        return True
    return not any(each.namespace == found.name for each in inventory.strangers)


def _place(found: Found) -> str:
    return f"{found.namespace}/{found.name}" if found.namespace else found.name
