"""Files of others: masked, replaced as a whole, or withheld."""

import errno
import io
import json
import os
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.core.redaction import Redactor
from gatehouse.evidence import redacted_archives, redacted_files
from gatehouse.evidence.redacted_archives import mask_archive
from gatehouse.evidence.redacted_files import leaking_files, redact_files
from tests.support.secrets import archive, files_with, holds, jpeg, png, written_forms

SECRET = 'hunter2 "secret"+7/x'


@pytest.fixture
def redactor():
    return Redactor([SECRET])


def masked(content, secrets=(SECRET,)):
    target = io.BytesIO()
    changed = mask_archive(io.BytesIO(content), target, Redactor(secrets))
    return changed, target.getvalue()


def entries(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        return {info.filename: opened.read(info) for info in opened.infolist()}


TRACE = [
    (
        "trace.trace",
        b'{"type":"context-options","version":8}\n' + json.dumps({"text": SECRET}).encode() + b"\n",
    ),
    ("trace.network", json.dumps({"headers": [{"name": "Cookie", "value": "opaque"}]}).encode() + b"\n"),
    ("resources/0123.html", f"<p>{SECRET}</p>".encode()),
    ("resources/4567.json", json.dumps({"a": [1, 2]}).encode()),
    ("resources/89ab.bin", bytes(range(256)) * 8),
    ("resources/picture.png", png((b"tEXt", b"Comment\0" + SECRET.encode()))),
    ("inner.zip", archive(("note.txt", SECRET))),
]


def test_a_trace_is_masked_entry_by_entry_and_opens_as_before():
    before = archive(*TRACE, comment=SECRET.encode())

    changed, after = masked(before)

    assert changed
    assert not holds(after, SECRET)
    assert b"opaque" not in entries(after)["trace.network"]
    with zipfile.ZipFile(io.BytesIO(after)) as opened:
        assert opened.namelist() == [name for name, _ in TRACE]
        assert {info.date_time for info in opened.infolist()} == {(2026, 1, 2, 3, 4, 6)}
    for name in ("trace.trace", "trace.network"):
        assert all(json.loads(line) for line in entries(after)[name].splitlines())
    assert entries(after)["resources/89ab.bin"] == bytes(range(256)) * 8


def test_entries_in_which_nothing_is_masked_are_copied_as_they_are_packed():
    before = archive(("a.txt", SECRET), ("b.bin", os.urandom(5000)), ("c.txt", "plain " * 100))

    _, after = masked(before)

    for name in ("b.bin", "c.txt"):
        with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
            assert old.getinfo(name).compress_size == new.getinfo(name).compress_size
            assert old.read(name) == new.read(name)


def test_names_of_entries_are_masked():
    assert list(entries(masked(archive((f"of {SECRET}.txt", "x")))[1])) == ["of [redacted].txt"]


names = st.text("abc/.", min_size=1, max_size=12).filter(lambda name: not name.endswith("/"))


@given(
    st.lists(st.tuples(names, st.text(max_size=300)), max_size=5, unique_by=lambda each: each[0]),
    names.map("planted-{}".format),
    st.text(max_size=200),
    st.sampled_from(sorted(written_forms(SECRET))),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_planted_secret_is_never_left_and_all_else_stays_byte_for_byte(others, name, text, form, nested):
    planted = text.encode() + b" " + form + b" " + text.encode()
    inner = archive((name, planted)) if nested else planted
    before = archive(*others, (name, inner))

    changed, after = masked(before)

    assert changed
    assert not holds(after, SECRET)
    for other, content in others:
        assert entries(after)[other] == content.encode()


contents = st.binary(max_size=300).filter(lambda content: not content.startswith(b"PK"))


@given(st.lists(st.tuples(names, contents), max_size=5, unique_by=lambda each: each[0]))
def test_an_archive_without_secrets_is_left_alone(contents):
    assert masked(archive(*contents))[0] is False


def test_har_pictures_and_text_are_masked_in_place(tmp_path, redactor):
    (tmp_path / "a.har").write_text(json.dumps({"log": {"entries": [{"url": f"https://h/?q={SECRET}"}]}}))
    (tmp_path / "b.png").write_bytes(png((b"tEXt", b"Comment\0" + SECRET.encode())))
    (tmp_path / "c.jpg").write_bytes(jpeg((0xFE, SECRET.encode())))
    (tmp_path / "d.log").write_text(f"it is {SECRET}\n")

    done = redact_files(tmp_path, redactor)

    assert done.withheld == []
    assert files_with(tmp_path, SECRET) == []
    assert (tmp_path / "b.png").read_bytes() == png()
    assert (tmp_path / "d.log").read_text() == "it is [redacted]\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.har", "b.png", "c.jpg", "d.log"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.bin", b"\0\1" + SECRET.encode() + b"\xff"),
        ("a.webm", b"\x1aE\xdf\xa3\0" + SECRET.encode() + b"\xff\xfe"),
        ("a.png", png((b"IDAT", SECRET.encode()))),
        ("a.zip", archive(("b.bin", b"\0\1" + SECRET.encode() + b"\xff"))),
        ("b.zip", b"PK\x03\x04 damaged " + SECRET.encode()),
    ],
    ids=["binary", "video", "within a picture", "binary in an archive", "damaged archive"],
)
def test_a_file_out_of_which_a_known_secret_cannot_be_taken_is_withheld_and_said_to_hold_one(
    tmp_path, redactor, name, content
):
    (tmp_path / name).write_bytes(content)

    (withheld,) = redact_files(tmp_path, redactor).withheld

    assert (withheld.path, withheld.secret) == (name, True)
    assert SECRET not in withheld.reason
    assert list(tmp_path.iterdir()) == []


def encrypted():
    content = bytearray(archive(("a.txt", "text")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive(("a.txt", "text " * 50))[:-30], "damaged"),
        (archive(("a.txt", "text " * 50)).replace(b"\xcd", b"\xce", 1)[:60], "damaged"),
        (encrypted(), "encrypted"),
        (archive(("a", archive(("b", archive(("c", "d")))))), "archives in archives"),
        (b"not an archive at all", "damaged"),
    ],
    ids=["cut short", "broken", "encrypted", "too deep", "only called one"],
)
def test_an_archive_that_cannot_be_searched_is_withheld(tmp_path, redactor, content, reason):
    (tmp_path / "a.zip").write_bytes(content)

    (withheld,) = redact_files(tmp_path, redactor).withheld

    assert reason in withheld.reason
    assert not withheld.secret
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_is_much_larger_unpacked_is_withheld(tmp_path, redactor, monkeypatch):
    monkeypatch.setattr(redacted_archives, "_SUSPECT", 100_000)
    (tmp_path / "a.zip").write_bytes(archive(("a", b"\0" * 2_000_000)))

    (withheld,) = redact_files(tmp_path, redactor).withheld

    assert "as large as it is packed" in withheld.reason


def test_an_archive_of_more_than_is_read_is_withheld(tmp_path, redactor, monkeypatch):
    monkeypatch.setattr(redacted_archives, "LARGEST", 5000)
    (tmp_path / "a.zip").write_bytes(archive(("a", b"x" * 3000), ("b", archive(("c", b"x" * 3000)))))

    assert "unpacked" in redact_files(tmp_path, redactor).withheld[0].reason


@pytest.mark.parametrize("name", ["a.zip", "a.txt", "a.png"])
def test_on_a_full_disk_a_file_is_whole_until_it_is_withheld(tmp_path, redactor, monkeypatch, name):
    contents = {
        "a.zip": archive(("a", SECRET)),
        "a.txt": SECRET.encode(),
        "a.png": png((b"tEXt", SECRET.encode())),
    }
    (tmp_path / name).write_bytes(contents[name])
    seen = []

    def full(path, *_):
        seen.append(path.read_bytes())
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(redacted_files.shutil, "copymode", full)

    (withheld,) = redact_files(tmp_path, redactor).withheld

    assert seen == [contents[name]]
    assert "No space left on device" in withheld.reason
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_masking_for_any_reason_is_withheld(tmp_path, redactor, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(redacted_files, "examine", broken)
    (tmp_path / "a.txt").write_text("text")

    assert "ZeroDivisionError" in redact_files(tmp_path, redactor).withheld[0].reason


def test_links_are_neither_followed_nor_replaced(tmp_path, redactor):
    outside = tmp_path / "outside.txt"
    outside.write_text(SECRET)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "link.txt").symlink_to(outside)

    redact_files(bundle, redactor)

    assert outside.read_text() == SECRET
    assert (bundle / "link.txt").is_symlink()


def test_names_of_files_and_folders_are_masked(tmp_path):
    (tmp_path / "of-hunter2-secret").mkdir()
    (tmp_path / "of-hunter2-secret" / "a hunter2-secret.txt").write_text("x")

    redact_files(tmp_path, Redactor(["hunter2-secret"]))

    assert (tmp_path / "of-[redacted]" / "a [redacted].txt").read_text() == "x"


def test_what_is_written_after_masking_is_searched_once_more(tmp_path, redactor):
    (tmp_path / "a.txt").write_text("text")
    done = redact_files(tmp_path, redactor)
    assert leaking_files(tmp_path, redactor, done) == []

    (tmp_path / "late.txt").write_text(SECRET)
    (tmp_path / "a.txt").write_text(f"text {SECRET}")

    assert leaking_files(tmp_path, redactor, done) == ["a.txt", "late.txt"]


def test_masking_a_bundle_twice_changes_nothing_more(tmp_path, redactor):
    (tmp_path / "a.zip").write_bytes(archive(*TRACE))
    redact_files(tmp_path, redactor)
    once = (tmp_path / "a.zip").read_bytes()

    redact_files(tmp_path, redactor)

    assert (tmp_path / "a.zip").read_bytes() == once
