import json
import os

import pytest

from gatehouse.evidence.manifest import ManifestError, read_manifest, verify_files, write_manifest


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / "a.txt").write_text("a")
    (tmp_path / "junit.xml").write_text("<testsuites/>")
    write_manifest(tmp_path, {"run_id": "r"})
    return tmp_path


def problems(bundle):
    return verify_files(bundle, read_manifest(bundle))


def test_an_untouched_bundle_matches(bundle):
    assert problems(bundle) == []
    assert read_manifest(bundle)["files"]["junit.xml"]["size"] == len("<testsuites/>")


def test_a_changed_a_missing_and_an_added_file_are_each_noticed(bundle):
    (bundle / "junit.xml").write_text("<testsuites />")
    (bundle / "attachments" / "a.txt").unlink()
    (bundle / "attachments" / "b.txt").write_text("b")

    assert sorted(problems(bundle)) == [
        "attachments/a.txt is missing",
        "attachments/b.txt was added after the run",
        "junit.xml was changed after the run",
    ]


def test_a_change_that_keeps_the_size_is_noticed(bundle):
    (bundle / "attachments" / "a.txt").write_text("b")

    assert problems(bundle) == ["attachments/a.txt was changed after the run"]


def test_links_and_special_files_are_never_taken_for_evidence(bundle):
    (bundle / "link").symlink_to("/etc/passwd")
    os.mkfifo(bundle / "pipe")

    assert problems(bundle) == ["link is not a plain file", "pipe is not a plain file"]


def test_links_that_a_test_left_do_not_travel_with_the_bundle(tmp_path):
    (tmp_path / "outside").symlink_to("/etc/passwd")

    assert write_manifest(tmp_path, {})["files"] == {}
    assert not (tmp_path / "outside").is_symlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "did not finish"),
        ("{", "cannot be read"),
        ("[]", "not of schema"),
        ('{"schema": 9}', "not of schema"),
        ('{"schema": 1}', "lists no files"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path, content, words):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(ManifestError, match=words):
        read_manifest(tmp_path)


def test_a_manifest_is_there_whole_or_not_at_all(bundle):
    assert json.loads((bundle / "manifest.json").read_text())
    assert not list(bundle.glob(".*part"))
