"""Faults in the files of platform repositories: shell, Dockerfile, GitHub workflow, Terraform, protobuf."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from installed import LINTERS, NotInstallableError, from_pypi

from faults import ENVIRONMENT, Ecosystem, Fault

DEPLOY = """#!/bin/bash
set -euo pipefail

release() {
  local name="$1"
  if [ -z "$name" ]; then
    echo "a name is needed" >&2
    return 1
  fi
  echo "releasing $name"
}

for each in "$@"; do
  release "$each"
done
"""

DOCKERFILE = """FROM debian:12.8-slim
WORKDIR /srv
COPY scripts/deploy.sh /srv/deploy.sh
RUN chmod +x /srv/deploy.sh
USER nobody
CMD ["/srv/deploy.sh"]
"""

WORKFLOW = """name: checks
on:
  pull_request:
jobs:
  inner:
    runs-on: ubuntu-24.04
    steps:
      - name: Say something
        run: echo "checked"
"""

TERRAFORM = """variable "region" {
  type    = string
  default = "west"
}

locals {
  name = "shop-${var.region}"
}

output "name" {
  value = local.name
}
"""

PROTO = """syntax = "proto3";

package shop.v1;

message Item {
  string name = 1;
  int32 price = 2;
}

message Cart {
  repeated Item items = 1;
}
"""

FILES = {
    ".gitignore": ".terraform/\n",
    ".shellcheckrc": "disable=SC1091\n",
    ".hadolint.yaml": "failure-threshold: warning\n",
    "scripts/deploy.sh": DEPLOY,
    "Dockerfile": DOCKERFILE,
    ".github/workflows/checks.yaml": WORKFLOW,
    "infra/main.tf": TERRAFORM,
    "Makefile": "format:\n\tbuf format --write\n",
    "buf.yaml": "version: v2\nmodules:\n  - path: proto\nlint:\n  use: [STANDARD]\n",
    "proto/shop/v1/cart.proto": PROTO,
}

SHELL, DOCKER, FLOW = "scripts/deploy.sh", "Dockerfile", ".github/workflows/checks.yaml"
INFRA, CART = "infra/main.tf", "proto/shop/v1/cart.proto"

FAULTS = (
    Fault("syntax", SHELL, '  if [ -z "$name" ]; then', '  if [ -z "$name" ]; the', "compile", at="  fi"),
    Fault("syntax", SHELL, "done\n", "don\n", "compile", at=None),
    Fault("syntax", DOCKER, "WORKDIR /srv", "WORKDIRECTORY /srv", "lint compile"),
    Fault("syntax", FLOW, "    runs-on: ubuntu-24.04", "    runs-on: [ubuntu-24.04", "compile", at="steps:"),
    Fault("syntax", FLOW, "jobs:\n", "job:\n", "compile", at="name: checks"),
    Fault("syntax", INFRA, 'default = "west"', 'default = "west', "compile format"),
    Fault("syntax", CART, "int32 price = 2;", "int32 price = 2", "compile", at="}"),
    Fault("type", CART, "repeated Item items", "repeated Things items", "compile"),
    Fault("type", CART, "int32 price = 2;", "int32 price = 1;", "compile"),
    Fault("type", INFRA, "value = local.name", "value = local.title", "compile"),
    Fault("type", INFRA, "shop-${var.region}", "shop-${var.zone}", "compile"),
    Fault("lint", SHELL, 'release "$each"', "release $each", "lint"),
    Fault("lint", SHELL, 'local name="$1"', 'local name="$(hostname)"', "lint"),
    Fault("lint", DOCKER, "FROM debian:12.8-slim", "FROM debian", "lint"),
    Fault("lint", DOCKER, "RUN chmod +x /srv/deploy.sh", "RUN sudo chmod +x /srv/deploy.sh", "lint"),
    Fault("lint", CART, "string name = 1;", "string itemName = 1;", "lint"),
    Fault("format", INFRA, "  type    = string", "  type = string", "format"),
    Fault("format", CART, "  string name = 1;", "    string name = 1;", "format"),
    Fault(
        "missing dependency",
        CART,
        "package shop.v1;",
        'package shop.v1;\n\nimport "shop/v1/absent.proto";',
        "compile",
        at="import",
    ),
    Fault(
        "missing dependency",
        INFRA,
        "locals {",
        'module "absent" {\n  source = "./absent"\n}\n\nlocals {',
        "compile",
        at=None,
        says="not installed",
        path="infra/main.tf",
        failure_class=ENVIRONMENT,
    ),
)


def link(folder: Path) -> dict[str, str]:
    """The linters on the PATH, and Terraform's mark of a module that was initialised."""
    if not shutil.which("terraform"):
        raise NotInstallableError("terraform is not installed")
    (folder / "infra" / ".terraform").mkdir()
    return {"PATH": f"{from_pypi(LINTERS)}{os.pathsep}{os.environ['PATH']}"}


ECOSYSTEM = Ecosystem("Platform files", FILES, FAULTS, link)
