"""Go modules: formatting, vet, tests."""

from __future__ import annotations

from collections import defaultdict

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import json_lines, placed_lines, relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

INSTALL = "install Go (https://go.dev/doc/install) and put go and gofmt on the PATH"


def checks(package: Package, tools: Tools) -> list[Check]:
    """`gofmt -l`, `go vet`, and `go test` where there are tests."""
    go, gofmt = tools.find("go"), tools.find("gofmt")
    # No network, no change of go.mod or go.sum; the toolchain that is here, never one fetched for the module.
    env = {"GOFLAGS": "-mod=readonly", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    sources = sorted(file for file in package.files if file.endswith(".go"))
    names = tuple(file.removeprefix(f"{package.folder}/") if package.folder else file for file in sources)
    if not sources:
        return []
    found = [
        Check(
            package,
            "go-fmt",
            Phase.CONTRACT,
            Blame.FORMAT,
            (gofmt or "gofmt", "-l", *names),
            _unformatted,
            env,
            "" if gofmt else "gofmt",
            INSTALL,
            findings_are_failures=True,
        ),
        Check(
            package,
            "go-vet",
            Phase.CONTRACT,
            Blame.COMPILE,
            (go or "go", "vet", "./..."),
            _vet,
            env,
            "" if go else "go",
            INSTALL,
        ),
    ]
    if package.has_file(lambda name: name.endswith("_test.go")):
        argv = (go or "go", "test", "-json", "./...")
        found.append(
            Check(package, "go-test", Phase.UNIT, Blame.TEST, argv, _tests, env, "" if go else "go", INSTALL)
        )
    return found


def _unformatted(check: Check, done: Completed) -> Parsed:
    return Parsed(
        tuple(
            Finding(relative(check, line), "is not formatted; run gofmt -w on it", rule="gofmt")
            for line in done.stdout.splitlines()
            if line.strip()
        )
    )


def _vet(check: Check, done: Completed) -> Parsed:
    return Parsed(placed_lines(check, done.stderr))


def _tests(check: Check, done: Completed) -> Parsed:
    """Findings of failing tests, from `go test -json`; a test that did not compile counts as well."""
    output: dict[tuple[str, str], list[str]] = defaultdict(list)
    failed: list[tuple[str, str]] = []
    executed = 0
    for event in json_lines(done.stdout):
        key = (event.get("Package", ""), event.get("Test", ""))
        action = event.get("Action")
        if action in ("output", "build-output"):
            output[key].append(event.get("Output", ""))
        elif action == "run":
            executed += 1
        elif action == "fail" and event.get("Test"):
            failed.append(key)
    findings: list[Finding] = []
    for package, test in failed:
        placed = placed_lines(check, "".join(line.lstrip() for line in output[package, test]))
        findings += [
            Finding(_in_package(check, package, each.path), each.message, each.line, each.column, test)
            for each in placed
        ]
        if not placed:
            text = " ".join(line.strip() for line in output[package, test] if line.strip())
            findings.append(Finding(check.package.manifest, text[:400] or "failed", rule=test))
    built = [line for key, lines in output.items() if not key[1] for line in lines]
    findings += placed_lines(check, "".join(built))
    return Parsed(tuple(dict.fromkeys(findings)), executed)


def _in_package(check: Check, import_path: str, path: str) -> str:
    """Test output names files without their folder; the import path tells it."""
    name = path.rsplit("/", 1)[-1]
    candidates = [file for file in check.package.files if file.rsplit("/", 1)[-1] == name]
    if len(candidates) == 1:
        return candidates[0]
    folder = import_path.rsplit("/", 1)[-1]
    return next((file for file in candidates if file.rsplit("/", 2)[-2:-1] == [folder]), path)


LANGUAGE = Language("go", checks, ("go.mod",), lockfiles=("go.sum", "go.work.sum"), suffixes=(".go",))
