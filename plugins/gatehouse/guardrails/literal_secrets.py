"""Secrets that stand where everybody can read them: in a pod's variables, in a template's source."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

from gatehouse.core.guardrail_settings import SecretSettings
from gatehouse.core.redaction import looks_like_secret_name
from gatehouse.guardrails.secret_shapes import looks_random, secrets_in

#: Bytes of a file in an archive that are looked at: templates are written by hand.
LARGEST_FILE = 1024 * 1024

#: Files whose values need no quotes.
_UNQUOTED = (".env", ".sh", ".yaml", ".yml", ".ini", ".properties")


def secrets_in_variables(variables: Iterable[tuple[str, str]]) -> list[str]:
    """Names of the variables that hold a secret, with its kind and never its value."""
    placeholders = SecretSettings().placeholders
    found = []
    for name, value in variables:
        seen = next(
            (kind for _, kind in secrets_in([f'{name}="{value}"', *value.splitlines()], placeholders)), None
        )
        if seen:
            found.append(f"{name} holds {seen.kind}")
        elif looks_like_secret_name(name) and looks_random(value):
            found.append(f"{name} holds a random value")
    return found


def secrets_in_archive(content: bytes) -> list[str]:
    """Places of secrets in a tar archive, as `file:line: kind`. Raises `ValueError` for what is no archive."""
    placeholders = SecretSettings().placeholders
    found = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is None or member.size > LARGEST_FILE:
                    continue
                lines = file.read().decode(errors="replace").splitlines()
                unquoted = member.name.endswith(_UNQUOTED)
                found += [
                    f"{member.name.removeprefix('./')}:{place + 1}: {seen.kind}"
                    for place, seen in secrets_in(lines, placeholders, unquoted=unquoted)
                ]
    except tarfile.TarError as error:
        raise ValueError(f"the template's source is no tar archive: {error}") from error
    return found
