"""How tests, skips and assertions are written in each language. A language is one row."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatehouse.guardrails.model import matches


@dataclass(frozen=True)
class Language:
    """Patterns of one language. `names` is tried on whole texts; the others on single lines.

    Repetitions in `names` are bounded: a file is written by whoever is judged, and must not stop the judging.
    """

    name: str
    files: tuple[str, ...]
    #: The group `name` is the test's name.
    names: re.Pattern[str]
    skips: re.Pattern[str]
    assertions: re.Pattern[str]
    #: Assertions that hold whatever the code does.
    trivial: re.Pattern[str]
    #: Failures that are caught and forgotten; tried on a line and the one after it.
    swallows: re.Pattern[str]
    comment: str

    def test_names(self, text: str | None) -> list[str]:
        """The names of all tests in a text, in order."""
        return [match["name"] for match in self.names.finditer(text or "")]


LANGUAGES = (
    Language(
        "Python",
        ("test_*.py", "*_test.py", "conftest.py"),
        re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(?P<name>test\w*)", re.MULTILINE),
        re.compile(
            r"\bmark\.(?:skip|skipif|xfail)\b|\bpytest\.(?:skip|xfail)\(|@(?:unittest\.)?(?:skip|skipIf|skipUnless|"
            r"expectedFailure)\b|\.skipTest\(|\bSkipTest\b|\bcollect_ignore|\b__test__\s*=\s*False"
        ),
        re.compile(r"^\s*assert\b|\bself\.assert\w+\(|\bpytest\.(?:raises|warns|fail)\(|\.assert_\w+\("),
        re.compile(
            r"^\s*assert\s+(?:True|1|not\s+False|(?P<same>[\w.]+)\s*==\s*(?P=same))\s*(?:,.*)?(?:#.*)?$|\bor True\b"
        ),
        re.compile(
            r"^\s*except(?:\s+\(?(?:Exception|BaseException|AssertionError)\b[^:]*)?:\s*(?:#.*)?(?:\n\s*)?(?:pass\b|return\b|\.\.\.)"
            r"|\bsuppress\((?:[\w., ]*)\b(?:Exception|BaseException|AssertionError)\b"
        ),
        "#",
    ),
    Language(
        "Go",
        ("*_test.go",),
        re.compile(r"^func[ \t]+(?P<name>(?:Test|Fuzz|Example)\w*)[ \t]*\(", re.MULTILINE),
        re.compile(r"\b[tbf]\.Skip(?:f|Now)?\(|^//go:build ignore\b"),
        re.compile(r"\b[tbf]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require)\.\w+\("),
        re.compile(r"\b(?:assert|require)\.True\(t, true\b"),
        re.compile(r"\brecover\(\)\s*(?:;|$|\})"),
        "//",
    ),
    Language(
        "JavaScript",
        ("*.test.*", "*.spec.*", "__tests__/**/*.[jt]s", "__tests__/**/*.[jt]sx", "*.cy.[jt]s"),
        re.compile(
            r"(?<![\w.])[xf]?(?:it|test)(?:\.\w+)*\(\s*(?P<quote>['\"`])(?P<name>(?:\\.|(?!(?P=quote))[^\\\n])+)(?P=quote)"
        ),
        re.compile(
            r"(?<![\w.])(?:it|test|describe|suite|context)(?:\.\w+)*\.(?:skip|todo|fixme|only|fails|failing|skipIf)\b"
            r"|(?<![\w.])[xf](?:it|describe|test)\(|\bskip:\s*true\b|\bthis\.skip\("
        ),
        re.compile(r"(?<![\w.])expect(?:\.\w+)*\(|(?<![\w.])assert(?:\.\w+)*\("),
        re.compile(
            r"\bexpect\((?P<same>true|false|1|0)\)\.(?:toBe|toEqual|toStrictEqual)\((?P=same)\)|\bassert(?:\.ok)?\(true\b"
        ),
        re.compile(r"\bcatch\s*(?:\(\s*\w*\s*\))?\s*\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)"),
        "//",
    ),
    Language(
        "Java and Kotlin",
        ("src/test/**/*.java", "src/test/**/*.kt", "*Test.java", "*Tests.java", "*IT.java", "*Test.kt"),
        re.compile(
            r"@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest)\b[^;{}]{0,300}?\b(?:void|fun)\s+(?P<name>`[^`\n]+`|\w+)\s*\("
        ),
        re.compile(r"@(?:\w+\.)*(?:Disabled\w*|Ignore)\b|\bassumeTrue\(\s*false\b|\bassumeFalse\(\s*true\b"),
        re.compile(r"\b(?:assert\w*|verify|fail|should\w*)\s*[({]"),
        re.compile(r"\bassertTrue\(\s*true\s*[,)]|\bassertFalse\(\s*false\s*[,)]"),
        re.compile(
            r"\bcatch\s*\(\s*(?:final\s+)?(?:Throwable|Exception|AssertionError)\s+\w+\s*\)\s*\{\s*\}"
        ),
        "//",
    ),
    Language(
        "Rust",
        ("*.rs",),
        re.compile(
            r"#\[(?:\w+::)*(?:test|rstest)\b[^\]]{0,300}\]\s*(?:#\[[^\]]{0,300}\]\s*){0,20}(?:pub\s+)?(?:async\s+)?fn\s+(?P<name>\w+)"
        ),
        re.compile(r"#\[ignore\b"),
        re.compile(
            r"\b(?:assert|assert_eq|assert_ne|assert_matches|panic|prop_assert\w*)!\s*[({\[]|#\[should_panic"
        ),
        re.compile(r"\bassert!\s*\(\s*true\s*[,)]"),
        re.compile(r"\bcatch_unwind\("),
        "//",
    ),
)


def language_of(path: str) -> Language | None:
    """The language whose tests a file of this name can hold; None for other files."""
    return next((each for each in LANGUAGES if matches(path, list(each.files))), None)
