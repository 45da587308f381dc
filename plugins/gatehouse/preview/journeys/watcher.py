"""Follows the browser of a journey: what its pages report, and where they lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from gatehouse.preview.journeys.findings import Journey, origin_of

if TYPE_CHECKING:
    from playwright.sync_api import (
        APIRequestContext,
        APIResponse,
        Browser,
        BrowserContext,
        BrowserType,
        ConsoleMessage,
        Frame,
        Page,
        Playwright,
        Request,
        Response,
        Route,
        WebError,
    )


class Watcher:
    """Watches every context that is made of the browsers it was given, for the test under way."""

    def __init__(self, own: Iterable[str], allowed: Iterable[str]) -> None:
        """`own` are the origins of the preview; pages may also be of the `allowed` ones."""
        self._own = frozenset(own)
        self._allowed = self._own | frozenset(allowed)
        self.journey = Journey()
        #: What requests carry: to the preview, or to everyone.
        self.headers: dict[str, str] = {}
        self.to_everyone = False
        #: What every context is made with unless its maker says otherwise.
        self.defaults: dict[str, Any] = {}
        #: What a new context starts with unless the test says otherwise, such as a storage state.
        self.context_args: dict[str, Any] = {}
        #: Where contexts write their HAR, one file each; None for none.
        self.har: Callable[[], Path] | None = None

    def begin(self, journey: Journey) -> None:
        """Another test, or another attempt of it, begins."""
        self.journey = journey
        self.context_args = {}

    def instrument(self, launch: Callable[[], Browser]) -> Browser:
        """A browser whose contexts are watched, whoever makes them, and which is launched anew when it has gone away.

        pytest-playwright has one browser for all tests: without that, all tests after a crash would fail.
        """
        browser = launch()
        if "new_context" in vars(browser):
            return browser  # watched already
        for context in browser.contexts:  # of one that was connected to
            self._watch(context)
        launched = _Launched(launch, browser)
        close = browser.close

        def watched_context(**arguments: Any) -> BrowserContext:
            arguments = self._with_ours(arguments)
            return self._watch(launched.make("new_context", arguments), arguments.get("base_url"))

        def watched_page(**arguments: Any) -> Page:
            arguments = self._with_ours(arguments)
            page: Page = launched.make("new_page", arguments)
            self._watch(page.context, arguments.get("base_url"))
            return page

        def close_all(**arguments: Any) -> None:
            launched.close_others()
            close(**arguments)

        browser.new_context = watched_context  # type: ignore[method-assign] # no hook of Playwright's comes before the test's own use
        browser.new_page = watched_page  # type: ignore[method-assign] # as above
        browser.close = close_all  # type: ignore[method-assign] # as above
        return browser

    def instrument_types(self, playwright: Playwright) -> None:
        """Have every browser watched that is launched or connected to, also by tests themselves."""
        for kind in (playwright.chromium, playwright.firefox, playwright.webkit):
            for name in ("launch", "connect", "connect_over_cdp"):
                setattr(kind, name, self._watched_launch(getattr(kind, name)))
            self._instrument_persistent(kind)

    def _watched_launch(self, launch: Callable[..., Browser]) -> Callable[..., Browser]:
        return lambda *words, **arguments: self.instrument(lambda: launch(*words, **arguments))

    def _instrument_persistent(self, kind: BrowserType) -> None:
        launch = kind.launch_persistent_context

        def watched(*words: Any, **arguments: Any) -> BrowserContext:
            arguments = self._with_ours(arguments)
            arguments.pop("storage_state", None)  # it has a folder of its own
            return self._watch(launch(*words, **arguments))

        kind.launch_persistent_context = watched  # type: ignore[method-assign] # as above

    def instrument_requests(self, playwright: Playwright) -> None:
        """Have requests that are made without a browser carry the headers, and be watched."""
        new_context = playwright.request.new_context

        def correlated(**arguments: Any) -> APIRequestContext:
            arguments = {**self.defaults, **arguments}
            return self._watch_requests(new_context(**arguments), arguments.get("base_url"))

        playwright.request.new_context = correlated  # type: ignore[method-assign] # as above

    def _with_ours(self, arguments: dict[str, Any]) -> dict[str, Any]:
        arguments = {**self.defaults, **self.context_args, **arguments}
        if self.headers and self.to_everyone:
            given = arguments.get("extra_http_headers") or {}
            arguments["extra_http_headers"] = {**self.headers, **given}
        if self.har and not arguments.get("record_har_path"):
            arguments |= {"record_har_path": self.har(), "record_har_content": "omit"}
        return arguments

    def _watch(self, context: BrowserContext, base_url: str | None = None) -> BrowserContext:
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("requestfailed", self._request_failed)
        context.on("response", self._response)
        context.on("page", self._watch_page)
        for page in context.pages:
            self._watch_page(page)
        if self.headers and not self.to_everyone:
            context.route(lambda url: origin_of(url) in self._own, self._correlate)
        self._watch_requests(context.request, base_url)
        return context

    def _watch_requests(self, requests: APIRequestContext, base_url: str | None) -> APIRequestContext:
        """Have requests that are made without a page carry the headers, and note who answers them: no route sees those.

        A test of another environment proves nothing.
        """
        for name in ("fetch", "get", "head", "post", "put", "patch", "delete"):
            setattr(requests, name, self._watched(getattr(requests, name), base_url or ""))
        return requests

    def _watched(self, ask: Callable[..., APIResponse], base_url: str) -> Callable[..., APIResponse]:
        def watched(url: str | Request, **arguments: Any) -> APIResponse:
            __tracebackhide__ = True
            address = urljoin(base_url, url) if isinstance(url, str) else url.url
            if self.headers and (self.to_everyone or origin_of(address) in self._own):
                given = arguments.get("headers") or ({} if isinstance(url, str) else url.headers)
                arguments["headers"] = {**self.headers, **given}
            answer = ask(url, **arguments)
            self.journey.add_page(answer.url, self._allowed)
            return answer

        return watched

    def _watch_page(self, page: Page) -> None:
        self.journey.add_page(page.url, self._allowed)  # a pop-up has been somewhere before it is made known
        page.on("framenavigated", self._navigated)
        page.on("crash", self._crashed)

    def _correlate(self, route: Route) -> None:
        route.fallback(headers={**self.headers, **route.request.headers})

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            url, line = message.location["url"], message.location["lineNumber"] + 1
            self.journey.add_console(message.type, message.text, f"{url}:{line}" if url else "")

    def _web_error(self, error: WebError) -> None:
        page = error.page
        self.journey.add_console("uncaught", str(error.error), page.url if page else "")

    def _request_failed(self, request: Request) -> None:
        self.journey.add_failure(request.method, request.url, request.failure or "no answer")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.journey.add_answer(response.request.method, response.url, response.status)

    def _navigated(self, frame: Frame) -> None:
        if frame.parent_frame is None:
            self.journey.add_page(frame.url, self._allowed)

    def _crashed(self, _page: Page) -> None:
        self.journey.crashed = True


class _Launched:
    """The browser in use, and those before it that went away."""

    def __init__(self, launch: Callable[[], Browser], browser: Browser) -> None:
        self._launch = launch
        self._first = browser
        self._use(browser)

    def make(self, what: str, arguments: dict[str, Any]) -> Any:
        """A new context or page, of a new browser if there is none any more."""
        from playwright.sync_api import Error

        if self._browser.is_connected():
            try:
                return self._makers[what](**arguments)
            except Error:
                if self._browser.is_connected():  # not known before it is asked for something
                    raise
        self._use(self._launch())
        return self._makers[what](**arguments)

    def _use(self, browser: Browser) -> None:
        self._browser = browser
        # As they are before they are replaced by those that watch.
        self._makers = {"new_context": browser.new_context, "new_page": browser.new_page}

    def close_others(self) -> None:
        """Close the browser in use if it is not the first one."""
        if self._browser is not self._first:
            self._browser.close()
