"""What goes wrong with commands in workspaces, and with the start of a task."""

from __future__ import annotations

import io
import tarfile

from gatehouse.embedded.code_host.accounts import Account
from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.seed import BOT
from gatehouse.embedded.systems import Systems


@scenario("kubernetes")
def command_stream_cut(systems: Systems) -> None:
    """The streams of the first two commands in pods are cut as soon as something was printed; the commands go on."""
    systems.kubelet.exec_faults.cuts = 2


@scenario("kubernetes")
def command_without_status(systems: Systems) -> None:
    """Commands in pods end without a status, as behind some proxies, so the API server tells no exit code."""
    systems.kubelet.exec_faults.without_status = 1_000_000


@scenario("kubernetes")
def pod_evicted(systems: Systems) -> None:
    """A second after the first command was started in a pod, the node lacks memory and evicts the pod."""
    systems.kubelet.exec_faults.evicts_after = 1.0


@scenario("coder")
def agent_late(systems: Systems) -> None:
    """Coder has given up on the agent (`timeout`) when it connects after all, half a second later."""
    systems.agents.faults.connects_after = 0.5


@scenario("coder")
def build_hangs(systems: Systems) -> None:
    """Start builds run for ever: Terraform still creates."""
    systems.provisioner.faults.hanging = "start"


@scenario("coder")
def command_script_missing(systems: Systems) -> None:
    """The task's template has the parameter for the command, and no start script that runs it."""
    for template in systems.database.templates.values():
        for version in template.versions:
            version.scripts = [each for each in version.scripts if each.display_name != "Command"]


@scenario("code host")
def bot_is_admin(systems: Systems) -> None:
    """The user as whom tasks push is an administrator of the repository."""
    _bot(systems)[1].role = "admin"


@scenario("code host")
def bot_scopes_too_wide(systems: Systems) -> None:
    """The token with which tasks push may also delete repositories and change workflows."""
    _bot(systems)[1].scopes = ("repo", "workflow", "delete_repo")


@scenario("code host")
def bot_may_not_push(systems: Systems) -> None:
    """The user as whom tasks push may only read the repository."""
    _bot(systems)[1].role = "pull"


@scenario("code host")
def bot_token_revoked(systems: Systems) -> None:
    """The code host no longer takes the token with which tasks push."""
    del systems.code_host_accounts.by_token[_bot(systems)[0]]


@scenario("code host")
def default_branch_unprotected(systems: Systems) -> None:
    """Everybody who may push may push to the default branch."""
    systems.code_host_accounts.protected.clear()


@scenario("coder")
def bot_token_in_log(systems: Systems) -> None:
    """Start scripts print how they sign in to the code host, in base64 as it is sent."""
    sent = "printf 'x-access-token:%s' \"${GH_TOKEN:-}\" | base64 | tr -d '\\n'"
    systems.agents.faults.script_prefix = f'echo "Authorization: Basic $({sent})"\n'


@scenario("coder")
def bot_token_in_template(systems: Systems) -> None:
    """The source of templates holds the token with which tasks push."""
    token, _ = _bot(systems)
    for template in systems.database.templates.values():
        for version in template.versions:
            content = f'variable "bot_token" {{ default = "{token}" }}\n'.encode()
            member = tarfile.TarInfo("variables.tf")
            member.size = len(content)
            archive = io.BytesIO(version.archive)
            with tarfile.open(fileobj=archive, mode="a") as files:
                files.addfile(member, io.BytesIO(content))
            version.archive = archive.getvalue()


def _bot(systems: Systems) -> tuple[str, Account]:
    """The token and the account with which tasks push."""
    accounts = systems.code_host_accounts.by_token.items()
    return next((token, account) for token, account in accounts if account.login == BOT)
