"""Masks text and lines of JSON as a stream: a few megabytes are in memory, however large the document is."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from gatehouse.evidence.long_documents import LongDocument
from gatehouse.evidence.masker import Masker
from gatehouse.evidence.text_windows import OVERLAP, TextWindows

#: Bytes read at a time.
BLOCK = 1024 * 1024

#: Characters of a document, or of a line that is one, that are read as a whole; a longer one is read in parts.
WHOLE = 1024 * 1024

#: Files of these names are lines of JSON, also where the first of them is cut short.
LINES = (".jsonl", ".ndjson", ".trace", ".network")

#: Bytes that no text has, in whatever encoding of eight bits.
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")

#: Seen at the beginning to tell what a text is.
_BEGINNING = 64 * 1024


@dataclass(frozen=True)
class Content:
    """What a first reading has found. `suspicious`: masking could change it; `known`: a known secret is in it."""

    text: bool
    utf8: bool
    suspicious: bool
    known: bool


def examine(blocks: Iterable[bytes], masker: Masker) -> Content:
    """Read all of a file once, without changing it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    redactor = masker.redactor
    utf8, control, suspicious, known = True, False, False, False
    overlap = max(redactor.longest, 1)
    raw_tail, tail = b"", ""
    for block in blocks:
        control = control or bool(_CONTROL.search(block))
        if utf8:
            try:
                decoded = decoder.decode(block)
            except UnicodeDecodeError:
                utf8 = False
        if utf8 and not suspicious:
            window = tail + decoded
            suspicious = masker.may_hold(window)
            tail = window[-max(overlap, OVERLAP) :]
        raw_window = raw_tail + block
        known = known or redactor.contains_known(raw_window)
        raw_tail = raw_window[-overlap:]
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    text = utf8 or not control
    return Content(text, utf8, suspicious or known or (text and not utf8), known)


def blocks_of(source: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, a block at a time."""
    while block := source.read(BLOCK):
        yield block


def masked_text(
    blocks: Iterable[bytes], masker: Masker, name: str = "", *, utf8: bool = True
) -> Iterator[bytes]:
    """The masked text of a document: lines of JSON and JSON are masked as data, anything else as text."""
    errors = "strict" if utf8 else "surrogateescape"
    out_errors = "surrogatepass" if utf8 else "surrogateescape"
    for piece in _masked(_decoded(blocks, errors), masker, name.endswith(LINES)):
        yield piece.encode(errors=out_errors)


def _decoded(blocks: Iterable[bytes], errors: str) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")(errors), translate=False)
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _masked(texts: Iterator[str], masker: Masker, lines: bool) -> Iterator[str]:
    beginning = ""
    for text in texts:
        beginning += text
        if len(beginning) >= _BEGINNING:
            break
    rest = _chain(beginning, texts)
    first, newline, more = beginning.lstrip("\ufeff").partition("\n")
    if not beginning.lstrip("\ufeff \t\r\n").startswith(("{", "[", '"')):
        yield from _as_text(rest, masker)
    elif lines or (newline and more.strip() and _is_data(first)):
        yield from _as_lines(rest, masker)
    else:
        yield from _as_document(rest, masker)


def _chain(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others


def _is_data(line: str) -> bool:
    """Whether the first line is a document of its own."""
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _as_text(texts: Iterable[str], masker: Masker) -> Iterator[str]:
    windows = TextWindows(masker)
    for text in texts:
        yield windows.feed(text)
    yield windows.finish()


def _as_document(texts: Iterable[str], masker: Masker) -> Iterator[str]:
    buffer = ""
    iterator = iter(texts)
    for text in iterator:
        buffer += text
        if len(buffer) > WHOLE:
            document = LongDocument(masker, WHOLE)
            yield document.feed(buffer)
            for more in iterator:
                yield document.feed(more)
            yield document.finish()
            return
    masked = masker.document(buffer)
    if masked is not None:
        yield masked
    elif _is_data(buffer.partition("\n")[0]):
        yield from _as_lines([buffer], masker)
    else:
        yield from _as_text([buffer], masker)


def _as_lines(texts: Iterable[str], masker: Masker) -> Iterator[str]:
    """Lines are masked one by one; where nothing in a block of them is suspicious, they are passed on as they are."""
    carry = ""
    long: LongDocument | None = None
    for text in texts:
        if long:
            end = text.find("\n")
            yield long.feed(text if end < 0 else text[:end])
            if end < 0:
                continue
            yield long.finish()
            long, text = None, text[end:]
        text = carry + text
        end = text.rfind("\n") + 1
        yield _lines(text[:end], masker)
        carry = text[end:]
        if len(carry) > WHOLE:
            long = LongDocument(masker, WHOLE)
            yield long.feed(carry)
            carry = ""
    yield long.finish() if long else _lines(carry, masker)


def _lines(text: str, masker: Masker) -> str:
    if not masker.may_hold(text):
        return text
    return "\n".join(_line(line, masker) for line in text.split("\n"))


def _line(line: str, masker: Masker) -> str:
    if not masker.may_hold(line):
        return line
    masked = masker.document(line)
    return masker.text(line) if masked is None else masked
