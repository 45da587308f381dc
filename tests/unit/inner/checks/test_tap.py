"""What is read out of TAP, as AVA 7, node-tap 21 and tape 5 print it."""

import pytest

from gatehouse.inner.checks.tap import is_tap, read_tap
from gatehouse.inner.model import Blame, Check, ChildOutcome, Package, Phase

AVA = """TAP version 13
ok 1 - add {in} later # SKIP
not ok 2 - add {in} adds
  ---
    name: AssertionError
    assertion: t.is()
    details:
      'Difference (- actual, + expected):': |-
        - -1
        + 3
    message: ''
    at: >-
      ExecutionContext.is
      (file:///x/node_modules/ava/lib/assert.js:309:16)
  ...
not ok 3 - b {in} throws
  ---
    name: AssertionError
    details:
      'Error thrown in test:': |-
        TypeError {
          message: 'boom',
        }
    message: Error thrown in test
    at: 'file://{root}/p/src/add.js:4:9'
  ...

1..3
# tests 3
# pass 0
# skip 1
# fail 2
"""

AVA_BROKEN = """TAP version 13
not ok 1 - SyntaxError: Unexpected end of input
  ---
    name: SyntaxError
    message: Unexpected end of input
    at: 'compileSourceTextModule (node:internal/modules/esm/utils:346:16)'
  ...
not ok 2 - test/add.test.js exited with a non-zero exit code: 1

1..0
"""

NODE_TAP = """# Subtest: test/add.test.js
    # Subtest: adds
        ok 1 - is a number
        not ok 2 - should be equal
          ---
          compare: ===
          at:
            fileName: test/add.test.js
            lineNumber: 5
            columnNumber: 5
            typeName: Test
          stack: |
            Test.<anonymous> (test/add.test.js:5:5)
          diff: |
            --- expected
            +++ actual
            @@ -1,1 +1,1 @@
            -3
            +-1
          ...

        1..2
    not ok 1 - adds # time=32.602ms
      ---
      at:
        fileName: test/add.test.js
        lineNumber: 4
        columnNumber: 3
      ...

    ok 2 - later # SKIP not yet
    1..2
    # time=61.959ms
not ok 1 - test/add.test.js # time=61.959ms
  ---
  stdio: inherit
  exitCode: 1
  ...

# { total: 3, pass: 1, fail: 1, skip: 1 }
"""

TAPE = """TAP version 13
# adds
ok 1 should be truthy
not ok 2 should be strictly equal
  ---
    operator: equal
    expected: |-
      3
    actual: |-
      -1
    stack: |-
      Error: should be strictly equal
          at Test.assert [as _assert] (/x/node_modules/tape/lib/test.js:548:48)
          at Test.<anonymous> ({root}/p/test/add.test.js:5:5)
  ...
# later
ok 3 later # SKIP docker not available

1..3
# tests 3
# pass  2
# fail  1
"""


@pytest.fixture
def read(tmp_path):
    texts = {
        "test/add.test.js": "import test from 'ava';\n\n\ntest('adds', t => {\n" + "\n" * 9,
        "src/add.js": "\n" * 9,
    }
    for name, text in texts.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True)
        (tmp_path / "p" / name).write_text(text)
    package = Package(tmp_path, "p", "p/package.json", "node", tuple(f"p/{name}" for name in texts))
    check = Check(package, "node-test", Phase.UNIT, Blame.TEST)
    return lambda text, beside="": read_tap(
        check, text.replace("{root}", str(tmp_path)).replace("{in}", "\u203a"), beside
    )


def findings(parsed):
    return [str(each) for each in parsed.findings]


def outcomes(parsed):
    return {test.id: test.outcome for test in parsed.tests}


def test_a_test_of_ava_is_placed_where_it_is_declared_if_its_stack_does_not_tell(read):
    parsed = read(AVA)

    assert findings(parsed) == [
        "p/test/add.test.js:4: add \u203a adds: t.is() Difference (- actual, + expected): - -1 + 3",
        "p/src/add.js:4:9: b \u203a throws: Error thrown in test: TypeError { message: 'boom', }",
    ]
    assert parsed.executed == 2


def test_a_file_that_ava_cannot_load_has_the_error_that_was_told_before_it(read):
    assert findings(read(AVA_BROKEN)) == [
        "p/test/add.test.js: SyntaxError: Unexpected end of input: Unexpected end of input"
    ]


def test_assertions_of_node_tap_are_told_and_tests_and_files_around_them_are_not(read):
    parsed = read(NODE_TAP)

    assert findings(parsed) == ["p/test/add.test.js:5:5: adds: should be equal: expected 3, actual -1"]
    assert outcomes(parsed) == {
        "test/add.test.js > adds > is a number": ChildOutcome.PASSED,
        "test/add.test.js > adds > should be equal": ChildOutcome.FAILED,
        "test/add.test.js > later": ChildOutcome.SKIPPED,
    }


def test_a_test_of_node_tap_that_fails_beside_its_assertions_is_told(read):
    text = NODE_TAP.replace("        not ok 2", "        ok 2")

    assert findings(read(text)) == ["p/test/add.test.js:4:3: adds: failed"]


def test_assertions_of_tape_belong_to_the_test_that_is_named_before_them(read):
    parsed = read(TAPE)

    assert (
        findings(parsed)[0] == "p/test/add.test.js:5:5: adds: should be strictly equal: expected 3, actual -1"
    )
    assert "lacks docker" in findings(parsed)[1]
    assert list(outcomes(parsed)) == [
        "adds > should be truthy",
        "adds > should be strictly equal",
        "later > later",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("TAP version 13\n# adds\nok 1 yes\n", "1 have a result, and their number is not announced"),
        ("TAP version 13\n1..3\nok 1 yes\n", "1 have a result, and 3 were announced"),
        (
            "TAP version 13\n1..2\nok 1 a\nok 2 b\nTAP version 13\nok 1 c\n",
            "1 have a result, and their number",
        ),
        ("TAP version 13\n1..1\nok 1 a\nBail out! no database\n", "bailed out: no database"),
    ],
)
def test_tests_that_end_early_are_a_finding_whatever_the_exit_code_says(read, text, told):
    (finding,) = findings(read(text))

    assert told in finding


def test_several_programs_one_after_the_other_are_read(read):
    parsed = read("TAP version 13\n1..1\nok 1 a\nTAP version 13\nok 1 b\nok 2 c\n1..2\n")

    assert (parsed.executed, parsed.findings) == (3, ())


def test_a_plan_of_nothing_runs_nothing(read):
    parsed = read("TAP version 13\n1..0 # SKIP nothing to do\n")

    assert (parsed.executed, parsed.findings) == (0, ())


def test_a_line_of_dashes_that_a_test_prints_hides_no_result(read):
    parsed = read("TAP version 13\nok 1 a\nsome output\n---\nnot ok 2 b\nok 3 c\n1..3\n")

    assert [test.outcome for test in parsed.tests] == [
        ChildOutcome.PASSED,
        ChildOutcome.FAILED,
        ChildOutcome.PASSED,
    ]


def test_tap_is_known_by_the_line_of_its_version():
    assert is_tap("some output\nTAP version 14\n")
    assert not is_tap("we print no TAP version 14 here\nok 1 - fine\n")
