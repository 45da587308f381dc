"""The embedded cluster made ready for Jobs as an administrator would: what is in deploy/setup, and a Secret."""

from pathlib import Path

import yaml

from gatehouse.embedded.suite_image import REPOSITORY, TAG
from gatehouse.kube.client import NAMESPACES, SECRETS, SERVICE_ACCOUNTS, Cluster, Kind

SETUP = Path(__file__).resolve().parents[2] / "deploy" / "setup"
NAMESPACE = "gatehouse"
IMAGE = f"{REPOSITORY}:{TAG}"

RBAC = "apis/rbac.authorization.k8s.io/v1"
KINDS = {
    "Namespace": NAMESPACES,
    "ServiceAccount": SERVICE_ACCOUNTS,
    "Role": Kind(RBAC, "roles"),
    "ClusterRole": Kind(RBAC, "clusterroles", namespaced=False),
    "ClusterRoleBinding": Kind(RBAC, "clusterrolebindings", namespaced=False),
}


def set_up(platform):
    """Apply deploy/setup, and make the Secret with the token for Coder."""
    files = yaml.safe_load((SETUP / "kustomization.yaml").read_text())["resources"]
    with Cluster(platform.kubeconfig) as cluster:
        for item in (each for file in files for each in yaml.safe_load_all((SETUP / file).read_text())):
            kind = KINDS[item["kind"]]
            cluster.create(kind, NAMESPACE if kind.namespaced else None, item)
        token = {"CODER_SESSION_TOKEN": platform.credentials.coder}
        cluster.create(SECRETS, NAMESPACE, {"metadata": {"name": "gatehouse"}, "stringData": token})
    return platform
