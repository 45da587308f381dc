"""What goes wrong with the browser itself, and what a journey's browser must not do."""

import shutil
import sys
import time

import pytest

from gatehouse.core.errors import NotInstalled
from gatehouse.preview import browser
from tests.platform.journeys import Journeys, command_lines, program

OPENS = """
def test_the_site_opens(page, preview):
    page.goto(preview.base_url)
"""


@pytest.fixture
def journeys(tmp_path, platform):
    """Runs a suite of this text on the happy platform."""
    return lambda tests, **settings: Journeys(tmp_path, platform, tests, **settings)


# --- no browser ------------------------------------------------------------------------------------------

PRINTS = "#!/bin/sh\necho 'Chromium 12.0.1'\nexit 0\n"
LACKS = (
    '#!/bin/sh\necho "$0: error while loading shared libraries: libnss3.so: cannot open shared object file" >&2\n'
    "exit 127\n"
)
SANDBOX = (
    "#!/bin/sh\necho '[1:1:FATAL:zygote_host_impl_linux.cc(132)] No usable sandbox! If you are running on Ubuntu 23.10+"
    " see https://chromium.googlesource.com' >&2\nkill -TRAP $$\n"
)


HANGS = "#!/bin/sh\nexec sleep 1000\n"
TOO_OLD = f"""#!{sys.executable}
import json, os
buffer = b""
while chunk := os.read(3, 65536):
    *messages, buffer = (buffer + chunk).split(b"\\0")
    for message in map(json.loads, messages):
        error = {{"code": -32601, "message": f"'{{message['method']}}' wasn't found"}}
        os.write(4, json.dumps({{"id": message["id"], "error": error}}).encode() + b"\\0")
"""


@pytest.mark.parametrize(
    ("text", "words", "next_step"),
    [
        (PRINTS, "Chromium 12.0.1; it ended with 0", "set GATEHOUSE_BROWSER"),
        (LACKS, "libnss3.so", "playwright install-deps"),
        (SANDBOX, "No usable sandbox!", "let this machine have user namespaces"),
        (HANGS, "Timeout 1000ms exceeded.", "not much older than this Playwright"),
        (TOO_OLD, "Timeout 1000ms exceeded.", "not much older than this Playwright"),
    ],
    ids=["another program", "library missing", "sandbox", "hangs", "too old"],
)
def test_what_is_no_browser_that_can_be_driven_says_why_itself(tmp_path, monkeypatch, text, words, next_step):
    path = program(tmp_path / "browser", text)
    monkeypatch.setattr(browser, "LAUNCH_TIMEOUT", 1)
    monkeypatch.setenv("GATEHOUSE_BROWSER", str(path))
    began = time.monotonic()

    with pytest.raises(NotInstalled, match="the browser for the preview suite cannot be started") as caught:
        browser.require_browser()

    assert time.monotonic() - began < 30
    assert words in caught.value.seen
    assert next_step in caught.value.next_step
    assert caught.value.expected == str(path)
    assert not [each for each in command_lines() if str(path).encode() in each]


def test_a_browser_that_is_named_and_not_there_is_not_installed(monkeypatch):
    monkeypatch.setenv("GATEHOUSE_BROWSER", "/nowhere/chromium")

    with pytest.raises(NotInstalled, match="the browser for the preview suite is not installed") as caught:
        browser.require_browser()

    assert (caught.value.expected, "set GATEHOUSE_BROWSER" in caught.value.next_step) == (
        "/nowhere/chromium",
        True,
    )


@pytest.mark.parametrize(
    ("arguments", "words", "next_step"),
    [
        ((), "Executable doesn't exist at", "playwright install --with-deps chromium"),
        (
            ("--browser", "firefox"),
            "Executable doesn't exist at",
            "playwright install --with-deps firefox",
        ),
        (
            ("--browser-channel", "chrome"),
            "'chrome' is not found",
            "playwright install --with-deps chrome",
        ),
    ],
    ids=["none", "other engine", "channel"],
)
def test_without_a_browser_nothing_is_waited_for_and_the_remedy_is_named(
    journeys, tmp_path, arguments, words, next_step
):
    suite = journeys(OPENS)
    suite.environment |= {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none")}
    suite.environment["PATH"] = str(path_without_a_browser(tmp_path))

    ran = suite.run(*arguments)

    assert ran.exit_code == 4, ran.output
    (problem,) = ran.results.problems
    assert problem.summary == "the browser for the preview suite is not installed"
    assert problem.failure_class == "environment"
    assert problem.summary in ran.output
    assert words in problem.details
    assert next_step in problem.next_step
    assert "deployment_proof" not in [each["event"] for each in ran.events]


def path_without_a_browser(folder):
    """A folder with the programs that a run needs, and no Chromium."""
    found = folder / "bin"
    found.mkdir()
    for name in ("git", "sh", "env", "uname"):
        (found / name).symlink_to(shutil.which(name))
    return found


# --- a browser that goes away, and pages that are watched ------------------------------------------------

WATCHED = """
def test_the_browser_is_killed_in_the_middle(page, browser, preview):
    page.goto(preview.base_url)
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(each["id"] for each in processes if each["type"] == "browser"), signal.SIGKILL)
    page.get_by_text("never").wait_for(timeout=10_000)


def test_after_that_a_page_opens(page, preview):
    assert page.goto(preview.base_url).ok


def test_after_that_a_context_of_the_tests_own_opens(browser, preview):
    with browser.new_context() as context:
        assert context.new_page().goto(preview.base_url).ok


def test_the_page_crashes(page, preview):
    page.goto(preview.base_url)
    page.goto("chrome://crash", timeout=10_000)


def test_after_a_crashed_page_another_opens(page, preview):
    assert page.goto(preview.base_url).ok


def test_a_context_of_the_tests_own_is_watched(browser, preview):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(preview.base_url + "/missing")
        page.evaluate("console.error('planted error')")
    assert False, "to see what was found"


def test_a_page_of_the_browsers_own_is_watched(browser, preview):
    page = browser.new_page()
    page.goto(preview.base_url)
    page.evaluate("setTimeout(() => { throw new Error('planted throw') })")
    page.wait_for_function("() => new Promise(done => setTimeout(() => done(true)))")
    page.close()
    assert False, "to see what was found"


def test_a_page_elsewhere_is_opened(page):
    assert page.goto(os.environ["ELSEWHERE"]).ok


@pytest.mark.xfail(reason="the price is wrong")
def test_that_is_known_to_fail_is_elsewhere(page):
    page.goto(os.environ["ELSEWHERE"])
    assert False


def test_a_pop_up_elsewhere_is_opened(page, preview):
    page.goto(preview.base_url)
    with page.expect_popup() as popup:
        page.evaluate("url => { window.open(url) }", os.environ["ELSEWHERE"])
    popup.value.wait_for_load_state()
    assert True


def test_a_test_that_gives_up_elsewhere(page):
    page.goto(os.environ["ELSEWHERE"])
    pytest.fail("it looks wrong")


def test_another_environment_is_asked_beside_the_page(page):
    assert page.request.get(os.environ["ELSEWHERE"]).ok


def test_another_environment_is_asked_without_a_page(playwright):
    requests = playwright.request.new_context(base_url=os.environ["ELSEWHERE"])
    assert requests.fetch("/").ok
    requests.dispose()


def test_a_browser_of_the_tests_own_is_elsewhere(browser_type, browser_type_launch_args):
    with browser_type.launch(**browser_type_launch_args) as browser:
        assert browser.new_page().goto(os.environ["ELSEWHERE"]).ok


def test_a_browser_with_a_folder_of_its_own_is_elsewhere(browser_type, browser_type_launch_args, tmp_path):
    with browser_type.launch_persistent_context(tmp_path, **browser_type_launch_args) as context:
        assert context.pages[0].goto(os.environ["ELSEWHERE"]).ok


def test_two_things_of_one_name(page, preview):
    page.goto(preview.urls["www"])
    page.get_by_role("listitem").click(timeout=2000)


def test_text_about_a_certificate_does_not_come(page, preview):
    page.goto(preview.base_url)
    page.get_by_text("certificate crashed ERR_CERT_ENOSPC").click(timeout=300)


def test_a_certificate_that_nobody_trusts(page, preview):
    page.goto(preview.base_url)
    page.goto(os.environ["UNTRUSTED"])


@pytest.mark.persona
def test_a_mark_without_a_name(page):
    pass
"""


def test_a_browser_that_goes_away_takes_one_test_with_it_and_pages_are_watched_whoever_opens_them(
    journeys, platform
):
    suite = journeys(WATCHED)
    suite.environment |= {"ELSEWHERE": platform.urls.code_host, "UNTRUSTED": platform.urls.kubernetes}

    ran = suite.run()

    assert ran.classes == {
        "test_the_browser_is_killed_in_the_middle": "infrastructure",
        "test_after_that_a_page_opens": "passed",
        "test_after_that_a_context_of_the_tests_own_opens": "passed",
        "test_the_page_crashes": "infrastructure",
        "test_after_a_crashed_page_another_opens": "passed",
        "test_a_context_of_the_tests_own_is_watched": "product",
        "test_a_page_of_the_browsers_own_is_watched": "product",
        "test_a_page_elsewhere_is_opened": "untrusted",
        "test_that_is_known_to_fail_is_elsewhere": "untrusted",
        "test_a_pop_up_elsewhere_is_opened": "untrusted",
        "test_a_test_that_gives_up_elsewhere": "untrusted",
        "test_another_environment_is_asked_beside_the_page": "untrusted",
        "test_another_environment_is_asked_without_a_page": "untrusted",
        "test_a_browser_of_the_tests_own_is_elsewhere": "untrusted",
        "test_a_browser_with_a_folder_of_its_own_is_elsewhere": "untrusted",
        "test_two_things_of_one_name": "product",
        "test_text_about_a_certificate_does_not_come": "product",
        "test_a_certificate_that_nobody_trusts": "environment",
        "test_a_mark_without_a_name": "environment",
    }, ran.output
    killed, crashed = (
        ran.test(name) for name in ("test_the_browser_is_killed_in_the_middle", "test_the_page_crashes")
    )
    assert killed.failure.summary.startswith(
        "Locator.wait_for: Target page, context or browser has been closed"
    )
    assert "the browser went away" in killed.failure.next_step
    assert "(the page crashed)" in crashed.failure.summary
    assert "the browser went away" in crashed.failure.next_step
    own = ran.test("test_a_context_of_the_tests_own_is_watched").report
    assert "planted error" in own
    assert "/missing: 404" in own
    assert "console errors: planted throw" in ran.test("test_a_page_of_the_browsers_own_is_watched").report
    for name in ("page_elsewhere_is_opened", "pop_up_elsewhere_is_opened", "test_that_gives_up_elsewhere"):
        failure = ran.test(f"test_a_{name}").failure
        assert failure.summary == f"the test left the preview for {platform.urls.code_host}"
        assert "preview.other_origins" in failure.next_step
    waited = ran.test("test_text_about_a_certificate_does_not_come").failure
    assert waited.summary == (
        'Locator.click: Timeout 300ms exceeded: get_by_text("certificate crashed ERR_CERT_ENOSPC")'
    )
    assert "preview.tls.ca_file" in ran.test("test_a_certificate_that_nobody_trusts").failure.next_step
    assert '@pytest.mark.persona("NAME")' in ran.test("test_a_mark_without_a_name").failure.summary
    assert "pytest_playwright.py" not in ran.output
