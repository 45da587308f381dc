"""The ways in which one value is written down in requests, documents, pages and messages."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

#: What a browser's encodeURIComponent and encodeURI leave as it is.
_LEFT_IN_COMPONENTS, _LEFT_IN_ADDRESSES = "!'()*~", ";,/?:@&=+$-_.!~*'()#"

#: Characters of a line of a value of several lines that is searched for by itself.
_SHORTEST_LINE = 16


def spellings(value: str) -> set[str]:
    """`value` as it is, percent-encoded, escaped for JSON, HTML, XML and Python, and in base64.

    In base64 also where it stands in the middle of something longer, such as `user:value`; lines of a value of
    several lines count by themselves, because tracebacks and logs indent them.
    """
    found = {value, repr(value)[1:-1], *_percent(value), *_json(value), *_html(value), *_base64(value)}
    lines = value.splitlines()
    if len(lines) > 1:
        found |= {line for line in lines if len(line) >= _SHORTEST_LINE and not re.search(r"\s", line)}
    return found


def _percent(value: str) -> Iterator[str]:
    for kept in ("", "/", _LEFT_IN_COMPONENTS, _LEFT_IN_ADDRESSES):
        encoded = quote(value, safe=kept, errors="surrogatepass")
        for each in (encoded, encoded.replace("%20", "+")):
            yield each
            yield re.sub("%..", lambda match: match[0].lower(), each)
    yield quote_plus(value, errors="surrogatepass")


def _json(value: str) -> Iterator[str]:
    """As a string of JSON, and as one in a document that is itself a string of JSON."""
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield once.replace("/", "\\/")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]


def _html(value: str) -> Iterator[str]:
    bare = html.escape(value, quote=False)
    for quotes in (bare, bare.replace('"', "&quot;"), html.escape(value)):
        yield quotes
        yield quotes.replace("&#x27;", "&#39;").replace("\n", "&#10;")


def _base64(value: str) -> Iterator[str]:
    """What is the same in base64 whatever stands before and after, at each of the three places in a group."""
    raw = value.encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        for before in range(3):
            encoded = encode(b"\0" * before + raw).decode()
            yield encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
