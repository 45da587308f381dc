"""The part of Go's template language that ApplicationSets of the sample platform use.

Fields (`{{.number}}`, `{{.values.tier}}`), and `{{if has "label" .labels}}…{{else}}…{{end}}`.
"""

from __future__ import annotations

import re
from typing import Any

Parameters = dict[str, Any]

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


class TemplateError(Exception):
    """A template that cannot be rendered, in the words of the ApplicationSet controller."""


def render(value: Any, parameters: Parameters) -> Any:
    """`value` with every template in its strings filled in; keys are left as they are."""
    if isinstance(value, str):
        return _text(value, parameters)
    if isinstance(value, dict):
        return {key: render(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, parameters) for item in value]
    return value


def _text(text: str, parameters: Parameters) -> str:
    output: list[str] = []
    #: Whether each open `if` is in its chosen branch.
    open_ifs: list[bool] = []
    position = 0
    for match in _ACTION.finditer(text):
        if all(open_ifs):
            output.append(text[position : match.start()])
        position = match.end()
        action = match[1]
        if action.startswith("if "):
            open_ifs.append(_condition(action[3:], parameters))
        elif action == "else" and open_ifs:
            open_ifs[-1] = not open_ifs[-1]
        elif action == "end" and open_ifs:
            open_ifs.pop()
        elif all(open_ifs):
            output.append(str(_field(action, parameters)))
    if open_ifs:
        raise TemplateError(f"failed to parse template {text}: unexpected EOF")
    return "".join(output) + text[position:]


def _condition(expression: str, parameters: Parameters) -> bool:
    if match := re.fullmatch(r'has "([^"]*)" (\.\S+)', expression):
        return match[1] in _field(match[2], parameters)
    return bool(_field(expression, parameters))


def _field(path: str, parameters: Parameters) -> Any:
    value: Any = parameters
    for name in path.removeprefix(".").split("."):
        if not path.startswith(".") or not isinstance(value, dict) or name not in value:
            raise TemplateError(f'failed to execute go template: map has no entry for key "{name}"')
        value = value[name]
    return value
