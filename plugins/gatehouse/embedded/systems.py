"""All systems of the embedded platform, wired together over one store, one registry and one set of timings."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gatehouse.core.processes import ProcessOwner
from gatehouse.embedded.argocd.accounts import Accounts
from gatehouse.embedded.argocd.api import ArgoCDApi
from gatehouse.embedded.argocd.application_sets import ApplicationSetController
from gatehouse.embedded.argocd.applications import ApplicationController
from gatehouse.embedded.certificates import Terms
from gatehouse.embedded.clock import Timings
from gatehouse.embedded.code_host.accounts import Accounts as CodeHostAccounts
from gatehouse.embedded.code_host.api import CodeHostApi
from gatehouse.embedded.code_host.image_builds import ImageBuilds
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.code_host.repositories import Repository
from gatehouse.embedded.code_host.smart_http import SmartHttp
from gatehouse.embedded.coder.agent import Agents
from gatehouse.embedded.coder.api import CoderApi
from gatehouse.embedded.coder.deployment_api import VERSION
from gatehouse.embedded.coder.provisioner import Provisioner
from gatehouse.embedded.coder.records import Database
from gatehouse.embedded.forwarding import Forwarder
from gatehouse.embedded.identity.provider import IdentityProvider
from gatehouse.embedded.ingress import Ingress
from gatehouse.embedded.janitor import NamespaceJanitor
from gatehouse.embedded.kubernetes.api import KubernetesApi
from gatehouse.embedded.kubernetes.controllers import ControllerManager
from gatehouse.embedded.kubernetes.external_secrets import ExternalSecrets
from gatehouse.embedded.kubernetes.kinds import Object
from gatehouse.embedded.kubernetes.kubelet import Kubelet
from gatehouse.embedded.kubernetes.networking import Networking
from gatehouse.embedded.kubernetes.pod_network import PodNetwork
from gatehouse.embedded.kubernetes.store import ObjectStore
from gatehouse.embedded.orchestrator import Orchestrator
from gatehouse.embedded.registry import Registry
from gatehouse.embedded.registry_api import RegistryApi

#: Repositories on the embedded code host.
SHOP, GITOPS = "acme/shop", "acme/gitops"

#: Image repositories of the shop's services are below this.
IMAGES = "registry.preview.localhost/shop"


class Systems:
    """The parts of the platform. Built, seeded and run in one event loop."""

    def __init__(self, folder: Path, timings: Timings, owner: ProcessOwner) -> None:
        self.timings = timings
        self.registry = Registry()
        self.image_registry = RegistryApi(self.registry, IMAGES.split("/")[0])

        self.store = ObjectStore()
        self.kubelet = Kubelet(self.store, self.registry, timings, folder, owner)
        self.external_secrets = ExternalSecrets(self.store)
        self.controllers = ControllerManager(
            self.store,
            self.kubelet,
            timings,
            (Networking(self.store).reconcile, self.external_secrets.reconcile),
        )
        self.network = PodNetwork(self.store)
        self.kubernetes = KubernetesApi(self.store, self.kubelet, self.network, owner)

        git = folder / "git"
        self.shop = Project(Repository.create(git, SHOP))
        self.gitops = Project(Repository.create(git, GITOPS))
        self.projects = {SHOP: self.shop, GITOPS: self.gitops}
        self.builds = ImageBuilds(self.shop, self.registry, IMAGES, timings)
        self.code_host_accounts = CodeHostAccounts()
        self.code_host = CodeHostApi(
            self.projects, SmartHttp(git, self.code_host_accounts, self._pushed), self.code_host_accounts
        )

        self.accounts = Accounts(secrets.token_bytes(32))
        self.application_sets = ApplicationSetController(self.store, self.projects, timings)
        self.applications = ApplicationController(self.store, self.projects, timings)
        self.argocd = ArgoCDApi(self.store, self.accounts, timings, self.kubelet, self.applications.faults)

        self.database = Database()
        self.agents = Agents(self.database, self.store, self.kubelet, timings, owner)
        self.provisioner = Provisioner(self.database, self.store, timings, VERSION, self.agents.start)
        self.agents.provisioner = self.provisioner
        self.forwarder = Forwarder()
        self.coder = CoderApi(self.database, self.provisioner, self.agents, timings, owner, self.forwarder)

        self.ingress = Ingress(self.store, self.kubelet, self.forwarder)
        self.identity = IdentityProvider()
        self.orchestrator = Orchestrator()
        self.janitor = NamespaceJanitor(self.store, timings)
        self.shop.on_event.append(lambda _action, _pull: self.application_sets.on_code_host_event())
        #: Domains that the harness is told of a service's preview in place of the one where it is.
        self.preview_domains: dict[str, str] = {}
        #: ApplicationSets of other shapes, which scenarios put in the place of the usual ones.
        self.variants: dict[str, Object] = {}
        #: Names on the certificate of a gateway that speaks HTTPS, when they are not its own.
        self.gateway_names: tuple[str, ...] = ()
        #: Of Coder's certificate, where it speaks HTTPS.
        self.coder_certificate = Terms()
        #: Changes of the settings with which the smoke suite tests this platform.
        self.smoke_changes: list[Callable[[dict[str, Any]], None]] = []
        #: What else runs for ever, added by scenarios.
        self.background: list[Coroutine[Any, Any, None]] = []

    async def _pushed(self, repository: str) -> None:
        if repository == SHOP:
            self.builds.branches_moved()
        self.projects[repository].pushed()

    async def run(self) -> None:
        """Run every controller until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (
                    self.controllers.run(),
                    self.application_sets.run(),
                    self.applications.run(),
                    self.janitor.run(),
                    *self.background,
                ):
                    group.create_task(loop)
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await self.kubelet.stop()
            await self.forwarder.close()
