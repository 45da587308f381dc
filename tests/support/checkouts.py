"""Git checkouts of other people, and the inner suite run in them as they would."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.forked import run_pytest

PYTHON = {
    "svc/pyproject.toml": "[project]\nname = 'svc'\nversion = '1'\n[tool.pytest.ini_options]\npythonpath = ['.']\n",
    "svc/svc.py": "def double(n):\n    return n * 2\n",
    "svc/test_svc.py": "from svc import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
}


def git(folder, *arguments):
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def make_checkout(root, files, base=None):
    """A git checkout of files with one commit on `main`."""
    shutil.copytree(base, root) if base else root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    write(root, files)
    commit(root)
    return root


def write(root, files):
    """Write files below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def commit(root):
    """Commit everything there is."""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "change")


def environment(root, more=None):
    """The environment of a run: passes of one test are none of the others', Go's compiled library may be."""
    return {
        **os.environ,
        "XDG_CACHE_HOME": str(root.parent / "cache"),
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
        **(more or {}),
    }


def inner(root, *arguments, cwd=None, env=None):
    """`pytest -m inner`; the digest of its evidence is in `digest`."""
    done = run_pytest(["-m", "inner", *arguments], cwd or root, environment(root, env), timeout=120)
    done.digest = {}
    path = root / "reports" / "latest" / "digest.json"
    if path.exists():
        done.digest = json.loads(path.read_text())
    return done
