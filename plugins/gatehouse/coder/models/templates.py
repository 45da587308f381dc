"""What Coder answers about templates."""

from __future__ import annotations

from typing import Any

from gatehouse.coder.models.base import Answer, Moment
from gatehouse.coder.models.deployment import Job


class MatchedProvisioners(Answer):
    """How many daemons could take a job; a `count` of 0 means that none ever will (issue 8247)."""

    count: int = 0
    available: int = 0
    most_recently_seen: Moment = None


class Template(Answer):
    """GET /api/v2/templates."""

    id: str
    name: str
    active_version_id: str
    deprecated: bool = False
    display_name: str = ""
    organization_id: str = ""
    updated_at: Moment = None
    default_ttl_ms: int = 0
    allow_user_cancel_workspace_jobs: bool = False


class TemplateVersion(Answer):
    """GET /api/v2/templateversions/{version}."""

    id: str
    name: str
    job: Job
    template_id: str = ""
    created_at: Moment = None
    archived: bool = False
    matched_provisioners: MatchedProvisioners | None = None


class ParameterOption(Answer):
    """A value that a parameter may take."""

    name: str = ""
    value: str = ""


class TemplateParameter(Answer):
    """GET /api/v2/templateversions/{version}/rich-parameters."""

    name: str
    type: str = ""
    required: bool = False
    default_value: str = ""
    mutable: bool = False
    ephemeral: bool = False
    options: list[ParameterOption] = []
    validation_regex: str = ""
    validation_min: int | None = None
    validation_max: int | None = None


class PresetParameter(Answer):
    """A parameter's value in a preset."""

    name: str
    value: str = ""


class Preset(Answer):
    """GET /api/v2/templateversions/{version}/presets."""

    id: str
    name: str
    default: bool = False
    parameters: list[PresetParameter] = []

    @classmethod
    def of(cls, data: dict[str, Any]) -> Preset:
        """A preset as it is on the wire: `ID` and `Name`, where the API description has lower case."""
        lowered = {name.lower(): value for name, value in data.items()}
        parameters = [
            {name.lower(): value for name, value in each.items()} for each in lowered.get("parameters") or []
        ]
        return cls.model_validate({**lowered, "parameters": parameters})


class TemplateVariable(Answer):
    """GET /api/v2/templateversions/{version}/variables; the value of a sensitive one is never sent."""

    name: str
    type: str = ""
    value: str = ""
    default_value: str = ""
    required: bool = False
    sensitive: bool = False
