"""The guard rails' policy and the profile's marker, as of the base revision and never as of the change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatehouse.core import yaml_file
from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import SettingsError
from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.contents import read_batch

CONFIG_FILE = "gatehouse.yaml"
SECTION = "guardrails"
DESCRIBED = "docs/guard-rails.md"


@dataclass(frozen=True)
class Policy:
    """What is judged by. `problem` says why the base's own policy could not be read, if so."""

    settings: GuardrailSettings
    source: str
    marker: str | None = None
    problem: str = ""


def read_policy(checkout: Checkout, commit: str | None) -> Policy:
    """The policy at a commit: one process of git, two when the policy names another marker file."""
    if commit is None:
        return Policy(GuardrailSettings(), "defaults, because there is no commit yet")
    default = GuardrailSettings()
    texts = _texts(checkout, commit, CONFIG_FILE, default.marker)
    settings, problem = default, ""
    source = f"defaults, because {commit[:12]} has no section {SECTION} in {CONFIG_FILE}"
    if (text := texts.get(CONFIG_FILE)) is not None:
        label = Path(f"{commit[:12]}:{CONFIG_FILE}")
        try:
            own = yaml_file.load_section(text, label, SECTION, GuardrailSettings, DESCRIBED)
        except SettingsError as error:
            problem = error.summary
            source = f"defaults, because {CONFIG_FILE} at {commit[:12]} cannot be read"
        else:
            settings = own or default
            source = f"{CONFIG_FILE} at {commit[:12]}" if own else source
    if settings.marker != default.marker:
        texts = _texts(checkout, commit, settings.marker)
    return Policy(settings, source, texts.get(settings.marker), problem)


def _texts(checkout: Checkout, commit: str, *paths: str) -> dict[str, str]:
    """The texts of files at a commit, by path; those that are not there left out."""
    names = [f"{commit}:{path}" for path in paths]
    _, output, _ = checkout.ask("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
    found = zip(paths, read_batch(output), strict=False)
    return {path: text for path, (_, text) in found if text is not None}
