"""Which Go files hold which tests, by build constraints and file names, without asking Go."""

from __future__ import annotations

import ast
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.model import Package

_OS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "illumos",
        "ios",
        "js",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
    ]
)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}
_ARCHITECTURE_NAMES = frozenset(
    [
        "386",
        "amd64",
        "arm",
        "arm64",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mipsle",
        "ppc64",
        "ppc64le",
        "riscv64",
        "s390x",
        "wasm",
    ]
)
_PASSED_OVER = re.compile(r"(^|/)(testdata/|[_.])")
_CONSTRAINT = re.compile(r"^//go:build +(.+)$", re.MULTILINE)
_TEST = re.compile(r"^func ((?:Test|Fuzz|Example)(?:[^a-z(\s]\w*)?)\(", re.MULTILINE)
_EXAMPLE_OUTPUT = re.compile(r"^\s*// (?:unordered )?output:", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class TestFile:
    """A test file with the names of its tests, and the build tags it needs besides those of this machine."""

    __test__ = False  # not one of pytest's

    path: str
    names: tuple[str, ...]
    tags: tuple[str, ...]


def sources(package: Package) -> list[str]:
    """The Go files that Go itself would look at, relative to the package: none in testdata, `_x` or `.x`."""
    folder = f"{package.folder}/" if package.folder else ""
    names = (file.removeprefix(folder) for file in package.files if file.endswith(".go"))
    return sorted(name for name in names if not _PASSED_OVER.search(name))


def files_with_tests(package: Package, tags: Iterable[str]) -> list[TestFile]:
    """The files with tests that `go test` would run on this machine, without tags or with some of `tags`."""
    found = []
    folder = package.path
    for name in sources(package):
        if not name.endswith("_test.go") or not _for_this_machine(name):
            continue
        text = text_of(f"{folder}/{name}")
        names = _tests_of(text)
        constraint = _constraint(text)
        needed = _needed(constraint, tags)
        if names and needed is not None:
            found.append(TestFile(name, names, needed))
    return found


def is_built_here(package: Package) -> bool:
    """Whether Go would build any file of the package on this machine without tags.

    Where it would not, as in a module that only lists tools, `go vet ./...` fails: it matches no packages.
    """
    here = _tags_of_this_machine()
    return any(
        _for_this_machine(name) and constraint_holds(_constraint(text_of(package.path / name)), here)
        for name in sources(package)
    )


def _constraint(text: str) -> str:
    """The build constraint of a file; empty without one."""
    match = _CONSTRAINT.search(text.partition("\npackage ")[0])
    return match[1] if match else ""


def constraint_holds(constraint: str, tags: Iterable[str]) -> bool:
    """Whether a `//go:build` expression is true with these tags. None, and one that cannot be read, are."""
    known = set(tags)

    def word(match: re.Match[str]) -> str:
        text = match[0]
        return {"&&": " and ", "||": " or ", "!": " not "}.get(text) or str(
            text in known or re.fullmatch(r"go1(\.\d+)*", text) is not None
        )

    try:
        tree = ast.parse(
            re.sub(r"&&|\|\||!|[\w.]+", word, constraint.partition("//")[0]).strip(), mode="eval"
        )
        return _value(tree.body)
    except (SyntaxError, ValueError):
        return True


def _value(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool(value)):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(each) for each in values)
        case ast.BoolOp(values=values):
            return any(_value(each) for each in values)
    raise ValueError(ast.dump(node))


def _needed(constraint: str, tags: Iterable[str]) -> tuple[str, ...] | None:
    """The tags among `tags` that the constraint needs: none, one, or all; None where that is not enough."""
    here = _tags_of_this_machine()
    for needed in [(), *((tag,) for tag in tags), tuple(tags)]:
        if constraint_holds(constraint, {*here, *needed}):
            return needed
    return None


@cache
def _tags_of_this_machine() -> frozenset[str]:
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    return frozenset((sys.platform, machine, "unix", "cgo", "gc"))


def _for_this_machine(name: str) -> bool:
    """Whether the name's suffixes (`_linux`, `_arm64`, both) admit this machine."""
    here = _tags_of_this_machine()
    parts = name.rpartition("/")[2].removesuffix(".go").removesuffix("_test").split("_")[1:][-2:]
    named = [part for part in parts if part in _OS | _ARCHITECTURE_NAMES]
    return all(part in here for part in named)


def _tests_of(text: str) -> tuple[str, ...]:
    """Names of tests that run: `TestMain` is none, and examples are only compiled unless they state their output."""
    examples = _EXAMPLE_OUTPUT.search(text) is not None
    return tuple(
        name
        for name in _TEST.findall(text)
        if name != "TestMain" and (examples or not name.startswith("Example"))
    )
