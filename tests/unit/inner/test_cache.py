import json
import os
import threading
from dataclasses import replace

import pytest

from gatehouse.inner.cache import Pass, PassCache
from gatehouse.inner.model import ChildOutcome, ChildTest

KEY = "ab" + "0" * 62
OTHER = "cd" + "1" * 62
FOUND = Pass("go.mod::go-test", 1_700_000_000.0, 1.5, (ChildTest("x.TestA", ChildOutcome.PASSED, 0.1),))


@pytest.fixture
def cache(tmp_path):
    return PassCache(tmp_path / "passes", 10)


def entry(tmp_path):
    return tmp_path / "passes" / KEY[:2] / f"{KEY}.json"


def test_a_pass_remembers_that_nobody_counted_its_tests(cache):
    cache.store(KEY, replace(FOUND, counted=False))

    assert cache.find(KEY).counted is False


def test_a_pass_is_found_by_its_key_alone(cache):
    assert cache.store(KEY, FOUND) == ""

    assert cache.find(KEY) == FOUND
    assert cache.find(OTHER) is None


def test_another_process_finds_it(cache, tmp_path):
    cache.store(KEY, FOUND)

    assert PassCache(tmp_path / "passes", 10).find(KEY) == FOUND


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b'{"body": {}, "signature": 1}', b"\xff\xfe"])
def test_an_entry_that_is_no_entry_is_none(cache, tmp_path, content):
    cache.store(KEY, FOUND)
    entry(tmp_path).write_bytes(content)

    assert cache.find(KEY) is None


def test_an_entry_cut_short_at_any_place_is_none(cache, tmp_path):
    cache.store(KEY, FOUND)
    whole = entry(tmp_path).read_bytes()

    for length in range(0, len(whole), 7):
        entry(tmp_path).write_bytes(whole[:length])
        assert cache.find(KEY) is None


def test_a_forged_entry_is_none(cache, tmp_path):
    cache.store(KEY, FOUND)
    data = json.loads(entry(tmp_path).read_bytes())
    data["body"]["check"] = "go.mod::go-vet"
    entry(tmp_path).write_text(json.dumps(data))

    assert cache.find(KEY) is None


def test_an_entry_copied_to_another_key_is_none(cache, tmp_path):
    cache.store(KEY, FOUND)
    copy = tmp_path / "passes" / OTHER[:2] / f"{OTHER}.json"
    copy.parent.mkdir()
    copy.write_bytes(entry(tmp_path).read_bytes())

    assert cache.find(OTHER) is None


def test_an_entry_signed_by_somebody_else_is_none(cache, tmp_path):
    elsewhere = PassCache(tmp_path / "elsewhere", 10)
    elsewhere.store(KEY, FOUND)
    cache.store(KEY, FOUND)
    entry(tmp_path).write_bytes((tmp_path / "elsewhere" / KEY[:2] / f"{KEY}.json").read_bytes())

    assert cache.find(KEY) is None


def test_a_cache_that_cannot_be_written_says_so_and_harms_nobody(tmp_path):
    (tmp_path / "passes").write_text("a file where the folder should be")
    cache = PassCache(tmp_path / "passes", 10)

    assert "passes" in cache.store(KEY, FOUND)
    assert cache.find(KEY) is None


def test_a_full_disk_leaves_no_half_entry(cache, tmp_path, monkeypatch):
    cache.store(OTHER, FOUND)  # the folder and its key are there

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)

    assert "No space left on device" in cache.store(KEY, FOUND)
    monkeypatch.undo()
    assert cache.find(KEY) is None
    assert [path.name for path in (tmp_path / "passes" / KEY[:2]).iterdir()] == []


def test_what_was_not_asked_for_longest_is_removed_first(tmp_path):
    cache = PassCache(tmp_path / "passes", 1)
    big = Pass("x", 0.0, 0.0, tuple(ChildTest(f"{n}" * 90, ChildOutcome.PASSED) for n in range(1000)))
    keys = [f"{number:02x}" + "0" * 62 for number in range(4)]
    for age, key in enumerate(keys):
        cache.store(key, big)
        path = tmp_path / "passes" / key[:2] / f"{key}.json"
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))

    cache.prune()

    left = [key for key in keys if cache.find(key)]
    assert left == keys[: len(left)]
    assert 0 < len(left) < 4


def test_two_who_start_at_the_same_moment_share_one_signing_key(tmp_path):
    caches = [PassCache(tmp_path / "passes", 10) for _ in range(8)]
    barrier = threading.Barrier(8)

    def store(number, cache):
        barrier.wait()
        cache.store(f"{number:02x}" + "0" * 62, FOUND)

    threads = [threading.Thread(target=store, args=each) for each in enumerate(caches)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    fresh = PassCache(tmp_path / "passes", 10)
    assert all(fresh.find(f"{number:02x}" + "0" * 62) for number in range(8))


def test_the_signing_key_is_readable_for_its_owner_alone(cache, tmp_path):
    cache.store(KEY, FOUND)

    assert (tmp_path / "passes" / "signing-key").stat().st_mode & 0o077 == 0
