"""Masks documents of others: what is known, what looks like a secret, and what is named as one.

The shapes are those of HAR, of Playwright's traces (which hold entries of a HAR), and of stored sessions.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gatehouse.core.redaction import MASK, Redactor, looks_like_secret_name
from gatehouse.evidence.named_secrets import is_secret_field, is_secret_locator, mask_named, may_name

#: Texts that are remembered, of at most so many characters: names and values of headers come again and again.
_REMEMBERED, _REMEMBERED_LENGTH = 8192, 256

#: Documents within strings of documents are masked as data down to this depth.
_DEEPEST = 3

#: Where a snapshot of the page, or the page itself, keeps what was typed into a field.
_VALUES = frozenset({"value", "__playwright_value_"})

#: What a call of Playwright types, or expects to have been typed, by the name of its parameter.
_TYPED = frozenset({"value", "text", "expectedText", "expectedValue"})

#: What a field says that browsers and password managers fill into it.
_FILLED = frozenset({"current-password", "new-password", "one-time-code"})

_NONE: frozenset[str] = frozenset()


class Masker:
    """Masks text and data. Remembers the calls of a trace that typed a secret, so it is for one document only."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._texts: dict[str, str] = {}
        self._typed: dict[str, str] = {}

    def may_hold(self, text: str) -> bool:
        """Whether masking could change `text`, or a document of which it is the source."""
        return (
            may_name(text)
            or self.redactor.may_hold(text)
            or "\\u" in text  # what is written in escapes is only seen when it is read
            or any(call in text for call in self._typed)
        )

    def text(self, text: str, depth: int = 0) -> str:
        """`text` with every secret masked; a document within it is masked as data."""
        if len(text) > _REMEMBERED_LENGTH:
            return self._text(text, depth)
        masked = self._texts.get(text)
        if masked is None:
            if len(self._texts) >= _REMEMBERED:
                self._texts.clear()
            masked = self._texts[text] = self._text(text, depth)
        return masked

    def _text(self, text: str, depth: int) -> str:
        if may_name(text):
            if depth < _DEEPEST and text.lstrip()[:1] in ("{", "[", '"'):
                inner = self.document(text, depth + 1)
                if inner is not None:
                    return inner
            text = mask_named(text)
        return self.redactor.text(text)

    def flat(self, text: str) -> str:
        """`text`, which is a part of a longer one, with every secret masked."""
        return self.redactor.text(mask_named(text) if may_name(text) else text)

    def document(self, text: str, depth: int = 0) -> str | None:
        """The JSON document `text`, masked; as it is where nothing is masked, None where it is not JSON."""
        try:
            data = json.loads(text, parse_float=_finite)
            masked = self.event(data) if depth == 0 else self.data(data, "", depth)
        except (ValueError, RecursionError):
            return None
        if masked == data:
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return before + written(masked, text) + after

    def event(self, event: Any) -> Any:
        """A document, or a line of a trace: calls that type into a field for secrets, and what is logged of them."""
        if isinstance(event, Mapping) and isinstance(call := event.get("callId"), str):
            if typed := _typed(event.get("params")):
                self._typed[call] = typed
            if typed := self._typed.get(call, ""):
                event = _without(event, typed)
        return self.data(event)

    def data(self, value: Any, parent: str = "", depth: int = 0) -> Any:
        """A JSON-like value, masked. `parent` is the name under which it stands."""
        if isinstance(value, str):
            return self._texts.get(value) or self.text(value, depth)
        if isinstance(value, dict):
            return self._mapping(value, parent, depth)
        if isinstance(value, list):
            return [self.data(item, parent, depth) for item in value]
        return self.redactor.number(value)

    def _mapping(self, value: dict[str, Any], parent: str, depth: int) -> dict[str, Any]:
        hidden = _hidden(value, parent)
        masked = {}
        for key, item in value.items():
            name = self._texts.get(key) or self.text(key, _DEEPEST)
            if item and (key in hidden or (isinstance(item, str) and is_secret_key(key))):
                masked[name] = _all_masked(item)
            else:
                masked[name] = self.data(item, key, depth)
        if value.get("encoding") == "base64" and isinstance(body := value.get("text"), str):
            masked["text"] = self._body(body, depth)
        return masked

    def _body(self, encoded: str, depth: int) -> str:
        """The body of an answer that a HAR holds in base64: masked if it is text."""
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            return self.redactor.text(encoded)
        masked = self.text(text, depth)
        return encoded if masked == text else base64.b64encode(masked.encode()).decode()


def written(data: Any, like: str) -> str:
    """`data` as JSON, with or without blanks as in the document `like`."""
    separators = None if '": ' in like[:4096] else (",", ":")
    text = json.dumps(data, ensure_ascii=False, separators=separators)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character can only be written as an escape
        text = json.dumps(data, separators=separators)
    return text


@lru_cache(4096)
def is_secret_key(key: str) -> bool:
    """Whether what stands under this name in a mapping is a secret."""
    return looks_like_secret_name(key) or is_secret_field(key)


def _hidden(value: dict[str, Any], parent: str) -> frozenset[str]:
    """The keys of a mapping whose values are secrets by what stands beside them."""
    if "value" in value or "__playwright_value_" in value:
        name, kind, filled = value.get("name"), value.get("type"), value.get("autocomplete")
        if (
            parent == "cookies"
            or (isinstance(name, str) and is_secret_field(name))
            or (isinstance(kind, str) and kind.lower() == "password")
            or (isinstance(filled, str) and filled in _FILLED)
        ):
            return _VALUES
    if isinstance(selector := value.get("selector"), str) and is_secret_locator(selector):
        key = value.get("key")
        return _TYPED | {"key"} if isinstance(key, str) and len(key) == 1 else _TYPED
    return _NONE


def _typed(parameters: Any) -> str:
    """What a call types into a field for secrets."""
    if isinstance(parameters, dict) and isinstance(selector := parameters.get("selector"), str):
        typed = parameters.get("value", parameters.get("text"))
        if isinstance(typed, str) and is_secret_locator(selector):
            return typed
    return ""


def _without(value: Any, typed: str) -> Any:
    """`value` without what was typed: as it is quoted in logs; a long text wherever it stands."""
    if isinstance(value, str):
        value = value.replace(f'"{typed}"', f'"{MASK}"')
        return value.replace(typed, MASK) if len(typed) >= 8 else value
    if isinstance(value, Mapping):
        return {key: _without(item, typed) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, typed) for item in value]
    return value


def _all_masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all_masked(item) for item in value]
    return MASK if isinstance(value, str) and value else value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} cannot be written again")
    return number
