"""What usually breaks when Coder is upgraded, to be named beside a failure: a table, and a pure look-up.

Sources: the issues and pull requests of coder/coder that each row names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Regression:
    """A class of regressions. `tests` and `words` are patterns of the ids of tests, and of what failures say.

    What `unless` finds in a failure's words speaks against the class.
    `issues` are issues and pull requests of coder/coder, unless they name another repository.
    """

    name: str
    title: str
    issues: tuple[str, ...]
    next_step: str
    tests: str
    words: str = ""
    unless: str = ""

    @property
    def links(self) -> list[str]:
        """Where to read about it."""
        return [_link(each) for each in self.issues]


REGRESSIONS = (
    Regression(
        "migration",
        "the database migration did not end, or the liveness probe killed it",
        ("21309", "20764", "10781", "17597"),
        "kubectl logs of the newest Coder pod, also --previous; scale to one replica, give the probe more time",
        r"test_control_plane|test_consistency",
        r"migrat|schema|restart|CrashLoop|rollout|no migration found",
        unless=r"OOMKilled",
    ),
    Regression(
        "mixed-replicas",
        "replicas of several versions answer behind one address",
        ("4606",),
        "kubectl rollout status deployment/coder; look for pods of the old ReplicaSet and for a second deployment",
        r"test_control_plane",
        r"several versions|another version|replica",
    ),
    Regression(
        "existing-workspaces",
        "Terraform or a provider refuses the state of workspaces that existed before",
        ("20533", "21719"),
        "read the build log of the canary; pin the provider, or update the template before workspaces are started",
        r"test_upgrade",
        r"Unexpected Identity Change|terraform|provider|state|build failed",
    ),
    Regression(
        "agent-association",
        "the agent is not found among the resources of the build",
        ("13342",),
        "read the resources of the build: does one hold the agent? Import the template again",
        r"test_workspace|test_upgrade|test_control_plane",
        r"no agent(?! yet)|not associated|agent_id|made no agent",
    ),
    Regression(
        "agent-never-connects",
        "the agent never connects, or with an outdated token",
        ("28759", "13248", "12129", "2970"),
        "read the pod's log; can the pod reach the access URL, and does the agent's token belong to the latest build?",
        r"test_workspace|test_upgrade",
        r"connecting|timeout|non-latest build|no agent yet|never",
        unless=r"for the stage (queue|build|schedule|wait for a node|pull)\b|cannot be pulled",
    ),
    Regression(
        "old-agents",
        "agents that ran before the upgrade lost their connection",
        ("6229", "6767"),
        "restart one such workspace; if that helps, tell their owners before they notice",
        r"test_upgrade",
        r"running canary|disconnected|still connected",
    ),
    Regression(
        "agent-flaps",
        "agents become unhealthy a while after they were ready",
        ("17150",),
        "watch the agent for a minute with `coder show`; read its log for reconnects",
        r"test_workspace|test_upgrade",
        r"still ready|no longer ready|flap|after a hold",
    ),
    Regression(
        "websocket",
        "WebSockets do not go through the ingress",
        ("16892", "12975"),
        "look at the ingress: Upgrade headers, idle time-outs, HTTP/2 settings",
        r"test_control_plane|test_edge|test_workspace|test_upgrade",
        r"websocket|upgraded to|EWS|EACS|/debug/ws|/pty|/derp-map|/watch-ws",
    ),
    Regression(
        "relay",
        "the relays (DERP) or the proxy are not reached",
        ("8699", "7173", "8532"),
        "coder netcheck; is /derp let through the ingress, and the relay map what it was?",
        r"test_control_plane|test_workspace|test_edge|test_upgrade",
        r"DERP|relay|STUN|latency|proxy region",
    ),
    Regression(
        "web-editor",
        "the web editor is blank or answers 502",
        ("6746", "12292"),
        "in the workspace: is code-server running, for this processor (uname -m), and on the port of the app?",
        r"test_workspace|test_upgrade|test_editor",
        r"\b502\b|code-server|web editor|static asset|blank",
        unless=r"start scripts ended",
    ),
    Regression(
        "app-addresses",
        "apps are served under other addresses than before",
        ("11754",),
        "compare the wildcard access URL and VSCODE_PROXY_URI with those before the upgrade",
        r"test_upgrade|test_edge|test_workspace",
        r"hostnames|wildcard|subdomain|path apps",
    ),
    Regression(
        "jobs-pending",
        "provisioner jobs stay pending for ever",
        ("15428", "8247", "9399"),
        "compare the tags of the template with those of the provisioner daemons that are online",
        r"test_control_plane|test_workspace|test_upgrade|test_identity",
        r"provisioner daemon|pending|matched_provisioners|tags|EPD\d",
    ),
    Regression(
        "parameters",
        "the parameters of a template no longer let existing workspaces stop, start or be deleted",
        ("17926", "18482"),
        "give the parameter back its type and a default, publish, and update the workspaces",
        r"test_upgrade|test_workspace",
        r"parameter|validation",
    ),
    Regression(
        "unpinned",
        "modules, providers or images that are not pinned changed with the new version",
        ("17555",),
        "import the template version again, and pin what it fetches",
        r"test_control_plane|test_workspace",
        r"import|module|registry\.terraform|Failed to query available provider|template version",
    ),
    Regression(
        "removed-calls",
        "calls of the API have moved or are gone",
        ("coder/coder-logstream-kube#30", "28789", "28496", "28632"),
        "run the contract check against the swagger.json of the new version; update what still uses the old calls",
        r".",
        r"does not have the expected shape|no such call|\b404\b|\b410\b",
    ),
)


MIGRATION = REGRESSIONS[0]

#: The types of failures that say only that Coder gave no answer of its own, whatever was asked: it is down, or
#: something stands in front of it.
SILENCE = frozenset(
    {
        "Unreachable",
        "NotConnected",
        "LostAnswer",
        "Transient",
        "RateLimited",
        "CertificateProblem",
        "Redirected",
        "ServerFault",
    }
)

#: The types of failures that are about a token, a right or a tool on this side, and so like no regression.
THIS_SIDE = frozenset(
    {
        "AuthenticationError",
        "TokenExpired",
        "TokenUnknown",
        "PermissionDenied",
        "EnvironmentProblem",
        "NotInstalled",
        "SettingsError",
    }
)

#: What a server says that is migrating its database, or had no time to.
_MIGRATING = re.compile(r"migrat|schema|no migration found", re.IGNORECASE)


def likely(test: str, words: str, kind: str = "", *, silent: bool = False) -> Regression | None:
    """The class that a failure of the test `test` (its id) with these words most likely belongs to.

    `kind` is the type of the failure, `silent` whether Coder was found to be dead in the same run: what was asked of
    it then says nothing about itself, and only a migration explains it. Otherwise the class with most matching words
    wins; of equals the one that comes first.
    """
    if kind in THIS_SIDE:
        return None
    if silent or kind in SILENCE:
        return MIGRATION if _MIGRATING.search(words) else None
    best, most = None, 0
    for regression in REGRESSIONS:
        if not re.search(regression.tests, test):
            continue
        if regression.unless and re.search(regression.unless, words):
            continue
        found = {each.lower() for each in re.findall(regression.words, words, re.IGNORECASE) if each}
        if len(found) > most:
            best, most = regression, len(found)
    return best


def _link(issue: str) -> str:
    repository, _, number = issue.rpartition("#")
    return f"https://github.com/{repository or 'coder/coder'}/issues/{number}"
