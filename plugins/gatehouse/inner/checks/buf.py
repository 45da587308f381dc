"""Protobuf modules of buf: lint and build, and formatting where something runs `buf format`.

A `buf.yaml` or `buf.work.yaml` needs buf. A `buf.work.yaml` is checked itself only if one of its directories has no
`buf.yaml`, and so no checks of its own. Modules that others published are not downloaded.
"""

from __future__ import annotations

import re

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.checks.files import existing, read_yaml
from gatehouse.inner.checks.habits import is_run
from gatehouse.inner.checks.manifests import broken_manifest
from gatehouse.inner.checks.parsing import json_lines, relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Package, Parsed, Phase

INSTALL = "install buf (https://buf.build/docs/cli/installation)"
DOWNLOAD = "run `buf build` once with network, in the same folder"

CHECKS = (
    ("buf-format", Blame.FORMAT, ("format", "--diff", "--exit-code")),
    ("buf-build", Blame.COMPILE, ("build", "--output", "/dev/null", "--error-format=json")),
    ("buf-lint", Blame.LINT, ("lint", "--error-format=json")),
)

#: How automation calls it: as a command or a hook; buf's own action does it unless it is told not to.
_FORMAT = (
    r"\bbuf['\"]?[\s,-]+['\"]?format\b"
    r"|\bbufbuild/buf-action\b(?![\s\S]*\b(?:format: *['\"]?(?:false|\$)|setup_only: *['\"]?true))"
)


def checks(package: Package, tools: Tools) -> list[Check]:
    """`buf build` and `buf lint` for a module or workspace; `buf format` where the team uses it, as not all do."""
    manifest = read_yaml(package.root, package.manifest)
    if isinstance(manifest, Finding):
        return [broken_manifest(package, manifest)]
    listed = manifest.get("directories")
    directories = listed if isinstance(listed, list) else []
    if package.manifest.endswith("buf.work.yaml"):
        if all((package.path / str(each) / "buf.yaml").is_file() for each in directories):
            return []
    elif not package.has_file(lambda name: name.endswith(".proto")):
        return []
    buf = tools.find("buf")
    return [
        Check(
            package,
            name,
            Phase.CONTRACT,
            blame,
            (buf or "buf", *argv),
            _read,
            missing="" if buf else "buf",
            how_to_install=DOWNLOAD if buf else INSTALL,
            inputs=existing(buf),
        )
        for name, blame, argv in CHECKS
        if name != "buf-format" or is_run(package, tools, _FORMAT)
    ]


def _read(check: Check, done: Completed) -> Parsed:
    """Findings, one JSON object a line, or a diff; buf's own failures, of which an absent server is none of ours."""
    if re.search(r"server hosted at that remote is unavailable|dial tcp", done.stderr):
        return Parsed(missing="a published module that this one depends on")
    findings = [
        Finding(
            relative(check, each["path"]) if each.get("path") else check.package.manifest,
            each["message"],
            each.get("start_line"),
            each.get("start_column"),
            each["type"],
        )
        for each in json_lines(f"{done.stdout}\n{done.stderr}")
        if "message" in each and "type" in each
    ]
    findings += unformatted(check, done.stdout, "is not formatted; run buf format --write")
    if failure := re.search(r"^Failure: (.+)$", done.stderr, re.MULTILINE):
        findings.append(Finding(check.package.manifest, failure[1], rule="buf"))
    return Parsed(tuple(findings))


LANGUAGE = Language(
    "buf", checks, ("buf.yaml", "buf.work.yaml"), lockfiles=("buf.lock",), suffixes=(".proto",)
)
