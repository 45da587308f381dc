"""Helm charts: lint, and rendering with the chart's own values.

A `Chart.yaml` needs helm. A chart that cannot be rendered with its default values has files `ci/*-values.yaml`, as
chart-testing wants them: it is then rendered once with each. Libraries are only linted. Nothing is downloaded.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.files import existing, folders_named, read_yaml
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Links, Package, Parsed, Phase

INSTALL = "install helm (https://helm.sh/docs/intro/install)"
_PLACED = re.compile(
    r"(?:template: |error at \()(?P<path>[^\s:()]+):(?P<line>\d+)(?::(?P<column>\d+))?\)?: (?P<text>.+)"
)
_IN_FILE = re.compile(r"(?:\[ERROR\] |YAML parse error on |cannot load )(?P<path>[^\s:]+\.\w+): (?P<text>.+)")


def checks(package: Package, tools: Tools) -> list[Check]:
    """`helm lint`, and `helm template` for each set of values."""
    chart = read_yaml(package.root, package.manifest)
    if isinstance(chart, Finding):
        return [broken_manifest(package, chart)]
    commands: dict[str, tuple[str, ...]] = {"helm-lint": ("lint", ".")}
    if chart.get("type") != "library":
        for values in sorted(file for file in package.files if file.endswith("-values.yaml")):
            name = PurePosixPath(values.removeprefix(f"{package.folder}/"))
            if name.parent == PurePosixPath("ci"):
                commands[f"helm-template-{name.stem}"] = ("template", "check", ".", "--values", str(name))
        if len(commands) == 1:
            commands["helm-template"] = ("template", "check", ".")
    helm = tools.find("helm")
    folder = tools.cache / "helm"
    env = {f"HELM_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    how = f"run `helm dependency build` in {package.folder or 'the checkout'}" if helm else INSTALL
    return [
        Check(
            package,
            name,
            Phase.CONTRACT,
            Blame.LINT if name == "helm-lint" else Blame.COMPILE,
            (helm or "helm", *argv),
            _read,
            env,
            "" if helm else "helm",
            how,
            inputs=(*existing(helm), *(str(path) for path in sorted(package.path.glob("charts/*.tgz")))),
        )
        for name, argv in commands.items()
    ]


def _read(check: Check, done: Completed) -> Parsed:
    """The first error of each file. Lines of YAML errors are those of what was rendered, and stay in the message."""
    text = f"{done.stdout}\n{done.stderr}"
    if absent := re.search(r"missing in charts/ directory: (.+)", text):
        return Parsed(missing=f"the chart {absent[1]}")
    findings: dict[str, Finding] = {}
    for line in text.splitlines():
        if not line.startswith(("[ERROR]", "Error: ")) or "chart(s) failed" in line:
            continue
        placed, named = _PLACED.search(line), _IN_FILE.search(line)
        if placed:
            column = int(placed["column"]) if placed["column"] else None
            hint = (
                "; values for checks belong into ci/<name>-values.yaml" if "execution error" in line else ""
            )
            found = Finding(
                _file(check, placed["path"]), placed["text"] + hint, int(placed["line"]), column, "helm"
            )
        elif named:
            in_source = re.search(r"line (\d+): ", named["text"]) if "values.yaml" in named["path"] else None
            number = int(in_source[1]) if in_source else None
            found = Finding(_file(check, named["path"]), named["text"], number, rule="helm")
        else:
            message = re.sub(r"^(\[ERROR\] (templates/)?:?|Error:) *", "", line)
            found = Finding(check.package.manifest, message, rule="helm")
        findings.setdefault(found.path, found)
    # That the chart could not be loaded says nothing more beside the file that was the cause.
    elsewhere = tuple(each for each in findings.values() if each.path != check.package.manifest)
    return Parsed(elsewhere or tuple(findings.values()))


def _file(check: Check, path: str) -> str:
    """A file as helm names it: below the chart's folder, with the chart's name in front of it or without."""
    for candidate in (path, path.partition("/")[2]):
        if candidate and (check.package.path / candidate).is_file():
            return f"{check.package.folder}/{candidate}".lstrip("/")
    return check.package.manifest


def _links(package: Package) -> Links:
    """The folders of charts that are dependencies by a path, and of those inside this one."""
    chart = read_yaml(package.root, package.manifest)
    wanted = [] if isinstance(chart, Finding) else chart.get("dependencies") or []
    paths = [f"charts/{each['name']}" for each in wanted]
    paths += [each["repository"].removeprefix("file://") for each in wanted if "repository" in each]
    return Links(folders=folders_named(package, paths))


LANGUAGE = Language("helm", checks, ("Chart.yaml",), _links, lockfiles=("Chart.lock",))
