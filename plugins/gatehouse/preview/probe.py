"""What a preview's hostnames answer, each time over a fresh connection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from gatehouse.core.preview_settings import AnswerCheck, PreviewSettings, ServedCommitProbe
from gatehouse.preview.route import Reply, Route
from gatehouse.preview.subject import same_commit


def wrong_answer(check: AnswerCheck | None, reply: Reply) -> str:
    """What is wrong with an answer, in a sentence with the server's own words; empty if it is as asked.

    Without a check, redirects and 401 are answers as well; those of an edge without a backend are not.
    """
    expected = check.status if check else []
    if not reply.status or (reply.status not in expected if expected else not reply.reachable):
        wanted = f", expected {' or '.join(map(str, expected))}" if expected and reply.status else ""
        return f"{reply}{wanted}"
    if check and check.contains is not None and check.contains not in reply.body:
        return f"{reply.url} answered {reply.status} without the text {check.contains!r}: {reply.words}"
    return ""


def served_commit(probe: ServedCommitProbe, reply: Reply) -> str | None:
    """The commit that an answer names, or None if it names none."""
    if reply.status != 200:
        return None
    if probe.header:
        return reply.headers.get(probe.header)
    if probe.meta:
        return _meta_content(reply.body, probe.meta)
    if probe.text:
        match = re.search(probe.text, reply.body)
        return match[1] if match else None
    return _json_field(reply.body, probe.json_field or "")


def _json_field(body: str, path: str) -> str | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _meta_content(body: str, name: str) -> str | None:
    """The content of the first `<meta name=… content=…>` of that name (or `property`)."""

    class Finder(HTMLParser):
        content: str | None = None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            if (
                tag == "meta"
                and name in (values.get("name"), values.get("property"))
                and self.content is None
            ):
                self.content = values.get("content")

    finder = Finder()
    finder.feed(body)
    return finder.content


@dataclass(frozen=True)
class Answers:
    """What all hostnames answered: what is wrong first (`url` with it), and the commits that the probe was told."""

    problem: str = ""
    url: str = ""
    served: dict[str, str] = field(default_factory=dict)
    another_commit: bool = False


def ask(urls: Mapping[str, str], settings: PreviewSettings, commit: str, route: Route) -> Answers:
    """Ask every URL as often in a row as the settings say; ends at the first answer that is not as it should be."""
    named = [settings.probe.url] if settings.probe else []
    if unknown := next(
        (each for each in [*named, *(one.url for one in settings.checks)] if each not in urls), ""
    ):
        return Answers(f"probe or checks name the url {unknown}, and there are only {', '.join(urls)}")
    served: dict[str, str] = {}
    for _ in range(settings.answers_in_a_row):
        for url, check, probe in _requests(urls, settings):
            reply = route.fetch(url)
            if problem := wrong_answer(check, reply):
                return Answers(problem, url, served)
            if probe is None:
                continue
            found = served_commit(probe, reply)
            if found is None:
                return Answers(
                    f"{url} answered {reply.status} without a commit in {_where(probe)}", url, served
                )
            served[url] = found
            if not same_commit(found, commit):
                problem = f"{url} serves {found[:12]}, not {commit[:12]}"
                return Answers(problem, url, served, another_commit=True)
    return Answers(served=served)


def _where(probe: ServedCommitProbe) -> str:
    named = ("json_field", "header", "meta", "text")
    return next(f"its {name} {getattr(probe, name)!r}" for name in named if getattr(probe, name) is not None)


def _requests(
    urls: Mapping[str, str], settings: PreviewSettings
) -> Iterator[tuple[str, AnswerCheck | None, ServedCommitProbe | None]]:
    """Every request to make: each URL's checks, or its front page; and the probe's."""
    for name, url in urls.items():
        base = url.rstrip("/")
        own: list[AnswerCheck | None] = [each for each in settings.checks if each.url == name]
        for check in own or [None]:
            yield base + (check.path if check else "/"), check, None
        if settings.probe and settings.probe.url == name:
            yield base + settings.probe.path, None, settings.probe
