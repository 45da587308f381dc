"""What others script against is in the docs, and the docs name nothing that is not there."""

import argparse
import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from gatehouse import cli, hookspecs
from gatehouse.core.settings import Settings, Target
from gatehouse.demo import FAULTS
from gatehouse.embedded.scenarios import SCENARIOS
from gatehouse.gate.policy import Policy, SuitePolicy
from gatehouse.gate.rules import RULES
from gatehouse.gate.verdict import EXIT_CODES, PRECEDENCE
from gatehouse.plugin import MARKERS

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "plugins" / "gatehouse"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def page(name):
    return (ROOT / "docs" / f"{name}.md").read_text()


def rows(text):
    """The first cell of every row of every table, without backticks and placeholders."""
    return [
        line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|") and "---" not in line
    ]


def named(cells):
    """The words in backticks among cells of a table."""
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def section(text, heading):
    """What is below a heading, up to the next one of its own or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    below = text.split(f"{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{level}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def sources():
    return "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))


def test_every_option_of_pytest_and_no_other():
    options = set(re.findall(r'^\s+"(--gate-[a-z-]+)",$', sources(), re.MULTILINE))
    documented = {word.split()[0] for word in named(rows(section(page("reference"), "## Options of pytest")))}
    assert documented == options


def test_every_marker():
    assert set(MARKERS) <= set(re.findall(r"`(\w+)`", section(page("reference"), "## Markers")))


def test_every_fixture_of_the_plugins():
    fixtures = set()
    for path in PACKAGE.rglob("plugin.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and any(
                "pytest.fixture" in ast.unparse(each) for each in node.decorator_list
            ):
                fixtures.add(node.name)
    assert fixtures <= named(rows(section(page("reference"), "## Fixtures")))


def test_every_hook():
    hooks = {name for name in vars(hookspecs) if name.startswith("pytest_")}
    assert {word.split("(")[0] for word in named(rows(section(page("reference"), "## Hooks")))} == hooks


def test_every_command_with_all_of_its_options():
    (commands,) = (
        action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    text = section(page("reference"), "## Commands")
    for name, parser in commands.choices.items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `gatehouse {name}"))
        for action in parser._actions:
            for option in [
                each for each in action.option_strings if each not in ("-h", "--help", "--output")
            ]:
                assert option in row, f"{name} {option}"
    known = {*commands.choices, "--version"}
    assert {word.split()[1] for word in named(rows(text)) if word.startswith("gatehouse ")} == known


def test_every_exit_code_of_the_gate_and_their_order():
    text = section(page("reference"), "## Exit codes of the gate")
    documented = dict(re.findall(r"^\| (\d+) \| ([a-z ]+?) \|", text, re.MULTILINE))
    assert documented == {str(code): str(name) for name, code in EXIT_CODES.items()}
    assert ", ".join(str(EXIT_CODES[each]) for each in PRECEDENCE) in text


def test_every_variable_of_ours():
    used = set(re.findall(r'"(GATEHOUSE_[A-Z_]+)"', sources()))
    internal = {
        "GATEHOUSE_ADDRESSES",
        "GATEHOUSE_INNER_STARTED_IN",
        "GATEHOUSE_PLAYWRIGHT_TEST",
        "GATEHOUSE_POD_NETWORK",
        "GATEHOUSE_PROCESS_OWNER",
    }
    documented = {
        word
        for word in named(rows(section(page("reference"), "## Environment")))
        if word.startswith("GATEHOUSE_")
    }
    assert documented == used - internal


@pytest.mark.parametrize("name", Target.model_fields)
def test_every_setting_of_a_target(name):
    annotation = Target.model_fields[name].annotation
    if annotation is bool:
        assert f"`{name}: true`" in page("configuration")
        return
    (model,) = (
        each for each in annotation.__args__ if isinstance(each, type) and issubclass(each, BaseModel)
    )
    assert named(rows(section(page("configuration"), f"### `{name}`"))) >= set(model.model_fields)


def test_every_other_setting():
    text = page("configuration")
    for name, info in Settings.model_fields.items():
        assert f"`{name}`" in text
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            documented = named(rows(section(text, f"## `{name}`")))
            assert documented >= set(info.annotation.model_fields)


def test_every_key_of_a_policy():
    expected = {info.alias or name for name, info in Policy.model_fields.items()} - {"suites"}
    expected |= {f"suites.<suite>.{name}" for name in SuitePolicy.model_fields}
    assert named(rows(section(page("gate"), "## Policy"))) == expected | {"false"} - {"false"}


def test_every_rule_of_the_gate():
    rules = {rule.__module__.rpartition(".")[2] for rule in RULES}
    assert named(rows(section(page("gate"), "## Rules"))) == rules


def test_every_scenario_with_its_summary():
    text = section(page("embedded-platform"), "## Scenarios")
    assert named(rows(text)) == set(SCENARIOS)
    for scenario in SCENARIOS.values():
        assert scenario.summary in text


def test_every_fault_of_the_demonstration():
    assert all(f"`{fault}`" in (ROOT / "README.md").read_text() for fault in FAULTS)


def test_every_event_of_the_record():
    code = sources()
    written = re.findall(r'[._]event\(\s*"([a-z_]+)"', code) + re.findall(
        r'"event": "([a-z_]+)",\s*"test"', code
    )
    events = {*written, "phase", "deployment_proof", "leak_proof", "workspace_started"}
    assert named(rows(section(page("evidence"), "## The record, schema 1"))) == events


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        linked = (path.parent / name) if name else path
        assert linked.is_file(), f"{path.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_and_options_that_are_named_exist(path):
    (commands,) = (
        action for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    text = "\n".join(re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL))
    assert set(re.findall(r"^gatehouse ([a-z]+)", text, re.MULTILINE)) <= set(commands.choices)
    options = set(re.findall(r'^\s+"(--gate-[a-z-]+)",$', sources(), re.MULTILINE))
    assert set(re.findall(r"--gate-[a-z-]+", text)) <= options
