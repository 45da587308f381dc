"""What goes wrong on the way to canonical names, from inside the cluster and from outside."""

from __future__ import annotations

from typing import Any

from gatehouse.embedded.control_plane import NAMESPACE
from gatehouse.embedded.kubernetes.kinds import SERVICE
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import IDENTITY_HOST, ORCHESTRATOR_HOST
from gatehouse.embedded.systems import Systems


def _add_name(systems: Systems, name: str, **settings: Any) -> None:
    systems.smoke_changes.append(lambda smoke: smoke["edge"]["names"].update({name: settings}))


@scenario("ingress")
def name_unknown_inside(systems: Systems) -> None:
    """The cluster's DNS does not know the identity provider's name, which resolves outside."""
    systems.network.unresolvable.add(IDENTITY_HOST)


@scenario("ingress")
def hairpin(systems: Systems) -> None:
    """The orchestrator's name leads pods to its public address, where connections from inside time out."""
    systems.network.lost.add(ORCHESTRATOR_HOST)

    def change(settings: dict[str, Any]) -> None:
        address = settings["orchestrator"]["url"]
        settings["edge"]["names"]["orchestrator"] = {"url": f"{address}/healthz", "contains": "ok"}

    systems.smoke_changes.append(change)


@scenario("ingress")
def nothing_listens(systems: Systems) -> None:
    """A Gateway says that it is programmed, and nothing listens at one of its names."""
    _add_name(systems, "shop", url="http://shop.preview.localhost:9")


@scenario("ingress")
def alias_without_endpoints(systems: Systems) -> None:
    """A Service beside Coder stands for the identity provider, and selects a gateway that is not there."""
    selector = {"gateway.envoyproxy.io/owning-gateway-name": "gone"}
    spec = {"selector": selector, "ports": [{"name": "https", "port": 443}]}
    systems.store.create(SERVICE, {"metadata": {"name": "auth"}, "spec": spec}, NAMESPACE)


@scenario("ingress", https=["preview"])
def vendor_certificate(systems: Systems) -> None:
    """The edge serves its vendor's own certificate, because the custom domain is not active there."""
    systems.gateway_names = ("*.azurefd.net",)


@scenario("ingress")
def route_missing(systems: Systems) -> None:
    """The edge has no route for one of the names, and answers 404 itself."""

    def change(settings: dict[str, Any]) -> None:
        port = settings["orchestrator"]["url"].rpartition(":")[2]
        settings["edge"]["names"]["modeler"] = {"url": f"http://modeler.preview.localhost:{port}"}

    systems.smoke_changes.append(change)


@scenario("identity")
def redirect_refused(systems: Systems) -> None:
    """The identity provider does not know the address that it is to send people back to."""
    for client in systems.identity.realm.clients.values():
        client.redirect_uris = [r"https://platform\.shop\.example/.*"]


@scenario("ingress")
def orchestrator_page_for_api(systems: Systems) -> None:
    """The orchestrator's edge serves its page for the paths of the API, with status 200."""
    systems.orchestrator.pages_for_api = True
