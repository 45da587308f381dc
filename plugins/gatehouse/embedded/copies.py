"""Copies of what JSON can say. Controllers make thousands a second, for which `copy.deepcopy` is too slow."""

from __future__ import annotations

from typing import TypeVar, cast

Value = TypeVar("Value")


def copied(value: Value) -> Value:
    """The same value, of which nothing that can be changed is shared: mappings and lists are new at every depth."""
    if isinstance(value, dict):
        return cast(Value, {key: copied(each) for key, each in value.items()})
    if isinstance(value, list):
        return cast(Value, [copied(each) for each in value])
    return value
