"""Python packages: ruff and mypy where they are configured, pytest where there are tests."""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.parsing import placed_lines, relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase


def checks(package: Package, tools: Tools) -> list[Check]:
    """Lint, format and types as far as they are configured; tests unless the package has none."""
    configuration = _configuration(package)
    if isinstance(configuration, str):
        return [_broken(package, configuration)]
    configured = configuration.get("tool", {})
    found = []
    if "ruff" in configured or package.has_file(lambda name: name in ("ruff.toml", ".ruff.toml")):
        ruff = tools.beside(package, ".venv/bin/ruff") or tools.find("ruff")
        how = "install ruff into the package's environment"
        for name, arguments, blame in (
            ("python-format", ("format", "--check"), Blame.FORMAT),
            ("python-lint", ("check", "--no-fix", "--output-format=json"), Blame.LINT),
        ):
            argv: tuple[str, ...] = (ruff or "ruff", *arguments, "--no-cache", ".")
            parse = _ruff_format if blame is Blame.FORMAT else _ruff_check
            env = {"RUFF_OUTPUT_FORMAT": "concise"} if blame is Blame.FORMAT else {}
            found.append(
                Check(package, name, Phase.CONTRACT, blame, argv, parse, env, "" if ruff else "ruff", how)
            )
    if "mypy" in configured or package.has_file(lambda name: name in ("mypy.ini", ".mypy.ini")):
        mypy = tools.beside(package, ".venv/bin/mypy") or tools.find("mypy")
        argv = (
            mypy or "mypy",
            "--no-color-output",
            "--no-error-summary",
            f"--cache-dir={tools.cache / 'mypy'}",
        )
        if not configured.get("mypy", {}).get("files"):
            argv = (*argv, ".")
        how = "install mypy into the package's environment"
        found.append(
            Check(
                package,
                "python-types",
                Phase.CONTRACT,
                Blame.COMPILE,
                argv,
                _mypy,
                {},
                "" if mypy else "mypy",
                how,
            )
        )
    if package.has_file(_is_test_file):
        found.append(_pytest(package, tools, configured.get("pytest", {})))
    return found


def _configuration(package: Package) -> dict[str, Any] | str:
    """The contents of pyproject.toml (empty without one), or what is wrong with it."""
    path = package.path / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return str(error)


def _broken(package: Package, problem: str) -> Check:
    def parse(check: Check, _done: Completed) -> Parsed:
        return Parsed((Finding(check.package.manifest, f"cannot be read: {problem}", rule="pyproject.toml"),))

    return Check(package, "python-manifest", Phase.CONTRACT, Blame.SETUP, ("false",), parse)


def _is_test_file(name: str) -> bool:
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _pytest(package: Package, tools: Tools, configured: dict[str, Any]) -> Check:
    """Pytest in the package's own environment, else in Gatehouse's, whose plugins are then none of its."""
    own = tools.beside(package, ".venv/bin/python", "venv/bin/python")
    python, env = (own, {}) if own else (sys.executable, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    options = configured.get("ini_options", configured)
    markers = [str(marker).split(":")[0].split("(")[0] for marker in options.get("markers", [])]
    # Integration and cluster tests have phases of their own; naming an unregistered marker would be an error.
    excluded = [name for name in ("integration", "cluster") if name in markers]
    selection = ("-m", " and ".join(f"not {name}" for name in excluded)) if excluded else ()
    report = tools.cache / "pytest" / f"{uuid.uuid4()}.xml"
    argv = (
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *selection),
        *("-o", "junit_family=xunit1", f"--junitxml={report}"),
    )
    # A conftest can set the exit code or end the process early; the report then tells, or is not there.
    return Check(
        package,
        "python-test",
        Phase.UNIT,
        Blame.TEST,
        argv,
        _Report(report),
        env,
        findings_are_failures=True,
        nothing_selected=frozenset({5}),
    )


class _Report:
    """Reads the JUnit file that pytest was told to write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, check: Check, done: Completed) -> Parsed:
        try:
            cases = list(ET.parse(self._path).iter("testcase"))  # noqa: S314 - written by the pytest we started
        except (OSError, ET.ParseError):
            return Parsed(placed_lines(check, done.stdout + "\n" + done.stderr), executed=0)
        finally:
            self._path.unlink(missing_ok=True)
        findings = []
        executed = 0
        for case in cases:
            executed += case.find("skipped") is None
            for problem in (*case.findall("failure"), *case.findall("error")):
                message = problem.get("message", "").splitlines()
                place = _deepest(check, problem.text or "")
                finding = Finding(
                    relative(check, case.get("file", check.package.manifest)),
                    message[0][:300] if message else "failed",
                    int(case.get("line", 0)) + 1,
                    rule=case.get("name", ""),
                )
                findings.append(replace(finding, path=place[0], line=place[1]) if place else finding)
        return Parsed(tuple(findings), executed)


def _deepest(check: Check, traceback: str) -> tuple[str, int] | None:
    """The last frame of a short traceback that lies in the checkout."""
    for finding in reversed(placed_lines(check, traceback)):
        if (check.package.root / finding.path).is_file() and finding.line:
            return finding.path, finding.line
    return None


def _ruff_check(check: Check, done: Completed) -> Parsed:
    try:
        data = json.loads(done.stdout)
    except ValueError:
        return Parsed()
    return Parsed(
        tuple(
            Finding(
                relative(check, each["filename"]),
                each["message"],
                each["location"]["row"],
                each["location"]["column"],
                each.get("code") or "syntax",
            )
            for each in data
        )
    )


def _ruff_format(check: Check, done: Completed) -> Parsed:
    """One line a file: `Would reformat: a.py`, from ruff 0.17 on `a.py:1:1: unformatted: …`."""
    places = re.findall(
        r"^(?:Would reformat: (.+)|(.+?):\d+:\d+: unformatted: .*)$", done.stdout, re.MULTILINE
    )
    files = dict.fromkeys(relative(check, old or new) for old, new in places)
    return Parsed(tuple(Finding(file, "is not formatted; run ruff format", rule="format") for file in files))


def _mypy(check: Check, done: Completed) -> Parsed:
    return Parsed(
        tuple(each for each in placed_lines(check, done.stdout) if each.message.startswith("error"))
    )


LANGUAGE = Language(
    "python",
    checks,
    ("pyproject.toml", "setup.py", "setup.cfg"),
    lockfiles=("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"),
    suffixes=(".py", ".pyi"),
)
