import json

from hypothesis import given
from hypothesis import strategies as st

from gatehouse.preview.playwright_test.ending import Ending
from gatehouse.preview.playwright_test.progress import INTERVAL, Progress
from gatehouse.preview.playwright_test.results import Follower, listed
from tests.support.playwright_events import ROOT, begin, end, ended, told
from tests.support.playwright_events import listed as raw


def names(*tests):
    return [each.name for each in listed(tests, ROOT)]


def test_a_name_says_file_titles_and_project():
    assert names(raw("1", "cart", "adds up", project="chromium")) == [
        "specs/a.spec.ts > cart > adds up [chromium]"
    ]
    assert names(raw("1", "adds up")) == ["specs/a.spec.ts > adds up"]


def test_repeated_titles_are_numbered_and_stay_apart_from_titles_that_look_numbered():
    found = names(raw("1", "x"), raw("2", " x"), raw("3", "x #2"), raw("4", "x"))

    assert found == [f"specs/a.spec.ts > {each}" for each in ("x", "x #2", "x #2 #2", "x #3")]


@given(st.lists(st.text()))
def test_names_are_unique_and_on_one_line_and_can_be_given_to_pytest(titles):
    found = names(*(raw(str(number), title) for number, title in enumerate(titles)))

    assert len(set(found)) == len(titles)
    assert not any("::" in name or "\n" in name for name in found)


def test_a_line_that_is_not_the_reporters_is_an_error_of_the_run(tmp_path):
    path = tmp_path / "results-1.jsonl"
    path.write_text("Hello\n" + json.dumps({"event": "test_begin"}) + "\n" + json.dumps([1]) + "\n")

    errors = Follower(path, ROOT).read().errors

    assert "results-1.jsonl holds a line that is not the reporter's: b'Hello'" in errors[0].message
    assert len(errors) == 3


def test_a_file_is_followed_by_whole_lines(tmp_path):
    path = tmp_path / "results.jsonl"
    follower = Follower(path, ROOT)
    assert not follower.read().begun

    text = json.dumps(begin("a")) + "\n" + json.dumps(ended("a"))
    path.write_text(text[:-5])
    assert (follower.read().begun, follower.read().attempts) == (True, {})

    path.write_text(text + "\n" + json.dumps(end()) + "\n")
    assert list(follower.read().attempts) == ["a"]
    assert follower.read().ended == "passed"


def test_an_ending_is_read_as_it_was_written(tmp_path):
    assert Ending.read(tmp_path / "ended.json") is None

    Ending(-9, 60, "words").write(tmp_path / "ended.json")

    assert Ending.read(tmp_path / "ended.json") == Ending(-9, 60, "words")


def test_failures_are_told_once_and_counts_now_and_then():
    now = [0.0]
    progress = Progress("e2e", listed([raw("a"), raw("b")], ROOT), lambda: now[0])
    failed = ended("a", "failed", retries=1, message="Error: no lamp")

    assert progress.lines([(told(begin("a", "b")), None)]) == []
    expected = "e2e: specs/a.spec.ts > a: no lamp; it is tried again (0 of 2 tests have ended)"
    assert progress.lines([(told(failed), None)]) == [expected]
    again = told(failed, ended("a", retry=1, retries=1))
    assert progress.lines([(again, None)]) == []
    now[0] = INTERVAL
    assert progress.lines([(again, None)]) == ["e2e: 1 of 2 tests have ended"]
    now[0] = 3 * INTERVAL
    assert progress.lines([(again, None)]) == []
