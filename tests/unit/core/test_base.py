import json

import pytest

from gatehouse.core.base import Base, find_base
from gatehouse.core.errors import UsageError
from tests.support.repositories import Repository


@pytest.fixture
def repository(tmp_path):
    """`main` with one commit; HEAD on `work`, one commit further."""
    repository = Repository(tmp_path / "r")
    repository.commit({"a": "1\n"})
    repository.git("checkout", "-q", "-b", "work")
    repository.commit({"b": "1\n"})
    return repository


def sha(repository, revision):
    return repository.git("rev-parse", revision)


def found(repository, option=None, **environment):
    return find_base(repository.checkout, option, environment)


def event(tmp_path, content):
    file = tmp_path / "event.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_the_option_comes_first(repository):
    base = found(repository, "HEAD", GATEHOUSE_BASE="main", GITHUB_BASE_REF="main")

    assert base == Base(sha(repository, "HEAD"), "--gate-base HEAD")


def test_the_variable_comes_before_what_ci_says(repository):
    assert found(repository, GATEHOUSE_BASE="main", GITHUB_BASE_REF="gone").source == "GATEHOUSE_BASE=main"


def test_the_merge_base_counts_and_not_the_tip(repository):
    forked = sha(repository, "main")
    repository.git("checkout", "-q", "main")
    repository.commit({"c": "1\n"})
    repository.git("checkout", "-q", "work")

    assert found(repository, "main").commit == forked


def test_an_option_that_names_nothing_is_refused_in_gits_words(repository):
    with pytest.raises(UsageError, match="names no commit") as caught:
        found(repository, "no-such-branch")

    assert "Needed a single revision" in caught.value.seen


@pytest.mark.parametrize("option", ["", "--output=/tmp/x", "-h"])
def test_an_option_that_git_would_take_for_a_flag_is_refused(repository, option):
    with pytest.raises(UsageError, match="names no commit"):
        found(repository, option)


def test_a_variable_that_names_nothing_means_no_base_and_says_why(repository):
    base = found(repository, GATEHOUSE_BASE="gone")

    assert base.commit is None
    assert "gone" in base.problem and "Needed a single revision" in base.problem


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GITHUB_BASE_REF", "main"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
    ],
)
def test_the_branch_that_ci_merges_into_is_the_one_at_origin(repository, variable, value):
    repository.git("update-ref", "refs/remotes/origin/main", "main")

    base = found(repository, **{variable: value})

    assert base == Base(sha(repository, "main"), variable)


def test_the_commit_that_gitlab_names_is_taken(repository):
    base = found(repository, CI_MERGE_REQUEST_DIFF_BASE_SHA=sha(repository, "main"))

    assert base.commit == sha(repository, "main")


@pytest.mark.parametrize("kind", ["pull_request", "merge_group"])
def test_the_base_in_the_event_of_a_pull_request_or_merge_queue_is_taken(repository, tmp_path, kind):
    main = sha(repository, "main")
    about = {"base": {"sha": main}} if kind == "pull_request" else {"base_sha": main}

    base = found(repository, GITHUB_EVENT_PATH=event(tmp_path, {kind: about}))

    assert base.commit == main and kind in base.source


def test_the_newer_of_branch_and_event_counts_because_others_merged_meanwhile(repository, tmp_path):
    old = sha(repository, "main")
    repository.git("checkout", "-q", "main")
    new = repository.commit({"theirs": "1\n"})
    repository.git("update-ref", "refs/remotes/origin/main", new)
    repository.git("checkout", "-q", "work")
    repository.git("merge", "-q", "--no-edit", "main")

    path = event(tmp_path, {"pull_request": {"base": {"sha": old}}})

    assert found(repository, GITHUB_BASE_REF="main", GITHUB_EVENT_PATH=path).commit == new


def test_a_push_to_the_default_branch_is_compared_with_where_it_was(repository, tmp_path):
    before = sha(repository, "main")
    pushed = {"ref": "refs/heads/main", "before": before, "repository": {"default_branch": "main"}}

    assert found(repository, GITHUB_EVENT_PATH=event(tmp_path, pushed)).commit == before


def test_a_push_to_another_branch_is_compared_with_main_because_it_is_pushed_in_parts(repository, tmp_path):
    repository.commit({"later": "1\n"})
    before = sha(repository, "HEAD~")
    pushed = {"ref": "refs/heads/work", "before": before, "repository": {"default_branch": "main"}}

    assert found(repository, GITHUB_EVENT_PATH=event(tmp_path, pushed)).commit == sha(repository, "main")


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "null",
        pytest.param("[" * 100_000, id="nested deeply"),
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_an_event_that_cannot_be_read_means_no_base_and_says_so(repository, tmp_path, content):
    file = tmp_path / "event.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    base = found(repository, GITHUB_EVENT_PATH=str(file))

    assert base.commit is None and "cannot be read" in base.problem


def test_the_commit_that_ci_names_not_being_fetched_means_no_base(repository, tmp_path):
    path = event(tmp_path, {"pull_request": {"base": {"sha": "1" * 40}}})

    base = found(repository, GITHUB_EVENT_PATH=path)

    assert base.commit is None and "1" * 40 in base.problem


def test_without_metadata_the_default_branch_of_origin_comes_before_main(repository):
    repository.git("update-ref", "refs/remotes/origin/trunk", "work~0")
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")

    assert found(repository) == Base(sha(repository, "work"), "origin/HEAD")


def test_a_dangling_default_branch_of_origin_is_passed_over(repository):
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")

    assert found(repository) == Base(sha(repository, "main"), "main")


def test_the_main_branch_itself_is_compared_with_its_own_commit(repository):
    repository.git("checkout", "-q", "main")

    assert found(repository).commit == sha(repository, "HEAD")


def test_commits_of_main_that_are_not_pushed_are_changes(repository):
    repository.git("checkout", "-q", "main")
    pushed = sha(repository, "HEAD")
    repository.git("update-ref", "refs/remotes/origin/main", pushed)
    repository.commit({"c": "1\n"})

    assert found(repository) == Base(pushed, "origin/main")


def test_a_ci_run_on_the_main_branch_without_metadata_has_no_base_so_that_everything_runs(repository):
    repository.git("checkout", "-q", "main")

    base = found(repository, CI="true")

    assert base.commit is None and "main branch" in base.problem


def test_a_detached_head_has_the_same_base(repository):
    repository.git("checkout", "-q", "--detach")

    assert found(repository).commit == sha(repository, "main")


def test_neither_origin_nor_main_nor_master_means_no_base(repository):
    repository.git("branch", "-q", "-D", "main")

    base = found(repository)

    assert base.commit is None and "no branch main or master" in base.problem


def test_before_the_first_commit_there_is_no_base(tmp_path):
    assert found(Repository(tmp_path / "r")) == Base(None, "none", "there is no commit yet")


def test_no_common_ancestor_means_no_base_even_for_an_option(repository):
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit({"z": "1\n"})

    base = found(repository, "main")

    assert base.commit is None and "no common ancestor" in base.problem


def test_a_shallow_history_without_the_merge_base_says_how_to_get_it(repository, tmp_path):
    repository.git("checkout", "-q", "main")
    repository.commit({"c": "1\n"})
    clone = Repository(tmp_path / "clone")
    clone.git("fetch", "-q", "--depth=1", repository.root.as_uri(), "main:refs/remotes/origin/main", "work")
    clone.git("checkout", "-q", "--detach", "FETCH_HEAD")
    clone.git(
        "checkout", "-q", "--detach", clone.git("ls-remote", repository.root.as_uri(), "work").split()[0]
    )

    base = found(clone)

    assert base.commit is None and "git fetch --unshallow" in base.problem


def test_a_replaced_object_does_not_change_what_the_base_is(repository):
    repository.git("checkout", "-q", "--orphan", "fake")
    fake = repository.commit({"z": "1\n"})
    repository.git("checkout", "-q", "work")
    repository.git("replace", sha(repository, "main"), fake)

    assert repository.checkout.git("ls-tree", "--name-only", found(repository).commit).split() == ["a"]
