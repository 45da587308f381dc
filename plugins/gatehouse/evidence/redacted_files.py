"""Takes secrets out of what others wrote into a bundle; what they cannot be taken out of is withheld."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.manifest import FILE_NAME as MANIFEST_NAME
from gatehouse.evidence.masker import Masker
from gatehouse.evidence.pictures import BrokenPicture, is_picture, strip_texts
from gatehouse.evidence.record import FILE_NAME as RECORD_NAME
from gatehouse.evidence.redacted_archives import is_archive, mask_archive
from gatehouse.evidence.redacted_text import blocks_of, examine, masked_text
from gatehouse.evidence.withheld import Withheld, Withhold, found_in, searched

#: Writes the masked content of a file into another, and gives whether anything was masked.
Mask = Callable[[IO[bytes], IO[bytes]], bool]


@dataclass
class Redaction:
    """What was done with the files of a bundle. `searched` are those without known secrets, as they were then."""

    withheld: list[Withheld] = field(default_factory=list)
    searched: dict[Path, tuple[int, int]] = field(default_factory=dict)


def redact_files(folder: Path, redactor: Redactor) -> Redaction:
    """Take secrets out of the files and the names that others have written into the bundle.

    Text is what decodes as UTF-8 or has no control characters, whatever the file is called. Archives are masked
    entry by entry, texts are taken out of pictures; the record is left to the one who writes it. A file that cannot
    be masked or searched, or in which a known secret is left, is removed. A file is replaced as a whole or not at
    all. Raises `OSError` when a file cannot even be removed.
    """
    done = Redaction()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path == folder / RECORD_NAME:
            continue
        try:
            _redact(path, redactor)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a file, it must not travel unmasked
            reason, secret = _reason(error, path, redactor)
            path.unlink(missing_ok=True)
            name = redactor.text(path.relative_to(folder).as_posix())
            done.withheld.append(Withheld(name, reason, secret))
    _rename(folder, redactor)
    for path in _files(folder):
        done.searched[path] = _state(path)
    return done


def leaking_files(folder: Path, redactor: Redactor, done: Redaction | None = None) -> list[str]:
    """Names of files of a bundle in which a known secret is to be read, or which cannot be read.

    Files that are as `done` left them are not searched again. Archives are searched as they are packed.
    """
    found = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if redactor.contains_known(name.encode(errors="surrogateescape")):
            found.append(redactor.text(name))
        elif not done or done.searched.get(path) != _state(path):
            try:
                with path.open("rb") as file:
                    if found_in(blocks_of(file), redactor):
                        found.append(name)
            except OSError:
                found.append(name)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if not path.is_symlink() and path.is_file() and path != folder / MANIFEST_NAME:
            yield path


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _reason(error: Exception, path: Path, redactor: Redactor) -> tuple[str, bool]:
    """Why a file is withheld, and whether it is known that a secret is in it."""
    if isinstance(error, Withhold) and error.secret:
        return redactor.text(error.reason), True
    if isinstance(error, Withhold):
        reason = error.reason
    else:
        words = error.strerror if isinstance(error, OSError) else None
        reason = f"it cannot be masked: {words or type(error).__name__}"
    try:
        with path.open("rb") as file:
            return redactor.text(reason), found_in(blocks_of(file), redactor)
    except OSError:
        return redactor.text(reason), False


def _redact(path: Path, redactor: Redactor) -> None:
    with path.open("rb") as file:
        beginning = file.read(16)
    if is_archive(beginning) or (path.suffix == ".zip" and beginning):
        _rewrite(path, lambda source, target: mask_archive(source, target, redactor))
        return
    if is_picture(beginning):
        with contextlib.suppress(BrokenPicture):  # that is left as it is, and searched
            _rewrite(path, strip_texts)
    masker = Masker(redactor)
    with path.open("rb") as file:
        content = examine(blocks_of(file), masker)
    if not content.text and content.known:
        raise Withhold("a known secret is in it, and it is not text", secret=True)
    if content.text and content.suspicious:

        def mask(source: IO[bytes], target: IO[bytes]) -> bool:
            masked = masked_text(blocks_of(source), masker, path.name, utf8=content.utf8)
            for block in searched(masked, redactor, "a known secret cannot be masked in it"):
                target.write(block)
            return True

        _rewrite(path, mask)


def _rewrite(path: Path, mask: Mask) -> None:
    """Replace a file by what `mask` makes of it, once that is written in full."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    temporary = Path(name)
    try:
        with path.open("rb") as source, os.fdopen(handle, "w+b") as target:
            changed = mask(source, target)
        if changed:
            shutil.copymode(path, temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _rename(folder: Path, redactor: Redactor) -> None:
    """Take secrets out of the names of files and folders, the innermost first."""
    for path in sorted(folder.rglob("*"), key=lambda each: len(each.parts), reverse=True):
        name = redactor.text(path.name)
        if name != path.name and not path.is_symlink():
            new = path.with_name(name)
            number = 2
            while new.exists():
                new, number = path.with_name(f"{number}-{name}"), number + 1
            path.rename(new)
