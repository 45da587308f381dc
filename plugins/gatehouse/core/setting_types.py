"""The types that settings are made of: secrets by reference, addresses, patterns with placeholders."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, model_validator

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.yaml_file import StrictModel


def _reference_only(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("a literal secret is not accepted; write {env: NAME} or {file: PATH}")  # noqa: TRY004 - pydantic shows a ValueError
    return value


class SecretSource(StrictModel):
    """Where a secret is: the name of an environment variable, or the path of a file. Never its value."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretSource:
        if (self.env is None) == (self.file is None):
            raise ValueError("name exactly one of {env: NAME} and {file: PATH}")
        return self

    def read(self, environment: Mapping[str, str] = os.environ) -> str:
        """The secret. Raises `EnvironmentProblem` when it is not there or empty."""
        if self.env is not None:
            value = environment.get(self.env, "").strip()
            if not value:
                raise EnvironmentProblem(
                    f"the environment variable {self.env} is not set",
                    expected="a token in it",
                    next_step=f"export {self.env}=…",
                )
            return value
        assert self.file is not None
        try:
            value = self.file.expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentProblem(f"the token file {self.file} cannot be read", seen=str(error)) from error
        if not value:
            raise EnvironmentProblem(f"the token file {self.file} is empty")
        return value


Secret = Annotated[SecretSource, BeforeValidator(_reference_only)]


def web_address(value: str) -> str:
    """An http or https address without its last slash. Raises `ValueError`."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an address such as https://coder.example.com, found {value!r}")
    if parts.username or parts.password:
        raise ValueError("an address must not hold a user name or a password; use the token setting")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(web_address)]


def _pattern(value: str) -> str:
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    except ValueError as error:
        raise ValueError(f"{value!r} is not a pattern: {error}") from error
    if unknown := fields - {"number", *_commit_forms("")}:
        raise ValueError(
            f"unknown placeholder {{{sorted(unknown)[0]}}}; {{number}}, {{commit}}, {{short_commit}} (8 characters) "
            "and {short_commit_7} are filled in"
        )
    return value


def _commit_forms(commit: str) -> dict[str, str]:
    """The forms in which Argo CD's pull-request generator gives a commit to templates."""
    return {"commit": commit, "short_commit": commit[:8], "short_commit_7": commit[:7]}


def fill(pattern: str, number: int, commit: str) -> str:
    """A pattern with its placeholders filled in, for a pull request at a full commit SHA."""
    return pattern.format(number=number, **_commit_forms(commit))


Pattern = Annotated[str, AfterValidator(_pattern)]
