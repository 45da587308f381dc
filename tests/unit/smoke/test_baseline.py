from datetime import UTC, datetime

import pytest

from gatehouse.core.errors import EnvironmentProblem, UsageError
from gatehouse.smoke.baseline import FILE_NAME, Baseline, Canary, Section, read_baseline, write_baseline

BASELINE = Baseline(
    gatehouse="1",
    taken=datetime(2026, 11, 21, tzinfo=UTC),
    url="https://coder.example.com",
    sections={"deployment": Section(facts={"version": "v2.36.3"}), "health": Section(unverified="403")},
    canaries=[Canary(name="gate-canary", id="1", owner="ci", expect="stopped", template="code")],
)


def test_what_was_written_is_read_again(tmp_path):
    write_baseline(tmp_path / "new" / "folder", BASELINE)

    assert read_baseline(tmp_path / "new" / "folder") == BASELINE
    assert read_baseline(tmp_path / "new" / "folder" / FILE_NAME) == BASELINE
    assert BASELINE.version == "v2.36.3"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"schema": 1', "not JSON"),
        ("[]", "Input should be"),
        ('{"schema": 2}', "schema"),
        ("{}", "gatehouse"),
    ],
)
def test_a_file_that_is_no_baseline_says_what_is_wrong_with_it(tmp_path, text, words):
    (tmp_path / FILE_NAME).write_text(text)

    with pytest.raises(UsageError) as raised:
        read_baseline(tmp_path)

    assert words in raised.value.seen
    assert raised.value.next_step


def test_a_folder_without_a_baseline_says_how_to_take_one(tmp_path):
    with pytest.raises(UsageError, match="gatehouse baseline DIR"):
        read_baseline(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_baseline(tmp_path / "file", BASELINE)
