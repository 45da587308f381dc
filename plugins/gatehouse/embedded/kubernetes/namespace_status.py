"""What a namespace that is being deleted says of what keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gatehouse.embedded.kubernetes.conditions import condition, conditions_of
from gatehouse.embedded.kubernetes.kinds import Kind, Object


def terminating(namespace: Object, inside: Sequence[tuple[Kind, Object]]) -> Object:
    """The status of a namespace that is being deleted, with the objects that are still in it."""
    resources = Counter(f"{kind.plural}.{kind.group}" for kind, _ in inside)
    finalizers = Counter(name for _, item in inside for name in item["metadata"].get("finalizers", []))
    before = conditions_of(namespace)
    content = [f"{name} has {count} resource instances" for name, count in sorted(resources.items())]
    held = [f"{name} in {count} resource instances" for name, count in sorted(finalizers.items())]
    return {
        "phase": "Terminating",
        "conditions": [
            condition(
                before,
                "NamespaceContentRemaining",
                "True" if content else "False",
                "SomeResourcesRemain" if content else "ContentRemoved",
                f"Some resources are remaining: {', '.join(content)}"
                if content
                else "All content successfully removed",
            ),
            condition(
                before,
                "NamespaceFinalizersRemaining",
                "True" if held else "False",
                "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
                f"Some content in the namespace has finalizers remaining: {', '.join(held)}"
                if held
                else "All content-preserving finalizers finished",
            ),
        ],
    }
