"""Masks a JSON document that is too long to be read as a whole, such as the HAR of a long journey.

Its small parts (an entry of a HAR, a header) are read and masked as data, each as a whole; containers and texts that
are too long are taken apart. What is not JSON is masked as text from there on.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from gatehouse.evidence.masker import Masker, is_secret_key, written
from gatehouse.evidence.text_windows import TextWindows

#: A string, a bracket, a comma; or the quote of a string whose end has not come yet.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],"]', re.DOTALL)

_KEY = re.compile(r"\s*:\s*")

#: What is between members.
_BETWEEN = " \t\r\n,"

#: As much of a string as can be read: not the beginning of an escape, nor half a character of two escapes.
_CONTENT = re.compile(
    r"""(?x)(?: [^"\\]++ | \\[^u] | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2} (?: \\u[0-9a-fA-F]{4} | (?=[^\\]|\\[^u]) ) )*+"""
)

#: Characters of the longest escape; what cannot be read of so many is none.
_ESCAPE = 12


@dataclass
class _Open:
    """A container that is open, of the bracket `kind`.

    `start` is where its key begins in the buffer, `inside` where its members do; -1 once they have been given away.
    """

    start: int
    inside: int
    kind: str
    key: str


class LongDocument:
    """Takes the parts of a document and gives the parts of the masked one."""

    def __init__(self, masker: Masker, limit: int) -> None:
        """`limit` is how many characters are read as a whole."""
        self._masker = masker
        self._limit = limit
        self._buffer = ""
        self._place = 0
        self._open: list[_Open] = []
        self._string = (0, 0)
        self._comma = -1
        self._text: TextWindows | None = None
        #: The string under way that is too long, and what of it cannot be read yet.
        self._long: TextWindows | None = None
        self._hidden = False
        self._unread = ""

    def feed(self, text: str) -> str:
        """Take more of the document; gives what is ready."""
        if self._text:
            return self._text.feed(text)
        ready = ""
        try:
            if self._long:
                ready, text = self._in_string(text)
            self._buffer += text
            while self._buffer:
                more, again = self._scan()
                ready += more
                if not again:
                    break
        except (ValueError, RecursionError):
            return ready + self._give_up()
        return ready

    def finish(self) -> str:
        """The rest."""
        if self._text:
            return self._text_end()
        if self._long:
            return _escaped(self._long.finish()) + self._unread
        try:
            return self._give(len(self._buffer))
        except (ValueError, RecursionError):
            return self._give_up() + self._text_end()

    def _text_end(self) -> str:
        return self._text.finish() if self._text else ""

    def _give_up(self) -> str:
        rest = self._long.finish() if self._long else ""
        self._text = TextWindows(self._masker)
        buffer, self._buffer = self._unread + self._buffer, ""
        return rest + self._text.feed(buffer)

    # --- tokens ---

    def _scan(self) -> tuple[str, bool]:
        """Read on in the buffer. Gives what is ready, and whether to go on with what is left of it."""
        for match in _TOKEN.finditer(self._buffer, self._place):
            found, place = match[0], match.start()
            if found == '"':
                self._place = place
                break
            self._place = match.end()
            if found == ",":
                self._comma = place
            elif found in ("{", "["):
                self._enter(found, place)
            elif found in ("}", "]"):
                if not self._open:
                    raise ValueError("a bracket too many")
                left = self._open.pop()
                self._comma = -1
                if left.inside < 0:
                    return self._leave(left, place), True
            else:
                self._string = match.span()
        else:
            self._place = len(self._buffer)
        if len(self._buffer) <= self._limit:
            return "", False
        return self._make_room()

    def _enter(self, kind: str, place: int) -> None:
        start, key = place, self._open[-1].key if self._open else ""
        if self._open and self._open[-1].kind == "{":
            if not _KEY.fullmatch(self._buffer, self._string[1], place):
                raise ValueError("a member without a name")
            start, key = self._string[0], json.loads(self._buffer[slice(*self._string)])
        self._open.append(_Open(start, place + 1, kind, key))
        self._comma = -1

    def _leave(self, left: _Open, place: int) -> str:
        """The last members of a container whose beginning has been given away, and its end."""
        ready = self._members(left, self._buffer[:place]) + self._buffer[place]
        self._drop(place + 1)
        return ready

    # --- giving away ---

    def _make_room(self) -> tuple[str, bool]:
        """Give away the beginning of the buffer, but keep the largest container that may still be read whole."""
        for each in self._open:
            if each.start >= 0 and len(self._buffer) - each.start <= self._limit // 2:
                return self._give(each.start), False
        if self._comma > 0:
            return self._give(self._comma), False
        if self._buffer.startswith('"', self._place) and len(self._buffer) - self._place > self._limit // 2:
            return self._enter_string(), True
        return "", False

    def _give(self, end: int) -> str:
        """Everything before `end`, where a member begins or ends: of each open container its members so far."""
        outer = _Open(-1, 0, "", "")
        for each in self._open:
            if each.inside < 0:
                outer = each
        ready, begin = "", 0
        for each in self._open:
            if each.inside < 0 or each.start >= end:
                continue
            ready += self._members(outer, self._buffer[begin : each.start])
            ready += self._lead(self._buffer[each.start : each.inside])
            outer, begin = each, each.inside
        ready += self._members(outer, self._buffer[begin:end])
        self._drop(end)
        return ready

    def _lead(self, text: str) -> str:
        """The beginning of a member: its name, masked, and the bracket or quote after it."""
        match = _TOKEN.match(text)
        if match and len(match[0]) > 1:
            name = json.loads(match[0])
            masked = self._masker.redactor.text(name)
            return text if masked == name else _escaped(masked).join('""') + text[match.end() :]
        return text

    def _drop(self, end: int) -> None:
        self._buffer = self._buffer[end:]
        self._place = max(self._place - end, 0)
        self._comma = self._comma - end if self._comma >= end else -1
        self._string = (self._string[0] - end, self._string[1] - end)
        for each in self._open:
            if each.inside >= 0:
                each.start, each.inside = (
                    (each.start - end, each.inside - end) if each.start >= end else (-1, -1)
                )

    def _members(self, container: _Open, text: str) -> str:
        """Some members of a container, masked. Its name counts for them, as that of `cookies` does."""
        inner = text.strip(_BETWEEN)
        if not inner:
            return text
        begin = text.index(inner[0])
        brackets = {"{": "{}", "[": "[]", "": "[]"}[container.kind]
        data = json.loads(brackets[0] + inner + brackets[1])
        masked = self._masker.data(data, container.key)
        if masked == data:
            return text
        return text[:begin] + written(masked, inner)[1:-1] + text[begin + len(inner) :]

    # --- strings that are too long ---

    def _enter_string(self) -> str:
        """Give away what is before the string under way, and begin to give the string."""
        place = start = self._place
        named = self._open and self._open[-1].kind == "{"
        key = ""
        if named and _KEY.fullmatch(self._buffer, self._string[1], place):
            start, key = self._string[0], json.loads(self._buffer[slice(*self._string)])
        lead = self._buffer[start : place + 1]
        content = self._buffer[place + 1 :]
        ready = self._give(start) + self._lead(lead)
        self._buffer, self._place = "", 0
        self._long, self._hidden, self._unread = TextWindows(self._masker), is_secret_key(key), ""
        if self._hidden:
            ready += "[redacted]"
        more, self._buffer = self._in_string(content)
        return ready + more

    def _in_string(self, text: str) -> tuple[str, str]:
        """More of a string that is too long. Gives what is ready of it, and what follows it."""
        assert self._long
        text = self._unread + text
        match = _CONTENT.match(text)
        assert match
        content, self._unread = match[0], text[match.end() :]
        ended = self._unread.startswith('"')
        if not ended and len(self._unread) >= _ESCAPE:
            raise ValueError("an escape that cannot be")
        ready = "" if self._hidden else self._long.feed(json.loads(f'"{content}"', strict=False))
        if not ended:
            return _escaped(ready), ""
        ready += "" if self._hidden else self._long.finish()
        rest, self._unread, self._long = self._unread[1:], "", None
        return _escaped(ready) + '"', rest


def _escaped(text: str) -> str:
    return written(text, "")[1:-1]
