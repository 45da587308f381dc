"""What Maven and Gradle share: Java itself, their wrappers, and the reports and stack traces of tests."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from gatehouse.inner.checks.files import existing, read_text
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Check, ChildOutcome, ChildTest, Finding, Package, Parsed

JAVA = "install a JDK (https://adoptium.net), and put java on the PATH or set JAVA_HOME"
SOURCES = (".java", ".kt", ".groovy", ".scala")

_FRAME = re.compile(
    r"^\s*at (?:\S+/)?(?P<method>[\w.$<>-]+)\((?P<file>[\w$-]+\.\w+):(?P<line>\d+)\)$", re.MULTILINE
)


def java_inputs(tools: Tools) -> tuple[str, ...] | None:
    """The files that tell which Java there is; None without any."""
    java, home = tools.find("java"), os.environ.get("JAVA_HOME")
    if not java and not home:
        return None
    found = Path(home) if home else Path(os.path.realpath(java or "")).parent.parent
    return existing(java, found / "release", found / "lib" / "modules")


def builder(
    package: Package, tools: Tools, script: str, properties: str, dists: Path, program: str
) -> tuple[str, str]:
    """The program that builds, and what is missing: the wrapper if its distribution is here, else the one on the PATH.

    `properties` names the distribution that `script` would else download into the folder `dists`.
    """
    wrapper, wanted = tools.beside(package, script), tools.beside(package, properties)
    if wrapper and wanted and os.access(wrapper, os.X_OK):
        text = read_text(Path(wanted))
        url = re.search(r"^distributionUrl\s*=.*/([^/\s]+?)\.zip\s*$", text, re.MULTILINE)
        names = (url[1], url[1].removesuffix("-bin")) if url else ()
        if any((dists / name).is_dir() for name in names):
            return wrapper, ""
    found = tools.find(program)
    return found or program, "" if found else program


def read_reports(check: Check, reports: Iterable[Path], *, since: float = 0) -> Parsed:
    """The tests in JUnit reports that were written at `since` (seconds since 1970) or later.

    A failure is placed at the first line of its stack that lies in the package, else in the file of its class.
    """
    tests: list[ChildTest] = []
    findings: list[Finding] = []
    seen: Counter[str] = Counter()
    for report in sorted(path for path in reports if path.stat().st_mtime >= since):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by the test runner that we started
            name = f"{case.get('classname', '')}#{case.get('name', '')}"
            seen[name] += 1
            identity = name if seen[name] == 1 else f"{name} ({seen[name]})"
            test, finding = _test(check, case, identity)
            tests.append(test)
            findings += [finding] if finding else []
    executed = sum(test.outcome is not ChildOutcome.SKIPPED for test in tests)
    return Parsed(tuple(findings), executed, tests=tuple(tests))


def _test(check: Check, case: ET.Element, identity: str) -> tuple[ChildTest, Finding | None]:
    try:
        seconds = float(case.get("time", "0").replace(",", ""))
    except ValueError:
        seconds = 0.0
    path = _source(check, case.get("classname", "")) or check.package.manifest
    for problem in (*case.findall("failure"), *case.findall("error")):
        text = problem.text or ""
        message = (
            " ".join((problem.get("message") or text.strip().partition("\n")[0]).split())[:300] or "failed"
        )
        place = _first_frame(check, text)
        where = place[0] if place else path
        line = place[1] if place else None
        finding = Finding(where, message, line, rule=identity)
        return ChildTest(identity, ChildOutcome.FAILED, seconds, message, where, line), finding
    if (skipped := case.find("skipped")) is not None:
        reason = skipped.get("message", "")
        return ChildTest(identity, ChildOutcome.SKIPPED, seconds, reason, path), None
    return ChildTest(identity, ChildOutcome.PASSED, seconds, path=path), None


def _first_frame(check: Check, stack: str) -> tuple[str, int] | None:
    for frame in _FRAME.finditer(stack):
        qualified = frame["method"].rpartition(".")[0]
        if path := _source(check, qualified, frame["file"]):
            return path, int(frame["line"])
    return None


def _source(check: Check, qualified: str, file: str = "") -> str:
    """The package's file of a class: below a folder of the same name, or the only one that is called so."""
    folder, _, name = qualified.partition("$")[0].replace(".", "/").rpartition("/")
    wanted = (file,) if file else tuple(f"{name}{suffix}" for suffix in SOURCES)
    named = [each for each in check.package.files if each.rpartition("/")[2] in wanted]
    inside = [each for each in named if each.rpartition("/")[0].endswith(folder)]
    if len(inside) == 1 or (inside and folder):
        return inside[0]
    # Kotlin files need not lie in a folder of their package's name.
    return named[0] if len(named) == 1 and named[0].endswith(".kt") else ""
