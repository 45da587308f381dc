"""Texts and documents of any length are masked as streams."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.core.redaction import Redactor
from gatehouse.evidence import redacted_text, text_windows
from gatehouse.evidence.long_documents import LongDocument
from gatehouse.evidence.masker import Masker
from gatehouse.evidence.redacted_text import examine, masked_text
from tests.support.secrets import holds, written_forms

SECRET = 'plän\\ted "secret" 7/x'

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9999, 9999)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), inner, max_size=4)
    ),
    max_leaves=25,
)


@pytest.fixture(autouse=True, scope="module")
def small_windows():
    """Windows and blocks so small that every text needs many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_windows, "_WINDOW", 50)
        patch.setattr(text_windows, "OVERLAP", 50)
        patch.setattr(text_windows, "_STEP", 3)
        patch.setattr(redacted_text, "WHOLE", 200)
        patch.setattr(redacted_text, "_BEGINNING", 40)
        yield


def in_blocks(content, size):
    return [content[place : place + size] for place in range(0, len(content), size)]


def mask(content, size=64, secrets=(SECRET,), name=""):
    return b"".join(masked_text(in_blocks(content, size), Masker(Redactor(secrets)), name))


def plant(document, path, form):
    """The document with `form` within one of its texts, names, or beside its parts."""
    for step in path:
        if isinstance(document, list) and document:
            place = step % len(document)
            return [
                plant(each, path[1:], form) if number == place else each
                for number, each in enumerate(document)
            ]
        if isinstance(document, dict) and document:
            key = sorted(document)[step % len(document)]
            if step % 5 == 0:
                return {**document, f"k{form}": 1}
            return {**document, key: plant(document[key], path[1:], form)}
    return f"{document} {form} and more"


@given(
    documents,
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
    st.sampled_from(sorted(written_forms(SECRET))),
    st.integers(1, 300),
    st.sampled_from([None, 1]),
    st.booleans(),
)
@settings(max_examples=150)
def test_no_secret_is_left_anywhere_in_a_document(document, path, form, size, indent, as_lines):
    planted = [plant([document], path, form.decode()), document]
    if as_lines:
        content = b"".join(json.dumps(each).encode() + b"\n" for each in planted)
    else:
        content = json.dumps(planted, indent=indent, ensure_ascii=False).encode()

    masked = mask(content, size, name="x.jsonl" if as_lines else "")

    assert not holds(masked, SECRET)
    for line in masked.splitlines() if as_lines else [masked]:
        json.loads(line)


@given(documents, st.integers(1, 300), st.sampled_from([None, 1]))
def test_without_secrets_a_document_stays_the_same(document, size, indent):
    content = json.dumps([document, "ein Täxt"], indent=indent).encode()

    assert json.loads(mask(content, size)) == json.loads(content)


@given(documents, st.integers(1, 200), st.integers(100, 400))
def test_a_document_that_is_taken_apart_is_put_together_as_it_was(document, size, limit):
    text = json.dumps({"log": [document] * 5, "more": document}, indent=1)
    parts = LongDocument(Masker(Redactor()), limit)

    whole = "".join(parts.feed(text[place : place + size]) for place in range(0, len(text), size))

    assert json.loads(whole + parts.finish()) == json.loads(text)


def test_pairs_in_a_document_that_is_taken_apart_are_masked_by_name():
    entry = {"headers": [{"name": "Cookie", "value": "opaque"}], "url": "https://h/?token=opaque&a=1"}
    content = json.dumps(
        {"log": {"entries": [entry] * 50, "cookies": [{"name": "a", "value": "opaque"}] * 20}}
    )

    masked = mask(content.encode())

    assert b"opaque" not in masked
    assert len(json.loads(masked)["log"]["entries"]) == 50


@given(
    st.text(max_size=400).filter(lambda text: "\r" not in text),
    st.text(max_size=400),
    st.sampled_from(sorted(written_forms(SECRET))),
    st.integers(1, 120),
)
def test_no_secret_is_left_in_a_text_wherever_the_blocks_of_it_meet(before, after, form, size):
    content = f"x{before} ".encode() + form + f" {after}".encode()

    assert not holds(mask(content, size), SECRET)


@given(st.text(max_size=600), st.integers(1, 120))
def test_a_text_without_secrets_stays_byte_for_byte_the_same(text, size):
    content = f"x{text}".encode()

    assert mask(content, size) == content


def test_a_key_over_many_lines_is_masked_as_a_whole(monkeypatch):
    monkeypatch.setattr(text_windows, "OVERLAP", 1000)
    body = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"] * 20)
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"

    assert b"MIIE" not in mask(f"before\n{key}\nafter\n".encode())


def test_a_line_that_is_cut_short_is_masked_as_text_and_the_others_as_data():
    lines = json.dumps({"a": SECRET}) + "\n" + json.dumps({"b": SECRET})[:-3]

    masked = mask(lines.encode(), name="trace.trace")

    assert json.loads(masked.splitlines()[0]) == {"a": "[redacted]"}
    assert not holds(masked, SECRET)


def test_text_in_another_encoding_is_masked_and_keeps_its_bytes():
    content = "Größe: ".encode("latin-1") + b"hunter2-secret" + " é".encode("latin-1")
    redactor = Redactor(["hunter2-secret"])
    found = examine([content], Masker(redactor))

    assert (found.text, found.utf8, found.suspicious) == (True, False, True)
    masked = b"".join(masked_text([content], Masker(redactor), utf8=False))
    assert masked == content.replace(b"hunter2-secret", b"[redacted]")


def test_bytes_with_a_known_secret_are_not_taken_for_text():
    content = b"\0\1\2" + SECRET.encode() + b"\xff\xfe"

    for size in (1, 5, 100):
        found = examine(in_blocks(content, size), Masker(Redactor([SECRET])))
        assert (found.text, found.known) == (False, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: (
            b'{"a":"'
            + b"x " * (size // 2)
            + SECRET.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            + b'"}'
        ),
        lambda size: b'{"a":[' + (b'{"b":"' + b"c" * 200 + b'"},') * (size // 209) + b"1]}",
        lambda size: b"x " * (size // 2),
    ],
    ids=["one long string", "one long list", "one long line"],
)
def test_memory_does_not_grow_with_the_length_of_a_line(make, monkeypatch):
    monkeypatch.setattr(text_windows, "_WINDOW", 64 * 1024)
    monkeypatch.setattr(text_windows, "OVERLAP", 4 * 1024)
    monkeypatch.setattr(redacted_text, "WHOLE", 16 * 1024)
    content = make(2_000_000)
    blocks = iter(in_blocks(content, 16 * 1024))

    tracemalloc.start()
    try:
        for _ in masked_text(blocks, Masker(Redactor([SECRET]))):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 1_200_000
