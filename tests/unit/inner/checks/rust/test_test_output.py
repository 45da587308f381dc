"""What is read out of recorded output of Rust's tests and of cargo-nextest."""

from gatehouse.inner.model import ChildOutcome, Outcome
from tests.support.cargo_packages import ALL, TINY, UNIT
from tests.support.inner_checks import places

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
