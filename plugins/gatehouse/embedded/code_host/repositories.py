"""Bare git repositories on disk, asked and changed through git itself.

Controllers ask many times a second, so what cannot change is asked of git once, and where a branch points to is
read from the file in which git keeps it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: Fixed, so that the sample repositories have the same commits on every machine and day.
AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada Example",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada Example",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-05T09:00:00+00:00",
    "GIT_COMMITTER_DATE": "2026-01-05T09:00:00+00:00",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}

#: Added to a new repository's configuration: pushes, and fetches of any commit that it has.
CONFIGURATION = "[http]\n\treceivepack = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n"

#: The variable by which the hook is told which refs the one who pushes may not change.
CLOSED = "CLOSED_REFS"

#: Runs for each ref of a push, and refuses protected branches in GitHub's words.
UPDATE_HOOK = f"""#!/bin/sh
case " ${CLOSED} " in *" $1 "*)
  echo "error: GH006: Protected branch update failed for $1." >&2
  echo "error: Changes must be made through a pull request." >&2
  exit 1
esac
"""

_FULL_ID = re.compile(r"[0-9a-f]{40}")

#: What git said about a commit by its id: the same wherever and whenever it is asked.
_said: dict[tuple[str, ...], str] = {}


class GitError(Exception):
    """What git said when it refused."""


def environment() -> dict[str, str]:
    """The environment for git: no user configuration, no variables that point at another repository."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, **AUTHOR, "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Repository:
    """A bare repository; `name` is `owner/name`."""

    name: str
    folder: Path

    @classmethod
    def create(cls, root: Path, name: str) -> Repository:
        """A new, empty repository under `root`."""
        folder = root / f"{name}.git"
        folder.mkdir(parents=True)
        repository = cls(name, folder)
        repository._git("init", "--quiet", "--bare", "--initial-branch=main")
        with (folder / "config").open("a") as configuration:
            configuration.write(CONFIGURATION)
        hook = folder / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(UPDATE_HOOK)
        hook.chmod(0o755)
        return repository

    def commit_folder(
        self, source: Path, message: str, *, branch: str = "main", base: str | None = None
    ) -> str:
        """Commit the files of `source` on top of `base` and point `branch` at it; returns the full SHA.

        Without a base the commit is the first. Files of the base that `source` does not have are kept.
        """
        with tempfile.TemporaryDirectory() as scratch:
            index = {
                "GIT_INDEX_FILE": str(Path(scratch) / "index"),
                "GIT_WORK_TREE": str(Path(scratch) / "tree"),
            }
            tree = Path(scratch) / "tree"
            tree.mkdir()
            if base:
                self._git("read-tree", base, extra=index)
                self._git("checkout-index", "--all", extra=index, cwd=tree)
            shutil.copytree(source, tree, dirs_exist_ok=True, symlinks=True, ignore=_generated)
            self._git("add", "--all", ".", extra=index, cwd=tree)
            tree_id = self._git("write-tree", extra=index)
        parents = ["-p", self.resolve(base)] if base else []
        commit = self._git("commit-tree", tree_id, *parents, "-m", message)
        self._git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def commit_edit(self, branch: str, path: str, old: str, new: str, message: str) -> str:
        """Commit one replacement of text on a branch; returns the full SHA. Raises `GitError` if it is not there."""
        text = self.read(branch, path)
        if old not in text:
            raise GitError(f"{path} at {branch} does not contain {old!r}")
        return self.commit_files(branch, {path: text.replace(old, new) + "\n"}, message)

    def commit_files(self, branch: str, files: dict[str, str], message: str) -> str:
        """Commit files with the text they are to have by path on a branch; returns the full SHA."""
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in files.items():
                file = Path(scratch) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return self.commit_folder(Path(scratch), message, branch=branch, base=branch)

    def resolve(self, revision: str) -> str:
        """The full SHA of a branch, tag or commit. Raises `GitError`."""
        branch = self.folder / "refs" / "heads" / revision.removeprefix("refs/heads/")
        try:
            found = branch.read_text().strip()
        except OSError:  # it is no branch, or packed
            found = ""
        if _FULL_ID.fullmatch(found):
            return found
        return self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")

    def branches(self) -> dict[str, str]:
        """Branch names and their commits."""
        listing = self._git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
        return dict(line.rsplit(" ", 1) for line in listing.splitlines())

    def changed_files(self, base: str, head: str) -> list[str]:
        """Paths that differ between the merge base of two revisions and `head`."""
        return self._git("diff", "--name-only", f"{base}...{head}").splitlines()

    def folders_with(self, revision: str, file_name: str) -> list[str]:
        """Folders of a commit that hold a file of this name."""
        files = self._look(revision, "ls-tree", "-r", "--name-only", revision).splitlines()
        return [str(Path(file).parent) for file in files if Path(file).name == file_name]

    def read(self, revision: str, path: str) -> str:
        """A file's text at a commit. Raises `GitError`."""
        return self._look(revision, "show", f"{revision}:{path}")

    def read_folder(self, revision: str, path: str) -> dict[str, str]:
        """The text files directly in a folder at a commit, by name. Raises `GitError` if there is no folder."""
        folder = f"{revision}:{path}" if path not in ("", ".") else revision
        listing = self._look(revision, "ls-tree", "--name-only", folder)
        prefix = "" if path in ("", ".") else f"{path}/"
        return {name: self.read(revision, prefix + name) for name in listing.splitlines() if "." in name}

    async def unpack(self, revision: str, path: str, into: Path) -> None:
        """Write the files below `path` at a commit into a folder."""
        into.mkdir(parents=True, exist_ok=True)
        archive = await asyncio.create_subprocess_exec(
            "git", "archive", f"{revision}:{path}",
            cwd=self.folder, env=environment(), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        data, _ = await archive.communicate()
        extract = await asyncio.create_subprocess_exec(
            "tar", "-x", "-C", str(into), stdin=asyncio.subprocess.PIPE
        )
        await extract.communicate(data)

    def _look(self, revision: str, *arguments: str) -> str:
        """What git says about a revision; about a commit named by its id, only once."""
        if not _FULL_ID.fullmatch(revision):
            return self._git(*arguments)
        if arguments not in _said:
            _said[arguments] = self._git(*arguments)
        return _said[arguments]

    def _git(self, *arguments: str, extra: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.folder,
            env={**environment(), "GIT_DIR": str(self.folder), **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise GitError(done.stderr.strip() or f"git {arguments[0]}: exit code {done.returncode}")
        return done.stdout.strip()


def _generated(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "node_modules", ".pytest_cache")}
