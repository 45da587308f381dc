"""YAML files read with the line of every value, validated against a model, refused with precise errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from gatehouse.core.errors import SettingsError
from gatehouse.core.redaction import MASK, Redactor

#: A larger file is refused unread: no configuration of ours comes near it (bytes).
LARGEST_FILE = 1024 * 1024

Location = tuple[str | int, ...]
Lines = dict[Location, int]


class StrictModel(BaseModel):
    """A section of a configuration file: unknown keys are errors and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


Model = TypeVar("Model", bound=StrictModel)


def load(
    path: Path,
    model: type[Model],
    described: str = "docs/configuration.md",
    *,
    defaults: Mapping[str, Any] | None = None,
) -> Model:
    """Read `path` and validate it as `model`; what the file does not set is as in `defaults`.

    Raises `SettingsError` with `file:line`, the offending key and the accepted form, for the first few
    faults: not readable, not YAML, duplicate or unknown keys, wrong types, a literal secret.
    """
    data, lines = parse(path)
    _refuse_literal_secrets(path, data, lines)
    return _validated(path, model, {**(defaults or {}), **data}, lines, described)


def load_section(text: str, path: Path, key: str, model: type[Model], described: str) -> Model | None:
    """One section of a file whose text is at hand, such as that of another revision; None without the section.

    `path` is what errors call it. The other sections only have to be YAML. Raises as `load` does.
    """
    data, lines = parse_text(text, path)
    if key not in data:
        return None
    own: Lines = {location[1:]: line for location, line in lines.items() if location[:1] == (key,)}
    return _validated(path, model, data[key] or {}, own, described)


def _validated(path: Path, model: type[Model], data: Any, lines: Lines, described: str) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt key is also a missing one; the misspelling is what helps.
        misspelt_first = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        faults = [_fault(model, fault, lines) for fault in misspelt_first]
        line, message = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise SettingsError(
            f"{path}:{line}: {message}{more}",
            where="; ".join(f"line {line}: {text}" for line, text in faults[1:4]),
            next_step=f"correct {path.name}; every key is described in {described}",
        ) from None


def parse(path: Path) -> tuple[dict[str, Any], Lines]:
    """The mapping in a YAML file, and the line (from 1) of each key and item by its location."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise SettingsError(
                f"{path} is larger than {LARGEST_FILE} bytes, so it is not a configuration file"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read", seen=str(error), next_step="name a readable UTF-8 file"
        ) from error
    return parse_text(text, path)


def parse_text(text: str, path: Path) -> tuple[dict[str, Any], Lines]:
    """As `parse`, for a text that errors call `path`."""
    lines: Lines = {(): 1}
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return {}, lines
        _walk(path, root, (), lines)
        data = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(
            f"{path}:{line}: not valid YAML: {error.problem}",
            next_step="check indentation, colons and quotes at that line",
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(f"{path}:1: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise SettingsError(f"{path}:1: expected a mapping of keys at the top, found {type(data).__name__}")
    return data, lines


def _walk(path: Path, node: yaml.Node, location: Location, lines: Lines) -> None:
    lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise SettingsError(
                    f"{path}:{line}: the key {key.value!r} is already set at line {seen[key.value]}",
                    next_step="keep one of the two",
                )
            seen[key.value] = line
            _walk(path, value, (*location, key.value), lines)
            lines[(*location, key.value)] = line
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(path, item, (*location, index), lines)


def _refuse_literal_secrets(path: Path, data: Any, lines: Lines) -> None:
    shapes = Redactor()
    for location, text in _strings(data, ()):
        if MASK in shapes.text(text) and MASK not in text:
            raise SettingsError(
                f"{path}:{lines.get(location, 1)}: {dotted(location)} holds what looks like a literal secret",
                expected="{env: NAME} or {file: PATH} in its place",
                next_step="remove it from the file and from git's history, and revoke it",
            )


def _strings(value: Any, location: Location) -> Iterable[tuple[Location, str]]:
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*location, index))


def dotted(location: Location) -> str:
    """`targets.dev.urls[0]` for ("targets", "dev", "urls", 0)."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _fault(model: type[BaseModel], fault: Any, lines: Lines) -> tuple[int, str]:
    location: Location = tuple(fault["loc"])
    known = location
    while known not in lines:
        known = known[:-1]
    kind, message = fault["type"], fault["msg"]
    if kind == "extra_forbidden":
        accepted = sorted(_keys_at(model, location[:-1]))
        close = difflib.get_close_matches(str(location[-1]), accepted, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"unknown key{hint} (accepted: {', '.join(accepted) or 'none'})"
    elif kind == "missing":
        message = "is required"
    elif kind == "value_error":
        message = message.removeprefix("Value error, ")
    else:
        message = f"{message[0].lower()}{message[1:]}, found {_shown(fault['input'])}"
    return lines[known], f"{dotted(location)}: {message}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _keys_at(model: type[BaseModel], location: Location) -> set[str]:
    """The keys a model accepts at a place inside it."""
    models = [model]
    for part in location:
        inner = [each.model_fields[part].annotation for each in models if part in each.model_fields]
        models = [found for annotation in inner for found in _models_in(annotation)] or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models_in(argument)]
