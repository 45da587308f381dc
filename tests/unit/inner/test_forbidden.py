import pytest

from gatehouse.core.base import Base
from gatehouse.core.checkout import Checkout
from gatehouse.core.inner_settings import ForbiddenSettings
from gatehouse.inner.forbidden import forbidden_check, listed
from tests.support.checkouts import commit, git, make_checkout, write

SETTINGS = ForbiddenSettings.model_validate(
    {
        "text": [{"pattern": "INTEGRATION_MODE", "reason": "tests know no modes any more"}],
        "paths": ["run_integration_tests.sh"],
        "allow_list": "allowed.txt",
    }
)


@pytest.fixture
def found(tmp_path):
    """What is found after files were changed, by rule and place."""

    def judge(before, after=None):
        root = make_checkout(tmp_path / "checkout", {"README.md": "", **before})
        head = Checkout(root).head
        write(root, after or {})
        commit(root) if after else None
        checkout = Checkout(root)
        (check,) = forbidden_check(checkout, Base(head, "main"), SETTINGS, checkout.files())
        return [(each.rule, each.path, each.line) for each in check.look().findings]

    return judge


def test_forbidden_text_is_found_with_its_line(found):
    assert found({"a.py": "x = 1\nif INTEGRATION_MODE:\n"}) == [("forbidden-text", "a.py", 2)]


def test_forbidden_files_are_found_at_any_depth(found):
    assert found({"svc/run_integration_tests.sh": "#!/bin/sh\n"}) == [
        ("forbidden-file", "svc/run_integration_tests.sh", None)
    ]


def test_known_places_are_allowed(found):
    assert found({"a.py": "INTEGRATION_MODE\n", "allowed.txt": "a.py  # until the move\n"}) == []


def test_the_list_may_not_grow(found):
    before = {"a.py": "INTEGRATION_MODE\n", "allowed.txt": "a.py\n"}

    assert found(before, {"b.py": "INTEGRATION_MODE\n", "allowed.txt": "a.py\nb.py\n"}) == [
        ("grown-allow-list", "allowed.txt", 2)
    ]


def test_an_entry_that_is_no_longer_needed_has_to_go(found):
    assert found({"a.py": "\n", "allowed.txt": "a.py\n"}) == [("stale-allow-list", "allowed.txt", 1)]


def test_pictures_links_and_broken_links_are_passed_over(tmp_path):
    root = make_checkout(tmp_path / "checkout", {"a.txt": ""})
    (root / "picture.png").write_bytes(b"\0INTEGRATION_MODE")
    (root / "link").symlink_to("nowhere")
    git(root, "add", "-A")
    (check,) = forbidden_check(Checkout(root), Base(None, ""), SETTINGS, Checkout(root).files())

    assert check.look().findings == ()


def test_without_anything_forbidden_there_is_no_check(tmp_path):
    assert forbidden_check(Checkout(tmp_path), Base(None, ""), ForbiddenSettings(), []) == []


def test_a_list_has_one_path_a_line_and_comments():
    assert listed("# why\na.py # because\n\n b/c.py\n") == {"a.py": 2, "b/c.py": 4}
