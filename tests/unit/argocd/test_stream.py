import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.argocd.stream import lines, messages


def in_blocks(data, sizes):
    """A read function that returns the data cut into blocks of these sizes, then one byte at a time."""
    source, sizes = io.BytesIO(data), iter(sizes)
    return lambda limit: source.read(min(next(sizes, 1), limit))


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n")), max_size=8),
    st.lists(st.integers(1, 50)),
)
def test_lines_are_the_same_however_the_bytes_are_cut(texts, sizes):
    data = "".join(f"{text}\n" for text in texts).encode()

    assert list(lines(in_blocks(data, sizes))) == [text.encode() for text in texts]


def test_server_sent_events_are_read_and_keepalives_told_apart():
    data = b':\n\ndata: {"a": 1} \n\n:\ndata: {"b": 2} \n\n'

    assert list(messages(io.BytesIO(data).read1)) == [None, {"a": 1}, None, {"b": 2}]


def test_json_lines_of_a_gateway_without_server_sent_events_are_read_too():
    assert list(messages(io.BytesIO(b'{"a": 1}\n{"b": 2}\n').read1)) == [{"a": 1}, {"b": 2}]


def test_an_event_that_was_cut_off_is_not_half_an_event():
    assert list(messages(io.BytesIO(b'data: {"a": 1}\n\ndata: {"b":').read1)) == [{"a": 1}]


def test_a_page_in_place_of_a_stream_is_an_error():
    with pytest.raises(ValueError, match="Expecting value"):
        list(messages(io.BytesIO(b"<!doctype html>\n").read1))


def test_an_event_of_three_megabytes_is_one_message():
    event = {"text": "x" * 3_000_000}

    (message,) = messages(io.BytesIO(f"data: {json.dumps(event)}\n".encode()).read1)
    assert message == event
