import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.core.journey_settings import CorrelationSettings
from gatehouse.preview.journeys.correlation import correlate

SETTINGS = CorrelationSettings()
TEST = "suites/preview/test_cart.py::test_total[grün, 100 %;a=b]"

#: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")

#: https://www.w3.org/TR/baggage/#definition: a token, =, and characters of RFC 6265 without % alone.
MEMBER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+=(?:[!#$&-+./0-:<-\[\]-~-]|%[0-9A-F]{2})*")


@given(run=st.text(min_size=1), test=st.text(min_size=1), attempt=st.integers(1, 99))
def test_the_headers_have_the_forms_of_w3c_whatever_the_test_is_called(run, test, attempt):
    found = correlate(SETTINGS, run, test, attempt)

    assert TRACEPARENT.fullmatch(found.traceparent)
    members = found.baggage.split(",")
    assert [bool(MEMBER.fullmatch(each)) for each in members] == [True, True]
    assert found.baggage.isascii()


def test_baggage_says_the_run_and_the_test_by_their_names():
    found = correlate(CorrelationSettings(run="ci.run", test="ci.test"), "run 1", TEST, 1)

    assert {each.partition("=")[0]: unquote(each.partition("=")[2]) for each in found.baggage.split(",")} == {
        "ci.run": "run 1",
        "ci.test": TEST,
    }


def test_the_same_attempt_has_the_same_ids_in_every_process():
    assert correlate(SETTINGS, "run", TEST, 1) == correlate(SETTINGS, "run", TEST, 1)


@pytest.mark.parametrize("other", [("run", TEST, 2), ("another", TEST, 1), ("run", f"{TEST}2", 1)])
def test_another_attempt_run_or_test_is_another_trace(other):
    one, two = correlate(SETTINGS, "run", TEST, 1), correlate(SETTINGS, *other)

    assert one.trace_id != two.trace_id
    assert one.traceparent.split("-")[2] != two.traceparent.split("-")[2]


def test_the_headers_are_in_lower_case_and_hold_the_trace_id():
    found = correlate(SETTINGS, "run", TEST, 1)

    assert set(found.headers) == {"traceparent", "baggage"}
    assert found.traceparent.split("-")[1] == found.trace_id
