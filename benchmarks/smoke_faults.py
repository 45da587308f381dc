"""The faults of the detection matrix: for each the test that is to find it, and words that a red test is about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatehouse.smoke.regressions import REGRESSIONS as REGRESSION_CLASSES


@dataclass(frozen=True)
class Fault:
    """`words` is a pattern; `source` says which row of which list it stands for."""

    test: str
    words: str
    source: str
    upgrade: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    #: Seconds until the cluster shows it.
    settle_seconds: float = 0.0
    #: The classes of regressions that its red tests may be likened to.
    like: frozenset[str] = frozenset()


def _regression(number: int, test: str, words: str, **settings: object) -> Fault:
    like = frozenset({REGRESSION_CLASSES[number - 1].name})
    return Fault(test, words, f"upgrade {number}", upgrade=True, settings=settings, like=like)


def _incident(
    number: str, test: str, words: str, settle: float = 0.0, like: str = "", **settings: object
) -> Fault:
    return Fault(
        test,
        words,
        f"incident {number}",
        settings=settings,
        settle_seconds=settle,
        like=frozenset(like.split()),
    )


READY = "test_it_becomes_ready_within_the_budget_of_each_stage"

#: The fifteen most frequent regressions of upgrades, in the order of `gatehouse.smoke.regressions`.
REGRESSIONS = {
    "migration-stuck": _regression(
        1, "test_the_database_has_its_users", "503|migrated|Coder is not available"
    ),
    "replicas-mixed": _regression(2, "test_all_replicas_serve_the_same", r"v2\.36\.0|several versions"),
    "existing-workspaces-refused": _regression(3, "test_the_stopped_canary_starts", "Unexpected Identity"),
    "agents-not-associated": _regression(4, "test_each_template_still_has_an_agent", "no agent"),
    "agent-never-connects": _regression(
        5, READY, "never|init|connecting", budgets={"init_seconds": 2}, workspace_timeout_seconds=5
    ),
    "old-agents-disconnected": _regression(6, "test_the_agent_of_the_running_canary", "disconnected"),
    "agent-flapping": _regression(
        7, "test_its_agent_is_still_ready_after_a_while", "no longer ready|disconnected|not connected"
    ),
    "websockets-refused": _regression(
        8, "test_a_websocket_goes_through_in_both_directions", "websocket|400|EWS|upgrade"
    ),
    "relays-unreachable": _regression(9, "test_agents_are_told_of_relays", "relay|derp"),
    "editor-dead": _regression(
        10, "test_it_says_that_it_is_healthy", "502|blank|editor|WebSocket", app_timeout_seconds=3
    ),
    "app-addresses-changed": _regression(11, "[hostnames]", r"apps\.example\.com"),
    "provisioner-offline": _regression(
        12,
        "test_a_provisioner_of_the_servers_version_is_online",
        "provisioner|EPD01|matched",
        teardown_timeout_seconds=2,
    ),
    "parameters-drifted": _regression(13, "[templates]", "parameter|region"),
    "template-import-failed": _regression(
        14, "test_the_active_version_of_each_template_was_imported", "registry.terraform.io|import"
    ),
    "calls-removed": _regression(15, "test_apps_are_served_somewhere", "404|no such call"),
}

#: Twenty of the incidents of the first user's platform, by their rows.
INCIDENTS = {
    "editor-other-architecture": _incident(
        "1", "test_it_says_that_it_is_healthy", "502|blank|another", like="web-editor", app_timeout_seconds=3
    ),
    "database-reset": _incident(
        "2, 3", "test_the_database_has_its_users", "first user|token|template|401|database|users|set-up"
    ),
    "coder-secret-missing": _incident(
        "7",
        "test_every_secret_that_coder_needs_from_a_vault_is_ready",
        "secret|coder-|no ready endpoint",
        settle=2,
    ),
    "second-workspace-fails": _incident(
        "9", "test_a_second_one_can_be_made_while_the_first_is_there", "already exists"
    ),
    "rbac-escalation": _incident("10", READY, "RBAC|more rights"),
    "tool-not-authenticated": _incident(
        "11", "test_its_tools_are_authenticated_without_a_human_step", "not logged into"
    ),
    "workspace-unknown-to-coder": _incident(
        "15", "test_every_workspace_in_the_cluster_is_known", "Coder has no workspace"
    ),
    "hairpin": _incident("16", "inside", "hairpin|times? out|timed out|inside"),
    "name-unknown-inside": _incident("17", "inside", "inside|unknown|resolve|not known"),
    "alias-without-endpoints": _incident("19", "", "endpoint|selects|ready pod"),
    "vendor-certificate": _incident("21", "", "certificate"),
    "nothing-listens": _incident("23", "", "listens|refused|connect"),
    "coder-out-of-memory": _incident("25", "restarted", "OOMKilled", settle=2),
    "redirect-refused": _incident("27", "", "redirect"),
    "vault-sealed-later": _incident(
        "33", "test_every_secret_that_coder_needs_from_a_vault_is_ready", "sealed", settle=2
    ),
    "workspace-image-rate-limited": _incident(
        "34", READY, "429|pull", budgets={"pull_seconds": 1.5}, workspace_timeout_seconds=5
    ),
    "workspace-image-wrong-architecture": _incident("35", READY, "platform|architecture|pulled"),
    "old-pods-of-coder-serve": _incident("37", "", "ReplicaSet|revision|rollout|old|coder/coder-", settle=2),
    "coder-logs-forbidden": _incident(
        "38", "test_coders_recent_logs_are_free_of_noise", "forbidden|cannot list"
    ),
    "helper-without-node": _incident(
        "41", "", "Unschedulable|no node|Insufficient|Pending|untolerated", settle=2
    ),
}
