import pytest

from gatehouse.guardrails.rules import deleted_tests, grown_lists, skipped_tests, weakened_assertions
from tests.support.guard_rails import case, diff, moved, told

PYTHON = "def test_a():\n    assert f() == 1\n\n\ndef test_b():\n    assert f() == 2\n"
ONE = {
    "test_x.py": ("def test_a():\n    assert 1 < f()\n", "test_a"),
    "x_test.go": ("func TestA(t *testing.T) {\n\tt.Fatal()\n}\n", "TestA"),
    "x.test.ts": ("test('adds', () => {\n  expect(f()).toBe(1);\n});\n", "adds"),
    "src/test/java/XTest.java": ("@Test\nvoid adds() {\n  assertEquals(1, f());\n}\n", "adds"),
    "src/lib.rs": ("#[test]\nfn adds() {\n    assert_eq!(1, f());\n}\n", "adds"),
}


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, (text, _) in ONE.items()], ids=ONE)
def test_a_deleted_test_is_red_in_every_language(path, text):
    gone = case(diff(path, text, "\n"))

    (violation,) = deleted_tests.check(gone)

    assert (violation.path, str(violation.weight)) == (path, "profiles")
    assert ONE[path][1] in violation.message


@pytest.mark.parametrize("path", ONE)
def test_a_deleted_file_of_tests_is_red(path):
    assert told(deleted_tests, case(diff(path, ONE[path][0], None))) == [
        ("deleted-test", path, 0, "profiles")
    ]


def test_a_moved_file_of_tests_is_no_deletion():
    assert told(deleted_tests, case(*moved("test_x.py", "deep/test_x.py", PYTHON, PYTHON))) == []


def test_a_test_that_is_lost_on_the_way_is_a_deletion():
    lost = PYTHON.split("\n\n\n")[0]

    assert told(deleted_tests, case(*moved("test_x.py", "deep/test_x.py", PYTHON, lost))) == [
        ("deleted-test", "deep/test_x.py", 0, "profiles")
    ]


def test_a_test_that_went_to_another_file_is_no_deletion():
    first, second = PYTHON.split("\n\n\n")

    assert told(deleted_tests, case(diff("test_x.py", PYTHON, first), diff("test_y.py", None, second))) == []


def test_a_name_that_another_file_had_before_makes_up_for_nothing():
    first = PYTHON.split("\n\n\n")[0]
    other = PYTHON + "\n# changed\n"

    assert (
        len(told(deleted_tests, case(diff("test_x.py", PYTHON, first), diff("test_y.py", PYTHON, other))))
        == 1
    )


def test_a_renamed_test_is_a_note():
    assert told(deleted_tests, case(diff("test_x.py", PYTHON, PYTHON.replace("test_b", "test_c")))) == [
        ("deleted-test", "test_x.py", 0, "nobody")
    ]


def test_files_without_tests_may_go():
    assert told(deleted_tests, case(diff("main.py", "def f():\n    pass\n", None))) == []


SKIPS = {
    "test_x.py": [
        "@pytest.mark.skip",
        "@pytest.mark.xfail(reason='x')",
        "@pytest.mark.skipif(True, reason='x')",
        "    pytest.skip('x')",
        "@unittest.skip('x')",
        "        self.skipTest('x')",
        "collect_ignore = ['test_a.py']",
        "pytestmark = pytest.mark.skip",
    ],
    "x_test.go": ["\tt.Skip()", '\tt.Skipf("x")', "\tt.SkipNow()", "//go:build ignore"],
    "x.test.ts": [
        "it.skip('x', () => {",
        "describe.skip('x', () => {",
        "test.only('x', () => {",
        "test.fixme('x', () => {",
        "xit('x', () => {",
        "xdescribe('x', () => {",
        "fit('x', () => {",
        "test.describe.skip('x', () => {",
        "it.concurrent.skip('x', () => {",
    ],
    "src/test/java/XTest.java": ["@Disabled", '@Ignore("x")', "@org.junit.jupiter.api.Disabled"],
    "src/lib.rs": ["#[ignore]", '#[ignore = "slow"]'],
}


@pytest.mark.parametrize(("path", "line"), [(path, line) for path in SKIPS for line in SKIPS[path]])
def test_a_newly_skipped_test_is_red_in_every_language(path, line):
    old = ONE[path][0]

    assert told(skipped_tests, case(diff(path, old, f"// first\n{line}\n{old}"))) == [
        ("skipped-test", path, 2, "profiles")
    ]


def test_a_skip_that_was_there_is_no_violation():
    old = f"@pytest.mark.skip\n{PYTHON}"

    assert told(skipped_tests, case(diff("test_x.py", old, old + "\n# more\n"))) == []


def test_a_skip_in_a_file_that_is_new_is_a_note():
    assert told(skipped_tests, case(diff("test_x.py", None, f"@pytest.mark.skip\n{PYTHON}"))) == [
        ("skipped-test", "test_x.py", 1, "nobody")
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("test_x.py", "# pytest.mark.skip is not for us"),
        ("main.py", "@pytest.mark.skip"),
        ("x.test.ts", "const profit = () => skip('x')"),
        ("x.test.ts", "await page.it.visit()"),
        ("x_test.go", "\titerator.Skip()"),
    ],
)
def test_what_only_looks_like_a_skip_is_no_violation(path, line):
    assert told(skipped_tests, case(diff(path, "x\n", f"x\n{line}\n"))) == []


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("test_x.py", "    assert 1 < f()\n"),
        ("x_test.go", "\tt.Fatal()\n"),
        ("x.test.ts", "  expect(f()).toBe(1);\n"),
        ("src/test/java/XTest.java", "  assertEquals(1, f());\n"),
        ("src/lib.rs", "    assert_eq!(1, f());\n"),
    ],
)
def test_an_assertion_that_is_gone_is_red_in_every_language(path, gone):
    old = ONE[path][0]

    assert told(weakened_assertions, case(diff(path, old, old.replace(gone, "")))) == [
        ("weakened-assertion", path, 0, "profiles")
    ]


def test_an_assertion_that_is_written_otherwise_is_no_violation():
    assert told(weakened_assertions, case(diff("test_x.py", PYTHON, PYTHON.replace("== 2", "== 3")))) == []


def test_an_assertion_that_went_to_another_file_is_no_violation():
    line = "    assert f() == 2\n"

    assert (
        told(
            weakened_assertions,
            case(
                diff("test_x.py", PYTHON, PYTHON.replace(line, "    check()\n")),
                diff("conftest.py", "", f"def check():\n{line}"),
            ),
        )
        == []
    )


def test_a_deleted_test_is_not_told_a_second_time_as_fewer_assertions():
    assert told(weakened_assertions, case(diff("test_x.py", PYTHON, PYTHON.split("\n\n\n")[0]))) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("test_x.py", "    assert True"),
        ("test_x.py", "    assert True, 'fine'"),
        ("test_x.py", "    assert x.y == x.y"),
        ("test_x.py", "    assert f() == 1 or True"),
        ("test_x.py", "    except Exception:\n        pass"),
        ("test_x.py", "    except AssertionError: pass"),
        ("test_x.py", "    except:\n        ..."),
        ("test_x.py", "    except:\n        pass"),
        ("test_x.py", "    with contextlib.suppress(AssertionError):"),
        ("x_test.go", "\tassert.True(t, true)"),
        ("x.test.ts", "  expect(true).toBe(true);"),
        ("x.test.ts", "  } catch (e) {}"),
        ("x.test.ts", "  await f().catch(() => {});"),
        ("src/test/java/XTest.java", "  assertTrue(true);"),
        ("src/test/java/XTest.java", "  } catch (Throwable t) {}"),
        ("src/lib.rs", "    assert!(true);"),
    ],
)
def test_an_assertion_that_always_holds_and_a_failure_that_is_swallowed_are_red(path, line):
    old = ONE[path][0]

    assert told(weakened_assertions, case(diff(path, old, f"{old}{line}\n"))) == [
        ("weakened-assertion", path, len(old.splitlines()) + 1, "profiles")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "    assert x == y",
        "    assert Truely",
        "    except KeyError:\n        pass",
        "    assert True is f()",
    ],
)
def test_assertions_that_can_fail_are_no_violation(line):
    assert told(weakened_assertions, case(diff("test_x.py", PYTHON, f"{PYTHON}{line}\n"))) == []


@pytest.mark.parametrize(
    "path",
    [".secrets.baseline", "detekt-baseline.xml", ".ameide/test-contract-allowlist.txt", ".eslintignore"],
)
def test_a_list_of_accepted_findings_may_only_shrink(path):
    assert told(grown_lists, case(diff(path, "a\n", "a\nb\n"))) == [("grown-baseline", path, 2, "profiles")]
    assert told(grown_lists, case(diff(path, None, "a\n"))) == [("grown-baseline", path, 1, "profiles")]
    assert told(grown_lists, case(diff(path, "a\nb\n", "a\n"))) == []
    assert told(grown_lists, case(diff(path, "a\nb\n", None))) == []
    assert told(grown_lists, case(diff(path, "a\n", "b\n"))) == []


def test_a_changed_snapshot_is_a_note_and_a_new_one_is_nothing():
    path = "src/__snapshots__/x.snap"

    assert told(grown_lists, case(diff(path, "a", "b"))) == [("changed-snapshot", path, 0, "nobody")]
    assert told(grown_lists, case(diff(path, None, "b"))) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("package.json", '"test": "jest --passWithNoTests"'),
        ("pytest.ini", "addopts = --deselect tests/test_a.py"),
        ("jest.config.js", "testPathIgnorePatterns: ['cart'],"),
        ("Makefile", "\truff check --exit-zero ."),
        (".github/workflows/ci.yml", "        continue-on-error: true"),
    ],
)
def test_a_check_that_is_made_soft_is_red(path, line):
    assert told(grown_lists, case(diff(path, "", f"{line}\n"))) == [("soft-check", path, 1, "profiles")]


def test_the_words_of_soft_checks_mean_nothing_in_other_files():
    assert told(grown_lists, case(diff("docs/page.md", "", "--exit-zero\n"))) == []
