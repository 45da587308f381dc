"""Cargo packages: rustfmt, clippy (else `cargo check`), the listing of the tests, and the tests.

Each package of a workspace is checked by itself; a manifest that is a workspace and no package has no checks.
rustfmt and clippy come with the toolchain: where one is absent it is only missed if the repository configures it.
A test target named after a class of integration tests (`tests/integration.rs`), or what a feature of that name
enables, runs in that phase; one named after a class of cluster tests is compiled and listed, and never run.
cargo-nextest runs the tests where the repository configures it and it is installed, else `cargo test`.
Nothing is downloaded, and no lockfile written: `--offline --locked`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gatehouse.inner.checks.files import checkout_key, existing
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.rust.manifest import Tests, find_tests, links, read_manifest
from gatehouse.inner.checks.rust.output import compiled, formatted, listed
from gatehouse.inner.checks.rust.tests import tested, tested_by_nextest
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Phase

INSTALL = "install Rust (https://rustup.rs) and put cargo on the PATH"
COMPONENT = "run `rustup component add rustfmt clippy`"
FETCH = "install it: a crate by `cargo fetch` in {} once with network, the compiler and its parts by `rustup`"


def checks(package: Package, tools: Tools) -> list[Check]:
    """What applies to a Cargo package."""
    manifest = read_manifest(package)
    if isinstance(manifest, Finding):
        return [broken_manifest(package, manifest)]
    if "package" not in manifest:
        return []
    name, tests = manifest["package"]["name"], find_tests(package, manifest, tools.classes)
    targets = _targets_to_compile(tests)
    common = ("--offline", "--locked", "--package", name)
    found = []
    argv: tuple[str, ...]
    if tools.find("cargo-fmt") or tools.beside(package, "rustfmt.toml", ".rustfmt.toml"):
        argv = ("fmt", "--check", "--package", name, "--", "--color=never")
        more: dict[str, Any] = {"blame": Blame.FORMAT, "parse": formatted, "weight": 1, "resource": ""}
        found.append(_cargo(package, tools, "rust-fmt", argv, needs="cargo-fmt", **more))
    if tools.find("cargo-clippy") or tools.beside(package, "clippy.toml", ".clippy.toml"):
        argv = ("clippy", "--no-deps", *targets, *common, "--message-format=json")
        found.append(_cargo(package, tools, "rust-clippy", argv, needs="cargo-clippy", parse=compiled))
    else:
        argv = ("check", *targets, *common, "--message-format=json")
        found.append(_cargo(package, tools, "rust-check", argv, parse=compiled))
    return found + _test_checks(package, tools, common, tests)


def _test_checks(package: Package, tools: Tools, common: tuple[str, ...], tests: Tests) -> list[Check]:
    """The listing, and the tests by phase. Cargo can be told which targets to run, not which to leave out."""
    cargo = ("test", *common, "--no-fail-fast")
    nextest = tools.find("cargo-nextest") and tools.beside(package, ".config/nextest.toml")
    run = ("nextest", "run", *common, "--no-fail-fast") if nextest else cargo
    # A test that ends the whole process leaves exit code 0, and tests that never ran.
    of_tests: dict[str, Any] = {"blame": Blame.TEST, "findings_are_failures": True}
    of_tests["parse"] = tested_by_nextest if nextest else tested
    unit = {**of_tests, "phase": Phase.UNIT}
    apart = bool(tests.integration or tests.cluster)
    rest = (*(("--lib",) if tests.library else ()), "--bins", *_targets(tests.unit))
    found = []
    if tests.tested or tests.documented or apart:
        # A target with a `main` of its own would run instead of naming its tests.
        argv, parse = (
            ((*cargo, "--no-run"), compiled) if tests.own_main else ((*cargo, "--", "--list"), listed)
        )
        found.append(_cargo(package, tools, "rust-list", argv, parse=parse))
    by_itself = apart or bool(nextest)  # the examples in the documentation, which neither runs with the rest
    if tests.tested or (tests.documented and not by_itself):
        found.append(_cargo(package, tools, "rust-test", (*run, *rest) if apart else run, **unit))
    if tests.documented and by_itself:
        found.append(_cargo(package, tools, "rust-doctest", (*cargo, "--doc"), **{**unit, "parse": tested}))
    if tests.integration or tests.features:
        enabled = ("--features", ",".join(tests.features)) if tests.features else ()
        argv = (*run, *enabled, *(_targets(tests.integration) or rest))
        found.append(_cargo(package, tools, "rust-integration", argv, phase=Phase.INTEGRATION, **of_tests))
    return found


def _targets_to_compile(tests: Tests) -> tuple[str, ...]:
    """All, without benchmarks where these need a nightly compiler."""
    if not tests.nightly_benchmarks:
        return ("--all-targets",)
    return (*(("--lib",) if tests.library else ()), "--bins", "--examples", "--tests")


def _targets(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for name in names for part in ("--test", name))


def _cargo(
    package: Package, tools: Tools, name: str, argv: tuple[str, ...], *, needs: str = "", **more: Any
) -> Check:
    """A check by cargo, which by default compiles: in the contract phase, with all processors, one at a time."""
    cargo = tools.find("cargo")
    missing = "cargo" if not cargo else needs if needs and not tools.find(needs) else ""
    env = {
        "CARGO_TARGET_DIR": str(tools.cache / "cargo" / checkout_key(package)),
        "CARGO_TERM_COLOR": "never",
        "RUST_BACKTRACE": "0",
        "RUSTUP_AUTO_INSTALL": "0",
    }
    rustup = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    toolchains = sorted((rustup / "update-hashes").glob("*"))
    configuration = tools.beside(package, "rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml")
    common: dict[str, Any] = {
        "phase": Phase.CONTRACT,
        "blame": Blame.COMPILE,
        "weight": 0,
        "resource": "cargo",
        "inputs": existing(cargo, rustup / "settings.toml", configuration, *toolchains),
        "how_to_install": {"": FETCH.format(package.folder or "the checkout"), "cargo": INSTALL}.get(
            missing, COMPONENT
        ),
    }
    return Check(
        package, name, argv=(cargo or "cargo", *argv), env=env, missing=missing, **{**common, **more}
    )


LANGUAGE = Language("rust", checks, ("Cargo.toml",), links, lockfiles=("Cargo.lock",), suffixes=(".rs",))
