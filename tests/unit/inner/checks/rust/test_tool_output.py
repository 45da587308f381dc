"""What rustfmt, the compiler and cargo print (1.95), and what they say is not on this machine."""

import json

import pytest

from gatehouse.inner.model import Outcome
from tests.support.cargo_packages import ALL, TINY, WORKSPACE
from tests.support.inner_checks import places


def test_files_that_rustfmt_would_change_are_named_once_with_their_first_line(bench):
    check = bench.checks(TINY, *ALL)["rust-fmt"]
    lib = bench.root / "tiny/src/lib.rs"

    outcome = bench.judge(check, f"Diff in {lib}:3:\n-a\n+b\nDiff in {lib}:15:\n-a\n+b\n", code=1)

    assert places(outcome) == ["tiny/src/lib.rs:3: rustfmt: is not formatted; run cargo fmt"]


def test_a_file_that_rustfmt_cannot_read_has_a_place(bench):
    check = bench.checks(TINY, *ALL)["rust-fmt"]
    stderr = f"error: this file contains an unclosed delimiter\n --> {bench.root}/tiny/src/lib.rs:1:15\n  |\n"

    assert places(bench.judge(check, "", stderr, code=1)) == [
        "tiny/src/lib.rs:1:15: rustfmt: this file contains an unclosed delimiter"
    ]


def diagnostic(level, message, code, *spans):
    body = {"level": level, "message": message, "code": code and {"code": code}, "spans": spans}
    return json.dumps({"reason": "compiler-message", "message": body})


def span(file, line, column, **more):
    return {"file_name": file, "line_start": line, "column_start": column, "is_primary": True, **more}


def test_errors_are_findings_once_and_warnings_are_none(bench):
    check = bench.checks({**WORKSPACE, "crates/lib/src/lib.rs": ""}, *ALL, only="crates/lib")["rust-clippy"]
    error = diagnostic("error", "mismatched types", "E0308", span("crates/lib/src/lib.rs", 2, 18))
    warning = diagnostic(
        "warning", "unused variable", "unused_variables", span("crates/lib/src/lib.rs", 5, 1)
    )
    note = diagnostic("failure-note", "For more information", None)

    outcome = bench.judge(check, "\n".join([error, warning, error, note]), code=101)

    assert places(outcome) == ["crates/lib/src/lib.rs:2:18: E0308: mismatched types"]
    assert bench.judge(check, warning).outcome is Outcome.PASSED


def test_a_package_that_its_workspace_leaves_out_has_its_errors_placed_too(bench):
    files = {**WORKSPACE, "tool/src/main.rs": ""}
    check = bench.checks(files, *ALL, only="tool")["rust-clippy"]
    error = diagnostic("error", "bad", None, span("src/main.rs", 2, 18))

    assert places(bench.judge(check, error, code=101)) == ["tool/src/main.rs:2:18: bad"]


def test_an_error_inside_a_foreign_macro_is_placed_where_the_macro_is_used(bench):
    check = bench.checks(TINY, *ALL)["rust-clippy"]
    used = span("src/lib.rs", 3, 5)
    error = diagnostic(
        "error", "bad", None, span("/rustc/1/library/std/macros.rs", 1, 1, expansion={"span": used})
    )

    assert places(bench.judge(check, error, code=101)) == ["tiny/src/lib.rs:3:5: bad"]


ABSENT = {
    "error: no matching package named `serde` found\nlocation searched: crates.io index\n"
    "As a reminder, you're using offline mode (--offline) which can\n": "the crate serde",
    "error: failed to download `libc v0.2.99`\n\nCaused by:\n  attempting to make an HTTP request, but --offline was "
    "specified\n": "the crate libc",
    "error: failed to select a version\nAs a reminder, you're using offline mode\n": "a crate of Cargo.lock",
    "error: rustc 1.95.0 is not supported by the following packages:\n  a@0.1.12 requires rustc 1.96\n": "Rust 1.96",
    "error: failed to run custom build command for `flagd v0.2.2`\n\nCaused by:\n  process didn't exit successfully: "
    "`/t/build-script-build` (exit status: 101)\n  --- stderr\n\n  thread 'main' (2) panicked at /r/build.rs:20:14:\n"
    "  called `Result::unwrap()` on an `Err` value: Could not find `protoc`. If `protoc` is installed\n": "protoc",
    "error: cannot create the lock file /c/Cargo.lock because --locked was passed to prevent this\n": (
        "what Cargo.toml asks for (there is no Cargo.lock yet)"
    ),
    "error: 'cargo-clippy' is not installed for the toolchain '1.80-x86_64'.\n": "cargo-clippy",
    "error: toolchain '1.80-x86_64' is not installed\n": "the toolchain 1.80-x86_64",
    "error: linker `cc` not found\n": "the linker cc",
}


@pytest.mark.parametrize("name", ["rust-fmt", "rust-clippy", "rust-list", "rust-test"])
@pytest.mark.parametrize(("stderr", "missing"), ABSENT.items(), ids=ABSENT.values())
def test_what_is_not_on_this_machine_is_not_installed_and_no_failure(bench, name, stderr, missing):
    check = bench.checks(TINY, *ALL)[name]

    outcome = bench.judge(check, "", stderr, code=101)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, f"{missing} is not installed")
    assert check.how_to_install.startswith("install it: a crate by `cargo fetch` in tiny")


def test_a_lockfile_that_does_not_fit_the_manifest_is_a_failure_of_the_checkout(bench):
    stderr = "error: cannot update the lock file /c/Cargo.lock because --locked was passed to prevent this\n"

    outcome = bench.judge(bench.checks(TINY, *ALL)["rust-clippy"], "", stderr, code=101)

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome)[0].startswith("tiny/Cargo.toml: cargo: cannot update the lock file")


def test_a_build_script_that_fails_says_why(bench):
    check = bench.checks(TINY, *ALL)["rust-clippy"]
    said = (
        "error: failed to run custom build command for `tiny v0.1.0 (/x/tiny)`\n\nCaused by:\n"
        "  process didn't exit successfully: `/t/build-script-build` (exit status: 101)\n  --- stderr\n\n"
        "  thread 'main' (28697) panicked at build.rs:2:5:\n  no schema\n"
    )

    assert places(bench.judge(check, stderr=said, code=101)) == [
        "tiny/Cargo.toml: cargo: failed to run custom build command for `tiny v0.1.0 (/x/tiny)`: no schema"
    ]
