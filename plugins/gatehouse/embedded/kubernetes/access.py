"""Who may do what in the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.embedded.kubernetes.store import ApiError


@dataclass(frozen=True)
class Rule:
    """What is allowed; `*` stands for all. `resources` may name a subresource, such as `pods/exec`."""

    verbs: frozenset[str]
    resources: frozenset[str]
    namespaces: frozenset[str] = frozenset("*")

    def allows(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether this rule covers the request; `namespace` is empty for cluster-wide ones."""
        return (
            bool({"*", verb} & self.verbs)
            and bool({"*", resource} & self.resources)
            and bool({"*", namespace} & self.namespaces)
        )


def rule(verbs: str, resources: str, namespaces: str = "*") -> Rule:
    """A rule from words separated by spaces."""
    return Rule(frozenset(verbs.split()), frozenset(resources.split()), frozenset(namespaces.split()))


EVERYTHING = (rule("*", "*"),)


@dataclass
class Identity:
    """A user or service account. `denials` are taken out of what `rules` allow."""

    name: str
    rules: tuple[Rule, ...] = ()
    denials: tuple[Rule, ...] = ()

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether the request is allowed."""
        if any(each.allows(verb, resource, namespace) for each in self.denials):
            return False
        return any(each.allows(verb, resource, namespace) for each in self.rules)

    def require(self, verb: str, group: str, resource: str, namespace: str, name: str = "") -> None:
        """Raise the API server's 403 unless the request is allowed."""
        if self.may(verb, resource, namespace):
            return
        what = f'{resource} "{name}"' if name else resource
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        raise ApiError(
            403,
            "Forbidden",
            f'{what} is forbidden: User "{self.name}" cannot {verb} resource "{resource}" '
            f'in API group "{group}" {where}',
        )
