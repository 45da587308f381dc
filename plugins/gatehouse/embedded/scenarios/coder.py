"""What goes wrong with Coder and its workspaces."""

from __future__ import annotations

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.systems import Systems


@scenario("coder")
def provisioner_offline(systems: Systems) -> None:
    """No provisioner daemon is connected, so builds stay pending."""
    systems.provisioner.faults.offline = True


@scenario("coder")
def editor_dead(systems: Systems) -> None:
    """Workspaces become ready, but the web editor behind the proxy does not answer."""
    systems.agents.faults.dead_apps = frozenset({"code-server"})


@scenario("coder")
def start_script_fails(systems: Systems) -> None:
    """The workspace's start script ends with exit code 3."""
    systems.agents.faults.script_prefix = "echo 'cannot reach the package mirror' >&2; exit 3\n"


@scenario("coder")
def build_fails(systems: Systems) -> None:
    """Terraform refuses to start workspaces."""
    systems.provisioner.faults.errors["start"] = 'networkpolicies.networking.k8s.io "egress" already exists'


@scenario("coder")
def agent_never_connects(systems: Systems) -> None:
    """The workspace's pod runs, but its agent never calls home."""
    systems.agents.faults.never_connects = True


@scenario("coder")
def database_reset(systems: Systems) -> None:
    """The database came back empty: first-run set-up is open; users, tokens and templates are gone."""
    systems.database.users.clear()
    systems.database.tokens.clear()
    systems.database.templates.clear()
