"""The page about the guard rails says what there is, and names nothing that is not there."""

import re
from pathlib import Path

import yaml

from gatehouse.core import guardrail_settings
from gatehouse.core.guardrail_settings import GuardrailSettings, ProfileSettings
from gatehouse.core.yaml_file import StrictModel

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "guard-rails.md").read_text()
SOURCES = "\n".join(path.read_text() for path in (ROOT / "plugins/gatehouse/guardrails").rglob("*.py"))


def section(heading):
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def in_first_cells(text):
    """The words in backticks in the first cell of each row."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return {word for cell in rows for word in re.findall(r"`([^`]+)`", cell)}


def test_every_rule_and_no_other():
    given = set(re.findall(r'Violation\(\s*"([a-z-]+)"', SOURCES))
    given |= set(re.findall(r'^_RULE = "([a-z-]+)"', SOURCES, re.MULTILINE))
    given |= set(re.search(r"_DEPENDENCY = (.+)", SOURCES)[1].replace('"', "").split(", "))

    assert in_first_cells(section("Rules")) == given


def test_every_setting_and_no_other():
    assert in_first_cells(section("Settings")) - {"guardrails"} == set(GuardrailSettings.model_fields)


def test_every_setting_of_a_profile():
    assert set(ProfileSettings.model_fields) <= in_first_cells(section("Profiles"))


def test_every_setting_of_a_section():
    models = [each for each in vars(guardrail_settings).values() if isinstance(each, type)]
    words = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    for model in models:
        if issubclass(model, StrictModel) and model is not StrictModel:
            assert set(model.model_fields) <= words, model.__name__


def test_every_profile():
    assert set(GuardrailSettings().profiles) <= in_first_cells(section("Profiles"))


def test_its_examples_are_accepted():
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        GuardrailSettings.model_validate(yaml.safe_load(text)["guardrails"])
