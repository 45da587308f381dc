"""With which credentials a cluster is asked: those of a kubeconfig, or of the pod's own service account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.service_account import service_account_folder

#: Names kubeconfig files, as kubectl knows it; and where kubectl looks without it.
KUBECONFIG_VARIABLE = "KUBECONFIG"
USUAL_KUBECONFIG = Path(".kube/config")


def load_configuration(kubeconfig: Path | None, context: str | None) -> Any:
    """The official client's configuration.

    From `kubeconfig`, else from KUBECONFIG or, for a `context`, from ~/.kube/config, else from the service account
    of this pod, whose token is read again as Kubernetes rotates it, else from ~/.kube/config. Raises
    `EnvironmentProblem` when none of them is there or usable.
    """
    import kubernetes
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    configuration = kubernetes.client.Configuration()
    configuration.retries = False
    account = _own_account(kubeconfig, context, os.environ)
    try:
        if account:
            loader = InClusterConfigLoader(str(account / "token"), str(account / "ca.crt"))
            loader.load_and_set(configuration)
        else:
            # Named each time: the library looks at KUBECONFIG, which may list several files, only when it is imported.
            usual = os.environ.get(KUBECONFIG_VARIABLE) or str(Path.home() / USUAL_KUBECONFIG)
            kubernetes.config.load_kube_config(
                config_file=str(kubeconfig or usual), context=context, client_configuration=configuration
            )
    except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # A file that is no kubeconfig trips the library in all of these ways.
        raise EnvironmentProblem(
            "no usable Kubernetes configuration",
            seen=f"{type(error).__name__}: {error}",
            where=str(kubeconfig or account or "KUBECONFIG, service account, ~/.kube/config"),
            next_step="set KUBECONFIG, or kubernetes.kubeconfig in gatehouse.yaml",
        ) from error
    return configuration


def is_there_any(
    kubeconfig: Path | None, context: str | None, environment: Mapping[str, str], home: Path
) -> bool:
    """Whether there is anything to load: something is named, or one of the usual places holds something."""
    named = kubeconfig or context or environment.get(KUBECONFIG_VARIABLE)
    return bool(named or _own_account(None, None, environment) or (home / USUAL_KUBECONFIG).exists())


def _own_account(kubeconfig: Path | None, context: str | None, environment: Mapping[str, str]) -> Path | None:
    """The folder of this pod's service account, unless somebody named another identity."""
    if kubeconfig or context or environment.get(KUBECONFIG_VARIABLE):
        return None
    return service_account_folder(environment)
