"""Python packages: configured linters, formatters and type checkers; pytest or unittest where there are tests."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.habits import is_run
from gatehouse.inner.checks.manifests import broken_manifest, unreadable
from gatehouse.inner.checks.parsing import text_of
from gatehouse.inner.checks.python.environment import Environment
from gatehouse.inner.checks.python.links import links
from gatehouse.inner.checks.python.output import (
    read_flake8,
    read_formatter,
    read_pyright,
    read_ruff,
    read_types,
)
from gatehouse.inner.checks.python.pins import installed, pinned
from gatehouse.inner.checks.python.project import (
    MANIFESTS,
    Project,
    read_project,
    requirement_packages,
    table,
)
from gatehouse.inner.checks.python.tests import test_checks
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Language, Package, Parsed, Phase

#: Formatters besides ruff; where one is configured, ruff is not the package's formatter.
_FORMATTERS = (("black", ()), ("yapf", (".style.yapf",)), ("autopep8", ()), ("blue", ()))

#: What a configuration above the package excludes is excluded here as well.
_RUFF = ("--no-cache", "--force-exclude", ".")

#: How ruff, black, mypy and flake8 call what they cannot parse.
_SYNTAX = frozenset({"syntax", "invalid-syntax", "E999"})

#: How automation calls ruff's formatter: as a command, as a hook, as the words of a list, through uv.
_RUFF_FORMAT = r"(?i)\bruff(?:@[\w.]+)?['\")}]*[\s,-]+['\"]?format\b|\buv format\b"

Parse = Callable[[Check, Completed], Parsed]


def checks(package: Package, tools: Tools) -> list[Check]:
    """Lint, format and types as far as they are configured; tests unless the package has none."""
    project = read_project(package)
    if isinstance(project, str):
        file = f"{package.folder}/pyproject.toml" if package.folder else "pyproject.toml"
        return [broken_manifest(package, unreadable(file, project))]
    environment = Environment(project, tools)
    has_sources = package.has_file(lambda name: name.endswith((".py", ".pyi")))
    looks = [*_formats(environment), *_lints(environment), *_types(environment)] if has_sources else []
    return [*looks, *test_checks(environment)]


def _look(
    environment: Environment, name: str, blame: Blame, tool: str, parse: Parse, *arguments: str, **env: str
) -> Check:
    """A check by a tool of the package's environment."""
    program = environment.tool(tool)
    how_to_install = f"install {tool} into the package's environment"
    if program and not environment.owns(program) and (pin := pinned(environment.project, tool)):
        found = installed(program, tool)
        if found not in (None, pin.version):
            how_to_install = (
                f"install {tool}=={pin.version} into the package's environment; {tool} {found} ran, "
                "and what it says may be no fault"
            )
            parse = _of_another_version(parse, f"{tool} {pin.version}, which {pin.file} pins,")
    return Check(
        *(
            environment.project.package,
            f"python-{name}",
            Phase.CONTRACT,
            blame,
            (program or tool, *arguments),
            parse,
        ),
        env=env,
        missing="" if program else tool,
        how_to_install=how_to_install,
        inputs=environment.inputs(program),
    )


def _of_another_version(parse: Parse, wanted: str) -> Parse:
    """What a tool of another version complains of is no fault of the package: the version it pins is missing.

    What cannot be parsed is a fault for all versions.
    """

    def read(check: Check, done: Completed) -> Parsed:
        parsed = parse(check, done)
        sound = not any(each.rule in _SYNTAX for each in parsed.findings)
        return replace(parsed, missing=wanted) if done.exit_code and sound and not parsed.missing else parsed

    return read


def _formats(environment: Environment) -> list[Check]:
    project = environment.project
    if project.configures("black"):
        parse = read_formatter("black")
        return [
            _look(environment, "format", Blame.FORMAT, "black", parse, "--check", "--diff", "--quiet", ".")
        ]
    if any(project.configures(name, *files) for name, files in _FORMATTERS):
        return []
    ruff = _ruff_settings(environment)
    # Who only lints with ruff has a configuration of it, too.
    if ruff and (
        any("format" in each for each in ruff) or is_run(project.package, environment.tools, _RUFF_FORMAT)
    ):
        parse = read_formatter("ruff")
        return [_look(environment, "format", Blame.FORMAT, "ruff", parse, "format", "--diff", *_RUFF)]
    return []


def _lints(environment: Environment) -> list[Check]:
    project = environment.project
    if _ruff_settings(environment):
        arguments = ("check", "--no-fix", "--output-format=json-lines", *_RUFF)
        return [_look(environment, "lint", Blame.LINT, "ruff", read_ruff, *arguments)]
    if project.configures("flake8", ".flake8", section="flake8"):
        return [_look(environment, "lint", Blame.LINT, "flake8", read_flake8, "--format=default", ".")]
    return []


def _ruff_settings(environment: Environment) -> list[dict[str, Any]]:
    """Ruff's configurations in the package and above it, where ruff itself looks for them; empty without any."""
    package = environment.project.package
    found = []
    for folder in (package.path, *package.path.parents):
        found += [_read(folder / name) for name in ("ruff.toml", ".ruff.toml") if (folder / name).is_file()]
        own = table(_read(folder / "pyproject.toml"), "tool").get("ruff")
        found += [own] if isinstance(own, dict) else []
        if folder == package.root:
            break
    return found


def _read(file: Path) -> dict[str, Any]:
    """A file in TOML; empty where there is none, and where it cannot be read, which ruff itself says."""
    try:
        return tomllib.loads(text_of(file))
    except ValueError:
        return {}


def _types(environment: Environment) -> list[Check]:
    project, tools = environment.project, environment.tools
    found = []
    if project.configures("mypy", "mypy.ini", ".mypy.ini", section="mypy"):
        plain = (
            "--no-pretty",
            "--no-color-output",
            "--no-error-summary",
            "--show-column-numbers",
            "--show-error-codes",
        )
        arguments = (
            *plain,
            f"--cache-dir={tools.cache / 'mypy'}",
            *_mypy_python(environment),
            *_mypy_files(project),
        )
        found.append(_look(environment, "types", Blame.COMPILE, "mypy", read_types(project), *arguments))
    if project.configures("pyright", "pyrightconfig.json") or project.configures("basedpyright"):
        tool = "basedpyright" if project.configures("basedpyright") else "pyright"
        arguments = (
            "--outputjson",
            *(("--pythonpath", environment.own_python) if environment.own_python else ()),
        )
        found.append(_look(environment, "pyright", Blame.COMPILE, tool, read_pyright(project), *arguments))
    if project.configures("ty", "ty.toml"):
        arguments = ("check", "--output-format=concise", "--no-progress")
        found.append(_look(environment, "ty", Blame.COMPILE, "ty", read_types(project), *arguments))
    return found


def _mypy_python(environment: Environment) -> tuple[str, ...]:
    """The environment to look for imports in, where mypy itself is in another one."""
    return (f"--python-executable={environment.own_python}",) if environment.own_python else ()


def _mypy_files(project: Project) -> tuple[str, ...]:
    settings = {**project.tool("mypy"), **_ini_settings(project)}
    return () if {"files", "packages", "modules"} & set(settings) else (".",)


def _ini_settings(project: Project) -> dict[str, str]:
    for file in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        if project.ini(file).has_section("mypy"):
            return dict(project.ini(file).items("mypy"))
    return {}


LANGUAGE = Language(
    "python",
    checks,
    MANIFESTS,
    links=links,
    lockfiles=("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"),
    suffixes=(".py", ".pyi"),
    find=requirement_packages,
)
