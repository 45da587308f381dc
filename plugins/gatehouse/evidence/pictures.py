"""Takes what is written into pictures beside the picture: texts, EXIF, XMP. What is to be seen stays as it is."""

from __future__ import annotations

import shutil
from typing import IO

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"

#: Chunks of a PNG, and markers of a JPEG (application segments 1 and 13, comment), that hold text.
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
_TEXT_MARKERS = frozenset({0xE1, 0xED, 0xFE})

_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_BLOCK = 1024 * 1024


class BrokenPicture(ValueError):
    """A picture that ends too soon or is not built as it should be."""


def is_picture(beginning: bytes) -> bool:
    """Whether a file that begins so is a picture from which texts can be taken."""
    return beginning.startswith((_PNG, _JPEG))


def strip_texts(source: IO[bytes], target: IO[bytes]) -> bool:
    """Copy a picture without the texts in it; gives whether there were any. Raises `BrokenPicture`."""
    beginning = source.read(2)
    if _JPEG.startswith(beginning):
        target.write(beginning)
        return _strip_jpeg(source, target)
    beginning += source.read(6)
    if beginning != _PNG:
        raise BrokenPicture("neither PNG nor JPEG")
    target.write(beginning)
    return _strip_png(source, target)


def _strip_png(source: IO[bytes], target: IO[bytes]) -> bool:
    found = False
    kind = b""
    while kind != b"IEND":
        header = _read(source, 8)
        length, kind = int.from_bytes(header[:4]), header[4:]
        if length >= 1 << 31 or not kind.isalpha():
            raise BrokenPicture("a chunk that cannot be")
        if kind in _TEXT_CHUNKS:
            found = True
            _pass(source, None, length + 4)
        else:
            target.write(header)
            _pass(source, target, length + 4)
    shutil.copyfileobj(source, target, _BLOCK)
    return found


def _strip_jpeg(source: IO[bytes], target: IO[bytes]) -> bool:
    found = False
    while True:
        marker = _read(source, 2)
        while marker == b"\xff\xff":  # a marker may be preceded by any number of these
            marker = b"\xff" + _read(source, 1)
        if marker[0] != 0xFF or marker[1] in (0x00, _END_OF_IMAGE):
            raise BrokenPicture("a marker is missing")
        if 0xD0 <= marker[1] <= 0xD8 or marker[1] == 0x01:  # these have no length
            target.write(marker)
            continue
        length = _read(source, 2)
        size = int.from_bytes(length) - 2
        if size < 0:
            raise BrokenPicture("a segment that cannot be")
        if marker[1] in _TEXT_MARKERS:
            found = True
            _pass(source, None, size)
        else:
            target.write(marker + length)
            _pass(source, target, size)
        if marker[1] == _START_OF_SCAN:
            shutil.copyfileobj(source, target, _BLOCK)
            return found


def _read(source: IO[bytes], size: int) -> bytes:
    content = source.read(size)
    if len(content) < size:
        raise BrokenPicture("it ends too soon")
    return content


def _pass(source: IO[bytes], target: IO[bytes] | None, size: int) -> None:
    while size:
        block = _read(source, min(size, _BLOCK))
        size -= len(block)
        if target:
            target.write(block)
