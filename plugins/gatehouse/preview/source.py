"""Whom a target lets be asked about Applications: Argo CD's API, or the cluster that holds the objects."""

from __future__ import annotations

import contextlib

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.cluster import ClusterApplications
from gatehouse.argocd.source import ApplicationSource
from gatehouse.argocd.token import TokenSource
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.settings import ArgoCDSettings, KubernetesSettings, Target
from gatehouse.kube.client import Cluster


def open_source(target: Target, stack: contextlib.ExitStack) -> tuple[ApplicationSource, str]:
    """The source, closed with `stack`, and a line saying which it is and why where that is not obvious.

    Argo CD's API where the target names its server and there is a token; else the Kubernetes API, if the target has
    a cluster. Raises `EnvironmentProblem` where there is neither.
    """
    argocd = target.argocd or ArgoCDSettings()
    if argocd.server is None:
        if target.kubernetes is None:
            raise EnvironmentProblem(
                "there is nobody to ask about the preview's Applications",
                expected="argocd.server and a token, or a kubernetes section for the cluster Argo CD runs in",
                next_step="set ARGOCD_SERVER and ARGOCD_AUTH_TOKEN, or add the section to gatehouse.yaml",
            )
        return _cluster(target.kubernetes, argocd, stack), "Applications are read through the Kubernetes API"
    try:
        token = TokenSource(argocd.token.read)
    except EnvironmentProblem as error:
        if target.kubernetes is None or argocd.token.env is None:
            raise  # a file that is named and cannot be read is a mistake, and not a choice
        why = f"Applications are read through the Kubernetes API, because {error.summary}"
        try:
            return _cluster(target.kubernetes, argocd, stack), why
        except EnvironmentProblem as other:
            error.seen = (
                f"{error.seen}; and the cluster cannot be asked instead: {other.summary} ({other.seen})"
            )
            raise error from other
    return stack.enter_context(ArgoCDClient(argocd.server, token)), ""


def _cluster(
    settings: KubernetesSettings, argocd: ArgoCDSettings, stack: contextlib.ExitStack
) -> ClusterApplications:
    cluster = stack.enter_context(Cluster(settings.kubeconfig, settings.context))
    return ClusterApplications(cluster, namespace=argocd.namespace)
