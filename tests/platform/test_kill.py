"""A run that is killed leaves nothing that a sweep does not find, remove and report; `benchmarks/kill_test.py` tries
a hundred random moments."""

import random

import pytest

from tests.platform.conftest import eventually
from tests.support.kills import begin_sweep, created, intended, kill, kill_and_sweep, left, sweep


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


def test_a_sweep_that_is_killed_while_it_deletes_is_finished_by_the_next(start, tmp_path):
    platform = start("happy", build_apply=1.0)
    folder = tmp_path / "20260101T000000Z-abc123"
    kill(platform, folder, created)
    first = begin_sweep(platform, folder)
    eventually(lambda: platform.call(_deleting))
    first.kill()
    first.communicate()

    assert sweep(platform, folder).returncode == 0
    assert platform.call(left) == []


def _deleting(systems):
    return any(build.transition == "delete" for _, build in systems.database.builds())
