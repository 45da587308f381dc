"""Where the user names and passwords of personas are read."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatehouse.core.errors import EnvironmentProblem, GatehouseError
from gatehouse.core.journey_settings import CredentialSource, PersonaSettings, SecretKey
from gatehouse.core.setting_types import SecretSource, fill

#: Reads a Kubernetes Secret by name and namespace: its object, or None if there is none.
SecretReader = Callable[[str, str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Credentials:
    """A user name and a password, which is not shown when a test prints it."""

    username: str
    password: str = field(repr=False)


class CredentialReader:
    """Reads credentials for the preview of one pull request."""

    def __init__(
        self,
        number: int,
        commit: str,
        read_secret: SecretReader | None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`read_secret` is None where the target has no cluster to be asked."""
        self._number = number
        self._commit = commit
        self._read_secret = read_secret
        self._environment = environment

    def read(self, persona: str, settings: PersonaSettings) -> Credentials:
        """A persona's credentials. Raises `EnvironmentProblem` where one of them is not to be had."""
        return Credentials(
            self._value(f"the user name of the persona {persona}", settings.username),
            self._value(f"the password of the persona {persona}", settings.password),
        )

    def _value(self, what: str, source: CredentialSource) -> str:
        if source.secret is None:
            try:
                return SecretSource(env=source.env, file=source.file).read(self._environment)
            except EnvironmentProblem as error:
                raise EnvironmentProblem(
                    f"{what} is not there: {error.summary}", seen=error.seen, next_step=error.next_step
                ) from error
        return self._from_cluster(what, source.secret)

    def _from_cluster(self, what: str, source: SecretKey) -> str:
        namespace = fill(source.namespace, self._number, self._commit)
        where = f"Secret {namespace}/{source.name}, key {source.key}"
        if self._read_secret is None:
            raise EnvironmentProblem(
                f"{what} is in a Secret, and the target has no kubernetes section to read it through",
                where=where,
                next_step="add a kubernetes section to the target, or name a variable or a file",
            )
        try:
            secret = self._read_secret(source.name, namespace)
        except GatehouseError as error:
            raise EnvironmentProblem(
                f"{what} cannot be read: {error.summary}",
                seen=error.seen,
                where=where,
                next_step="let this account get Secrets there, or name a variable or a file",
            ) from error
        data = (secret or {}).get("data") or {}
        encoded = data.get(source.key)
        if not encoded:
            keys = f"a Secret with the keys {', '.join(sorted(data)) or 'none'}"
            raise EnvironmentProblem(
                f"{what} is not there",
                seen=keys if secret else "no such Secret",
                where=where,
                next_step="have it created, or correct preview.personas in gatehouse.yaml",
            )
        try:
            value = base64.b64decode(encoded, validate=True).decode().strip()
        except ValueError as error:
            raise EnvironmentProblem(
                f"{what} is not readable: the Secret's value is not text in base64",
                seen=type(error).__name__,
                where=where,
                next_step="have the Secret written anew; its values are UTF-8 in base64",
            ) from error
        if not value:
            raise EnvironmentProblem(
                f"{what} is empty", where=where, next_step="have the Secret written anew"
            )
        return value
