"""Turns the content of an answer into what its call promises."""

from __future__ import annotations

from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from gatehouse.core.errors import UnexpectedAnswer

Answer = TypeVar("Answer")


def parsed(answer: httpx.Response, kind: type[Answer], where: str) -> Answer:
    """The content of an answer as `kind`. Raises `UnexpectedAnswer` with the first field that does not fit."""
    if answer.status_code == 204:
        return TypeAdapter(kind).validate_python(None)  # there is no content
    try:
        return TypeAdapter(kind).validate_json(answer.content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the answer"
        raise UnexpectedAnswer(
            "Coder's answer does not have the expected shape",
            expected=kind.__name__ if isinstance(kind, type) and issubclass(kind, BaseModel) else str(kind),
            seen=f"{field}: {first['msg']}",
            where=where,
            next_step="compare the server's version with those Gatehouse supports",
        ) from error
