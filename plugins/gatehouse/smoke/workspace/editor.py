"""The web editor of a workspace, through Coder's own proxy: health, page, assets, WebSocket."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urljoin, urlsplit

from gatehouse.coder.client import CoderClient
from gatehouse.coder.commands import run_in_workspace
from gatehouse.coder.models import Workspace
from gatehouse.coder.workspaces import wait_for_app
from gatehouse.core.answers import server_words
from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import (
    GatehouseError,
    NotFound,
    ProductFailure,
    Transient,
    UnexpectedAnswer,
    Unreachable,
)
from gatehouse.core.settings import CoderSettings
from gatehouse.smoke.workspace.editor_page import asset_problem, assets
from gatehouse.smoke.workspace.editor_trace import EditorCause, cause_of, parse_facts, questions

#: States that code-server gives for itself; `expired` is without a visitor for a minute.
HEALTHY = ("alive", "expired")

#: Redirects that are followed within the app: code-server leads to the folder that was opened last.
REDIRECTS = 4


class Editor:
    """The editor of one workspace."""

    def __init__(self, coder: CoderClient, workspace: Workspace, settings: CoderSettings) -> None:
        self._coder = coder
        self._workspace = workspace
        self._settings = settings
        self.slug = settings.app
        self.url = coder.app_url(workspace, self.slug)

    def require_health(self) -> str:
        """What the editor says of its health. Raises `ProductFailure`, with the cause as far as it can be traced."""
        deadline = Deadline.after(self._settings.app_timeout_seconds)
        state = wait_for_app(self._coder, self._workspace.id, self.slug, deadline)
        if state == "absent":
            raise ProductFailure(
                f"the workspace has no app {self.slug}",
                seen=", ".join(app.slug for app in self._workspace.agent.apps)
                if self._workspace.agent
                else "",
                next_step="name the web editor's app as coder.app",
            )
        answer = self._coder.app(self._workspace, self.slug, "healthz")
        if answer.status_code != 200:
            raise self._failure(
                f"the app {self.slug} is {state}, and its health page answers {answer.status_code} through the "
                f"proxy: {server_words(answer.text)}"
            )
        try:
            status = str(answer.json()["status"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._failure(
                f"the health page of {self.slug} is not that of an editor: {server_words(answer.text)}"
            ) from error
        if status not in HEALTHY:
            raise self._failure(f"the app {self.slug} says that it is {status!r}")
        if state == "unhealthy":
            raise self._failure(
                f"Coder has the app {self.slug} for unhealthy, though its health page answers"
            )
        return status

    def page(self) -> str:
        """The editor's page. Raises `ProductFailure` for anything else."""
        address = self.url
        for _ in range(REDIRECTS + 1):
            base, wanted = urlsplit(self.url), urlsplit(address)
            if wanted.netloc != base.netloc or not wanted.path.startswith(base.path.rstrip("/")):
                raise ProductFailure(
                    f"the web editor's page leads away from the app {self.slug}",
                    seen=f"{wanted.scheme}://{wanted.netloc}{wanted.path}",
                    next_step="is it a sign-in page? The editor behind the proxy needs none of its own (--auth none)",
                )
            below = wanted.path.removeprefix(base.path)
            query = {
                name: value for name, _, value in (each.partition("=") for each in wanted.query.split("&"))
            }
            answer = self._coder.app(self._workspace, self.slug, below, query if wanted.query else None)
            if not answer.is_redirect:
                break
            address = urljoin(address, answer.headers["Location"])
        if answer.status_code != 200:
            raise self._failure(
                f"the page of {self.slug} answers {answer.status_code} through the proxy: {server_words(answer.text)}"
            )
        if "html" not in answer.headers.get("Content-Type", ""):
            raise ProductFailure(
                f"the page of {self.slug} is no page", seen=answer.headers.get("Content-Type", "")
            )
        return answer.text

    def require_assets(self) -> list[str]:
        """The assets that the page names, all of them served. Raises `ProductFailure`."""
        named = assets(self.page(), self.url)
        if not named:
            raise ProductFailure(
                f"the page of {self.slug} names no script or style sheet of its own",
                next_step="open it in a browser: is it the editor's page?",
            )
        problems = [problem for path in named if (problem := self._asset_problem(path))]
        if problems:
            raise ProductFailure(
                f"the web editor would be blank: {problems[0]}",
                expected=f"{len(named)} static assets that its page names, through Coder's proxy",
                seen="; ".join(problems),
                next_step="an install that was cut off, or a base path that the proxy takes off twice: remove the "
                "editor's cache folder in the workspace, and restart it",
            )
        return named

    def _asset_problem(self, path: str) -> str:
        answer = self._coder.app(self._workspace, self.slug, path)
        return asset_problem(
            path, answer.status_code, answer.headers.get("Content-Type", ""), len(answer.content)
        )

    def require_socket(self) -> None:
        """Open the WebSocket that the editor works over. Raises `ProductFailure`."""
        query = {
            "reconnectionToken": str(uuid.uuid4()),
            "reconnection": "false",
            "skipWebSocketFrames": "false",
        }
        try:
            with self._coder.app_socket(self._workspace, self.slug, query=query):
                return
        except (UnexpectedAnswer, Unreachable, Transient, NotFound) as error:
            raise ProductFailure(
                "the web editor's WebSocket is not upgraded through Coder's proxy",
                expected="101 Switching Protocols",
                seen=f"{error.summary}: {error.seen}" if error.seen else error.summary,
                where=error.where,
                next_step="have the gateway in front of Coder pass `Upgrade` and `Connection` on, for apps, too: "
                "without it the editor says that the workbench failed to connect (1006)",
            ) from error

    def _failure(self, summary: str) -> ProductFailure:
        cause = self.trace()
        return ProductFailure(f"{summary}; {cause.words}", where=self.url, next_step=cause.remedy)

    def trace(self) -> EditorCause:
        """Why the editor does not answer, found out inside the workspace."""
        agent = self._workspace.agent
        assert agent, "the workspace is ready"
        try:
            printed = run_in_workspace(self._coder, agent.id, questions(self._settings.editor_folders))
            log = [line.output for line in self._coder.agent_log(agent.id)]
        except GatehouseError as error:
            return EditorCause(
                f"why cannot be told, as nothing could be asked inside the workspace: {error.summary}",
                "open a terminal in the workspace: is the editor's process running?",
            )
        app = agent.app(self.slug)
        return cause_of(parse_facts(printed.output), _port(app.url if app else ""), log)


def _port(url: str) -> int | None:
    found = re.match(r"https?://[^/:]+:(\d+)", url)
    return int(found[1]) if found else None
