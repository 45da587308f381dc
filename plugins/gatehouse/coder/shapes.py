"""Turns the content of an answer into what its call promises."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from gatehouse.core.errors import UnexpectedAnswer

Answer = TypeVar("Answer")


def parsed(content: bytes, kind: type[Answer], where: str) -> Answer:
    """The content of an answer as `kind`. Raises `UnexpectedAnswer` with the first field that does not fit."""
    try:
        # No content stands for null: what it answers is not asked for then.
        return TypeAdapter(kind).validate_json(content or b"null")
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
