"""JSON as editors write it: with comments and with commas after the last item."""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")


def loads(text: str) -> Any:
    """The value in a text. Raises `ValueError` that names the line, which is the text's own."""
    bare = _COMMENT.sub(lambda match: _blank(match[0]), text.removeprefix("\ufeff"))
    try:
        return json.loads(_LAST_COMMA.sub(lambda match: match[0] if match[0] != "," else " ", bare))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _blank(part: str) -> str:
    """Strings as they are; comments as spaces, so that lines and columns stay."""
    return part if part.startswith('"') else re.sub(r"[^\n]", " ", part)
