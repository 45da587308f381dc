import json
from datetime import UTC, datetime

import pytest

from gatehouse.core.base import find_base
from gatehouse.core.checkout import Checkout
from gatehouse.core.tree_snapshot import snapshot
from gatehouse.inner.last_answer import _name, keep_answer, last_answer
from gatehouse.inner.signed_files import SignedFiles
from tests.support.checkouts import make_checkout

LINES = ["inner: passed (2 passed)", "evidence: reports/x"]


class Answers:
    """A checkout, the answer that a run of it left, and the clock of who asks for it."""

    def __init__(self, folder):
        self.checkout = Checkout(make_checkout(folder / "checkout", {"README.md": ""}))
        self.cache = folder / "cache"
        self.bundle = folder / "bundle"
        (self.bundle / "attachments").mkdir(parents=True)
        (self.bundle / "manifest.json").touch()

    def keep(self, guard_rails):
        """Keep an answer whose evidence has this file about the guard rails."""
        (self.bundle / "attachments" / "guard-rails.json").write_text(guard_rails)
        keep_answer(
            self.checkout,
            self.cache,
            snapshot(self.checkout),
            find_base(self.checkout, None, {}),
            variables=[],
            identities={},
            bundle=self.bundle,
            lines=LINES,
            environment={},
        )

    def at(self, *moment):
        return last_answer(
            self.checkout, self.cache, {}, now=lambda: datetime(*moment, tzinfo=UTC).timestamp()
        )


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path)


def test_the_answer_of_an_unchanged_checkout_stands(answers):
    answers.keep(json.dumps({"until": None}))

    assert answers.at(2026, 11, 21) == [
        "inner: passed (2 passed); nothing changed since",
        "evidence: reports/x",
    ]
    assert answers.at(2036, 11, 21) is not None


def test_an_answer_ends_with_the_last_day_on_which_the_guard_rails_accept_the_change(answers):
    answers.keep(json.dumps({"until": "2026-11-21"}))

    assert answers.at(2026, 11, 21, 23, 59, 59) is not None
    assert answers.at(2026, 11, 22) is None


@pytest.mark.parametrize("guard_rails", ["", "{}", '{"until": "soon"}', "[]"])
def test_without_evidence_of_how_long_the_guard_rails_accept_the_change_nothing_is_kept(answers, guard_rails):
    answers.keep(guard_rails)

    assert answers.at(2026, 11, 21) is None


def test_an_answer_of_another_version_is_none(answers):
    body = {"state": "", "identities": {}, "bundle": str(answers.bundle), "lines": ["inner: passed"]}
    SignedFiles(answers.cache / "inner" / "answers").write(_name(answers.checkout.root), body)

    assert answers.at(2026, 11, 21) is None
