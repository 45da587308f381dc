"""What a script of package.json calls, where that can be told without a shell."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass

#: npm's script for packages without tests; it exits with 1, which is no failure of the package.
PLACEHOLDER = "no test specified"

#: Options that make a tool change files instead of complaining.
MUTATING = frozenset({"--fix", "--write", "-w", "--apply", "--apply-unsafe", "--unsafe", "--staged"})

_MUTATES = re.compile(r"--(fix|write|apply)\b|\bprettier\b.* -w\b")
_DELEGATES = re.compile(
    r"\b(turbo|nx|lerna|rush|rushx|moon|lage|wireit)\b|--workspaces\b|(^|\s)-ws\b|\byarn workspaces\b"
    r"|\bpnpm\b.*(\s-r\b|--recursive|--filter)|\bwsrun\b"
)
_END_TO_END = re.compile(r"\b(playwright test|cypress (run|open)|wdio|nightwatch|testcafe)\b")
_QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
_SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~#!\n\\\"']")
_WORD = re.compile(r"[\w:.*@/-]+")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)")
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
_STARTERS = ("npx", "bunx", "pnpx")


@dataclass(frozen=True)
class Command:
    """One program with its arguments and the variables that the script sets for it."""

    words: tuple[str, ...]
    env: Mapping[str, str]

    @property
    def tool(self) -> str:
        """The program's name."""
        return self.words[0]


def expanded(script: str, scripts: Mapping[str, str]) -> str:
    """A script with the texts of all scripts that it names, directly or not, one a line.

    Any word counts that is a script's name or a pattern over names (`lint:*`): rather one too many than one too few.
    """
    found = {script: None}
    waiting = [script]
    while waiting:
        for word in set(_WORD.findall(waiting.pop())):
            for name, text in scripts.items():
                if text not in found and (name == word or ("*" in word and fnmatch.fnmatchcase(name, word))):
                    found[text] = None
                    waiting.append(text)
    return "\n".join([script, *sorted(set(found) - {script})])


def is_usable(script: str) -> bool:
    """Whether a script checks this package: it is no placeholder, runs no other packages and no browser."""
    return not (PLACEHOLDER in script or _DELEGATES.search(script) or _END_TO_END.search(script))


def mutates(script: str) -> bool:
    """Whether a script changes files."""
    return _MUTATES.search(script) is not None


def plain(script: str, scripts: Mapping[str, str], known: frozenset[str] = frozenset()) -> Command | None:
    """The one program that a script calls; None when it needs a shell, or when a quote is missing.

    Calls of other scripts are followed; `known` are those that led here.
    """
    if _SHELL.search(_QUOTED.sub("", script)):
        return None
    words = shlex.split(script)
    env: dict[str, str] = {}
    while words and ((match := _ASSIGNMENT.fullmatch(words[0])) or words[0] in ("cross-env", "env")):
        if match:
            env[match[1]] = match[2]
        words = words[1:]
    if words and words[0] in _STARTERS:
        words = _without_options(words[1:])
    elif words[:2] == ["bun", "test"]:  # a runner of its own, whatever the script `test` says
        return Command(tuple(words), env)
    elif words and words[0] in _MANAGERS:
        return _started(words, env, scripts, known)
    return Command(tuple(words), env) if words else None


def _started(
    words: list[str], env: dict[str, str], scripts: Mapping[str, str], known: frozenset[str]
) -> Command | None:
    """What a package manager is told to run: another script, or an installed program."""
    rest = _without_options(words[1:])
    verb = rest[0] if rest and rest[0] in ("run", "exec", "run-script") else ""
    rest = _without_options(rest[1:]) if verb else rest
    if not rest:
        return None
    if verb != "exec" and rest[0] in scripts:
        followed = None if rest[0] in known else plain(scripts[rest[0]], scripts, known | {rest[0]})
        return Command((*followed.words, *rest[1:]), {**env, **followed.env}) if followed else None
    is_program = verb == "exec" or words[0] in ("pnpm", "yarn")
    return Command(tuple(rest), env) if is_program else None


def _without_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[1:]
    return words


def without(
    words: tuple[str, ...], options: Collection[str], with_value: Collection[str] = ()
) -> tuple[str, ...]:
    """The words without some options, in both spellings (`--x y` for those with a value, and `--x=y`)."""
    kept: list[str] = []
    skip = False
    for word in words:
        name = word.partition("=")[0]
        if skip:
            skip = False
        elif name in with_value:
            skip = "=" not in word
        elif name not in options:
            kept.append(word)
    return tuple(kept)
