import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.core import work_tree
from gatehouse.core.checkout import Checkout
from gatehouse.core.tree_snapshot import snapshot
from tests.support.repositories import Repository


@pytest.fixture
def repository(tmp_path):
    repository = Repository(tmp_path / "r")
    repository.commit({"a": "1\n", "b": "2\n", "folder/c": "3\n"})
    return repository


def stored_by_git(repository, index):
    """What git itself would store if everything were added now."""
    shutil.copyfile(repository.root / ".git" / "index", index)
    repository.git("add", "-A", GIT_INDEX_FILE=str(index))
    tree = repository.git("write-tree", GIT_INDEX_FILE=str(index))
    listing = repository.git("ls-tree", "-r", "-z", tree)
    return {
        path: f"{about.split()[0]} {about.split()[2]}"
        for about, _, path in (line.partition("\t") for line in listing.split("\0") if line)
    }


NAMES = st.sampled_from(["a", "b", "sp ace", "new\nline", 'q"', "ünï", os.fsdecode(b"\xff")])
FILES = st.dictionaries(
    NAMES,
    st.one_of(
        st.tuples(st.just("file"), st.binary(max_size=40), st.booleans()),
        st.tuples(st.just("link"), st.sampled_from(["a", "nowhere", "../out"]), st.just(False)),
    ),
    max_size=5,
)


def lay(root, files):
    for name, (kind, content, executable) in files.items():
        place = root / name
        place.unlink(missing_ok=True)
        if kind == "link":
            place.symlink_to(content)
        else:
            place.write_bytes(content)
            place.chmod(0o755 if executable else 0o644)


@settings(max_examples=40)
@given(
    committed=FILES,
    staged=FILES,
    on_disk=FILES,
    deleted=st.sets(NAMES),
    format_=st.sampled_from(["sha1", "sha256"]),
)
def test_a_snapshot_is_what_git_itself_would_store(
    tmp_path_factory, committed, staged, on_disk, deleted, format_
):
    folder = tmp_path_factory.mktemp("tree")
    repository = Repository(folder / "r", f"--object-format={format_}")
    lay(repository.root, committed)
    repository.commit()
    lay(repository.root, staged)
    repository.git("add", "-A")
    lay(repository.root, on_disk)
    for name in deleted:
        (repository.root / name).unlink(missing_ok=True)

    assert snapshot(repository.checkout) == stored_by_git(repository, folder / "index")


def test_equal_trees_have_equal_snapshots_whatever_was_committed(repository, tmp_path):
    repository.write("new", "4\n")
    other = Repository(tmp_path / "other")
    other.commit({"a": "1\n", "b": "2\n", "folder/c": "3\n", "new": "4\n"})

    assert snapshot(repository.checkout) == snapshot(other.checkout)


def test_a_deleted_file_is_not_there(repository):
    (repository.root / "a").unlink()

    assert set(snapshot(repository.checkout)) == {"b", "folder/c"}


def test_ignored_files_are_not_there(repository):
    repository.write(".git/info/exclude", "*.log\n")
    repository.write("x.log")

    assert "x.log" not in snapshot(repository.checkout)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_look_at_is_read(repository, flag):
    before = snapshot(repository.checkout)
    repository.git("update-index", flag, "a")
    assert snapshot(repository.checkout) == before
    repository.write("a", "hidden\n")

    assert snapshot(repository.checkout)["a"] != before["a"]


def test_an_intention_to_add_counts_with_what_is_on_disk(repository):
    repository.write("new", "1\n")
    repository.git("add", "--intent-to-add", "new")

    found = snapshot(repository.checkout)

    assert found["new"] == found["a"]


def test_a_path_that_a_sparse_checkout_leaves_out_is_not_there(repository):
    repository.git("sparse-checkout", "set", "--no-cone", "/a")

    assert set(snapshot(repository.checkout)) == {"a"}


def test_a_file_in_conflict_counts_with_what_is_on_disk(repository):
    repository.git("checkout", "-q", "-b", "theirs")
    repository.commit({"a": "theirs\n"})
    repository.git("checkout", "-q", "-b", "ours", "main")
    repository.commit({"a": "ours\n"})
    repository.git("merge", "theirs", check=False)
    in_conflict = snapshot(repository.checkout)["a"]
    repository.write("a", "resolved\n")

    assert snapshot(repository.checkout)["a"] not in ("", in_conflict)


def test_a_file_too_large_to_be_read_counts_with_its_size_and_times(repository, monkeypatch):
    monkeypatch.setattr(work_tree.content_id, "__defaults__", (40, 3))
    repository.write("large", "1234")
    before = snapshot(repository.checkout)
    assert snapshot(repository.checkout) == before
    repository.write("large", "4321")

    assert snapshot(repository.checkout)["large"] != before["large"]


@pytest.mark.parametrize("tracked", [True, False])
def test_a_change_inside_a_repository_inside_shows(repository, tmp_path, tracked):
    inner = Repository(repository.root / "inner")
    inner.commit({"x": "1\n"})
    if tracked:
        repository.git("add", "inner")
        repository.git("commit", "-q", "-m", "pointer")
    seen = [snapshot(repository.checkout)]
    inner.write("x", "2\n")
    seen.append(snapshot(repository.checkout))
    inner.commit()
    seen.append(snapshot(repository.checkout))

    assert len({each["inner"] for each in seen}) == 3
    assert seen[0]["inner"] == f"160000 {inner.git('rev-parse', 'HEAD~')}"


def test_a_work_tree_inside_whose_repository_is_gone_does_not_stop_the_rest(repository):
    repository.write("stale/.git", "gitdir: /nonexistent/worktrees/stale\n")
    repository.write("stale/x", "1\n")

    assert snapshot(repository.checkout)["a"]


def test_an_empty_repository_has_an_empty_snapshot(tmp_path):
    assert snapshot(Repository(tmp_path / "r").checkout) == {}


def test_a_pipe_in_the_place_of_a_file_does_not_hang(repository):
    (repository.root / "a").unlink()
    os.mkfifo(repository.root / "a")

    assert "a" not in snapshot(Checkout(repository.root))
