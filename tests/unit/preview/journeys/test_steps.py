import json
import tracemalloc
import zipfile

import pytest

from gatehouse.preview.journeys.steps import LONGEST_LINE, STEPS, last_steps


@pytest.fixture
def trace(tmp_path):
    """Writes a trace as Playwright does: JSON lines, without spaces, in a zip archive."""

    def trace(*events, name="trace.trace", raw=b""):
        path = tmp_path / "trace.zip"
        lines = [json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode() for each in events]
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, raw or b"\n".join(lines) + b"\n")
        return path

    return trace


def before(call, title="", *, method="", key="title", **params):
    named = {key: title} if title else {}
    return {"type": "before", "callId": call, "method": method, **named, "params": params}


def after(call, message=""):
    error = {"error": {"name": "TimeoutError", "message": message}} if message else {}
    return {"type": "after", "callId": call, **error}


def test_the_last_steps_are_told_in_order_with_what_became_of_them(trace):
    path = trace(
        {"type": "context-options", "version": 8},
        before("1", "Navigate", method="goto", url="http://shop/login"),
        after("1"),
        before("2", "Click", method="click", selector='internal:role=button[name="Sign in"i]'),
        {"type": "log", "callId": "2", "message": "waiting for it"},
        after("2", "Timeout 30000ms exceeded.\nCall log:\n  - waiting for it"),
        before("3", "Expect", method="expect", selector='internal:text="Welcome"i'),
    )

    assert last_steps(path) == [
        "Navigate http://shop/login",
        'Click button "Sign in": Timeout 30000ms exceeded.',
        'Expect text "Welcome": not ended',
    ]


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ('internal:role=heading[name="Welcome, olga"s]', 'heading "Welcome, olga"'),
        ("internal:role=listitem", "listitem"),
        ('internal:label="Password"i', 'label "Password"'),
        ('internal:testid=[data-testid="cart"s]', 'test id "cart"'),
        ("#cart > .total", "#cart > .total"),
    ],
)
def test_selectors_are_told_in_the_words_of_locators(trace, selector, words):
    assert last_steps(trace(before("1", "Click", selector=selector), after("1"))) == [f"Click {words}"]


def test_what_was_typed_is_left_out(trace):
    path = trace(before("1", "Fill", method="fill", selector="#password", value="planted"), after("1"))

    assert last_steps(path) == ["Fill #password"]


def test_older_traces_name_their_calls_otherwise(trace):
    path = trace(
        before("1", "page.goto", key="apiName", method="goto", url="http://shop/"),
        {"type": "after", "callId": "1", "error": {"message": "net::ERR_CONNECTION_RESET"}},
        before("2", method="click", selector="#buy"),
        after("2"),
    )

    assert last_steps(path) == ["page.goto http://shop/: net::ERR_CONNECTION_RESET", "click #buy"]


def test_so_many_steps_are_told_and_the_last_one_is_the_newest(trace):
    events = [
        event for number in range(50) for event in (before(f"{number}", f"Step {number}"), after(f"{number}"))
    ]

    assert last_steps(trace(*events)) == [f"Step {number}" for number in range(50 - STEPS, 50)]


def test_calls_within_calls_and_those_that_say_nothing_are_left_out(trace):
    path = trace(
        before("1", "Create context", method="newContext"),
        before("2", "Navigate", method="goto", url="http://shop/"),
        {**before("3", "Inner"), "parentId": "2"},
        after("2"),
    )

    assert last_steps(path) == ["Navigate http://shop/"]


def test_steps_of_a_test_with_several_parts_are_in_the_order_of_time(trace):
    late = {**before("2", "Late"), "startTime": 20.0}
    early = {**before("1", "Early"), "startTime": 10.0}
    trace(late, after("2"), name="0-trace.trace")

    assert last_steps(trace(early, after("1"), name="1-trace.trace")) == ["Early", "Late"]


def test_steps_of_several_contexts_are_told_in_the_order_of_time(trace, tmp_path):
    trace({**before("1", "Second"), "startTime": 20.0}, after("1", "it broke")).rename(tmp_path / "one.zip")
    trace({**before("1", "First"), "startTime": 10.0}, after("1"))

    told = last_steps(tmp_path / "one.zip", tmp_path / "trace.zip", tmp_path / "missing.zip")

    assert told == ["First", "Second: it broke"]


def test_lines_that_are_too_long_are_passed_over_and_what_follows_is_read(trace):
    long = before("1", "Snapshot", url="x" * (3 * LONGEST_LINE))
    path = trace(long, before("2", "Click"), after("2"))

    assert last_steps(path) == ["Click"]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"before"\n',
        b'{"type":"before","callId":"1","params":null}\n{"type":"after","callId":"1","error":"none"}\n',
        b'{"type":"before","callId":"1","params":[1]}\n',
        b'{"type":"before","title":"\xff\xfe"}\n',
        b'{"type":"before"}\n{"type":"after"}',
    ],
)
def test_no_trace_can_break_the_report(trace, raw):
    assert isinstance(last_steps(trace(raw=raw)), list)


def test_a_large_trace_is_read_in_little_memory(trace):
    line = b'{"type":"frame-snapshot","html":"' + b"x" * 20_000_000 + b'"}\n'
    trace(raw=line * 5, name="1-trace.trace")
    path = trace(before("1", "Click"), after("1"))
    tracemalloc.start()
    try:
        assert last_steps(path) == ["Click"]
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_archive_that_is_cut_short_or_is_none_has_no_steps(trace, tmp_path):
    path = trace(before("1", "Click"), after("1"))
    path.write_bytes(path.read_bytes()[:40])

    assert last_steps(path) == []
    assert last_steps(tmp_path / "missing.zip") == []


def test_an_archive_whose_content_is_damaged_has_no_steps(trace):
    path = trace(*[before(f"{number}", f"Step {number} {'ab' * number}") for number in range(200)])
    content = bytearray(path.read_bytes())
    content[60:400] = bytes(340)
    path.write_bytes(content)

    assert isinstance(last_steps(path), list)
