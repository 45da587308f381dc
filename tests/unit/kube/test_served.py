import pytest

from gatehouse.core.errors import NotFound, PermissionDenied
from gatehouse.kube.client import EXTERNAL_SECRETS
from gatehouse.kube.gateways import matches_any
from gatehouse.kube.served import list_served


class Cluster:
    """Serves some paths, refuses one, and knows no other."""

    def __init__(self, served, refused=""):
        self.served, self.refused = served, refused

    def list_all(self, kind, namespace=None):
        if kind.path == self.refused:
            raise PermissionDenied("no")
        if kind.path not in self.served:
            raise NotFound(f"no {kind.path}")
        return [(kind.path, namespace)]


NEW, OLD = "apis/external-secrets.io/v1", "apis/external-secrets.io/v1beta1"


def test_the_newest_version_that_is_served_counts():
    assert list_served(Cluster({NEW, OLD}), EXTERNAL_SECRETS, ["v1beta1"], "coder") == [(NEW, "coder")]
    assert list_served(Cluster({OLD}), EXTERNAL_SECRETS, ["v1beta1"]) == [(OLD, None)]


def test_a_kind_that_is_not_served_in_any_version_is_not_found_by_its_own():
    with pytest.raises(NotFound, match=r"external-secrets\.io/v1$"):
        list_served(Cluster(set()), EXTERNAL_SECRETS, ["v1beta1"])


def test_a_version_that_may_not_be_listed_is_not_passed_over():
    with pytest.raises(PermissionDenied):
        list_served(Cluster({OLD}, refused=NEW), EXTERNAL_SECRETS, ["v1beta1"])


def test_names_are_chosen_by_patterns():
    assert matches_any("coder-db", ["coder*"])
    assert not matches_any("www", ["coder*", "auth"])
