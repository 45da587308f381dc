"""The repository contract, asked of a checkout that is not on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.model import Case, Profile, Violation
from gatehouse.guardrails.rules import repository_contract


def contract_files(settings: GuardrailSettings) -> tuple[str, ...]:
    """Paths, from the checkout's root, of the files that the contract is about."""
    contract = settings.contract
    return (contract.devcontainer, contract.instructions, f"../{contract.instructions}", settings.marker)


def contract_violations(
    settings: GuardrailSettings, root: str, files: Mapping[str, str | None]
) -> list[Violation] | None:
    """What a checkout at `root` violates; `files` has the texts of `contract_files`, None for one that is not there.

    None where the checkout is not one of the platform's. The profile is that of the marker, else of the folder.
    """
    folder = PurePosixPath(root).parent.name
    marked = (files.get(settings.marker) or "").strip()
    name = settings.aliases.get(marked or folder, marked or folder)
    profile = settings.profiles.get(name)
    if profile is None:
        name, profile = next(iter(settings.profiles.items()))
    source = settings.marker if marked else root
    case = Case(settings, Profile(name, source, bool(marked), profile), (), files, root)
    return list(repository_contract.check(case)) if repository_contract.applies(case) else None
