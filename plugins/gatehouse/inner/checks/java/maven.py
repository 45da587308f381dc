"""Maven modules, in Java or Kotlin: compilation, formatting and lint where plugins for them are configured, tests.

Each module is built from the root of its reactor, with the modules that it needs; these run their tests as well. A
module of packaging `pom` has no checks. `target/` must be ignored by git, as Maven writes it into the module: only a
pom can name another folder.
Tests are those of surefire's names. `@Tag`s named after a class of integration or cluster tests are left out of them;
the former, and the tests of failsafe, run in a phase of their own. Nothing is downloaded: `--offline`.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, read_text
from gatehouse.inner.checks.java.maven_output import read_checkstyle, read_output
from gatehouse.inner.checks.java.maven_pom import Pom, links, read_pom
from gatehouse.inner.checks.java.shared import JAVA, builder, java_inputs, written_since
from gatehouse.inner.checks.junit_reports import read_junit
from gatehouse.inner.checks.jvm_frames import SOURCES
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

INSTALL = "install Maven (https://maven.apache.org/install.html)"
UNIT_NAME = re.compile(r"(?:^|/)(?:Test[^/]*|[^/]*(?:Tests?|TestCase))\.\w+$")
INTEGRATION_NAME = re.compile(r"(?:^|/)(?:IT[A-Z][^/]*|[^/]*(?:IT|ITCase))\.\w+$")


def checks(package: Package, tools: Tools) -> list[Check]:
    """What applies to a module."""
    pom = read_pom(package)
    if isinstance(pom, Finding):
        return [broken_manifest(package, pom)]
    sources = [file for file in package.files if file.endswith(SOURCES)]
    if pom.packaging == "pom" or not sources:
        return []
    found = [_maven(package, tools, pom, "maven-compile", ("test-compile",))]
    for plugin, goal, blame, parse in (
        ("spotless-maven-plugin", "spotless:check", Blame.FORMAT, read_output),
        ("maven-checkstyle-plugin", "checkstyle:check", Blame.LINT, read_checkstyle),
    ):
        if plugin in pom.configured:
            name = f"maven-{goal.partition(':')[0]}"
            found.append(_maven(package, tools, pom, name, (goal,), blame=blame, parse=parse, alone=True))
    return found + _test_checks(package, tools, pom, [file for file in sources if "src/test/" in f"/{file}"])


def _test_checks(package: Package, tools: Tools, pom: Pom, sources: list[str]) -> list[Check]:
    texts = {file: read_text(package.root / file) for file in sources}
    used = set(re.findall(r'@Tag\(\s*"([^"]+)"\s*\)', "\n".join(texts.values())))
    integration = sorted(used & set(tools.classes.integration))
    cluster = sorted(used & set(tools.classes.cluster))
    unit = [file for file in sources if pom.names_tests or UNIT_NAME.search(file)]
    untagged = [file for file in unit if not _tagged(texts[file], (*integration, *cluster))]
    found = []
    if untagged:
        argv = ("test", *_groups("excludedGroups", [*integration, *cluster]))
        found.append(_tests(package, tools, pom, "maven-test", argv, Phase.UNIT, "surefire"))
    if integration:
        argv = ("test", *_groups("groups", integration), *_groups("excludedGroups", cluster))
        found.append(_tests(package, tools, pom, "maven-integration", argv, Phase.INTEGRATION, "surefire"))
    if pom.failsafe and any(INTEGRATION_NAME.search(file) for file in sources):
        argv = ("verify", *_groups("excludedGroups", cluster))
        found.append(_tests(package, tools, pom, "maven-failsafe", argv, Phase.INTEGRATION, "failsafe"))
    return found


def _tagged(text: str, tags: tuple[str, ...]) -> bool:
    """Whether the whole class has one of the tags: it stands before the class."""
    head = re.split(r"^[\w\s]*\bclass\b", text, maxsplit=1, flags=re.MULTILINE)[0]
    return any(f'"{tag}"' in head for tag in tags)


def _groups(option: str, names: list[str]) -> tuple[str, ...]:
    return (f"-D{option}={','.join(names)}",) if names else ()


def _maven(
    package: Package,
    tools: Tools,
    pom: Pom,
    name: str,
    argv: tuple[str, ...],
    *,
    alone: bool = False,
    **more: Any,
) -> Check:
    """A check by Maven: by default it compiles, in the contract phase; one at a time, for they share `target/`."""
    dists = Path.home() / ".m2" / "wrapper" / "dists"
    properties = ".mvn/wrapper/maven-wrapper.properties"
    program, missing = builder(package, tools, "mvnw", properties, dists, "mvn")
    java = java_inputs(tools)
    module = (
        ()
        if pom.reactor == package.folder
        else ("-pl", os.path.relpath(package.path, package.root / pom.reactor))
    )
    reactor = os.path.relpath(package.root / pom.reactor / "pom.xml", package.path)
    needed = ("-am",) if module and not alone else ()
    how = JAVA if java is None else INSTALL if missing else _how_to_complete(pom, argv[0])
    common: dict[str, Any] = {
        "phase": Phase.CONTRACT,
        "blame": Blame.COMPILE,
        "parse": read_output,
        "missing": "java" if java is None else missing,
        "how_to_install": how,
        "weight": 0,
        "resource": "maven",
        "writes": ("target/",),
        "inputs": (
            *existing(program, *(Path.home() / ".m2" / name for name in ("settings.xml", "toolchains.xml"))),
            *(java or ()),
        ),
    }
    command = (program, "-o", "-q", "-B", "-Dstyle.color=never", "-f", reactor, *module, *needed, *argv)
    return Check(package, name, argv=command, **{**common, **more})


def _how_to_complete(pom: Pom, goal: str) -> str:
    where = pom.reactor or "the checkout"
    return f"run `mvn {goal}` in {where} once with network: it downloads, or says what it cannot have"


def _tests(
    package: Package, tools: Tools, pom: Pom, name: str, argv: tuple[str, ...], phase: Phase, plugin: str
) -> Check:
    def parse(check: Check, done: Completed) -> Parsed:
        built = read_output(check, done)
        if built.missing or any(each.rule != "maven" for each in built.findings):
            return built
        # Reports of earlier runs stay in the folder; they are none of this one.
        started = time.time() - done.duration
        parsed = read_junit(
            check, written_since(package.path.glob(f"target/{plugin}-reports/TEST-*.xml"), started)
        )
        return parsed if parsed.findings else replace(parsed, findings=built.findings)

    more: dict[str, Any] = {
        "phase": phase,
        "blame": Blame.TEST,
        "parse": parse,
        "findings_are_failures": True,
    }
    return _maven(package, tools, pom, name, argv, **more)


LANGUAGE = Language("maven", checks, ("pom.xml",), links, suffixes=(".java", ".kt"))
