"""Which words of a runner's command are files, and which files are to stand in their place for one class of tests."""

from __future__ import annotations

import fnmatch
import posixpath

from gatehouse.inner.checks.node.classes import Tests
from gatehouse.inner.checks.node.package import NodePackage

#: Options whose next word is theirs, of the runners that are told by files what to run.
_WITH_VALUE = frozenset(
    (
        *("--import", "--require", "-r", "--loader", "--experimental-loader", "--preload", "--env-file"),
        *("--config", "-c", "--timeout", "-T", "--concurrency", "--test-concurrency", "--match", "-m"),
        *("--test-name-pattern", "-t", "--node-arguments", "--jobs", "-j", "--plugin", "--before", "--after"),
    )
)


def words_for(node: NodePackage, tests: Tests, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words with the files of this class of tests instead of those that they name; as they are with one class only.

    None for integration tests that the words do not choose.
    """
    if not (tests.folder or tests.left_out):
        return words
    named = _files(node, words)
    files = [file for file in tests.files if not named or any(_names(words[each], file) for each in named)]
    if not files and any("*" in words[each] for each in named):
        files = list(tests.files)  # by a pattern of a kind that is not understood here
    if not files:
        return None if tests.folder else words
    others = (word for number, word in enumerate(words) if number not in named)
    return (*others, *(f"./{file}" for file in files))


def _files(node: NodePackage, words: tuple[str, ...]) -> list[int]:
    """The numbers of the words that are files, folders or patterns."""
    return [
        number
        for number, word in enumerate(words)
        if not word.startswith("-")
        and (number == 0 or words[number - 1] not in _WITH_VALUE)
        and ("*" in word or (node.package.path / word).exists())
    ]


def _names(word: str, file: str) -> bool:
    """Whether a word chooses a file: it is the file, a folder around it, or a pattern over its path."""
    word = posixpath.normpath(word)
    return (
        word in (".", file)
        or file.startswith(f"{word}/")
        or fnmatch.fnmatchcase(file, word.replace("**/", "*"))
    )
