"""What journeys are written with, in a real browser: fixtures of `fixtures/` and of the preview suite."""

import json
import shlex
from pathlib import Path

import pytest

from tests.platform.test_preview_suite import Suite
from tests.platform.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]

CONFTEST = (
    'pytest_plugins = ["fixtures.accessibility", "fixtures.carts", "fixtures.load_time", "fixtures.orders"]\n'
)

FAILING = """
import pytest

PAGE = '<html lang="en"><title>Shop</title><main><h1>Shop</h1><img src="data:,"></main>'

@pytest.fixture
def load_budgets():
    return {"load": 0}

def test_accessibility(page, accessibility):
    page.set_content(PAGE)
    accessibility.check(page)

def test_excluded(page, accessibility):
    page.set_content(PAGE)
    accessibility.check(page, excluded={"image-alt": "nobody has words for our lamps"})

def test_excluded_without_reason(page, accessibility):
    accessibility.check(page, excluded={"image-alt": " "})

def test_load_time(page, preview, load_budget):
    page.goto(preview.urls["www"])
    load_budget.check(page)

def test_order(orders, order):
    assert orders.listed() == [order]
    raise ValueError("the test failed")
"""

BOXES = """
import pathlib

def test_box(page, assert_snapshot):
    page.set_content(pathlib.Path("page.html").read_text())
    assert_snapshot(page.get_by_role("img"), "box")

def test_another(page, assert_snapshot):
    page.set_content(pathlib.Path("page.html").read_text())
    assert_snapshot(page.get_by_role("img"), "another")
"""

#: Each looks into its cart once the other one's worker has come so far as to want it, too.
SHARED_CART = """
import time
import pytest

@pytest.fixture(autouse=True)
def begun(number, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp().parent
    (folder / f"begun-{number}").touch()
    return [folder / "begun-1", folder / "begun-2"]

@pytest.mark.persona("owner")
@pytest.mark.parametrize("number", [1, 2])
def test_cart(begun, cart, preview, number):
    preview.request("POST", "platform", "/cart/add/lamp", persona="owner")
    while not all(each.exists() for each in begun):
        time.sleep(0.05)
    time.sleep(0.5)
    assert cart.contents()["items"] == {"lamp": 1}
"""


#: What failures leave is other tests' business, and takes time.
QUICK = ("--tracing=off", "--video=off", "--screenshot=off")


def write_suite(folder, platform, tests):
    (folder / "suites" / "preview").mkdir(parents=True)
    (folder / "suites" / "preview" / "test_a.py").write_text(tests)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    suite = Suite(folder, platform)
    suite.environment.pop("CI", None)
    suite.environment["PYTHONPATH"] = f"{ROOT}:{suite.environment.get('PYTHONPATH', '')}"
    return suite


def attached(suite, name):
    return sorted(each.name.split("-", 2)[2] for each in (suite.bundle / "attachments").glob(f"main-*{name}"))


@pytest.fixture(scope="module")
def failing(tmp_path_factory, platform):
    """A suite of which all tests but one have failed, and what it printed."""
    suite = write_suite(tmp_path_factory.mktemp("failing"), platform, FAILING)
    suite.code, suite.output = suite.run(*QUICK)
    return suite


def test_violations_of_accessibility_are_said_in_words(failing):
    for words in (
        "image-alt (critical): Images must have alternative text",
        '  at img: <img src="data:,">',
        "Element does not have an alt attribute",
        "help: https://dequeuniversity.com/rules/axe/",
    ):
        assert words in failing.output


def test_all_that_axe_found_is_in_the_bundle(failing):
    results = [
        json.loads(path.read_text()) for path in (failing.bundle / "attachments").glob("*y-of-Shop.json")
    ]

    assert [each["violations"][0]["id"] for each in results] == ["image-alt"] * 2
    assert {"image-alt": "nobody has words for our lamps"} in [each["excluded"] for each in results]


def test_a_rule_is_excluded_with_a_reason_only(failing):
    assert "4 failed, 1 passed" in failing.output
    assert "the rule image-alt is excluded without a reason" in failing.output


def test_a_page_over_its_budget_says_which_part_took_how_long(failing):
    assert "/ is too slow: load after " in failing.output
    assert "waiting for the server " in failing.output
    assert attached(failing, "load-time-of-Shop.json")


def test_an_order_is_removed_though_its_test_failed(failing):
    assert "the test failed" in failing.output
    with Visitor(failing.platform) as visitor:
        visitor.sign_in("olga")
        notes = [each["note"] for each in visitor.open("/api/orders").json()["orders"]]
    assert not [each for each in notes if "test_a.py::test_order" in each]


def test_snapshots_are_made_on_request_and_show_what_has_changed(tmp_path, platform):
    suite = write_suite(tmp_path, platform, BOXES)
    page = suite.folder / "page.html"
    page.write_text('<div role="img" style="width: 40px; height: 20px; background: green"></div>')

    code, output = suite.run(*QUICK, "--gate-update-snapshots", "-k", "box")
    assert (code, "1 skipped" in output) == (5, True)
    (made,) = (suite.folder / "fixtures" / "snapshots").rglob("*.png")
    assert made.parent.name.startswith("chromium-")
    assert f"written: {made.relative_to(suite.folder)}; look at what has changed" in output

    page.write_text(page.read_text().replace("height: 20px", "height: 16px"))
    code, output = suite.run(*QUICK)
    assert (code, "2 failed" in output) == (1, True)
    assert "box does not look as it did: 160 of 800 pixels are different, and it is 40 by 16" in output
    pictures = ["another-actual.png", "box-actual.png", "box-difference.png", "box-expected.png"]
    assert attached(suite, ".png") == pictures
    command = ["pytest", "-m", "preview", "--gate-update-snapshots"]
    test = "suites/preview/test_a.py::test_another[chromium]"
    assert f"make it, look at it, and commit it: {shlex.join([*command, test])}" in output
    assert not made.with_name("another.png").exists()


def test_snapshots_are_not_made_in_ci(tmp_path, platform):
    suite = write_suite(tmp_path, platform, BOXES)
    suite.environment["CI"] = "true"

    code, output = suite.run("--gate-update-snapshots")

    assert (code, "--gate-update-snapshots was given in CI" in output) == (4, True)


def test_two_workers_do_not_share_a_cart(tmp_path, platform):
    code, output = write_suite(tmp_path, platform, SHARED_CART).run("-n", "2")

    assert code == 0, output
