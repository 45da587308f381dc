"""The web editor in a real browser: signed in to Coder by cookie, looked at until it can be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gatehouse.core.errors import NotInstalled

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

#: The cookie that Coder takes a session token in.
COOKIE = "coder_session_token"

#: Pixels of the window.
VIEWPORT = {"width": 1280, "height": 800}


@dataclass
class BrowserLook:
    """What a browser showed."""

    title: str = ""
    #: Whether what was waited for is there.
    usable: bool = False
    #: Console errors and uncaught exceptions of the app's own, and its requests that failed.
    errors: list[str] = field(default_factory=list)
    #: Text of the page, for those who read why it is not usable.
    text: str = ""
    screenshot: bytes = field(default=b"", repr=False)


def look_at(
    url: str, token: str, selector: str, timeout: float, *, private_authority: bool = False
) -> BrowserLook:
    """Open `url` as who has the token, and wait `timeout` seconds for `selector` to be visible.

    The token is sent as a cookie to the origin of `url` only. With `private_authority` no certificate is refused:
    browsers take no authorities from outside, and whoever asks has verified the server's by its own client.
    Raises `NotInstalled` where no browser starts.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        try:
            from gatehouse.preview.browser import launch_options

            browser = playwright.chromium.launch(**launch_options("chromium"))
        except Exception as error:  # Playwright raises a bare Exception when its driver does not start
            words = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
            raise NotInstalled(
                "no browser can be started here",
                seen=words,
                next_step="run `playwright install --with-deps chromium`, or `apt-get install chromium`",
            ) from error
        try:
            context = browser.new_context(viewport=VIEWPORT, ignore_https_errors=private_authority)  # type: ignore[arg-type] # a plain dictionary with these keys
            return _look(context, url, token, selector, timeout)
        finally:
            browser.close()


def _look(context: BrowserContext, url: str, token: str, selector: str, timeout: float) -> BrowserLook:
    from playwright.sync_api import Error

    address = urlsplit(url)
    origin = f"{address.scheme}://{address.netloc}"
    context.add_cookies([{"name": COOKIE, "value": token, "url": origin, "httpOnly": True}])
    page = context.new_page()
    look = BrowserLook()
    _listen(page, url, look)
    try:
        answer = page.goto(url, timeout=timeout * 1000, wait_until="domcontentloaded")
        if answer and answer.status >= 400:  # nothing will appear on it
            look.errors.append(f"the page answers {answer.status}")
        else:
            page.locator(selector).first.wait_for(state="visible", timeout=timeout * 1000)
            page.wait_for_load_state("load", timeout=timeout * 1000)
            look.usable = True
    except Error as error:
        look.errors.append(error.message.splitlines()[0])
    look.title, look.text = page.title(), _text(page)
    look.screenshot = page.screenshot()
    return look


def _listen(page: Page, url: str, look: BrowserLook) -> None:
    """Keep what the app itself complains of; what other origins do is not its own."""
    page.on(
        "console",
        lambda message: (
            look.errors.append(f"console: {message.text} ({message.location.get('url', '')})")
            if message.type == "error" and message.location.get("url", "").startswith(url)
            else None
        ),
    )
    page.on("pageerror", lambda error: look.errors.append(f"exception: {error.message}"))


def _text(page: Page) -> str:
    return " ".join(page.locator("body").inner_text().split())[:500]
