"""Templates as folders: `template.yaml` with parameters, scripts, apps and manifests."""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

from gatehouse.embedded import yaml_texts
from gatehouse.embedded.coder.records import App, Parameter, Script, Template, TemplateVersion

CODE_SERVER = str(Path(__file__).with_name("code_server.py"))


#: `${name}` and `${parameter.name}`; a plain `$name` is the shell's.
_PLACEHOLDER = re.compile(r"\$\{([a-z_]+(?:\.[a-z_]+)?)\}")


def load_template(folder: Path, values: dict[str, str]) -> Template:
    """The template in a folder, with one version; `values` fill in what is known before it."""
    data = yaml_texts.load(fill_in((folder / "template.yaml").read_text(), values))
    agent = data["agent"]
    version = TemplateVersion(
        name=data["version"],
        parameters=[Parameter(**entry) for entry in data.get("parameters", [])],
        always=data["resources"]["always"],
        started=data["resources"]["started"],
        agent_directory=agent["directory"],
        scripts=[Script(entry["name"], entry["script"]) for entry in agent.get("scripts", [])],
        apps=[
            App(
                entry["slug"],
                entry["display_name"],
                tuple(
                    {"python": sys.executable, "code-server": CODE_SERVER}.get(part, part)
                    for part in entry["command"]
                ),
            )
            for entry in agent.get("apps", [])
        ],
        environment=agent.get("env", {}),
        archive=_archive(folder),
    )
    version.job.completed_at = version.created_at
    template = Template(
        name=data["name"],
        display_name=data["display_name"],
        description=data["description"],
        versions=[version],
        active_version_id=version.id,
    )
    version.template_id = template.id
    return template


def _archive(folder: Path) -> bytes:
    """The files of a template as a tar archive, which is what `coder templates push` sends."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for file in sorted(folder.iterdir()):
            archive.add(file, arcname=file.name)
    return content.getvalue()


def fill_in(value: Any, values: dict[str, str]) -> Any:
    """`value` with its `${…}` placeholders replaced; unknown ones are left for the shell."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {fill_in(key, values): fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, values) for item in value]
    return value
