"""Calls about templates and their versions."""

from __future__ import annotations

from typing import Any

from gatehouse.coder import calls
from gatehouse.coder.api.rights import SEE_TEMPLATES, RightsCalls
from gatehouse.coder.models import (
    LogLine,
    Preset,
    Resource,
    Template,
    TemplateParameter,
    TemplateVariable,
    TemplateVersion,
)
from gatehouse.core.errors import NotFound


class TemplateCalls(RightsCalls):
    """Templates, what they ask for and what they are made of."""

    def templates(self) -> list[Template]:
        """GET /api/v2/templates. Raises `PermissionDenied` if there are none because the token may see none."""
        found = self._transport.read_list(calls.TEMPLATES, Template)
        if not found:
            self._require(SEE_TEMPLATES, "templates", calls.TEMPLATES)
        return found

    def template(self, name: str) -> Template:
        """The template of this name. Raises `NotFound` with the names there are."""
        found = self.templates()
        for template in found:
            if template.name == name:
                return template
        raise NotFound(
            f"Coder has no template {name!r}",
            seen=f"templates: {', '.join(each.name for each in found) or 'none'}",
            next_step="check the name; after a database reset whatever puts templates there has to run again",
        )

    def template_versions(self, template_id: str) -> list[TemplateVersion]:
        """GET /api/v2/templates/{template}/versions, the oldest first, without archived ones."""
        return calls.all_pages(
            lambda page: self._transport.read_list(
                calls.TEMPLATE_VERSIONS, TemplateVersion, page, template=template_id
            )
        )

    def template_version(self, version_id: str) -> TemplateVersion:
        """GET /api/v2/templateversions/{version}."""
        return self._transport.read(calls.TEMPLATE_VERSION, TemplateVersion, version=version_id)

    def parameters(self, version_id: str) -> list[TemplateParameter]:
        """GET /api/v2/templateversions/{version}/rich-parameters."""
        return self._transport.read_list(calls.RICH_PARAMETERS, TemplateParameter, version=version_id)

    def presets(self, version_id: str) -> list[Preset]:
        """GET /api/v2/templateversions/{version}/presets."""
        found = self._transport.read_list(calls.PRESETS, dict[str, Any], version=version_id)
        return [Preset.of(each) for each in found]

    def template_variables(self, version_id: str) -> list[TemplateVariable]:
        """GET /api/v2/templateversions/{version}/variables. Needs to be able to change the template."""
        return self._transport.read_list(calls.VARIABLES, TemplateVariable, version=version_id)

    def template_resources(self, version_id: str) -> list[Resource]:
        """GET /api/v2/templateversions/{version}/resources: what the import found, with agents and their apps.

        Raises `UsageError` while the import is still under way.
        """
        return self._transport.read_list(calls.VERSION_RESOURCES, Resource, version=version_id)

    def import_log(self, version_id: str) -> list[LogLine]:
        """GET /api/v2/templateversions/{version}/logs."""
        return self._transport.read_list(calls.VERSION_LOGS, LogLine, version=version_id)

    def template_files(self, version: TemplateVersion) -> bytes:
        """GET /api/v2/files/{file}: the version's source as a tar archive.

        Twelve a minute. Raises `NotFound` where the token may not read it.
        """
        return self._transport.body(calls.FILE, file=version.job.file_id).content
