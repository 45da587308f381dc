"""What breaks when Coder is upgraded: one scenario for each of the most frequent regressions.

Each can also hold from the start; those about workspaces that exist then have nothing to break.
Sources: the issues and pull requests of coder/coder that `gatehouse.smoke.regressions` names.
"""

from __future__ import annotations

import json

from gatehouse.embedded.coder.faults import Instead
from gatehouse.embedded.coder.records import Parameter, TemplateVersion
from gatehouse.embedded.coder.upgrade import existing
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems

_MIGRATING = json.dumps({"message": "Service is unavailable: the database is being migrated."})
_GONE = json.dumps({"message": "Route not found."})


@scenario("coder")
def migration_stuck(systems: Systems) -> None:
    """The migration of the database does not end: everything is answered with 503."""
    systems.coder.faults.instead.append(Instead(".*", "/api/v2/.*", 503, _MIGRATING))


@scenario("coder")
def migration_slow(systems: Systems) -> None:
    """The migration ends after a while: the first requests are answered with 503, and then all is well."""
    systems.coder.faults.instead.append(Instead(".*", "/api/v2/.*", 503, _MIGRATING, times=4))


@scenario("coder")
def replicas_mixed(systems: Systems) -> None:
    """A replica of the old version still answers, in turn with the new one."""
    systems.coder.deployment.replicas.append("v2.36.0+embedded")


@scenario("coder")
def existing_workspaces_refused(systems: Systems) -> None:
    """Terraform refuses the state of workspaces that exist; new ones are fine."""
    words = (
        "Unexpected Identity Change: During the read operation, the Terraform Provider unexpectedly returned"
    )
    systems.provisioner.faults.errors_of |= dict.fromkeys(existing(systems), words)


@scenario("coder")
def agents_not_associated(systems: Systems) -> None:
    """New builds have no agent among their resources, and imports of templates find none."""
    systems.provisioner.faults.no_agents = True


@scenario("coder")
def old_agents_disconnected(systems: Systems) -> None:
    """Agents that ran before the upgrade have lost their connection and do not find back."""
    for _, build, agent in systems.database.agents():
        if build.transition == "start" and agent.status == "connected":
            agent.status, agent.cut = "disconnected", True
    systems.database.touch()


@scenario("coder")
def websockets_refused(systems: Systems) -> None:
    """The ingress does not let WebSockets through."""
    page = "<html><head><title>400 Bad Request</title></head><body>nginx</body></html>"
    sockets = "/api/v2/(debug/ws|derp-map|workspaceagents/[^/]+/pty|workspaces/[^/]+/watch-ws)"
    systems.coder.faults.instead.append(Instead("GET", sockets, 400, page, "text/html"))
    systems.coder.deployment.health.sections["websocket"] = (
        "error",
        "EWS01",
        "failed to dial: 400 Bad Request",
    )


@scenario("coder")
def relays_unreachable(systems: Systems) -> None:
    """The relay map is empty, and the health report says that no relay is healthy."""
    systems.coder.deployment.no_relays = True
    systems.coder.deployment.health.sections["derp"] = ("error", "EDERP02", "node is unhealthy")


@scenario("coder")
def app_addresses_changed(systems: Systems) -> None:
    """Apps are served under another address than before."""
    systems.coder.deployment.app_url = "https://apps.example.com"


@scenario("coder")
def parameters_drifted(systems: Systems) -> None:
    """A template's new version demands a parameter, and existing workspaces can neither start, stop nor be deleted."""
    refusal = json.dumps(
        {
            "message": "Unable to validate parameters",
            "validations": [{"field": "region", "detail": "Required parameter not provided"}],
        }
    )
    for workspace in existing(systems):
        path = f"/api/v2/workspaces/{workspace}/builds"
        systems.coder.faults.instead.append(Instead("POST", path, 400, refusal))
    for template in systems.database.templates.values():
        old = template.active
        version = TemplateVersion(**{**vars(old), "id": old.id[:-4] + "beef", "name": f"{old.name}.1"})
        version.parameters = [*old.parameters, Parameter("region", "Where to run")]
        template.versions.append(version)
        template.active_version_id = version.id


@scenario("coder")
def template_import_failed(systems: Systems) -> None:
    """The active version of a template could not be imported: a module that is not pinned is gone."""
    job = systems.database.templates[next(iter(systems.database.templates))].active.job
    job.status, job.error_code = "failed", "TEMPLATE_IMPORT"
    job.error = (
        "terraform init: Error: Failed to query available provider packages: registry.terraform.io: 404"
    )


@scenario("coder")
def calls_removed(systems: Systems) -> None:
    """Calls that the suites make have moved: they are answered with 404."""
    systems.coder.faults.instead.append(Instead("GET", "/api/v2/regions", 404, _GONE))


@scenario("coder")
def health_dismissed(systems: Systems) -> None:
    """An administrator dismissed a section of the health report that is bad."""
    health = systems.coder.deployment.health
    health.sections["websocket"] = ("error", "EWS03", "message was not echoed")
    health.dismissed.add("websocket")


@scenario("coder")
def token_limited(systems: Systems) -> None:
    """The harness's user is no Owner: the health report, users and daemons are not for it to see."""
    for user in systems.database.tokens.values():
        user.roles = ()


@scenario("coder")
def proxy_page(systems: Systems) -> None:
    """A sign-in page of a proxy answers in Coder's place, with 200."""
    page = "<!doctype html><title>Sign in</title><form action=/login></form>"
    systems.coder.faults.instead.append(Instead(".*", "/.*", 200, page, "text/html"))
