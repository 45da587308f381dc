"""Whether this process is in a pod of a Kubernetes cluster, and where the pod's own credentials are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: Names the folder where a pod mounts its token in another place than the usual one.
FOLDER_VARIABLE = "GATEHOUSE_SERVICE_ACCOUNT"

#: Where Kubernetes mounts a service account: the files `token`, `ca.crt` and `namespace`.
USUAL_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")

#: What Kubernetes tells every container about its own API.
API_VARIABLES = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


def service_account_folder(environment: Mapping[str, str], usual: Path = USUAL_FOLDER) -> Path | None:
    """The folder with the token of the service account that this process runs as.

    None outside of a cluster, and in a pod that is given no token: from there, the cluster cannot be looked at.
    """
    if not all(environment.get(name) for name in API_VARIABLES):
        return None
    folder = Path(environment.get(FOLDER_VARIABLE) or usual)
    return folder if all((folder / name).is_file() for name in ("token", "ca.crt")) else None
