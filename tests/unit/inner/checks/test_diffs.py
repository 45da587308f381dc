"""Where a file would first change, by the diffs of formatters."""

import pytest

from gatehouse.inner.checks.diffs import unformatted
from gatehouse.inner.model import Blame, Check, Package, Phase

HUNK = "@@ -3,4 +3,4 @@\n same\n-x=1\n+x = 1\n same\n"


@pytest.fixture
def read(tmp_path):
    check = Check(Package(tmp_path, "p", "p/x", "x"), "x", Phase.CONTRACT, Blame.FORMAT)
    return lambda diff: [str(each) for each in unformatted(check, diff, "is not formatted")]


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("diff a.go.orig a.go\n--- a.go.orig\n+++ a.go\n", "p/a.go"),
        ("--- a.py\t2026-11-21 10:00:00+00:00\n+++ a.py\t2026-11-21 10:00:01+00:00\n", "p/a.py"),
        ("main.tf\n--- old/main.tf\n+++ new/main.tf\n", "p/main.tf"),
        ("--- new/a.py\n+++ new/a.py\n", "p/new/a.py"),
        ("--- a b.py\r\n+++ a b.py\r\n", "p/a b.py"),
    ],
)
def test_a_file_is_named_as_it_is_now_and_by_its_first_change(read, header, path):
    assert read(header + HUNK) == [f"{path}:4: format: is not formatted"]


def test_each_file_is_named_once(read):
    twice = f"--- a.py\n+++ a.py\n{HUNK}{HUNK.replace('3,4', '30,4')}"

    assert read(twice + f"--- b.py\n+++ b.py\n{HUNK}") == [
        "p/a.py:4: format: is not formatted",
        "p/b.py:4: format: is not formatted",
    ]


def test_a_line_that_looks_like_half_a_header_is_a_line_of_the_file(read):
    hunk = "@@ -1,3 +1,2 @@\n select 1;\n--- a comment of SQL\n select 2;\n"

    assert read(f"--- a.sql\n+++ a.sql\n{hunk}") == ["p/a.sql:2: format: is not formatted"]


def test_a_line_that_is_added_before_all_others_is_the_first(read):
    assert read("--- a.py\n+++ a.py\n@@ -0,0 +1 @@\n+x = 1\n") == ["p/a.py:1: format: is not formatted"]


def test_what_is_no_diff_says_nothing(read):
    assert read("") == read("2 files would be reformatted\n") == []
