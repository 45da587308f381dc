"""Git repositories made for one test."""

import os
import subprocess
from pathlib import Path

from gatehouse.core.checkout import Checkout

IDENTITY = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"]


class Repository:
    """A repository in a folder, with `main` as its branch; `git` runs git in it and gives what it prints."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *arguments)

    @property
    def checkout(self) -> Checkout:
        return Checkout.find(self.root)

    def git(self, *arguments: str, check: bool = True, **environment: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *IDENTITY, *arguments],
            check=check,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, path: str, content: str | bytes = "x\n") -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return place

    def commit(self, files: dict[str, str | bytes] | None = None, message: str = "change") -> str:
        """Write files, commit all there is, and give the commit."""
        for path, content in (files or {}).items():
            self.write(path, content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
