"""What a repository of the platform must hold: a development container that is safe on Kubernetes, instructions.

Only asked of repositories that are the platform's: the policy says so, or the folder of the development container
or the profile's marker is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from gatehouse.core.changes import Status
from gatehouse.guardrails import json_with_comments
from gatehouse.guardrails.model import Case, Violation, Weight, matches

_DEVCONTAINER, _INSTRUCTIONS, _DEPENDENCY = "devcontainer", "agent-instructions", "forbidden-dependency"


def check(case: Case) -> Iterator[Violation]:
    """The development container, the agents' instructions, and what nothing may depend on."""
    if not applies(case):
        return
    yield from _devcontainer(case)
    yield from _instructions(case)
    yield from _dependencies(case)


def applies(case: Case) -> bool:
    """Whether the repository is one of the platform's."""
    if case.settings.repository_contract is not None:
        return case.settings.repository_contract
    signs = (case.settings.contract.devcontainer, case.settings.marker)
    # One that this change deletes was a sign all the same.
    deleted = {diff.path for diff in case.diffs if diff.change.status is Status.DELETED}
    return any(case.contract_files.get(each) is not None or each in deleted for each in signs)


def _devcontainer(case: Case) -> Iterator[Violation]:
    path = case.settings.contract.devcontainer
    text = case.contract_files.get(path)
    if text is None:
        yield _violation(_DEVCONTAINER, path, 0, "it is not there", "add it: workspaces are built from it")
        return
    try:
        data = json_with_comments.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        yield _violation(
            _DEVCONTAINER, path, line, f"not JSON with comments: {error}", "correct it at that line"
        )
        return
    if not isinstance(data, dict):
        yield _violation(_DEVCONTAINER, path, 1, "expected an object", "see containers.dev for its form")
        return
    for line, fault in _unsafe(data, text, case.settings.contract.unsafe_words):
        yield _violation(
            _DEVCONTAINER,
            path,
            line,
            fault,
            "take it out: workspaces are unprivileged pods without a Docker daemon",
        )


def _unsafe(data: dict[str, Any], text: str, words: dict[str, str]) -> Iterator[tuple[int, str]]:
    if data.get("privileged") is True:
        yield _line(text, '"privileged"'), "runs privileged"
    if "dockerComposeFile" in data:
        yield _line(text, '"dockerComposeFile"'), "needs Docker Compose, and so a Docker daemon"
    run_arguments = data.get("runArgs")
    if isinstance(run_arguments, list):
        # `--cap-add NET_ADMIN` may be two arguments or one.
        for network in (
            "--net=host",
            "--network host",
            "--net host",
            "--pid=host",
            "--pid host",
            "--cap-add ALL",
        ):
            if network in " ".join(map(str, run_arguments)).replace("--cap-add=", "--cap-add "):
                yield _line(text, network.split("=")[0].split(" ")[0]), f"runs with {network}"
    if isinstance(data.get("capAdd"), list) and "ALL" in data["capAdd"]:
        yield _line(text, '"capAdd"'), "asks for every capability"
    strings = list(_strings(data))
    for word, fault in words.items():
        if found := next((each for each in strings if word.lower() in each.lower()), None):
            yield _line(text, json.dumps(found)[1:-1], word), f"{fault} ({word})"


def _strings(value: Any) -> Iterator[str]:
    """Every string of a document, keys included: features are named by keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _line(text: str, *words: str) -> int:
    """The line, from 1, of the first of `words` that is there; 0 when none is."""
    for word in words:
        if (place := text.find(word)) >= 0:
            return text.count("\n", 0, place) + 1
    return 0


def _instructions(case: Case) -> Iterator[Violation]:
    contract = case.settings.contract
    root = PurePosixPath(case.root)
    beside = f"../{contract.instructions}"
    in_layout = root.name == contract.checkout and root.parent.parent == PurePosixPath(contract.workspaces)
    if in_layout and case.contract_files.get(beside) is None:
        yield _violation(
            _INSTRUCTIONS,
            beside,
            0,
            f"the workspace holds no instructions for agents beside {contract.checkout}/",
            f"the template of the profile puts {contract.instructions} into {root.parent}",
        )
    elif in_layout and case.profile.binding and _other_profile(case, root.parent.name):
        yield _violation(
            _INSTRUCTIONS,
            beside,
            0,
            f"the checkout lies in the folder of the profile {root.parent.name}, but is judged as {case.profile.name}",
            f"check it out below {contract.workspaces}/{case.profile.name}, or name the right profile",
        )
    elif all(case.contract_files.get(each) is None for each in (beside, contract.instructions)):
        yield _violation(
            _INSTRUCTIONS,
            contract.instructions,
            0,
            "there are no instructions for agents, neither beside the checkout nor in it",
            f"add {contract.instructions}: what an agent of this profile may do, and which command it runs",
        )


def _other_profile(case: Case, folder: str) -> bool:
    named = case.settings.aliases.get(folder, folder)
    return named in case.settings.profiles and named != case.profile.name


def _dependencies(case: Case) -> Iterator[Violation]:
    contract = case.settings.contract
    for diff in case.diffs:
        if not matches(diff.path, contract.dependency_files):
            continue
        for number, line in diff.added:
            for word in contract.forbidden_dependencies:
                if word.lower() in line.lower():
                    yield _violation(
                        _DEPENDENCY,
                        diff.path,
                        number,
                        f"the platform does not support {word}",
                        "do without it",
                    )


def _violation(rule: str, path: str, line: int, message: str, next_step: str) -> Violation:
    return Violation(rule, path, line, message, next_step, Weight.EVERYBODY)
