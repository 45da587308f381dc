"""What a task may do, as it is told inside of it: an answer with what is wrong and what could not be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.smoke_settings import ForbiddenRight
from gatehouse.edge.probe import Seen, from_inside
from gatehouse.kube import rights
from gatehouse.task.inside import commands_of
from gatehouse.task.shell import Shell


@dataclass(frozen=True)
class Privileges:
    """`wrong` is red; `unverified` could not be told, with the words of who refused. `seen` is for the evidence."""

    wrong: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    seen: dict[str, Any] = field(default_factory=dict)


def service_account_rights(
    shell: Shell, forbidden: Sequence[ForbiddenRight], deadline: Deadline
) -> Privileges:
    """Which of the forbidden rights the service account of a task's pod has, asked with its own token.

    A pod without a token has none. Raises what the workspace's shell cannot be reached with.
    """
    run = commands_of(shell, deadline, "asking what the service account may do")
    environment = run(list(rights.ENVIRONMENT))
    if environment.exit_code == rights.NO_TOKEN:
        return Privileges(seen={"token": "the pod has none"})
    words = environment.stdout.decode(errors="replace").split()
    if environment.exit_code != 0 or len(words) != 3 or words[0] == "https://:":
        return Privileges(unverified=("the pod has a token, and no address of the API",))
    address, folder, namespace = words
    asked = rights.questions(forbidden, namespace)
    try:
        answers, _ = from_inside(run, [rights.review_request(address, folder, each) for each in asked])
    except EnvironmentProblem as error:
        return Privileges(unverified=(f"{error.summary} ({error.seen})",))
    return judge_rights(asked, answers)


def judge_rights(asked: Sequence[rights.Question], answers: Sequence[Seen]) -> Privileges:
    """The API's answers to access reviews: 201 with `status.allowed`; anything else could not tell."""
    allowed, unverified = [], []
    for question, answer in zip(asked, answers, strict=True):
        if not answer.reached:
            unverified.append(f"{question}: the API cannot be asked from inside ({answer.words})")
        elif answer.status != 201:
            unverified.append(f"{question}: the API answers {answer.status} ({answer.body_words})")
        elif json.loads(answer.body)["status"].get("allowed"):
            allowed.append(str(question))
    return Privileges(
        tuple(f"with the token in the task's pod one may {right}" for right in allowed),
        tuple(unverified),
        {"asked": [str(each) for each in asked], "allowed": allowed},
    )
