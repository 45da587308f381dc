"""Masks zip archives (Playwright's traces, HAR with bodies) entry by entry.

Entries in which nothing is masked are copied as they are, without unpacking and packing them again. Order, times and
names stay, unless a name holds a secret: Playwright names bodies by the SHA-1 of what they were before masking.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from lzma import LZMAError
from typing import IO

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.masker import Masker
from gatehouse.evidence.pictures import BrokenPicture, is_picture, strip_texts
from gatehouse.evidence.redacted_text import BLOCK, blocks_of, examine, masked_text
from gatehouse.evidence.withheld import Withhold, searched

#: Bytes that all entries of an archive may have unpacked, with those of archives in it.
LARGEST = 2_000_000_000

#: An entry that is larger than this unpacked, and by so many times than packed, is a bomb.
_SUSPECT, _RATIO = 50_000_000, 200

#: How deep archives may be in archives.
_DEEPEST = 1

#: Bytes of an entry that are kept in memory while it is rewritten; more goes to a temporary file.
_IN_MEMORY = 4 * 1024 * 1024

#: Extra fields that are kept: times and owners. Others can repeat names and comments.
_EXTRAS = frozenset({0x5455, 0x5855, 0x7875, 0x000A})

#: Read in parts, so that no length is beyond what fits in a header without the extension for large files.
_LOCAL_HEADER = struct.Struct("<4s22xHH")

_DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, struct.error, ValueError, OverflowError)


def is_archive(beginning: bytes) -> bool:
    """Whether a file that begins so is, or should be, a zip archive."""
    return beginning.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def mask_archive(source: IO[bytes], target: IO[bytes], redactor: Redactor) -> bool:
    """Write the masked archive; gives whether anything was masked.

    Raises `Withhold` for an archive that is damaged, encrypted or too large unpacked, or in which a known secret is
    where it cannot be masked; `OSError` for one that cannot be read, or a disk that is full.
    """
    return _Archive(redactor, [LARGEST], 0).mask(source, target)


class _Archive:
    def __init__(self, redactor: Redactor, left: list[int], depth: int) -> None:
        """`left` has one item: how many bytes may still be unpacked."""
        self._redactor = redactor
        self._masker = Masker(redactor)
        self._left = left
        self._depth = depth

    def mask(self, source: IO[bytes], target: IO[bytes]) -> bool:
        try:
            with zipfile.ZipFile(source) as archive:
                self._require_readable(archive.infolist())
                with _Writer(target) as writer:
                    changed = [self._entry(archive, info, source, writer) for info in archive.infolist()]
                    comment = self._bytes(archive.comment)
                    writer.comment(comment)
                return any(changed) or comment != archive.comment
        except (*_DAMAGE, NotImplementedError) as error:
            raise Withhold("the archive is damaged or of a kind that cannot be read") from error
        except OSError as error:
            if error.errno is None:  # what the decoder of bzip2 says of damage
                raise Withhold("the archive is damaged") from error
            raise

    def _require_readable(self, entries: list[zipfile.ZipInfo]) -> None:
        for info in entries:
            if info.flag_bits & 0x01:
                raise Withhold("the archive is encrypted")
            if info.file_size > max(_SUSPECT, _RATIO * info.compress_size):
                raise Withhold("an entry of the archive is a hundred times as large as it is packed")
            self._left[0] -= info.file_size
            if self._left[0] < 0:
                raise Withhold(f"the archive has more than {LARGEST // 1_000_000_000} GB unpacked")

    def _entry(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, raw: IO[bytes], writer: _Writer
    ) -> bool:
        """Write one entry; gives whether it has changed."""
        new = self._described(info)
        described = new.filename != info.filename or new.comment != info.comment
        if info.is_dir():
            writer.copy(info, new, raw)
            return described
        with archive.open(info) as entry:
            beginning = entry.read(16)
        changed = False
        if is_archive(beginning):
            changed = self._nested(archive, info, new, writer)
        elif is_picture(beginning):
            changed = self._picture(archive, info, new, writer)
        else:
            changed = self._content(archive, info, new, writer)
        if not changed:
            writer.copy(info, new, raw)
        return changed or described

    def _content(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, new: zipfile.ZipInfo, writer: _Writer
    ) -> bool:
        with archive.open(info) as entry:
            content = examine(blocks_of(entry), self._masker)
        if not content.text:
            if content.known:
                raise Withhold(f"a known secret is in {new.filename}, which is not text", secret=True)
            return False
        if not content.suspicious:
            return False
        with archive.open(info) as entry:
            masked = masked_text(blocks_of(entry), self._masker, info.filename, utf8=content.utf8)
            reason = f"a known secret cannot be masked in {new.filename}"
            return writer.write(new, searched(masked, self._redactor, reason), unless=info)

    def _picture(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, new: zipfile.ZipInfo, writer: _Writer
    ) -> bool:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as stripped:
            try:
                with archive.open(info) as entry:
                    found = strip_texts(entry, stripped)
            except BrokenPicture:
                return self._content(archive, info, new, writer)
            if not found:
                return self._content(archive, info, new, writer)
            stripped.seek(0)
            reason = f"a known secret is in {new.filename}, which is a picture"
            return writer.write(new, searched(blocks_of(stripped), self._redactor, reason), unless=info)

    def _nested(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, new: zipfile.ZipInfo, writer: _Writer
    ) -> bool:
        if self._depth >= _DEEPEST:
            raise Withhold("the archive has archives in archives")
        with (
            tempfile.SpooledTemporaryFile(_IN_MEMORY) as inner,
            tempfile.SpooledTemporaryFile(_IN_MEMORY) as masked,
        ):
            with archive.open(info) as entry:
                shutil.copyfileobj(entry, inner, BLOCK)
            inner.seek(0)
            if not _Archive(self._redactor, self._left, self._depth + 1).mask(inner, masked):
                return False
            masked.seek(0)
            return writer.write(new, blocks_of(masked), unless=info)

    def _described(self, info: zipfile.ZipInfo) -> zipfile.ZipInfo:
        """What is said of an entry, masked."""
        new = zipfile.ZipInfo(self._redactor.text(info.filename), info.date_time)
        new.compress_type = info.compress_type
        new.create_system, new.create_version = info.create_system, info.create_version
        new.extract_version = info.extract_version
        new.external_attr, new.internal_attr = info.external_attr, info.internal_attr
        new.comment = self._bytes(info.comment)
        new.extra = b"".join(_kept(info.extra))
        return new

    def _bytes(self, text: bytes) -> bytes:
        return self._redactor.text(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _kept(extra: bytes) -> Iterator[bytes]:
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind in _EXTRAS:
            yield extra[: 4 + size]
        extra = extra[4 + size :]


class _Writer:
    """Writes an archive of entries, packed or to be packed. The standard library can only pack."""

    def __init__(self, target: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(target, "w")
        self._target = target

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._archive.close()

    def comment(self, comment: bytes) -> None:
        """Say something of the archive."""
        self._archive.comment = comment

    def copy(self, info: zipfile.ZipInfo, new: zipfile.ZipInfo, raw: IO[bytes]) -> None:
        """Copy an entry as it is packed, from the file `raw`."""
        raw.seek(info.header_offset)
        magic, name, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
        if magic != b"PK\x03\x04":
            raise zipfile.BadZipFile("an entry is not where it should be")
        raw.seek(name + extra, 1)
        new.compress_type = info.compress_type
        new.flag_bits = info.flag_bits & 0x06
        new.CRC, new.file_size, new.compress_size = info.CRC, info.file_size, info.compress_size
        new.header_offset = self._target.tell()
        self._target.write(new.FileHeader(zip64=False))
        left = info.compress_size
        while left:
            block = raw.read(min(left, BLOCK))
            if not block:
                raise EOFError
            self._target.write(block)
            left -= len(block)
        self._added(new)

    def write(self, new: zipfile.ZipInfo, blocks: Iterable[bytes], unless: zipfile.ZipInfo) -> bool:
        """Write an entry anew; leaves nothing, and gives False, when it is as `unless`."""
        stored = new.compress_type == zipfile.ZIP_STORED
        new.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        new.flag_bits = 0
        new.CRC = new.file_size = new.compress_size = 0
        new.header_offset = begin = self._target.tell()
        self._target.write(new.FileHeader(zip64=False))
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        for block in blocks:
            new.CRC = zlib.crc32(block, new.CRC)
            new.file_size += len(block)
            new.compress_size += self._target.write(block if stored else packer.compress(block))
        if not stored:
            new.compress_size += self._target.write(packer.flush())
        end = self._target.tell()
        self._target.seek(begin)
        if (new.CRC, new.file_size) == (unless.CRC, unless.file_size):
            self._target.truncate()
            return False
        self._target.write(new.FileHeader(zip64=False))
        self._target.seek(end)
        self._added(new)
        return True

    def _added(self, info: zipfile.ZipInfo) -> None:
        self._archive.filelist.append(info)
        self._archive.NameToInfo[info.filename] = info
        self._archive.start_dir = self._target.tell()
