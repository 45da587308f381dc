"""What a checkout may no longer hold: text and files of old habits, with a list of known places that only shrinks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pathspec import GitIgnoreSpec

from gatehouse.core.base import Base
from gatehouse.core.checkout import Checkout
from gatehouse.core.inner_settings import ForbiddenSettings
from gatehouse.inner.model import Blame, Check, Finding, Package, Parsed, Phase

#: Bytes of a file up to which it is searched; larger ones are no text that people wrote.
SEARCHED = 4 << 20


def forbidden_check(
    checkout: Checkout, base: Base, settings: ForbiddenSettings, files: Iterable[str]
) -> list[Check]:
    """The check that looks for it; none where the settings forbid nothing."""
    if not settings.text and not settings.paths:
        return []

    def look() -> Parsed:
        found = list(violations(checkout.root, settings, files))
        allowed = listed(_read(checkout.root / settings.allow_list))
        known = _known_before(checkout, base, settings.allow_list)
        return Parsed(tuple(judged(found, allowed, known, settings.allow_list.as_posix())))

    package = Package(checkout.root, "", "gatehouse.yaml", "settings")
    return [Check(package, "forbidden", Phase.CONTRACT, Blame.LINT, look=look)]


def violations(root: Path, settings: ForbiddenSettings, files: Iterable[str]) -> Iterator[Finding]:
    """Every place of forbidden text, and every forbidden file, among `files`."""
    paths = GitIgnoreSpec.from_lines(settings.paths)
    texts = [
        (re.compile(each.pattern), each.reason, GitIgnoreSpec.from_lines(each.files))
        for each in settings.text
    ]
    for file in sorted(files):
        if file in ("gatehouse.yaml", settings.allow_list.as_posix()):
            continue
        if paths.match_file(file):
            yield Finding(file, "may not be here", rule="forbidden-file")
        wanted = [(pattern, reason) for pattern, reason, spec in texts if spec.match_file(file)]
        for number, line in enumerate(_read(root / file).splitlines() if wanted else [], start=1):
            for pattern, reason in wanted:
                if match := pattern.search(line):
                    yield Finding(file, reason, number, match.start() + 1, "forbidden-text")


def judged(
    found: Iterable[Finding], allowed: Mapping[str, int], known: Mapping[str, int] | None, name: str
) -> Iterator[Finding]:
    """The places that are not allowed, and the entries of the list that are new or no longer needed.

    `allowed` and `known` are the paths of the list now and at the base, with their lines; None: there was no list.
    """
    found = list(found)
    yield from (each for each in found if each.path not in allowed)
    needed = {each.path for each in found}
    for path, line in allowed.items():
        if known is not None and path not in known:
            yield Finding(
                name, f"{path} is new in the list, which may only shrink", line, rule="grown-allow-list"
            )
        elif path not in needed:
            yield Finding(name, f"{path} is no longer needed: take it out", line, rule="stale-allow-list")


def listed(text: str) -> dict[str, int]:
    """The paths of an allow-list, one a line, with their lines; `#` begins a comment."""
    entries = (
        (line.partition("#")[0].strip(), number) for number, line in enumerate(text.splitlines(), start=1)
    )
    return {path: number for path, number in entries if path}


def _known_before(checkout: Checkout, base: Base, allow_list: Path) -> dict[str, int] | None:
    text = checkout.text_at(base.commit, allow_list.as_posix())
    return None if text is None else listed(text)


def _read(path: Path) -> str:
    """A file's text; empty for what is no text, is too large, or is not there."""
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > SEARCHED:
            return ""
        content = path.read_bytes()
    except OSError:
        return ""
    return "" if b"\0" in content[:8000] else content.decode(errors="replace")
