"""A Node package with its scripts, installed tools and files."""

import json

import pytest

from tests.support.inner_checks import Checkout


@pytest.fixture
def checkout(tmp_path):
    """A package `p` with these scripts, installed tools and other files; `more` are keys of its manifest."""

    def make(scripts=None, *, installed=(), files=None, tools=("node", "npm"), **more):
        manifest = {"name": "p", "scripts": scripts or {}, **more}
        made = Checkout(tmp_path, {"p/package.json": json.dumps(manifest), **(files or {})}, tools)
        for tool in installed:
            path = made.root / "p/node_modules/.bin" / tool
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o755)
        return made

    return make
