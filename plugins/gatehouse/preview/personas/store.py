"""Who has signed in, for all processes of a run: a private folder outside of the evidence."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatehouse.core.errors import GatehouseError, UsageError, error_data, error_of
from gatehouse.core.journey_settings import PersonaSettings
from gatehouse.preview.personas.credentials import CredentialReader, Credentials
from gatehouse.preview.personas.sign_in import SignIn

#: Logins that are made at the same time.
LOGINS = 4

_FILE = "personas.json"


@dataclass(frozen=True)
class Persona:
    """A user of the product under test. The password is not shown when a test prints it."""

    name: str
    username: str
    password: str = field(repr=False)
    roles: tuple[str, ...] = ()
    #: Playwright's storage state of one who has signed in, as a file; of one who is turned away, what is left then.
    storage_state: Path = Path()


class PersonaStore:
    """The personas of a run, signed in once; `folder` must not be readable by others."""

    def __init__(self, folder: Path, settings: Mapping[str, PersonaSettings], sign_in: SignIn) -> None:
        self.folder = folder
        self._settings = settings
        self._sign_in = sign_in

    # --- on the controller ---

    def sign_in_all(self, reader: CredentialReader) -> dict[str, GatehouseError | None]:
        """Sign every persona in, at the same time; why it was not possible, or None, by name."""
        with ThreadPoolExecutor(LOGINS) as logins:
            found = dict(
                zip(
                    self._settings,
                    logins.map(lambda name: self._first(name, reader), self._settings),
                    strict=True,
                )
            )
        entries = {name: entry for name, (entry, _) in found.items()}
        _write(self.folder / _FILE, entries)
        return {name: error for name, (_, error) in found.items()}

    def secrets(self) -> Iterator[str]:
        """Passwords and cookies, to be masked wherever they are written."""
        for name, entry in self._entries().items():
            if entry.get("password"):
                yield entry["password"]
            if (state := self.folder / f"{name}.json").is_file():
                yield from (cookie["value"] for cookie in json.loads(state.read_text())["cookies"])

    def _first(self, name: str, reader: CredentialReader) -> tuple[dict[str, Any], GatehouseError | None]:
        entry: dict[str, Any] = {"roles": self._settings[name].roles}
        try:
            credentials = reader.read(name, self._settings[name])
            entry |= {"username": credentials.username, "password": credentials.password}
            self._renew(name, credentials)
        except GatehouseError as error:
            return entry | {"failure": error_data(error)}, error
        return entry, None

    # --- in every process ---

    def persona(self, name: str, *, verify: bool = True) -> Persona:
        """A persona that has signed in; signed in again where `verify` finds that the product has forgotten it.

        Raises `UsageError` for a name that is not in the settings, and what its login raised.
        """
        entries = self._entries()
        if name not in entries:
            raise UsageError(
                f"there is no persona {name!r}",
                expected=f"one of preview.personas: {', '.join(entries) or 'none'}",
                next_step="add it to gatehouse.yaml, or correct the name",
            )
        entry = entries[name]
        if "failure" in entry:
            raise error_of(entry["failure"])
        path = self.folder / f"{name}.json"
        persona = Persona(name, entry["username"], entry["password"], tuple(entry["roles"]), path)
        if verify and not self._settings[name].refused:
            self._keep_valid(persona)
        return persona

    def signed_in(self) -> list[Persona]:
        """Those whose login worked, in the order of the settings."""
        entries = self._entries()
        return [self.persona(name, verify=False) for name in entries if "failure" not in entries[name]]

    def _keep_valid(self, persona: Persona) -> None:
        """Sign in again where a session has expired, once for all processes."""
        with _locked(self.folder / f"{persona.name}.lock"):
            if self._sign_in.is_valid(persona.storage_state, persona.username) is False:
                self._renew(persona.name, Credentials(persona.username, persona.password))

    def _renew(self, name: str, credentials: Credentials) -> None:
        state = self._sign_in.sign_in(name, self._settings[name], credentials)
        _write(self.folder / f"{name}.json", state)

    def _entries(self) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = json.loads((self.folder / _FILE).read_text())
        return entries


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can read, and that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-personas-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(path: Path, data: dict[str, Any]) -> None:
    """Write a file that only this user can read, at once for whoever reads it."""
    temporary = path.with_name(f"{path.name}-{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(data))
    temporary.replace(path)
