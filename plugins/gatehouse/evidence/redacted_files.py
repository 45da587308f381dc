"""Takes secrets out of what others wrote into a bundle."""

from __future__ import annotations

import json
from pathlib import Path

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.record import FILE_NAME


def redact_files(folder: Path, redactor: Redactor) -> None:
    """Take secrets out of text files that others have written into the bundle, before anything is hashed.

    Text is what decodes as UTF-8, whatever the file is called. Archives and pictures are left as they are,
    and so is the record, whose every string was redacted before it was written.
    """
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file() or path == folder / FILE_NAME:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if redactor.text(text) != text:
            lines = text.splitlines(keepends=True) if path.suffix == ".jsonl" else [text]
            path.write_text("".join(_redacted(line, redactor) for line in lines), encoding="utf-8")


def _redacted(text: str, redactor: Redactor) -> str:
    """JSON is masked as data: replacing its text would cut through the escapes of a string."""
    try:
        data = json.loads(text)
    except ValueError:
        return redactor.text(text)
    return json.dumps(redactor.data(data)) + ("\n" if text.endswith("\n") else "")
