import subprocess

import pytest

from gatehouse.embedded.code_host.repositories import GitError, Repository


@pytest.fixture
def repository(tmp_path):
    repository = Repository.create(tmp_path / "hosted", "acme/shop")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "price.txt").write_text("1\n")
    repository.commit_folder(tmp_path / "files", "Begin")
    return repository


def git(repository, *arguments):
    done = subprocess.run(
        ["git", "-C", repository.folder, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_branch_is_what_git_says_it_is_after_each_change(repository):
    before = repository.resolve("main")
    after = repository.commit_files("main", {"price.txt": "2\n"}, "Change the price")

    assert before != after
    assert repository.resolve("main") == repository.resolve("refs/heads/main") == after
    assert git(repository, "rev-parse", "main") == after


def test_a_branch_is_found_when_git_has_packed_it_and_not_when_it_is_deleted(repository):
    commit = repository.resolve("main")
    git(repository, "branch", "topic")
    git(repository, "pack-refs", "--all")
    assert repository.resolve("topic") == commit

    git(repository, "branch", "-D", "topic")
    with pytest.raises(GitError):
        repository.resolve("topic")


def test_a_file_is_read_as_it_is_at_a_commit_and_on_a_branch_as_it_is_now(repository):
    first = repository.resolve("main")
    assert (repository.read(first, "price.txt"), repository.read("main", "price.txt")) == ("1", "1")

    repository.commit_files("main", {"price.txt": "2\n"}, "Change the price")

    assert (repository.read(first, "price.txt"), repository.read("main", "price.txt")) == ("1", "2")
    assert repository.read_folder("main", ".") == {"price.txt": "2"}


def test_what_is_not_there_is_an_error_each_time(repository):
    commit = repository.resolve("main")

    for _ in range(2):
        with pytest.raises(GitError):
            repository.read(commit, "nothing.txt")


def test_a_commit_can_be_fetched_by_its_id_and_pushed(repository, tmp_path):
    commit = repository.resolve("main")

    assert git(repository, "config", "http.receivepack") == "true"
    assert git(repository, "config", "uploadpack.allowAnySHA1InWant") == "true"
    subprocess.run(["git", "init", "-q", tmp_path / "clone"], check=True)
    fetch = ["git", "-C", tmp_path / "clone", "fetch", "-q", repository.folder, commit]
    subprocess.run(fetch, check=True)
