"""What is taken out of a bundle, and the search for known secrets that decides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gatehouse.core.errors import FailureClass, GatehouseError
from gatehouse.core.redaction import Redactor


@dataclass(frozen=True)
class Withheld:
    """A file that was taken out. `secret`: a known secret was found in it; else nobody could tell."""

    path: str
    reason: str
    secret: bool


class Withhold(Exception):
    """A file must be taken out of the bundle. The text is the reason, and never holds the secret."""

    def __init__(self, reason: str, *, secret: bool = False) -> None:
        self.reason = reason
        self.secret = secret
        super().__init__(reason)


class SecretInEvidence(GatehouseError):
    """A known secret is in evidence out of which it cannot be taken: what is left is not all that the run showed."""

    failure_class = FailureClass.UNTRUSTED


def secret_in(withheld: Sequence[Withheld]) -> SecretInEvidence | None:
    """What makes a run red in which files with known secrets had to be withheld."""
    found = [each for each in withheld if each.secret]
    if not found:
        return None
    return SecretInEvidence(
        f"a known secret was in {', '.join(each.path for each in found)}, from which it cannot be taken; withheld",
        seen="; ".join(f"{each.path}: {each.reason}" for each in found),
        next_step="do not write the secret there, or attach the file as text; then run the suite again",
    )


def refusal(names: Sequence[str], folder: str) -> str:
    """Why a bundle gets no manifest at the very end."""
    return (
        f"a known secret is in {', '.join(names)} of {folder}, so the evidence gets no manifest\n"
        "  next: publish nothing of it, find out who wrote the secret there, and run the suite again"
    )


def found_in(blocks: Iterable[bytes], redactor: Redactor) -> bool:
    """Whether a known secret is in a file, also where two blocks of it meet."""
    return any(holds for _, holds in _looked_into(blocks, redactor))


def searched(blocks: Iterable[bytes], redactor: Redactor, reason: str) -> Iterator[bytes]:
    """The blocks as they are. Raises `Withhold` when a known secret is in them."""
    for block, holds in _looked_into(blocks, redactor):
        if holds:
            raise Withhold(reason, secret=True)
        yield block


def _looked_into(blocks: Iterable[bytes], redactor: Redactor) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether a known secret is in it or where it meets the one before."""
    overlap = max(redactor.longest - 1, 0)
    tail = b""
    for block in blocks:
        window = tail + block
        yield block, redactor.contains_known(window)
        tail = window[-overlap:] if overlap else b""
