"""Signs the personas of a preview in, before its tests begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gatehouse.core.errors import EnvironmentProblem, GatehouseError
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.core.settings import Target
from gatehouse.preview.journeys.findings import origin_of
from gatehouse.preview.personas.credentials import CredentialReader, SecretReader
from gatehouse.preview.personas.sign_in import SignIn
from gatehouse.preview.personas.store import PersonaStore, private_folder
from gatehouse.preview.route import Route


def open_store(
    folder: Path, settings: PreviewSettings, urls: Mapping[str, str], learn: Callable[[str], None]
) -> PersonaStore:
    """The personas of the preview at `urls`, kept in `folder`; `learn` is told their secrets."""
    assert settings.sign_in, "personas are not accepted without it"
    own = {origin_of(url) for url in urls.values()}
    address = urls.get(settings.sign_in.url, "").rstrip("/")
    sign_in = SignIn(settings.sign_in, address, own, Route(settings.addresses, settings.tls))
    return PersonaStore(folder, settings.personas, sign_in, learn)


def prepare_personas(
    target: Target, environment: Mapping[str, Any], clients: ExitStack, learn: Callable[[str], None]
) -> tuple[PersonaStore, dict[str, GatehouseError | None]]:
    """Sign all personas in; the store, which is gone with `clients`, and why somebody could not sign in, by name.

    `learn` is told their secrets.
    """
    settings = target.preview
    assert settings, "checked before the run"
    folder = clients.enter_context(private_folder())
    store = open_store(folder, settings, environment["urls"], learn)
    reader = CredentialReader(environment["number"], environment["commit"], _secret_reader(target, clients))
    return store, store.sign_in_all(reader)


def _secret_reader(target: Target, clients: ExitStack) -> SecretReader | None:
    assert target.preview
    sources = (
        each for persona in target.preview.personas.values() for each in (persona.username, persona.password)
    )
    if target.kubernetes is None or all(each.secret is None for each in sources):
        return None
    from gatehouse.kube.client import SECRETS, Cluster

    try:
        cluster = clients.enter_context(Cluster(target.kubernetes.kubeconfig, target.kubernetes.context))
    except EnvironmentProblem as error:
        return _refusing(error)
    return lambda name, namespace: cluster.get(SECRETS, name, namespace)


def _refusing(error: EnvironmentProblem) -> SecretReader:
    def refuse(_name: str, _namespace: str) -> Mapping[str, Any] | None:
        raise error

    return refuse
