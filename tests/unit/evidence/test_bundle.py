import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gatehouse.core.errors import UsageError
from gatehouse.evidence.bundle import Bundle


def test_each_run_gets_a_folder_of_its_own_that_only_its_owner_can_read(tmp_path):
    bundles = [Bundle.create(tmp_path / "reports") for _ in range(20)]

    assert len({bundle.folder for bundle in bundles}) == 20
    assert bundles[0].folder.stat().st_mode & 0o077 == 0
    assert bundles[0].folder.name == bundles[0].run_id


def test_latest_points_at_the_newest_run_from_its_first_moment(tmp_path):
    root = tmp_path / "reports"
    Bundle.create(root)
    newest = Bundle.create(root)

    assert (root / "latest").resolve() == newest.folder.resolve()


def test_a_new_root_does_not_make_a_checkout_dirty_and_an_old_one_is_left_as_it_is(tmp_path):
    Bundle.create(tmp_path / "new")
    (tmp_path / "old").mkdir()
    Bundle.create(tmp_path / "old")

    assert (tmp_path / "new" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / "old" / ".gitignore").exists()


def test_a_named_folder_must_be_new_or_empty(tmp_path):
    chosen = tmp_path / "evidence"
    assert Bundle.create(tmp_path / "reports", chosen).folder == chosen

    with pytest.raises(UsageError, match="is not empty"):
        Bundle.create(tmp_path / "reports", chosen)


def test_a_place_that_cannot_be_written_is_said_before_anything_runs(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="evidence cannot be written") as caught:
        Bundle.create(tmp_path / "file" / "reports")
    assert "--gate-evidence" in caught.value.next_step


def test_many_runs_that_start_at_the_same_moment_each_get_their_own_folder(tmp_path):
    barrier = threading.Barrier(8)

    def create(_number):
        barrier.wait()
        return Bundle.create(tmp_path / "reports").folder

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(create, range(8)))

    assert len(set(folders)) == 8
    assert all(folder.is_dir() for folder in folders)
