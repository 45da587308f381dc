"""Facts about a git checkout, asked of git itself."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.errors import NotInstalled, UsageError

#: Seconds any of these read-only git commands may take.
GIT_TIMEOUT = 60


@dataclass(frozen=True)
class Checkout:
    """A git work tree; `root` is its top folder."""

    root: Path

    @classmethod
    def find(cls, folder: Path) -> Checkout:
        """The checkout that `folder` is in.

        Raises `UsageError` when it is in none (or in a bare repository), `NotInstalled` without git.
        """
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder", next_step="name a folder inside a git checkout")
        code, output, error = _git(folder, "rev-parse", "--show-toplevel")
        if code != 0 or not output.strip():
            raise UsageError(
                f"{folder} is not inside a git checkout",
                seen=error.strip() or "a repository without a work tree",
                next_step="run it inside a checkout, or `git init` first; the file list comes from git",
            )
        return cls(Path(output.rstrip("\n")))

    def git(self, *arguments: str) -> str:
        """The output of a git command run at the root. Raises `UsageError` with git's words if it fails."""
        code, output, error = self.ask(*arguments)
        if code != 0:
            raise UsageError(
                f"git {' '.join(arguments)} failed with exit code {code}",
                seen=error.strip(),
                where=str(self.root),
                next_step="run the command by hand in that folder and repair what it says",
            )
        return output

    def ask(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """Exit code, output and error text of a git command run at the root, which may well fail.

        Names that are not UTF-8 keep their bytes as surrogates. Raises `UsageError` only when it does not end.
        """
        return _git(self.root, *arguments, stdin=stdin)

    def text_at(self, commit: str | None, path: str) -> str | None:
        """A file as it is in a commit; None where it is not, or where there is no commit."""
        if commit is None:
            return None
        code, text, _ = self.ask("show", f"{commit}:{path}")
        return text if code == 0 else None

    @property
    def head(self) -> str | None:
        """The full SHA of the commit checked out; None before the first commit."""
        code, output, _ = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return output.strip() if code == 0 else None

    @property
    def tree(self) -> str | None:
        """The full SHA of the tree of the commit checked out."""
        code, output, _ = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        return output.strip() if code == 0 else None

    @property
    def repository(self) -> str | None:
        """`owner/name` (or the longer path) from the URL of the remote `origin`; None without one."""
        code, output, _ = self.ask("remote", "get-url", "origin")
        return repository_name(output.strip()) if code == 0 else None

    def files(self) -> list[str]:
        """Tracked and untracked files that are there and not ignored, as paths below the root with `/`.

        Files inside submodules are not listed; names that are not UTF-8 keep their bytes as surrogates.
        """
        listing = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        names = [name for name in listing.split("\0") if name and not name.endswith("/")]
        return [name for name in names if os.path.lexists(self.root / name)]

    def status(self) -> list[str]:
        """What differs from the commit checked out, one porcelain entry each; empty means clean."""
        output = self.git("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
        return [entry for entry in output.split("\0") if entry]


def repository_name(url: str) -> str | None:
    """`owner/name` from a remote's URL in any of git's forms; None for a local path."""
    match = re.match(r"(?:[a-z+]+://(?:[^@/]*@)?[^/]+/|[^/@]+@[^:/]+:)(?P<path>.+?)(?:\.git)?/?$", url)
    return match["path"] if match else None


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=GIT_TIMEOUT,
            # No prompts, messages in English; git's own variables would point at another repository, and
            # replacements of objects, which anybody can make in a clone, would show another base than the real one.
            env={
                **{name: value for name, value in os.environ.items() if name not in _GIT_LOCATIONS},
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_NO_REPLACE_OBJECTS": "1",
                "LC_ALL": "C.UTF-8",
            },
        )
    except FileNotFoundError as error:
        raise NotInstalled(
            "git cannot be found on the PATH",
            next_step="install git (Debian and Ubuntu: apt-get install git)",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"git {' '.join(arguments)} took longer than {GIT_TIMEOUT} s",
            where=str(folder),
            next_step="look for a stuck file system or a lock in .git",
        ) from error
    return (
        done.returncode,
        done.stdout.decode(errors="surrogateescape"),
        done.stderr.decode(errors="replace"),
    )


_GIT_LOCATIONS = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"}
)
