"""Asks a deployment for all that a baseline holds: section by section, each with its facts or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gatehouse.coder.client import CoderClient
from gatehouse.coder.errors import PremiumOnly
from gatehouse.coder.models import ProvisionerDaemon, Template, TemplateParameter
from gatehouse.core.errors import EnvironmentProblem, GatehouseError, NotFound
from gatehouse.core.redaction import looks_like_secret_name
from gatehouse.smoke.baseline import Facts, Section

#: What keeps one section from being recorded without saying anything about the others.
_UNVERIFIED = (EnvironmentProblem, NotFound)


def record(coder: CoderClient, owner: CoderClient) -> dict[str, Section]:
    """All sections. `coder` is the ordinary user's client, `owner` the one with the rights to look at the deployment.

    Raises what the deployment's silence or a refused token raises; a missing right is a section that is not verified.
    """
    sources: dict[str, Callable[[], Facts]] = {
        "deployment": lambda: _deployment(coder),
        "sign-in": lambda: flat(coder.auth_methods()),
        "experiments": lambda: dict.fromkeys(coder.experiments(), True),
        "entitlements": lambda: _entitlements(coder),
        "templates": lambda: _templates(coder),
        "provisioners": lambda: _provisioners(owner),
        "health": lambda: _health(owner),
        "configuration": lambda: configuration_facts(owner.deployment_config().get("options") or []),
        "hostnames": lambda: _hostnames(coder),
        "users": lambda: _users(owner),
    }
    return {name: _section(source) for name, source in sources.items()}


def _section(source: Callable[[], Facts]) -> Section:
    try:
        return Section(facts=source())
    except PremiumOnly:
        return Section()  # without a licence there is nothing to record, before and after
    except _UNVERIFIED as error:
        return Section(unverified=_words(error))


def _words(error: GatehouseError) -> str:
    return f"{error.summary}: {error.seen}" if error.seen else error.summary


def _deployment(coder: CoderClient) -> Facts:
    info = coder.build_info()
    return {
        "version": info.version,
        "deployment_id": info.deployment_id,
        "access_url": info.dashboard_url,
        "agent_api_version": info.agent_api_version,
        "provisioner_api_version": info.provisioner_api_version,
        "first_user": coder.first_user_exists(),
    }


def _entitlements(coder: CoderClient) -> Facts:
    answer = coder.entitlements() or {}
    features = answer.get("features") or {}
    return {
        "has_license": bool(answer.get("has_license")),
        **{name: str((feature or {}).get("entitlement", "")) for name, feature in features.items()},
    }


def _templates(coder: CoderClient) -> Facts:
    return {
        template.name: template_facts(
            template,
            coder.template_version(template.active_version_id).name,
            coder.parameters(template.active_version_id),
        )
        for template in coder.templates()
    }


def template_facts(
    template: Template, active_version: str, parameters: Iterable[TemplateParameter]
) -> dict[str, Any]:
    """What existing workspaces rely on in a template."""
    return {
        "id": template.id,
        "active_version": active_version,
        "active_version_id": template.active_version_id,
        "deprecated": template.deprecated,
        "parameters": {
            each.name: {"type": each.type, "required": each.required, "mutable": each.mutable}
            for each in parameters
        },
    }


def _provisioners(coder: CoderClient) -> Facts:
    organizations = [each.id for each in coder.organizations()]
    return provisioner_facts([daemon for each in organizations for daemon in coder.provisioner_daemons(each)])


def provisioner_facts(daemons: Sequence[ProvisionerDaemon]) -> Facts:
    """Daemons have other names after each restart; what they can do is what counts."""
    online = [each for each in daemons if each.status != "offline"]
    return {
        "online": len(online),
        "tags": sorted({f"{name}={value}" for each in online for name, value in each.tags.items()}),
        "versions": sorted({each.version for each in online}),
        "api_versions": sorted({each.api_version for each in online}),
    }


def _health(coder: CoderClient) -> Facts:
    return {
        name: {"severity": section.severity, "dismissed": section.dismissed}
        for name, section in coder.health().sections.items()
    }


def configuration_facts(options: Iterable[dict[str, Any]]) -> Facts:
    """The options that are set, without those that are secrets by their own word or by their name."""
    facts: Facts = {}
    for option in options:
        name = str(option.get("env") or option.get("flag") or option.get("name") or "")
        secret = str((option.get("annotations") or {}).get("secret", "")).lower() == "true"
        if name and not secret and not looks_like_secret_name(name):
            facts[name] = option.get("value")
    return facts


def _hostnames(coder: CoderClient) -> Facts:
    facts: Facts = {}
    for region in coder.regions():
        facts[f"{region.name}: path apps"] = region.path_app_url
        facts[f"{region.name}: subdomain apps"] = region.wildcard_hostname
    return facts


def _users(coder: CoderClient) -> Facts:
    return {each.username: {"login_type": each.login_type, "status": each.status} for each in coder.users()}


def flat(data: dict[str, Any], prefix: str = "") -> Facts:
    """Nested objects as one, with dots between the names; what is not an object is a fact."""
    facts: Facts = {}
    for name, value in data.items():
        if isinstance(value, dict):
            facts |= flat(value, f"{prefix}{name}.")
        else:
            facts[f"{prefix}{name}"] = value
    return facts
