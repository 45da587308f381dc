"""Terraform modules, one a folder with `*.tf`: formatting, validation once they are initialised, tflint if configured.

Validation needs what `terraform init` downloads: without a `.terraform` folder there is no such check. Where neither
terraform nor tofu is installed, formatting is only missed if the repository pins a version or locks providers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.checks.files import existing, folders_named, one_a_folder, read_text
from gatehouse.inner.checks.parsing import relative
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Blame, Check, Finding, Language, Links, Package, Parsed, Phase

INSTALL = "install Terraform (https://developer.hashicorp.com/terraform/install)"
TFLINT = "install tflint (https://github.com/terraform-linters/tflint), and run `tflint --init`"
PINS = (".terraform-version", ".opentofu-version", ".terraform.lock.hcl")

#: No questions about new versions, and no configuration of the user's, which may ask for other providers.
ENVIRONMENT = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_CLI_CONFIG_FILE": "/dev/null",
}


def checks(package: Package, tools: Tools) -> list[Check]:
    """`terraform fmt`, `terraform validate` and `tflint`, as far as they apply."""
    terraform = tools.find("terraform") or tools.find("tofu")
    program = terraform or "terraform"
    found = []
    if terraform or tools.beside(package, *PINS):
        argv: tuple[str, ...] = (program, "fmt", "-check", "-diff", "-no-color", "-recursive=false")
        found.append(_check(package, "terraform-fmt", Blame.FORMAT, argv, _unformatted, INSTALL))
    if terraform and (package.path / ".terraform").is_dir():
        argv = (program, "validate", "-json", "-no-color")
        how = f"run `terraform init` in {package.folder or 'the checkout'}"
        found.append(_check(package, "terraform-validate", Blame.COMPILE, argv, _invalid, how))
    if configuration := tools.beside(package, ".tflint.hcl"):
        argv = (
            tools.find("tflint") or "tflint",
            "--format=json",
            f"--config={os.path.relpath(configuration, package.path)}",
        )
        found.append(_check(package, "terraform-lint", Blame.LINT, argv, _lint, TFLINT))
    return found


def _check(
    package: Package,
    name: str,
    blame: Blame,
    argv: tuple[str, ...],
    parse: Callable[[Check, Completed], Parsed],
    how: str,
) -> Check:
    """A check in the contract phase; a program that was not found is named without a folder."""
    missing = "" if "/" in argv[0] else argv[0]
    inputs = existing(argv[0])
    return Check(package, name, Phase.CONTRACT, blame, argv, parse, ENVIRONMENT, missing, how, inputs=inputs)


def _unformatted(check: Check, done: Completed) -> Parsed:
    """Files that would be changed, at the first change; files that cannot be read, at the error."""
    errors = re.findall(r"^Error: (.+)\n\n +on (.+?) line (\d+)", done.stderr, re.MULTILINE)
    findings = [Finding(relative(check, path), text, int(line), rule="syntax") for text, path, line in errors]
    changed = unformatted(check, done.stdout, "is not formatted; run terraform fmt")
    return Parsed((*findings, *changed))


def _invalid(check: Check, done: Completed) -> Parsed:
    findings = []
    for each in json.loads(done.stdout)["diagnostics"]:
        if re.match(r"Missing required provider|Module not installed|.*not installed", each["summary"]):
            return Parsed(missing="what this module requires")
        if each["severity"] == "error":
            findings.append(_placed(check, each.get("range"), each["summary"], each.get("detail", "")))
    return Parsed(tuple(findings))


def _lint(check: Check, done: Completed) -> Parsed:
    """The issues in tflint's JSON, and its errors, of which one about a plugin means that it is not installed."""
    data = json.loads(done.stdout) if done.stdout.strip() else {}
    if "tflint --init" in done.stderr + done.stdout:
        return Parsed(missing="a plugin of tflint")
    issues = [(each.get("range"), each["rule"]["name"], each["message"]) for each in data.get("issues", [])]
    issues += [(each.get("range"), "error", each.get("message", "")) for each in data.get("errors", [])]
    return Parsed(tuple(_placed(check, *issue) for issue in issues))


def _placed(check: Check, place: dict[str, Any] | None, rule: str, message: str) -> Finding:
    text = " ".join(message.split())
    if not place or not place.get("filename"):
        return Finding(check.package.manifest, text, rule=rule)
    start = place["start"]
    return Finding(relative(check, place["filename"]), text, start["line"], start["column"], rule)


def _links(package: Package) -> Links:
    """The folders of modules that are called by a path."""
    texts = [read_text(package.root / file) for file in package.files]
    sources = re.findall(r'^\s*source\s*=\s*"(\.\.?/[^"]*)"', "\n".join(texts), re.MULTILINE)
    return Links(folders=folders_named(package, sources))


def _is_terraform(_folder: str, name: str) -> bool:
    return name.endswith(".tf")


LANGUAGE = Language(
    "terraform",
    checks,
    find=one_a_folder(_is_terraform),
    links=_links,
    lockfiles=(".terraform.lock.hcl",),
    suffixes=(".tf",),
)
