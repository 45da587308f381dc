"""Which profile applies to a change.

The option first, for people who explore; then the marker *as of the base revision*, because a change must not choose
what it is judged by; then the environment; then the policy's `default_profile`. All of these are binding. Where none
names a profile, how the checkout looks is a guess, and what breaks its rules is shown and not red: a repository of
somebody who never heard of profiles has no rules to break.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gatehouse.core.errors import UsageError
from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.model import Profile


def find_profile(
    settings: GuardrailSettings,
    *,
    option: str | None,
    marker: str | None,
    environment: Mapping[str, str],
    root: Path,
) -> Profile:
    """The profile. `marker` is the text of the marker file at the base, None without one.

    Raises `UsageError` for a name that is no profile.
    """
    if option is not None:
        return _named(settings, option, "--gate-profile")
    if marker is not None:
        return _named(settings, marker.strip(), f"{settings.marker} at the base")
    if name := environment.get(settings.variable, "").strip():
        return _named(settings, name, settings.variable)
    if settings.default_profile is not None:
        return _named(settings, settings.default_profile, "guardrails.default_profile at the base")
    name = "gitops" if _looks_like_gitops(settings, root) and "gitops" in settings.profiles else "code"
    return Profile(name, "a guess from the folders", False, settings.profiles[name])


def _named(settings: GuardrailSettings, name: str, source: str) -> Profile:
    known = settings.aliases.get(name, name)
    if known not in settings.profiles:
        raise UsageError(
            f"{source} names the agent profile {name!r}, which does not exist",
            expected=f"one of: {', '.join([*settings.profiles, *settings.aliases])}",
            next_step="correct the name, or add the profile under guardrails.profiles in the base's gatehouse.yaml",
        )
    return Profile(known, source, True, settings.profiles[known])


def _looks_like_gitops(settings: GuardrailSettings, root: Path) -> bool:
    guess = settings.guess
    return any((root / each).is_dir() for each in guess.gitops_folders) and not any(
        (root / each).is_dir() for each in guess.code_folders
    )
