from gatehouse.core.preview_settings import StageBudgets
from gatehouse.preview.stages import Stage, StageClock, Stopwatch
from tests.support.clock import FakeClock


def test_time_is_counted_for_each_stage_also_when_it_comes_back():
    clock = FakeClock()
    stages = StageClock(StageBudgets(), clock)

    for stage, seconds in ((Stage.SYNC, 3), (Stage.ROLLOUT, 5), (Stage.SYNC, 2), (None, 7)):
        stages.enter(stage)
        clock.sleep(seconds)

    assert stages.spent == {"sync": 5, "rollout": 5}


def test_only_the_present_stage_can_be_overdue():
    clock = FakeClock()
    stages = StageClock(StageBudgets(sync_seconds=4, rollout_seconds=4), clock)

    stages.enter(Stage.SYNC)
    clock.sleep(4)
    assert stages.overdue is Stage.SYNC
    stages.enter(Stage.ROLLOUT)
    assert stages.overdue is None


def test_what_an_earlier_command_has_spent_counts():
    clock = FakeClock()
    stages = StageClock(StageBudgets(images_seconds=10), clock, {"images": 8.0})

    stages.enter(Stage.IMAGES)
    clock.sleep(1)
    assert stages.overdue is None
    clock.sleep(1)
    assert stages.overdue is Stage.IMAGES


def test_a_stopwatch_keeps_seconds_by_state():
    clock = FakeClock()
    watch = Stopwatch(clock)
    watch.enter("syncing")
    clock.sleep(2)
    assert watch.spent == {"syncing": 2}
