"""Who has signed in, for all processes of a run: a private folder outside of the evidence."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gatehouse.core.errors import GatehouseError, UsageError, error_data, error_of
from gatehouse.core.journey_settings import PersonaSettings
from gatehouse.preview.personas.credentials import CredentialReader, Credentials
from gatehouse.preview.personas.sign_in import SignIn

#: Logins that are made at the same time.
LOGINS = 4

_FILE = "personas.json"

#: Every secret there has been, a JSON string a line: sessions are renewed while tests run.
_SECRETS = "secrets.jsonl"


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
    """The personas of a run, signed in once; `folder` must not be readable by others.

    `learn` is told each password and each cookie, to be masked wherever it is written.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, PersonaSettings],
        sign_in: SignIn,
        learn: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._sign_in = sign_in
        self._learn = learn
        self._learned = 0
        self._learning = threading.Lock()

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

    def _first(self, name: str, reader: CredentialReader) -> tuple[dict[str, Any], GatehouseError | None]:
        entry: dict[str, Any] = {"roles": self._settings[name].roles}
        try:
            credentials = reader.read(name, self._settings[name])
            entry |= {"username": credentials.username, "password": credentials.password}
            self._keep_secrets([credentials.password])
            self._renew(name, credentials)
        except GatehouseError as error:
            return entry | {"failure": error_data(error)}, error
        return entry, None

    # --- in every process ---

    def learn_secrets(self) -> None:
        """Tell `learn` what has become a secret since the last time, in whatever process."""
        path = self.folder / _SECRETS
        if not path.is_file():
            return
        with self._learning:
            with path.open() as file:
                file.seek(self._learned)
                lines = file.read().splitlines()
                self._learned = file.tell()
            for line in lines:
                self._learn(json.loads(line))

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
        path = self._state(name)
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
        with _locked(persona.storage_state.with_suffix(".lock")):
            if self._sign_in.is_valid(persona.storage_state, persona.username) is False:
                self._renew(persona.name, Credentials(persona.username, persona.password))

    def _renew(self, name: str, credentials: Credentials) -> None:
        state = self._sign_in.sign_in(name, self._settings[name], credentials)
        self._keep_secrets([cookie["value"] for cookie in state["cookies"]])
        _write(self._state(name), state)

    def _state(self, name: str) -> Path:
        return self.folder / f"state-{quote(name, safe='')}.json"

    def _keep_secrets(self, secrets: list[str]) -> None:
        """Have every process know them before anybody can use them."""
        text = "".join(f"{json.dumps(each)}\n" for each in secrets)
        descriptor = os.open(self.folder / _SECRETS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
        self.learn_secrets()

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
