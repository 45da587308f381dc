"""Gradle projects on the JVM, in Java or Kotlin: compilation, formatting and lint if configured, tests by source set.

A project is built from the folder of its settings, with what it needs. Without sources it has no checks; `buildSrc`
has none of its own, as each build contains it, and projects for Android or several platforms have other tasks.
`build/` must be ignored by git, as Gradle writes it into the project: builds name that folder in their own words, so
that it cannot be put elsewhere for them.
A source set named after a class of integration tests (`src/integrationTest`) runs in that phase; one named after a
class of cluster tests only compiles. Nothing is downloaded (`--offline`), and no daemon outlives a check.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path, PurePosixPath
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import checkout_key, existing
from gatehouse.inner.checks.java.gradle_build import (
    SETTINGS,
    build_file,
    links,
    project_prefix,
    settings_folder,
)
from gatehouse.inner.checks.java.shared import JAVA, builder, java_inputs, written_since
from gatehouse.inner.checks.junit_reports import read_junit
from gatehouse.inner.checks.jvm_frames import SOURCES
from gatehouse.inner.checks.parsing import relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

INSTALL = "install Gradle (https://gradle.org/install), or run `./gradlew --version` once with network"

#: Plugins by how build files name them, and the task that only looks.
PLUGINS = (
    (r"com\.diffplug\.spotless|libs\.plugins\.spotless", "spotlessCheck", Blame.FORMAT),
    (r"[\"'(]checkstyle[\"')]|^\s*checkstyle\s*$", "checkstyleMain", Blame.LINT),
)

_PLACE = re.compile(
    r"^(?:e: |\[ant:checkstyle\] \[ERROR\] )?(?:file://)?(?P<path>/\S.*?\.(?:java|kts?|groovy|gradle|scala)):? ?\(?"
    r"(?P<line>\d+)(?:[:,] ?(?P<column>\d+))?\)?:? (?:error: )?(?P<message>.+)$",
    re.MULTILINE,
)
#: What Gradle says that it lacks, and how that is named.
_ABSENT = (
    (r"No cached version of (\S+) available for offline mode", "{}"),
    (r"Plugin \[id: '([^']+)'.* was not found", "the plugin {}"),
    (
        r"(?:No matching toolchains found|Cannot find a Java installation).*languageVersion=(\d+)",
        "a JDK of version {}",
    ),
    (r"Could not resolve (\S+)\.\n.*offline mode", "{}"),
)


def checks(package: Package, tools: Tools) -> list[Check]:
    """What applies to a project."""
    inside = [file.removeprefix(f"{package.folder}/") for file in package.files if file.endswith(SOURCES)]
    sets = {parts[1] for file in inside if len(parts := PurePosixPath(file).parts) > 2 and parts[0] == "src"}
    build = build_file(package)
    elsewhere = re.search(r"com\.android\.|libs\.plugins\.android|multiplatform", build)
    if (
        not sets
        or package.manifest.endswith(SETTINGS)
        or elsewhere
        or PurePosixPath(package.folder).name == "buildSrc"
    ):
        return []
    compiled = [name for name in sorted(sets) if name == "main" or name in _sets(tools)]
    tasks = ["classes" if name == "main" else f"{name}Classes" for name in compiled]
    found = [_gradle(package, tools, "gradle-compile", *tasks)] if tasks else []
    for pattern, task, blame in PLUGINS:
        if re.search(pattern, build, re.MULTILINE):
            found.append(_gradle(package, tools, f"gradle-{task}", task, blame=blame))
    if "test" in sets:
        found.append(_tests(package, tools, "gradle-test", "test", Phase.UNIT))
    for name in sorted(sets & set(_named(tools.classes.integration))):
        found.append(_tests(package, tools, f"gradle-{name}", name, Phase.INTEGRATION))
    return found


def _named(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The source sets of some classes of tests: `integrationTest`, or plainly `integration`."""
    return tuple(name for each in classes for name in (f"{each}Test", each))


def _sets(tools: Tools) -> tuple[str, ...]:
    return ("test", *_named(tools.classes.integration), *_named(tools.classes.cluster))


def _gradle(package: Package, tools: Tools, name: str, *tasks: str, **more: Any) -> Check:
    """A check by Gradle: by default it compiles, in the contract phase; one at a time, for they share `build/`."""
    home = Path(os.environ.get("GRADLE_USER_HOME") or Path.home() / ".gradle")
    properties, dists = "gradle/wrapper/gradle-wrapper.properties", home / "wrapper" / "dists"
    program, missing = builder(package, tools, "gradlew", properties, dists, "gradle")
    java, project = java_inputs(tools), project_prefix(package)
    above = os.path.relpath(package.root / settings_folder(package), package.path)
    options = (
        *("--offline", "--no-daemon", "--quiet", "--console=plain", "--continue", "--project-dir", above),
        f"--project-cache-dir={tools.cache / 'gradle' / checkout_key(package)}",
        # A daemon of the compiler would be left behind.
        "-Pkotlin.compiler.execution.strategy=in-process",
    )
    common: dict[str, Any] = {
        "phase": Phase.CONTRACT,
        "blame": Blame.COMPILE,
        "parse": read_output,
        "missing": "java" if java is None else missing,
        "how_to_install": JAVA
        if java is None
        else INSTALL
        if missing
        else "run the same tasks once with network",
        "weight": 0,
        "resource": "gradle",
        "writes": ("build/", ".gradle/", ".kotlin/"),
        "inputs": (*existing(program, home / "gradle.properties"), *(java or ())),
    }
    argv = (program, *options, *(f"{project}{task}" for task in tasks))
    return Check(package, name, argv=argv, **{**common, **more})


def _tests(package: Package, tools: Tools, name: str, task: str, phase: Phase) -> Check:
    """The tests of a source set, run again even if nothing changed: reports of an earlier run are removed first."""

    def parse(check: Check, done: Completed) -> Parsed:
        built = read_output(check, done)
        if built.missing or any(each.rule != "gradle" for each in built.findings):
            return built
        # A failing build may not have come to removing them. What passes may come from Gradle's cache, and be older.
        since = time.time() - done.duration if done.exit_code else 0
        parsed = read_junit(
            check, written_since(package.path.glob(f"build/test-results/{task}/TEST-*.xml"), since)
        )
        return parsed if parsed.findings else Parsed(built.findings, parsed.executed, tests=parsed.tests)

    clean = f"clean{task[0].upper()}{task[1:]}"
    more: dict[str, Any] = {
        "phase": phase,
        "blame": Blame.TEST,
        "parse": parse,
        "findings_are_failures": True,
    }
    return _gradle(package, tools, name, clean, task, **more)


def read_output(check: Check, done: Completed) -> Parsed:
    """Errors of compilers and linters with a place; what cannot be had offline; else what Gradle says went wrong."""
    if done.exit_code == 0:
        return Parsed()
    text = f"{done.stdout}\n{done.stderr}"
    for pattern, what in _ABSENT:
        if absent := re.search(pattern, text):
            return Parsed(missing=what.format(absent[1]))
    places = {
        (relative(check, match["path"]), int(match["line"])): match
        for match in reversed(list(_PLACE.finditer(text)))
        if not match["message"].startswith(("warning:", "Note:"))
    }
    findings = [
        Finding(path, match["message"], line, int(match["column"]) if match["column"] else None)
        for (path, line), match in reversed(places.items())
    ]
    wrong = re.search(r"\* What went wrong:\n(.+(?:\n *> .+)*)", text)
    if not findings and wrong:
        findings = [Finding(check.package.manifest, " ".join(wrong[1].split())[:300], rule="gradle")]
    return Parsed(tuple(findings))


LANGUAGE = Language(
    "gradle",
    checks,
    ("build.gradle.kts", "build.gradle", *SETTINGS),
    links,
    lockfiles=("gradle.lockfile",),
    suffixes=(".java", ".kt", ".kts"),
)
