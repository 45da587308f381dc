"""What a web editor's page names: its assets, as addresses below the app."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit


class _Assets(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a script or a style sheet names."""
        given = dict(attrs)
        if tag == "script" and given.get("src"):
            self.found.append(given["src"] or "")
        elif tag == "link" and "stylesheet" in (given.get("rel") or "").split() and given.get("href"):
            self.found.append(given["href"] or "")


def assets(html: str, app_url: str) -> list[str]:
    """Scripts and style sheets that a page names, as paths below the app (`app_url` ends with a slash), in order.

    What is served from elsewhere is left out: the app is not to blame for it.
    """
    parser = _Assets()
    parser.feed(html)
    found: dict[str, None] = {}
    for name in parser.found:
        address = urljoin(app_url, name)
        path = urlsplit(address)
        base = urlsplit(app_url)
        if path.netloc == base.netloc and path.path.startswith(base.path):
            found[path.path.removeprefix(base.path) + (f"?{path.query}" if path.query else "")] = None
    return list(found)


def asset_problem(path: str, status: int, content_type: str, length: int) -> str:
    """Why an answer is not the asset that the page needs; '' if it is."""
    if status != 200:
        return f"{path} answers {status}"
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/html", "application/json"):
        return f"{path} is {kind}: a page in the place of the asset"
    if not length:
        return f"{path} is empty"
    return ""
