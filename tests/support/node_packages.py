"""What the tests of Node packages share: files by class, and reports as runners leave them."""

import shutil
from pathlib import Path

import pytest

from tests.support.inner_checks import result

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="these run the real Node, which CI has")

TEST = {"p/test/a.test.js": ""}

SPLIT = {
    "p/__tests__/unit/a.test.ts": "",
    "p/__tests__/integration/b.test.ts": "",
    "p/__tests__/e2e/c.test.ts": "",
    "p/src/d.spec.ts": "",
}


def argv(check):
    """The arguments without those that name a report or a cache."""
    return [word for word in check.argv[1:] if "/cache/" not in word]


def report_of(check, option="--outputFile="):
    return Path(next(word for word in check.argv if option in word).split("=", 1)[1])


def with_report(made, name, text, option="--outputFile=", **how):
    check = made.checks[name]
    report_of(check, option).write_text(text.replace("{root}", str(made.root)))
    return result(check, **how)
