"""The preview under test, as tests use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gatehouse.preview.personas.store import Persona
from gatehouse.preview.route import Reply, Route


class Preview:
    """The fixture `preview`: pull request, commit and URLs, and requests without a browser."""

    def __init__(
        self,
        data: dict[str, Any],
        route: Route,
        personas: Callable[[str], Persona],
        headers: Callable[[], dict[str, str]],
    ) -> None:
        """`headers` are what requests of the test under way carry."""
        self._route = route
        self._personas = personas
        self._headers = headers
        self.number: int = data["number"]
        self.commit: str = data["commit"]
        self.urls: dict[str, str] = data["urls"]

    @property
    def base_url(self) -> str:
        """The first of the preview's URLs, which is also Playwright's `base_url`."""
        return next(iter(self.urls.values()))

    def get(self, name: str, path: str, *, persona: str = "") -> Reply:
        """GET a path of one of the URLs, over a fresh connection and without following redirects.

        Hostnames lead where the target's settings say.
        """
        return self.request("GET", name, path, persona=persona)

    def request(self, method: str, name: str, path: str, *, persona: str = "", json: object = None) -> Reply:
        """Likewise by any method, with a JSON body if one is given, as a persona that has signed in."""
        state = self._personas(persona).storage_state if persona else None
        url = self.urls[name].rstrip("/") + path
        return self._route.request(method, url, headers=self._headers(), storage_state=state, json=json)
