"""What the suite's failures really said in each scenario of the embedded platform, and the one class that each is like.

`said_by_failures.json` holds, by scenario, the test, the type of its failure and its words, as runs have recorded them.
"""

import json
from pathlib import Path

import pytest

from gatehouse.embedded.scenarios import SCENARIOS
from gatehouse.smoke.regressions import REGRESSIONS, likely

SAID = json.loads((Path(__file__).parent / "said_by_failures.json").read_text())

#: The class of each scenario that is like one; all others are like none.
CLASSES = {
    "migration-stuck": "migration",
    "replicas-mixed": "mixed-replicas",
    "existing-workspaces-refused": "existing-workspaces",
    "agents-not-associated": "agent-association",
    "agent-never-connects": "agent-never-connects",
    "old-agents-disconnected": "old-agents",
    "agent-flapping": "agent-flaps",
    "websockets-refused": "websocket",
    "relays-unreachable": "relay",
    "editor-dead": "web-editor",
    "editor-other-architecture": "web-editor",
    "editor-unhealthy": "web-editor",
    "editor-blank": "web-editor",
    "editor-socket-not-upgraded": "web-editor",
    "app-addresses-changed": "app-addresses",
    "provisioner-offline": "jobs-pending",
    "build-pending": "jobs-pending",
    "parameters-drifted": "parameters",
    "template-import-failed": "unpinned",
    "calls-removed": "removed-calls",
}


def likenesses(scenario):
    found = {test: likely(f"suites/smoke/{test}", words, kind) for test, kind, words in SAID[scenario]}
    return {test: like and like.name for test, like in found.items()}


@pytest.mark.parametrize("scenario", SAID)
def test_only_the_class_that_a_scenario_is_about_is_named(scenario):
    named = {test: like for test, like in likenesses(scenario).items() if like}

    assert set(named.values()) == ({CLASSES[scenario]} if scenario in CLASSES else set()), named


def test_each_class_is_named_in_a_scenario():
    assert set(CLASSES.values()) == {each.name for each in REGRESSIONS}
    assert set(CLASSES) <= set(SAID) <= set(SCENARIOS)
