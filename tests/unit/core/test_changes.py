import os

import pytest

from gatehouse.core.changes import Change, Origin, Status, changes_since
from tests.support.repositories import Repository

UGLY = [
    "with space",
    'quo"te',
    "new\nline",
    "tab\there",
    "ünï",
    os.fsdecode(b"not-utf8-\xff"),
    "-dash",
    "a -> b",
]


@pytest.fixture
def repository(tmp_path):
    repository = Repository(tmp_path / "r")
    repository.commit({"a": "1\n2\n3\n4\n5\n", "b": "other\n", "folder/c": "c\n"})
    return repository


def changes(repository, base="main"):
    commit = repository.git("rev-parse", base) if base else None
    return changes_since(repository.checkout, commit)


def kinds(repository, base="main"):
    return {each.path: (str(each.status), str(each.origin)) for each in changes(repository, base)}


def test_a_clean_checkout_of_the_base_has_no_changes(repository):
    assert len(changes(repository)) == 0


def test_committed_staged_unstaged_and_untracked_changes_all_count(repository):
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"committed": "x\n"})
    repository.write("b", "staged\n")
    repository.git("add", "b")
    repository.write("a", "unstaged\n")
    repository.write("new", "untracked\n")

    assert kinds(repository) == {
        "committed": ("added", "committed"),
        "b": ("modified", "staged"),
        "a": ("modified", "unstaged"),
        "new": ("added", "untracked"),
    }


def test_ignored_files_are_no_changes(repository):
    repository.commit({".gitignore": "build/\n"})
    repository.write("build/x")

    assert kinds(repository) == {}


def test_without_a_base_only_what_is_not_committed_is_seen(repository):
    repository.commit({"committed": "x\n"})
    repository.write("new")

    assert kinds(repository, None) == {"new": ("added", "untracked")}
    assert changes(repository, None).base is None


@pytest.mark.parametrize("format_", ["sha1", "sha256"])
def test_before_the_first_commit_everything_is_new(tmp_path, format_):
    repository = Repository(tmp_path / "new", f"--object-format={format_}")
    repository.write("staged")
    repository.git("add", ".")
    repository.write("untracked")

    assert kinds(repository, None) == {"staged": ("added", "staged"), "untracked": ("added", "untracked")}


@pytest.mark.parametrize("state", ["committed", "staged", "untracked"])
def test_names_of_every_kind_are_kept(repository, state):
    repository.git("checkout", "-q", "-b", "work")
    for name in UGLY:
        repository.write(name)
    if state != "untracked":
        repository.git("add", "-A")
    if state == "committed":
        repository.git("commit", "-q", "-m", "ugly")

    assert kinds(repository) == dict.fromkeys(UGLY, ("added", state))


@pytest.mark.parametrize("state", ["committed", "staged", "untracked"])
def test_a_rename_is_a_deletion_and_an_addition_that_know_each_other(repository, state):
    repository.git("checkout", "-q", "-b", "work")
    (repository.root / "a").rename(repository.root / "moved")
    if state != "untracked":
        repository.git("add", "-A")
    if state == "committed":
        repository.git("commit", "-q", "-m", "move")

    found = changes(repository).entries

    assert set(found) == {"a", "moved"}
    assert (found["a"].status, found["a"].renamed_to) == (Status.DELETED, "moved")
    assert (found["moved"].status, found["moved"].renamed_from) == (Status.ADDED, "a")


def test_a_rename_with_edits_is_known_once_it_is_staged(repository):
    repository.git("mv", "a", "moved")
    repository.write("moved", "1\n2\n3\n4\nfive\n")
    repository.git("add", "moved")

    assert changes(repository).entries["moved"].renamed_from == "a"


def test_a_rename_that_is_edited_after_staging_is_still_one(repository):
    repository.git("mv", "a", "moved")
    repository.write("moved", "quite different\n")

    found = changes(repository).entries["moved"]

    assert (found.renamed_from, found.origin, found.status) == ("a", Origin.UNSTAGED, Status.ADDED)


@pytest.mark.parametrize("staged", [True, False])
def test_a_file_that_becomes_executable_is_a_change_of_mode(repository, staged):
    (repository.root / "a").chmod(0o755)
    if staged:
        repository.git("add", "a")

    found = changes(repository).entries["a"]

    assert (found.old_mode, found.new_mode) == ("100644", "100755")


@pytest.mark.parametrize("staged", [True, False])
def test_a_file_that_becomes_a_symbolic_link_is_a_change_of_type(repository, staged):
    (repository.root / "a").unlink()
    (repository.root / "a").symlink_to("nowhere")
    if staged:
        repository.git("add", "a")

    assert changes(repository).entries["a"].new_mode == "120000"


def test_another_target_of_a_symbolic_link_is_a_change(repository):
    (repository.root / "link").symlink_to("a")
    repository.commit()
    (repository.root / "link").unlink()
    (repository.root / "link").symlink_to("b")

    assert kinds(repository) == {"link": ("modified", "unstaged")}


def test_what_is_staged_counts_although_the_file_was_put_back(repository):
    repository.write("a", "staged\n")
    repository.git("add", "a")
    repository.write("a", "1\n2\n3\n4\n5\n")

    found = changes(repository).entries["a"]

    assert found.origin is Origin.STAGED
    assert repository.git("cat-file", "blob", found.new_blob) == "staged"


def test_three_versions_of_a_file_are_all_known(repository):
    repository.write("a", "staged\n")
    repository.git("add", "a")
    repository.write("a", "on disk\n")

    found = changes(repository).entries["a"]

    assert (found.origin, found.new_blob) == (Origin.UNSTAGED, None)
    assert repository.git("cat-file", "blob", found.staged_blob) == "staged"


def test_a_file_taken_out_of_the_index_and_left_as_it_was_is_a_staged_deletion(repository):
    repository.git("rm", "-q", "--cached", "a")

    found = changes(repository).entries["a"]

    assert (found.status, found.origin) == (
        Status.MODIFIED,
        Origin.UNTRACKED,
    ) or found.status is Status.DELETED


def test_a_file_that_only_was_touched_is_unchanged(repository):
    os.utime(repository.root / "a", (1, 1))

    assert kinds(repository) == {}


def test_a_change_of_the_same_size_and_time_is_seen(repository):
    file = repository.root / "b"
    before = file.stat()
    repository.git("status")
    file.write_text("ochre\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert kinds(repository) == {"b": ("modified", "unstaged")}


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_git_was_told_not_to_look_at_is_seen(repository, flag):
    repository.git("update-index", flag, "a")
    repository.write("a", "hidden\n")

    assert kinds(repository) == {"a": ("modified", "unstaged")}


def test_a_file_that_git_was_told_not_to_look_at_and_that_is_as_it_was_is_unchanged(repository):
    repository.git("update-index", "--assume-unchanged", "a")

    assert kinds(repository) == {}


def test_a_deletion_that_git_was_told_not_to_look_at_is_seen(repository):
    repository.git("update-index", "--assume-unchanged", "a")
    (repository.root / "a").unlink()

    assert kinds(repository) == {"a": ("deleted", "unstaged")}


def test_a_monitor_that_says_nothing_changed_is_not_believed(repository):
    monitor = repository.root / ".git" / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(monitor))
    repository.git("status")
    repository.write("a", "hidden\n")

    assert kinds(repository) == {"a": ("modified", "unstaged")}


def test_an_intention_to_add_is_an_addition(repository):
    repository.write("new", "content\n")
    repository.git("add", "--intent-to-add", "new")

    found = changes(repository).entries["new"]

    assert (found.status, found.origin, found.new_blob) == (Status.ADDED, Origin.UNSTAGED, None)


@pytest.mark.parametrize(
    "how", [["--no-cone", "/a"], ["--cone", "other"], ["--cone", "--sparse-index", "other"]]
)
def test_a_path_that_a_sparse_checkout_leaves_out_is_no_deletion(repository, how):
    repository.git("sparse-checkout", "set", *how)

    assert not (repository.root / "folder").exists()
    assert kinds(repository) == {}


def test_a_committed_change_outside_of_a_sparse_checkout_is_one(repository):
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"b": "changed\n"})
    repository.git("sparse-checkout", "set", "--no-cone", "/a")

    assert kinds(repository) == {"b": ("modified", "committed")}


def conflict(repository):
    repository.git("checkout", "-q", "-b", "theirs")
    repository.commit({"a": "theirs\n"})
    repository.git("checkout", "-q", "-b", "ours", "main")
    repository.commit({"a": "ours\n"})
    repository.git("merge", "theirs", check=False)


def test_a_conflict_in_the_middle_of_a_merge_is_a_change(repository):
    conflict(repository)

    found = changes(repository).entries["a"]

    assert (found.status, found.new_mode, found.new_blob) == (Status.MODIFIED, "100644", None)


def test_a_conflict_that_looks_like_the_base_is_still_a_change(repository):
    conflict(repository)
    repository.write("a", "1\n2\n3\n4\n5\n")

    assert kinds(repository) == {"a": ("modified", "unstaged")}


def test_a_file_replaced_by_a_folder_is_deleted_and_its_files_are_new(repository):
    (repository.root / "a").unlink()
    repository.write("a/inside")

    assert kinds(repository) == {"a": ("deleted", "unstaged"), "a/inside": ("added", "untracked")}


@pytest.fixture
def with_submodule(repository, tmp_path):
    library = Repository(tmp_path / "library")
    library.commit({"x": "1\n"})
    library.commit({"x": "2\n"})
    repository.git("submodule", "--quiet", "add", str(library.root), "library")
    repository.commit()
    return repository


def inside(repository, *arguments):
    return repository.git("-C", "library", *arguments)


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("ignore", ["none", "all"])
def test_another_commit_of_a_submodule_is_a_moved_pointer(with_submodule, staged, ignore):
    with_submodule.git("config", "submodule.library.ignore", ignore)
    inside(with_submodule, "checkout", "-q", "HEAD~")
    if staged:
        with_submodule.git("update-index", "library")

    found = changes(with_submodule).entries["library"]

    assert found.is_submodule and found.old_blob != found.new_blob


def test_a_change_inside_a_submodule_leaves_the_pointer_standing(with_submodule):
    with_submodule.write("library/x", "dirty\n")

    found = changes(with_submodule).entries["library"]

    assert found.is_submodule and found.old_blob == found.new_blob


def test_a_moved_submodule_that_git_was_told_not_to_look_at_is_seen(with_submodule):
    inside(with_submodule, "checkout", "-q", "HEAD~")
    with_submodule.git("update-index", "--assume-unchanged", "library")

    assert set(kinds(with_submodule)) == {"library"}


def test_a_submodule_that_is_not_checked_out_is_unchanged(with_submodule):
    with_submodule.git("submodule", "--quiet", "deinit", "--force", "library")

    assert kinds(with_submodule) == {}


def test_a_work_tree_beside_the_first_has_changes_of_its_own(repository, tmp_path):
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Repository.__new__(Repository)
    side.root = tmp_path / "side"
    side.write("new")

    assert kinds(side) == {"new": ("added", "untracked")}
    assert kinds(repository) == {}


def test_a_repository_inside_that_is_not_tracked_is_left_out(repository):
    Repository(repository.root / "inner").commit({"x": "1\n"})

    assert kinds(repository) == {}


def test_personal_configuration_of_git_changes_nothing(repository):
    for name, value in {
        "diff.renames": "false",
        "diff.noprefix": "true",
        "diff.relative": "true",
        "status.showUntrackedFiles": "no",
        "status.short": "true",
        "status.branch": "true",
        "core.quotePath": "true",
        "color.ui": "always",
    }.items():
        repository.git("config", name, value)
    repository.git("mv", "a", "ünï")
    repository.write("folder/new")

    assert set(kinds(repository)) == {"a", "ünï", "folder/new"}
    assert changes(repository).entries["ünï"].renamed_from == "a"


def test_all_paths_of_both_ends_of_renames_are_given(repository):
    repository.git("mv", "a", "moved")

    assert changes(repository).paths == {"a", "moved"}
    assert all(isinstance(each, Change) for each in changes(repository))
