"""What go.mod and go.work say: a module's name, what it needs, and the workspace it is built in."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from gatehouse.inner.model import Links, Package

_WORD = re.compile(r'"[^"]*"|`[^`]*`|\S+')


def directives(text: str) -> list[tuple[str, ...]]:
    """The directives of a go.mod or go.work file, each as its words, blocks as one directive a line."""
    found: list[tuple[str, ...]] = []
    block = ""
    for line in text.splitlines():
        words = tuple(word.strip('"`') for word in _WORD.findall(line.partition("//")[0]))
        if not words:
            continue
        if block and words == (")",):
            block = ""
        elif block:
            found.append((block, *words))
        elif words[1:] == ("(",):
            block = words[0]
        else:
            found.append(words)
    return found


def module_path(package: Package) -> str:
    """The module's path; empty when its go.mod cannot be read or has none."""
    return next((words[1] for words in _of(package.root / package.manifest) if _is(words, "module")), "")


def workspace(package: Package) -> Path | None:
    """The nearest go.work at or above the module, up to the checkout's root, if it uses this module."""
    folder = package.path
    while True:
        candidate = folder / "go.work"
        if candidate.is_file():
            return candidate if package.path in _used(candidate) else None
        if folder in (package.root, folder.parent):
            return None
        folder = folder.parent


def links(package: Package) -> Links:
    """What a module requires by name, replaces by a folder, and imports of its workspace without requiring it."""
    words = _of(package.root / package.manifest)
    needs = {each[1] for each in words if _is(each, "require")}
    folders = {
        _relative(package, package.path / each[each.index("=>") + 1])
        for each in words
        if _is(each, "replace") and "=>" in each[:-1] and each[each.index("=>") + 1].startswith(".")
    }
    if found := workspace(package):
        folders |= _imported_members(package, found)
    return Links(module_path(package), frozenset(needs), frozenset(folders))


def _imported_members(package: Package, work: Path) -> set[str]:
    """Members of the workspace that a source names: it builds with them whether they are required or not."""
    members = {}
    for folder in _used(work):
        name = next((words[1] for words in _of(folder / "go.mod") if _is(words, "module")), "")
        if name and folder != package.path:
            members[name.encode()] = _relative(package, folder)
    if not members:
        return set()
    pattern = re.compile(rb'"(' + b"|".join(re.escape(name) for name in members) + rb')["/]')
    found = set()
    for file in package.files:
        if file.endswith(".go"):
            found |= {members[name] for name in pattern.findall((package.root / file).read_bytes())}
    return found


def _used(work: Path) -> set[Path]:
    return {Path(posixpath.normpath(work.parent / words[1])) for words in _of(work) if _is(words, "use")}


def _of(path: Path) -> list[tuple[str, ...]]:
    try:
        return directives(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def _is(words: tuple[str, ...], directive: str) -> bool:
    return words[0] == directive and len(words) > 1


def _relative(package: Package, path: Path) -> str:
    """A folder relative to the checkout's root, without following links; outside of it, with leading dots."""
    found = posixpath.relpath(posixpath.normpath(path), package.root)
    return "" if found == "." else found
