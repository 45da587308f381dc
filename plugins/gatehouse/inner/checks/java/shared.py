"""What Maven and Gradle share: Java itself, their wrappers, and which reports are of this run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from gatehouse.inner.checks.files import existing, read_text
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.model import Package

JAVA = "install a JDK (https://adoptium.net), and put java on the PATH or set JAVA_HOME"


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


def written_since(reports: Iterable[Path], since: float) -> list[Path]:
    """Those of `reports` that were written at `since` (seconds since 1970) or later: others are of earlier runs."""
    return sorted(path for path in reports if path.stat().st_mtime >= since)
