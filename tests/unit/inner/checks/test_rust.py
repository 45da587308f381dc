"""Cargo's checks. What is read was printed by cargo 1.95 and cargo-nextest; the last test runs cargo."""

import json
import os
import shutil

import pytest

from gatehouse.inner.checks.rust.language import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import ChildOutcome, Outcome

ALL = ("cargo", "cargo-fmt", "cargo-clippy")
MANIFEST = '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n'
UNIT = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {}\n}\n"
TINY = {"tiny/Cargo.toml": MANIFEST, "tiny/src/lib.rs": UNIT, "tiny/tests/whole.rs": "#[test]\nfn all() {}\n"}


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def test_a_package_is_formatted_linted_listed_and_tested_without_network_or_a_new_lockfile(bench):
    found = bench.checks(TINY, *ALL)

    assert list(found) == ["rust-fmt", "rust-clippy", "rust-list", "rust-test"]
    assert found["rust-test"].argv[1:] == (
        *("test", "--offline", "--locked", "--package", "tiny", "--no-fail-fast"),
    )
    assert found["rust-test"].resource == "cargo"
    assert str(bench.root) not in found["rust-test"].env["CARGO_TARGET_DIR"]


def test_without_clippy_the_compiler_checks_and_without_rustfmt_nobody_formats(bench):
    assert list(bench.checks(TINY, "cargo")) == ["rust-check", "rust-list", "rust-test"]


def test_clippy_and_rustfmt_are_missed_where_the_repository_configures_them(bench):
    found = bench.checks({**TINY, "clippy.toml": "", "rustfmt.toml": ""}, "cargo")

    assert {check.name: check.missing for check in found.values() if check.missing} == {
        "rust-fmt": "cargo-fmt",
        "rust-clippy": "cargo-clippy",
    }


def test_benchmarks_that_need_a_nightly_compiler_are_not_compiled(bench):
    files = {**TINY, "tiny/benches/fast.rs": "#![feature(test)]\nextern crate test;\n"}

    assert bench.checks(files, *ALL)["rust-clippy"].argv[3:7] == ("--lib", "--bins", "--examples", "--tests")


def test_other_benchmarks_are_compiled_with_everything_else(bench):
    files = {**TINY, "tiny/benches/fast.rs": "fn main() {}\n"}

    assert "--all-targets" in bench.checks(files, *ALL)["rust-clippy"].argv


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


def test_absent_cargo_is_not_installed(bench):
    assert {check.missing for check in bench.checks(TINY).values()} == {"cargo"}


def test_a_package_without_tests_has_no_test_check(bench):
    files = {"Cargo.toml": MANIFEST, "src/main.rs": '#[cfg(feature = "test")]\nfn main() {}\n'}

    assert list(bench.checks(files, *ALL)) == ["rust-fmt", "rust-clippy"]


@pytest.mark.parametrize(
    "source",
    [
        "#[tokio::test]\nasync fn a() {}",
        "#[rstest]\nfn a() {}",
        "#[test_case(1)]\nfn a(_: i32) {}",
        "proptest! {}",
        "/// ```\n/// let a = 1;\n/// ```\npub fn a() {}",
        "/// ```text\n/// none\n/// ```\n///\n/// ```rust,no_run\n/// ```\npub fn a() {}",
    ],
)
def test_every_kind_of_test_is_seen(bench, source):
    assert "rust-test" in bench.checks({"Cargo.toml": MANIFEST, "src/lib.rs": source}, *ALL)


def test_a_test_that_is_commented_out_is_none(bench):
    files = {"Cargo.toml": MANIFEST, "src/main.rs": "// #[test]\n// fn a() {}\nfn main() {}\n"}

    assert "rust-test" not in bench.checks(files, *ALL)


@pytest.mark.parametrize("fence", ["text", "ignore", "toml"])
def test_what_is_no_rust_in_documentation_is_no_test(bench, fence):
    source = f"/// ```{fence}\n/// x\n/// ```\npub fn a() {{}}\n"

    assert "rust-test" not in bench.checks({"Cargo.toml": MANIFEST, "src/lib.rs": source}, *ALL)


def test_targets_named_after_integration_tests_run_in_their_phase_and_cluster_tests_never(bench):
    files = {
        **TINY,
        "tiny/tests/integration_store.rs": "#[test]\nfn a() {}",
        "tiny/tests/e2e.rs": "#[test]\nfn a() {}",
        "tiny/tests/cluster/main.rs": "#[test]\nfn a() {}",
    }

    found = bench.checks(files, *ALL)

    assert found["rust-test"].argv[7:] == ("--lib", "--bins", "--test", "whole")
    assert found["rust-integration"].argv[7:] == ("--test", "integration_store")
    assert found["rust-integration"].phase == "integration-local"


def test_a_feature_named_after_integration_tests_is_switched_on_in_their_phase(bench):
    files = {**TINY, "tiny/Cargo.toml": f"{MANIFEST}[features]\nintegration = []\n"}

    found = bench.checks(files, *ALL)

    assert found["rust-test"].argv[7:] == ()
    assert found["rust-integration"].argv[7:] == (
        *("--features", "integration", "--lib", "--bins", "--test", "whole"),
    )


def test_examples_in_documentation_run_by_themselves_where_targets_are_chosen(bench):
    files = {
        "Cargo.toml": MANIFEST,
        "src/lib.rs": "/// ```\n/// ```\npub fn a() {}",
        "tests/e2e.rs": "#[test]\nfn a() {}",
    }

    found = bench.checks(files, *ALL)

    assert list(found)[2:] == ["rust-list", "rust-doctest"]
    assert found["rust-doctest"].argv[-1] == "--doc"


def test_a_target_with_a_main_of_its_own_is_compiled_instead_of_listed(bench):
    files = {**TINY, "tiny/Cargo.toml": f'{MANIFEST}[[test]]\nname = "whole"\nharness = false\n'}

    assert bench.checks(files, *ALL)["rust-list"].argv[-1] == "--no-run"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[package]\nname = "tiny', 2),
        ("[package\n", 1),
        ("[package]\nversion = 1\n", 1),
        ("package = 1\n", 1),
    ],
)
def test_a_broken_manifest_fails_at_its_place_without_running_anything(bench, text, line):
    found = bench.checks({"a/Cargo.toml": text}, *ALL)

    assert list(found) == ["rust-manifest"]
    finding = found["rust-manifest"].look().findings[0]
    assert (finding.path, finding.line, finding.rule) == ("a/Cargo.toml", line, "Cargo.toml")


WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\nlib = { path = "crates/lib" }\n',
    "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
    "crates/app/Cargo.toml": (
        '[package]\nname = "app"\n[dependencies]\nlib.workspace = true\n'
        '[target."cfg(unix)".dev-dependencies]\nother = { package = "tool", path = "../../tool" }\n'
    ),
    "tool/Cargo.toml": '[package]\nname = "tool"\n[dependencies]\nserde = "1"\n',
}


def test_packages_are_linked_by_name_and_to_their_workspace_which_has_no_checks(bench):
    found = bench.checks(WORKSPACE, *ALL, only="")
    graph = build(bench.packages(WORKSPACE), [LANGUAGE])

    assert found == {}
    assert graph.needs["crates/app/Cargo.toml"] == {"Cargo.toml", "crates/lib/Cargo.toml", "tool/Cargo.toml"}
    assert graph.needs["tool/Cargo.toml"] == {"Cargo.toml"}


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


FAILED = """\

running 3 tests
test tests::fine ... ok
test tests::later ... ignored, needs a thing
test tests::adds ... FAILED

failures:

---- tests::adds stdout ----

thread 'tests::adds' (1798) panicked at src/lib.rs:4:9:
assertion `left == right` failed: one and one
  left: 2
 right: 3
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    tests::adds

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.12s


running 1 test
test whole ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.13s


running 1 test
test src/lib.rs - add (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.14s
"""
RUNNING = """\
   Compiling tiny v0.1.0 (/checkout/tiny)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.61s
     Running unittests src/lib.rs (/target/debug/deps/tiny-b8411d1b6389d6df)
error: test failed, to rerun pass `--lib`
     Running tests/whole.rs (/target/debug/deps/whole-81f4b1fe88e4287a)
   Doc-tests tiny
error: 1 target failed:
    `--lib`
"""


def test_a_failing_test_is_placed_at_its_panic_and_every_test_is_told_apart(bench):
    check = bench.checks(TINY, *ALL)["rust-test"]

    outcome = bench.judge(check, FAILED, RUNNING, code=101)
    parsed = check.parse(check, outcome.completed)

    assert places(outcome) == [
        "tiny/src/lib.rs:4:9: src/lib.rs::tests::adds: "
        "assertion `left == right` failed: one and one left: 2 right: 3"
    ]
    assert parsed.executed == 4
    assert [(test.id, test.outcome) for test in parsed.tests] == [
        ("src/lib.rs::tests::fine", ChildOutcome.PASSED),
        ("src/lib.rs::tests::later", ChildOutcome.SKIPPED),
        ("src/lib.rs::tests::adds", ChildOutcome.FAILED),
        ("tests/whole.rs::whole", ChildOutcome.PASSED),
        ("Doc-tests::src/lib.rs - add (line 3)", ChildOutcome.PASSED),
    ]


def test_a_panic_as_older_compilers_print_it_is_placed_too(bench):
    check = bench.checks(TINY, *ALL)["rust-test"]
    stdout = FAILED.replace("panicked at src/lib.rs:4:9:\n", "panicked at 'no', src/lib.rs:4:9\n")

    assert "src/lib.rs::tests::adds: no" in places(bench.judge(check, stdout, RUNNING, code=101))[0]


def test_a_target_that_ends_before_its_tests_is_no_pass_although_it_exits_with_0(bench):
    check = bench.checks(TINY, *ALL)["rust-test"]

    first = "\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n"
    running = "     Running unittests src/lib.rs (/x)\n     Running tests/whole.rs (/y)\n"

    outcome = bench.judge(check, f"{first}\nrunning 2 tests\ntest b ... ok\n", running)

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == ["tiny/tests/whole.rs: cargo: ended before all of its tests had"]


def test_tests_that_all_were_filtered_out_are_no_pass(bench):
    check = bench.checks(TINY, *ALL)["rust-test"]
    stdout = (
        "\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n"
    )

    assert bench.judge(check, stdout, RUNNING).reason == "exit code 0, but no test ran"


NEXTEST = """\
   Compiling app v0.1.0 (/checkout/tiny)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.61s
────────────
 Nextest run ID d1ec5716-8a06-48cb-b642-484f88aa2fa8 with nextest profile: default
    Starting 3 tests across 2 binaries (1 test skipped)
        PASS [   0.019s] (1/3) tiny t::fine
  TRY 1 FAIL [   0.022s] (───) tiny::whole shaky
  stderr ───

    thread 'shaky' (1) panicked at src/lib.rs:1:1:
    once

   TRY 2 PASS [   0.022s] (2/3) tiny::whole shaky
        FAIL [   0.028s] (3/3) tiny tests::odd
  stdout ───

    running 1 test
    test tests::odd ... FAILED

  stderr ───

    thread 'tests::odd' (25925) panicked at src/lib.rs:2:5:
    odd
    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

────────────
     Summary [   0.050s] 3 tests run: 2 passed (1 flaky), 1 failed, 1 skipped
        FAIL [   0.028s] (3/3) tiny tests::odd
error: test run failed
"""


def test_nextest_runs_the_tests_where_it_is_configured_and_installed(bench):
    documented = {**TINY, "tiny/src/lib.rs": f"/// ```\n/// ```\npub fn a() {{}}\n{UNIT}"}
    configured = {**documented, ".config/nextest.toml": ""}

    assert bench.checks(configured, *ALL)["rust-test"].argv[1] == "test"
    found = bench.checks(configured, *ALL, "cargo-nextest")
    assert found["rust-test"].argv[1:3] == ("nextest", "run")
    assert found["rust-doctest"].argv[-1] == "--doc"


def test_what_nextest_prints_is_read_and_the_last_try_of_a_test_counts(bench):
    check = bench.checks({**TINY, ".config/nextest.toml": ""}, *ALL, "cargo-nextest")["rust-test"]

    outcome = bench.judge(check, "", NEXTEST, code=100)
    parsed = check.parse(check, outcome.completed)

    assert places(outcome) == ["tiny/src/lib.rs:2:5: tiny::tests::odd: odd"]
    assert parsed.executed == 3
    assert {test.id: (test.outcome, test.seconds) for test in parsed.tests} == {
        "tiny::t::fine": (ChildOutcome.PASSED, 0.019),
        "tiny::whole::shaky": (ChildOutcome.PASSED, 0.022),
        "tiny::tests::odd": (ChildOutcome.FAILED, 0.028),
    }


def test_nextest_that_runs_no_test_is_no_pass(bench):
    check = bench.checks({**TINY, ".config/nextest.toml": ""}, *ALL, "cargo-nextest")["rust-test"]
    stderr = "     Summary [   0.000s] 0 tests run: 0 passed, 0 skipped\n"

    assert bench.judge(check, "", stderr).reason == "exit code 0, but no test ran"


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
    "error: cannot create the lock file /c/Cargo.lock because --locked was passed to prevent this\n": "Cargo.lock",
    "error: 'cargo-clippy' is not installed for the toolchain '1.80-x86_64'.\n": "cargo-clippy",
    "error: toolchain '1.80-x86_64' is not installed\n": "1.80-x86_64",
    "error: linker `cc` not found\n": "cc",
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


@pytest.mark.skipif(not shutil.which("cargo"), reason="needs cargo")
def test_the_real_cargo_finds_each_fault_and_leaves_nothing_in_the_tree(bench):
    lock = 'version = 4\n\n[[package]]\nname = "tiny"\nversion = "0.1.0"\n'
    good = (
        "pub fn one() -> i32 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n"
        "        assert_eq!(super::one(), 1);\n    }\n}\n"
    )
    files = {**TINY, "tiny/src/lib.rs": good, "tiny/Cargo.lock": lock}

    def outcomes(source):
        found = bench.checks({**files, "tiny/src/lib.rs": source}, path=os.environ["PATH"])
        return {name: bench.run(check, os.environ) for name, check in found.items()}

    right = outcomes(good)
    wrong = outcomes(good.replace("    1\n", "      2\n"))
    broken = outcomes(good.replace("    1\n", "    one\n"))

    assert {str(result.outcome) for result in right.values()} == {"passed"}
    assert places(wrong["rust-test"])[0].startswith("tiny/src/lib.rs:9:9: src/lib.rs::tests::adds: assertion")
    if "rust-fmt" in wrong:
        assert [finding.line for finding in wrong["rust-fmt"].findings] == [2]
    for name in {"rust-clippy", "rust-check", "rust-list", "rust-test"} & set(broken):
        first = broken[name].findings[0]
        assert (first.path, first.line, first.column, first.rule) == ("tiny/src/lib.rs", 2, 5, "E0308")
    assert sorted(path.name for path in (bench.root / "tiny").iterdir()) == [
        *("Cargo.lock", "Cargo.toml", "src", "tests"),
    ]
