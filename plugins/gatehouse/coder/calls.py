"""Every call that Gatehouse makes to Coder, in one table: no request can be made that is not in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

Item = TypeVar("Item")

API = "/api/v2"

#: Reasons for which a deployment may lack a call without anything being wrong.
LICENSED = "its route is in the licensed part of Coder, which a pure open-source build lacks"
FALLBACK = "there is another way, which is taken where this one is missing"
DIAGNOSIS = "only used to explain a failure"


@dataclass(frozen=True)
class Call:
    """A method and a path with `{placeholders}`.

    `optional` says why a deployment may lack it; `documented` is False for what no API description has,
    such as what is outside of the API; `socket` is set where the answer is an upgrade to a WebSocket.
    """

    method: str
    path: str
    optional: str = ""
    documented: bool = True
    socket: bool = False

    def at(self, **values: str | int) -> str:
        """The path with its placeholders filled in; whatever is in a value stays within its part of the path."""
        return self.path.format(**{name: quote(str(value), safe="") for name, value in values.items()})

    def __str__(self) -> str:
        return f"{'WebSocket' if self.socket else self.method} {self.path}"


def _get(path: str, *, optional: str = "", documented: bool = True, socket: bool = False) -> Call:
    return Call("GET", path, optional, documented, socket)


# --- the deployment ---

HEALTHZ = _get("/healthz", documented=False)
BUILD_INFO = _get(f"{API}/buildinfo")
UPDATE_CHECK = _get(f"{API}/updatecheck", optional=DIAGNOSIS)
FIRST_USER = _get(f"{API}/users/first")
AUTH_METHODS = _get(f"{API}/users/authmethods")
AUTH_SCOPES = _get(f"{API}/auth/scopes", optional=DIAGNOSIS)
HEALTH = _get(f"{API}/debug/health")
HEALTH_SETTINGS = _get(f"{API}/debug/health/settings")
ECHO = _get(f"{API}/debug/ws", documented=False, socket=True)
ENTITLEMENTS = _get(f"{API}/entitlements", optional=LICENSED)
EXPERIMENTS = _get(f"{API}/experiments")
AVAILABLE_EXPERIMENTS = _get(f"{API}/experiments/available")
DEPLOYMENT_CONFIG = _get(f"{API}/deployment/config")
DEPLOYMENT_STATS = _get(f"{API}/deployment/stats")
DEPLOYMENT_SSH = _get(f"{API}/deployment/ssh")
REGIONS = _get(f"{API}/regions")
APP_HOST = _get(f"{API}/applications/host", optional="deprecated; the regions say the same")
DERP_MAP = _get(f"{API}/derp-map", socket=True)
REPLICAS = _get(f"{API}/replicas", optional=LICENSED)
PROVISIONER_DAEMONS = _get(f"{API}/organizations/{{organization}}/provisionerdaemons")
PROVISIONER_JOBS = _get(f"{API}/organizations/{{organization}}/provisionerjobs")
API_DESCRIPTION = _get("/swagger/doc.json", documented=False, optional="served only if switched on")

# --- users, tokens, rights ---

USER = _get(f"{API}/users/{{user}}")
USERS = _get(f"{API}/users")
ORGANIZATIONS = _get(f"{API}/organizations")
TOKENS = _get(f"{API}/users/{{user}}/keys/tokens")
KEY = _get(f"{API}/users/{{user}}/keys/{{key}}")
EXTERNAL_AUTHS = _get(f"{API}/external-auth")
EXTERNAL_AUTH = _get(f"{API}/external-auth/{{provider}}")
AUTH_CHECK = Call("POST", f"{API}/authcheck")

# --- templates ---

TEMPLATES = _get(f"{API}/templates")
TEMPLATE_VERSIONS = _get(f"{API}/templates/{{template}}/versions")
TEMPLATE_VERSION = _get(f"{API}/templateversions/{{version}}")
RICH_PARAMETERS = _get(f"{API}/templateversions/{{version}}/rich-parameters")
PRESETS = _get(f"{API}/templateversions/{{version}}/presets")
VARIABLES = _get(f"{API}/templateversions/{{version}}/variables")
VERSION_RESOURCES = _get(f"{API}/templateversions/{{version}}/resources")
VERSION_LOGS = _get(f"{API}/templateversions/{{version}}/logs")
FILE = _get(f"{API}/files/{{file}}")

# --- workspaces and builds ---

CREATE_WORKSPACE = Call("POST", f"{API}/users/{{user}}/workspaces")
WORKSPACES = _get(f"{API}/workspaces")
WORKSPACE = _get(f"{API}/workspaces/{{workspace}}")
WORKSPACE_BY_NAME = _get(f"{API}/users/{{user}}/workspace/{{name}}")
WORKSPACE_TIMINGS = _get(f"{API}/workspaces/{{workspace}}/timings")
EXTEND = Call("PUT", f"{API}/workspaces/{{workspace}}/extend")
TTL = Call("PUT", f"{API}/workspaces/{{workspace}}/ttl")
WATCH = _get(f"{API}/workspaces/{{workspace}}/watch", optional=FALLBACK)
WATCH_SOCKET = _get(f"{API}/workspaces/{{workspace}}/watch-ws", optional=FALLBACK, socket=True)
BUILDS = _get(f"{API}/workspaces/{{workspace}}/builds")
CREATE_BUILD = Call("POST", f"{API}/workspaces/{{workspace}}/builds")
BUILD = _get(f"{API}/workspacebuilds/{{build}}")
BUILD_PARAMETERS = _get(f"{API}/workspacebuilds/{{build}}/parameters")
BUILD_LOGS = _get(f"{API}/workspacebuilds/{{build}}/logs")
FOLLOW_BUILD_LOGS = _get(f"{API}/workspacebuilds/{{build}}/logs", socket=True)
CANCEL_BUILD = Call("PATCH", f"{API}/workspacebuilds/{{build}}/cancel")

# --- agents and their apps ---

AGENT = _get(f"{API}/workspaceagents/{{agent}}")
AGENT_LOGS = _get(f"{API}/workspaceagents/{{agent}}/logs")
FOLLOW_AGENT_LOGS = _get(f"{API}/workspaceagents/{{agent}}/logs", socket=True)
LISTENING_PORTS = _get(f"{API}/workspaceagents/{{agent}}/listening-ports")
TERMINAL = _get(f"{API}/workspaceagents/{{agent}}/pty", socket=True)
PATH_APP = _get("/@{owner}/{workspace}.{agent}/apps/{slug}/", documented=False)
PATH_APP_SOCKET = _get("/@{owner}/{workspace}.{agent}/apps/{slug}/", documented=False, socket=True)

#: All of them.
CALLS: tuple[Call, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Call))

#: Objects asked for at a time where there can be many.
PAGE = 100


def page(offset: int) -> dict[str, str | int]:
    """The query for the next objects of a list after the first `offset`."""
    return {"limit": PAGE, "offset": offset}


def all_pages(read: Callable[[dict[str, str | int]], list[Item]]) -> list[Item]:
    """All objects of a list; `read` gives those of one page, by its query."""
    found: list[Item] = []
    while True:
        part = read(page(len(found)))
        found += part
        if len(part) < PAGE:
            return found
