"""A client as a target's settings describe it."""

from __future__ import annotations

import ssl
from pathlib import Path

from gatehouse.coder.client import CoderClient
from gatehouse.coder.sockets import default_trust
from gatehouse.core.errors import UsageError
from gatehouse.core.settings import CoderSettings


def connect(settings: CoderSettings, token: str) -> CoderClient:
    """A client of the deployment with `token`. Raises `UsageError` for a file of authorities that cannot be used."""
    return CoderClient(settings.url, token, trust=trust_in(settings.ca_file) if settings.ca_file else None)


def trust_in(file: Path) -> ssl.SSLContext:
    """Trust in the usual authorities and in those in a file. Raises `UsageError`."""
    trust = default_trust()
    try:
        trust.load_verify_locations(cafile=str(file.expanduser()))
    except OSError as error:  # of which an ssl.SSLError is one
        raise UsageError(
            f"coder.ca_file cannot be used: {file}",
            expected="certificates of authorities in PEM form",
            seen=str(error),
            next_step="name the file that holds the certificate of the authority that signed Coder's",
        ) from error
    return trust
