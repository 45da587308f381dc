"""A run that is killed leaves nothing that a sweep does not find, remove and report; `benchmarks/kill_test.py` tries
a hundred random moments."""

import random

import pytest

from tests.support.kills import created, intended, kill_and_sweep


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(intended, id="before its create call is answered"),
        pytest.param(created, id="while its workspace is built"),
        pytest.param(random.Random(7).uniform(0.5, 1.5), id="at a random moment"),
    ],
)
def test_whatever_a_killed_run_has_made_is_swept_and_proved_gone(start, tmp_path, moment):
    platform = start("happy")

    kill = kill_and_sweep(platform, tmp_path / "20260101T000000Z-abc123", moment)

    assert kill.problems == []
