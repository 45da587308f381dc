"""What a finished command means: a pure decision."""

from __future__ import annotations

from gatehouse.core.processes import Completed
from gatehouse.inner.model import Check, CheckResult, ChildOutcome, Outcome, Parsed, Phase

#: How a shell ends for a program that it cannot find.
COMMAND_NOT_FOUND = 127

#: Lines of output that are shown when nothing could be read out of it.
TAIL_LINES = 15

#: Of a pass whose output names no number of tests: it is one, for the command says so, and is never a bare one.
NOT_COUNTED = "not counted: its output does not tell whether a test ran"

NO_TEST_FOUND = "no test was found, although there are test files"


def judge_look(check: Check, parsed: Parsed) -> CheckResult:
    """What a look at a package means that needed no command."""
    if parsed.findings:
        return CheckResult(check, Outcome.FAILED, findings=parsed.findings)
    if parsed.listed == 0:
        return CheckResult(check, Outcome.FAILED, NO_TEST_FOUND)
    return CheckResult(check, Outcome.PASSED, tests=parsed.tests)


def judge(check: Check, done: Completed, timeout: float) -> CheckResult:
    """What a finished command means. Its exit code outranks everything that was read out of its output."""
    try:
        parsed, unread = check.parse(check, done), ""
    except Exception as error:  # noqa: BLE001 - a parser of ours that trips must not turn red into green, or hang
        parsed, unread = Parsed(), f"its output could not be read: {type(error).__name__}: {error}"
    output = "\n".join(
        [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.strip()][-TAIL_LINES:]
    )

    def failed(reason: str = "") -> CheckResult:
        return CheckResult(check, Outcome.FAILED, reason, parsed.findings, output, done, parsed.tests)

    def not_installed(what: str) -> CheckResult:
        return CheckResult(check, Outcome.NOT_INSTALLED, what, parsed.findings, output, done, parsed.tests)

    if done.timed_out:
        return failed(f"did not end within {timeout:.0f} s and was ended")
    if done.exit_code in check.nothing_selected:
        return failed("no test was selected, although there are test files")
    if unread:
        return failed(unread)
    if parsed.missing:
        return not_installed(f"{parsed.missing} is not installed")
    if done.exit_code == COMMAND_NOT_FOUND and not parsed.findings:
        return not_installed(output.splitlines()[-1] if output else "command not found")
    if done.exit_code != 0:
        return failed("" if parsed.findings else f"exit code {done.exit_code}")
    if check.findings_are_failures and parsed.findings:
        return failed()
    if red := [test for test in parsed.tests if test.outcome is ChildOutcome.FAILED]:
        return failed(f"exit code 0, but {red[0].id} failed")
    if parsed.executed == 0:
        return failed("exit code 0, but no test ran")
    if parsed.listed == 0:
        return failed(f"exit code 0, but {NO_TEST_FOUND}")
    if done.left_behind:
        return failed(f"left processes behind, which were ended: {', '.join(done.left_behind)[:200]}")
    uncounted = check.phase is not Phase.CONTRACT and parsed.executed is None
    reason = NOT_COUNTED if uncounted else ""
    return CheckResult(check, Outcome.PASSED, reason, output=output, completed=done, tests=parsed.tests)
