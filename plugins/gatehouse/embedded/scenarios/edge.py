"""What goes wrong between a hostname and the pods behind it."""

from __future__ import annotations

from gatehouse.embedded.ingress import OldPods, Outage, Window
from gatehouse.embedded.kubernetes.kinds import DEPLOYMENT, GATEWAY, NAMESPACE, SERVICE
from gatehouse.embedded.kubernetes.networking import GATEWAY_NAME, GATEWAY_NAMESPACE
from gatehouse.embedded.scenarios import steps
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import DOMAIN, PULL_REQUEST
from gatehouse.embedded.systems import IMAGES, Systems

SITE = f"www-pr-{PULL_REQUEST}.{DOMAIN}"


@scenario("ingress")
def edge_down(systems: Systems) -> None:
    """The gateway answers 503 for the preview's public site."""
    systems.ingress.faults.down[SITE] = Outage(503, "upstream connect error or disconnect/reset")


@scenario("ingress")
def gateway_timeout(systems: Systems) -> None:
    """The gateway answers 504 for the preview's public site, for a second after it is first asked."""
    systems.ingress.faults.down[SITE] = Outage(504, "upstream request timeout", Window(1.0))


@scenario("ingress")
def no_endpoints(systems: Systems) -> None:
    """The public site's Service selects no pod: pods are healthy, and the gateway has nowhere to go."""
    steps.edit(systems, "previews/www/service.yaml", "selector: {app: www}", "selector: {app: web}")


@scenario("ingress")
def route_not_accepted(systems: Systems) -> None:
    """The gateway listens for the public site's hostname only, so the other service's route is not accepted."""
    gateway = systems.store.get(GATEWAY, GATEWAY_NAMESPACE, GATEWAY_NAME)
    gateway["spec"]["listeners"][0]["hostname"] = SITE
    systems.store.update(GATEWAY, gateway)


@scenario("ingress")
def old_pods_served(systems: Systems) -> None:
    """For two seconds after it is first asked, the gateway leads every second request to the base commit's pod."""
    main = systems.shop.repository.resolve("main")
    digest = systems.registry.tags(f"{IMAGES}/www")[main].digest
    container = {
        "name": "www",
        "image": f"{IMAGES}/www@{digest}",
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
    }
    template = {"metadata": {"labels": {"app": "www"}}, "spec": {"containers": [container]}}
    deployment = {"replicas": 1, "selector": {"matchLabels": {"app": "www"}}, "template": template}
    service = {"selector": {"app": "www"}, "ports": [{"port": 80, "targetPort": 8080}]}
    systems.store.create(NAMESPACE, {"metadata": {"name": "base"}})
    systems.store.create(DEPLOYMENT, {"metadata": {"name": "www"}, "spec": deployment}, "base")
    systems.store.create(SERVICE, {"metadata": {"name": "www"}, "spec": service}, "base")
    systems.ingress.faults.old[SITE] = OldPods("base", "www", Window(2.0))


@scenario("ingress")
def hostname_unresolved(systems: Systems) -> None:
    """The configured address of one service is at a hostname that does not resolve."""
    systems.preview_domains["platform"] = "preview.invalid"


@scenario("ingress", https=["preview"])
def self_signed_certificate(_systems: Systems) -> None:
    """The previews are served over HTTPS, with a certificate of an authority that clients do not know."""
