"""What is in the image of workspaces: a mark that it is the one that is meant, and a tool to be signed in with."""

from __future__ import annotations

from pathlib import Path

#: Only in the image of the dev container, not in the one that the builder falls back to.
MARKER = ".devcontainer-image"

#: As GitHub's command-line tool says whether somebody is signed in; it looks for the file that signing in writes.
_GH = """#!/bin/sh
[ "$1 $2" = "auth status" ] || { echo "unknown command \\"$1\\" for \\"gh\\"" >&2; exit 1; }
if [ -f "$HOME/.config/gh/hosts.yml" ]; then
  echo "github.com: Logged in to github.com account gatehouse ($HOME/.config/gh/hosts.yml)"
else
  echo "You are not logged into any GitHub hosts. To log in, run: gh auth login" >&2
  exit 1
fi
"""


async def unpack_tools(folder: Path) -> None:
    """Put the tools into a container's home folder."""
    program = folder / "bin" / "gh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(_GH)
    program.chmod(0o755)


async def unpack_image(folder: Path) -> None:
    """Put tools and mark into a container's home folder."""
    await unpack_tools(folder)
    (folder / MARKER).write_text("devcontainers/base:1\n")
