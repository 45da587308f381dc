"""Go modules: gofmt, go vet, golangci-lint where it is configured, build, tests by build tag."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.go.files import TestFile, files_with_tests, is_built_here, sources
from gatehouse.inner.checks.go.modules import links, module_path, workspace
from gatehouse.inner.checks.go.output import read_errors, read_gofmt, read_golangci
from gatehouse.inner.checks.go.tests import read_listing, read_tests
from gatehouse.inner.checks.manifests import broken_manifest, unreadable
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Language, Package, Parsed, Phase

Parse = Callable[[Check, Completed], Parsed]

INSTALL = "install Go (https://go.dev/doc/install) and put go and gofmt on the PATH"

#: Go packages that are built at the same time; tests of one Go package run by Go's own rules.
PARALLEL = 2

GOLANGCI = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")


def checks(package: Package, tools: Tools) -> list[Check]:
    """Format, vet and build; tests without tags, and those that need a tag of integration tests."""
    names = sources(package)
    if not names:
        return []
    if not module_path(package):
        return [broken_manifest(package, unreadable(package.manifest, "it has no line `module <path>`"))]
    go = partial(_go, package, tools)
    tests = files_with_tests(package, tools.classes.integration)
    built = [
        go("go-vet", Phase.CONTRACT, read_errors, "vet", "./..."),
        go("go-build", Phase.CONTRACT, read_errors, "build", "-o", os.devnull, "./..."),
        *_golangci(package, tools),
    ]
    return [
        _gofmt(package, tools, names),
        *(built if is_built_here(package) else []),
        *_tests(package, tools, [test for test in tests if not test.tags]),
        *_integration(package, tools, [test for test in tests if test.tags]),
    ]


def _go(package: Package, tools: Tools, name: str, phase: Phase, parse: Parse, *arguments: str) -> Check:
    """One go command, without network and without changes of go.mod or go.sum."""
    go = tools.find("go")
    how = f"run `go mod download` in {package.folder or 'the checkout'}" if go else INSTALL
    blame = Blame.COMPILE if phase is Phase.CONTRACT else Blame.TEST
    return Check(
        package,
        name,
        phase,
        blame,
        (go or "go", *arguments),
        parse,
        _environment(package),
        missing="" if go else "go",
        how_to_install=how,
        weight=PARALLEL,
        inputs=_inputs(go),
        findings_are_failures=parse is not read_errors,
    )


def _environment(package: Package) -> dict[str, str]:
    work = workspace(package)
    vendored = (work.parent if work else package.path) / "vendor" / "modules.txt"
    mode = "vendor" if vendored.is_file() else "readonly"
    return {
        "GOFLAGS": f"-mod={mode} -p={PARALLEL}",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": str(work) if work else "off",
    }


def _inputs(go: str | None) -> tuple[str, ...]:
    return (go, str(Path(go).resolve().parent.parent / "VERSION")) if go else ()


def _gofmt(package: Package, tools: Tools, names: list[str]) -> Check:
    gofmt = tools.find("gofmt")
    return Check(
        package,
        "go-fmt",
        Phase.CONTRACT,
        Blame.FORMAT,
        (gofmt or "gofmt", "-d", *names),
        read_gofmt,
        missing="" if gofmt else "gofmt",
        how_to_install=INSTALL,
        findings_are_failures=True,
        inputs=_inputs(gofmt),
    )


def _golangci(package: Package, tools: Tools) -> list[Check]:
    """golangci-lint, in the words of the version that the configuration is written for."""
    configuration = tools.beside(package, *GOLANGCI)
    if configuration is None:
        return []
    text = Path(configuration).read_text(encoding="utf-8", errors="replace")
    second = any(line.replace('"', "").replace("'", "").split() in _SECOND for line in text.splitlines())
    output = ("--output.json.path=stdout", "--show-stats=false") if second else ("--out-format=json",)
    program = tools.beside(package, "bin/golangci-lint") or tools.find("golangci-lint")
    return [
        Check(
            package,
            "go-lint",
            Phase.CONTRACT,
            Blame.LINT,
            (
                program or "golangci-lint",
                "run",
                "--allow-parallel-runners",
                f"--concurrency={PARALLEL}",
                *output,
            ),
            read_golangci,
            {**_environment(package), "GOLANGCI_LINT_CACHE": str(tools.cache / "golangci-lint")},
            "" if program else "golangci-lint",
            "install golangci-lint (https://golangci-lint.run) in the version that CI uses",
            weight=PARALLEL,
            resource="golangci-lint",
            inputs=(program, *_inputs(tools.find("go"))) if program else (),
        )
    ]


#: How a configuration says that it is for golangci-lint 2, in YAML, TOML and JSON.
_SECOND = (["version:", "2"], ["version", "=", "2"], ["version:", "2,"])


def _tests(package: Package, tools: Tools, tests: list[TestFile]) -> list[Check]:
    """The tests that need no tag: all Go packages of the module."""
    if not tests:
        return []
    return [
        _listing(package, tools, "go-listing", "./..."),
        _go(package, tools, "go-test", Phase.UNIT, read_tests, "test", "-json", "./..."),
    ]


def _integration(package: Package, tools: Tools, tests: list[TestFile]) -> list[Check]:
    """The tests of the files that need a tag, by name, so that the other tests beside them do not run again."""
    if not tests:
        return []
    tags = f"-tags={','.join(sorted({tag for test in tests for tag in test.tags}))}"
    folders = sorted({f"./{posixpath.dirname(test.path)}".rstrip("/") for test in tests})
    names = sorted({name for test in tests for name in test.names})
    run = f"-run=^({'|'.join(names)})$"
    return [
        _listing(package, tools, "go-integration-listing", tags, *folders),
        _go(
            package,
            tools,
            "go-integration",
            Phase.INTEGRATION,
            read_tests,
            "test",
            "-json",
            tags,
            run,
            *folders,
        ),
    ]


def _listing(package: Package, tools: Tools, name: str, *arguments: str) -> Check:
    """Builds every test program and runs none: `true` is run in their place."""
    true = tools.find("true") or "true"
    return _go(
        package, tools, name, Phase.CONTRACT, read_listing, "test", "-json", f"-exec={true}", *arguments
    )


LANGUAGE = Language(
    "go", checks, ("go.mod",), links=links, lockfiles=("go.sum", "go.work.sum"), suffixes=(".go",)
)
