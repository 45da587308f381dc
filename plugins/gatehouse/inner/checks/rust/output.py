"""Reading what cargo, rustc and rustfmt print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import json_lines, relative
from gatehouse.inner.checks.rust.manifest import workspace
from gatehouse.inner.model import Check, Finding, Parsed

#: What cargo says where something must be downloaded or installed first, and what that is.
_ABSENT = (
    (r"no matching package named `([^`]+)` found(?s:.*)offline", "the crate {}"),
    (r"failed to download `([^` ]+) [^`]*`(?s:.*)offline", "the crate {}"),
    (r"rustc \S+ is not supported by the following packages?:\n.* requires rustc (\S+)", "Rust {}"),
    (r"you're using offline mode|--offline was specified|in the offline mode", "a crate of Cargo.lock"),
    (r"cannot create the lock file", "what Cargo.toml asks for (there is no Cargo.lock yet)"),
    # What build scripts look for outside of Cargo: compilers and libraries of the system.
    (r"Could not find `(protoc)`", "{}"),
    (r"The system library `([^`]+)` required by crate", "the system library {}"),
    (r"is `([\w+-]+)` not installed\?", "{}"),
    (r"failed to find tool \"([^\"]+)\"", "{}"),
    (r"error: '?(cargo-\w+|\w+)'? is not installed for the (?:custom )?toolchain", "{}"),
    (r"error: toolchain '([^']+)' is not installed", "the toolchain {}"),
    (r"error: linker `([^`]+)` not found", "the linker {}"),
)

_NOT_THE_CAUSE = ("could not compile", "test failed", "doctest failed", "aborting due to", "build failed")


def formatted(check: Check, done: Completed) -> Parsed:
    """The files that rustfmt would change, each at its first such place, and those that it cannot read."""
    changes = re.findall(r"^Diff in (.+?)(?::| at line )(\d+):\n((?: .*\n|\n)*)", done.stdout, re.MULTILINE)
    first: dict[str, int] = {}
    for path, line, before in changes:  # the line is that of the first one shown, which does not change yet
        first.setdefault(relative(check, path), int(line) + before.count("\n"))
    errors = re.findall(r"^error(?:\[\w+\])?: (.+)\n +--> (.+?):(\d+):(\d+)$", done.stderr, re.MULTILINE)
    return Parsed(
        tuple(
            Finding(relative(check, path), message, int(line), int(column), "rustfmt")
            for message, path, line, column in errors
        )
        + tuple(
            Finding(path, "is not formatted; run cargo fmt", line, rule="rustfmt")
            for path, line in first.items()
        ),
        missing=what_is_missing(done),
    )


def compiled(check: Check, done: Completed) -> Parsed:
    """The errors among the compiler's messages in JSON; warnings are none, unless the package denies them."""
    findings: list[Finding] = []
    for event in json_lines(done.stdout):
        if event.get("reason") == "compiler-message" and event["message"]["level"].startswith("error"):
            findings += _diagnostic(check, event["message"])
    return Parsed(tuple(dict.fromkeys(findings)) or _other_errors(check, done), missing=what_is_missing(done))


def _diagnostic(check: Check, message: dict[str, Any]) -> Iterator[Finding]:
    text, rule = message["message"], (message.get("code") or {}).get("code", "")
    spans = [span for span in message.get("spans", []) if span.get("is_primary")]
    # Of what belongs together, such as two brackets, the first is where people begin to read.
    same_file = [span for span in spans if span["file_name"] == spans[0]["file_name"]]
    for span in sorted(same_file, key=lambda each: (each["line_start"], each["column_start"]))[:1]:
        while not in_checkout(check, span["file_name"]) and span.get("expansion"):
            span = span["expansion"]["span"]  # inside a macro of somebody else: where it is used
        path = in_checkout(check, span["file_name"]) or span["file_name"]
        yield Finding(path, text, span["line_start"], span["column_start"], rule)
    if not spans and not text.startswith(_NOT_THE_CAUSE):
        yield Finding(check.package.manifest, text, rule=rule)


def listed(check: Check, done: Completed) -> Parsed:
    """How many tests the harness names; compile errors from what rustc writes for people."""
    number = len(re.findall(r"^.+: (?:test|benchmark)$", done.stdout, re.MULTILINE))
    return Parsed(errors_in_text(check, done), listed=number, missing=what_is_missing(done))


def errors_in_text(check: Check, done: Completed) -> tuple[Finding, ...]:
    """Errors of rustc as it writes them for people; without any, those of cargo itself."""
    found = re.findall(r"^error(?:\[(\w+)\])?: (.+)\n +--> (.+?):(\d+):(\d+)$", done.stderr, re.MULTILINE)
    places = [
        Finding(in_checkout(check, path) or path, message, int(line), int(column), rule)
        for rule, message, path, line, column in found
    ]
    return tuple(dict.fromkeys(places)) or _other_errors(check, done)


def _other_errors(check: Check, done: Completed) -> tuple[Finding, ...]:
    """Cargo's own errors, such as a lockfile that does not fit the manifest, at the manifest."""
    if done.exit_code == 0:
        return ()
    lines = re.findall(r"^error: (.+)$", done.stderr, re.MULTILINE)
    # A build script that fails says why in its panic; cargo's own cause is only its exit code.
    causes = re.findall(r"^Caused by:\n +(.+)$", done.stderr, re.MULTILINE)
    causes += re.findall(r"^ +thread .+ panicked at .+:\n +(.+)$", done.stderr, re.MULTILINE)
    text = next((line for line in lines if not line.startswith(_NOT_THE_CAUSE)), "")
    if re.match(r"\d+ targets? failed", text) or not (text or causes):
        return ()
    return (
        Finding(
            check.package.manifest, ": ".join([text or "a test target died", *causes[-1:]]), rule="cargo"
        ),
    )


def what_is_missing(done: Completed) -> str:
    """What cargo says would have to be downloaded or installed; empty if nothing."""
    for pattern, what in _ABSENT:
        if found := re.search(pattern, done.stderr):
            return what.format(*found.groups())
    return ""


def in_checkout(check: Check, path: str) -> str:
    """The file that rustc names, which it does from the workspace's folder, relative to the root; else empty."""
    root = check.package.root.resolve()
    for folder in (
        workspace(check.package),
        check.package.folder,
    ):  # a package may be left out of the workspace
        file = (root / folder / path).resolve()
        if file.is_file() and file.is_relative_to(root):
            return file.relative_to(root).as_posix()
    return ""
