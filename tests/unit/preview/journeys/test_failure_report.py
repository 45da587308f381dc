from gatehouse.preview.journeys.failure_report import LINES, console_line, failure_report, request_line
from gatehouse.preview.journeys.findings import Journey


def journey(**found):
    artifacts = [
        {"kind": kind, "path": f"playwright/main/{kind}"} for kind in ("trace", "video", "screenshot")
    ]
    return Journey(trace_id="abc", artifacts=artifacts, **found)


def test_the_parts_are_in_the_order_in_which_people_look():
    found = journey(
        console=[{"type": "error", "text": "x is\nundefined", "location": "http://shop/a.js:3"}],
        requests=[{"method": "GET", "url": "http://shop/api", "status": 500}],
        left=["http://evil/"],
        steps=["Click"],
    )

    text = failure_report(
        "the total is wrong\nmore", found, ["Application shop is Degraded"], ["pytest a::b"]
    )

    assert text.splitlines() == [
        "failed: the total is wrong",
        "screenshot: playwright/main/screenshot",
        "outside of the preview: http://evil/",
        "console errors: x is undefined (http://shop/a.js:3)",
        "failed requests: GET http://shop/api: 500",
        "last steps: Click",
        "deployed system at that moment: Application shop is Degraded",
        "trace: playwright/main/trace",
        "logs and traces of the deployed system: trace id abc",
        "run again: pytest a::b",
    ]


def test_parts_with_nothing_in_them_are_left_out():
    assert failure_report("wrong", Journey(), [], []) == "failed: wrong"


def test_of_many_errors_the_first_are_shown_and_the_others_counted():
    console = [{"type": "error", "text": f"error {number}"} for number in range(LINES + 3)]

    lines = failure_report("wrong", Journey(console=console), [], []).splitlines()

    assert lines[1:] == [
        "console errors:",
        *[f"  error {number}" for number in range(LINES)],
        "  and 3 more",
    ]


def test_of_many_steps_the_last_are_shown():
    steps = [f"step {number}" for number in range(LINES + 2)]

    lines = failure_report("wrong", Journey(steps=steps), [], []).splitlines()

    assert lines[2:-1] == [f"  step {number}" for number in range(2, LINES + 2)]
    assert lines[-1] == "  and 2 before them"


def test_a_message_of_the_console_is_one_line_of_limited_length():
    line = console_line({"type": "error", "text": "a\n  b\t" + "c" * 1000, "location": "http://shop/:1"})

    assert line.startswith("a b c")
    assert len(line) < 300
    assert line.endswith(" (http://shop/:1)")


def test_a_request_says_its_status_or_why_there_was_no_answer():
    asked = {"method": "POST", "url": "http://shop/"}

    assert request_line({**asked, "status": 503}) == "POST http://shop/: 503"
    assert request_line({**asked, "failure": "net::ERR_CONNECTION_RESET"}).endswith(
        "net::ERR_CONNECTION_RESET"
    )
