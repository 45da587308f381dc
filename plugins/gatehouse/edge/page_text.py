"""What people read of an HTML page, without its markup, styles and scripts."""

from __future__ import annotations

from html.parser import HTMLParser

_NOT_READ = ("style", "script")


def page_text(html: str) -> str:
    """The text of a page, its title first, also of one that was cut off."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join(reader.texts)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _NOT_READ

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _NOT_READ and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)
