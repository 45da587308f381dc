"""Visits pages as a browser does, without one: cookies, redirects, forms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import ProductFailure, UnexpectedAnswer, Unreachable, WaitTimeout, WrongSubject
from gatehouse.preview.journeys.findings import is_foreign, origin_of
from gatehouse.preview.route import Route

#: Redirects that are followed in a row, as many as browsers follow.
REDIRECTS = 20


@dataclass(frozen=True)
class Page:
    """The page that a visit ended at."""

    url: str
    status: int
    body: str

    @property
    def place(self) -> str:
        """Its address without the query, which can hold what gives access."""
        return _plain(self.url)

    @property
    def path(self) -> str:
        """The path of its address."""
        return httpx.URL(self.url).path

    @property
    def text(self) -> str:
        """What it says, without markup and scripts, on one line."""
        parser = _Words()
        parser.feed(self.body)
        return " ".join(" ".join(parser.words).split())

    @property
    def words(self) -> str:
        """The beginning of what it says."""
        return self.text[:200]

    def form(self, field_name: str) -> Form | None:
        """The form with a field of that name; None if there is none."""
        parser = _Forms()
        parser.feed(self.body)
        return next((each for each in parser.forms if field_name in each.fields), None)


@dataclass
class Form:
    """A form: where it is sent, how, and the values it begins with.

    It is sent with its first button, as by the Enter key; a button can say where it is sent in the form's place.
    """

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    has_button: bool = False


class Visitor:
    """One who visits: keeps cookies, follows redirects within the origins that are allowed."""

    def __init__(self, route: Route, allowed: Collection[str], deadline: Deadline) -> None:
        self._route = route
        self._allowed = allowed
        self._deadline = deadline
        #: A cookie without a domain goes back to its own host only, as browsers have it.
        policy = DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
        self.cookies = httpx.Cookies(CookieJar(policy))
        self._hosts: set[str] = set()

    def get(self, url: str) -> Page:
        """The page that an address leads to.

        Raises `WrongSubject` where it leads to another origin than those allowed, `ProductFailure` where it leads in
        a circle, `Unreachable` without an answer, and `WaitTimeout`.
        """
        return self._visit("GET", url, None)

    def post(self, url: str, data: Mapping[str, str]) -> Page:
        """Likewise for a form that is sent."""
        return self._visit("POST", url, data)

    def submit(self, page: Page, form: Form, values: Mapping[str, str]) -> Page:
        """Fill in a form of a page and send it."""
        url, filled = _joined(page.url, form.action or page.url), {**form.fields, **values}
        if form.method == "post":
            return self.post(url, filled)
        return self.get(f"{url.partition('#')[0].partition('?')[0]}?{urlencode(filled)}")

    def storage_state(self) -> dict[str, Any]:
        """The cookies as Playwright's storage state: https://playwright.dev/docs/auth."""
        return {"cookies": [self._for_browsers(each) for each in self.cookies.jar], "origins": []}

    def _for_browsers(self, cookie: Cookie) -> dict[str, Any]:
        attributes = {name.lower(): value for name, value in vars(cookie).get("_rest", {}).items()}
        same_site = str(attributes.get("samesite") or "Lax").capitalize()
        accepted = ("Strict", "Lax", "None") if cookie.secure else ("Strict", "Lax")
        plain = cookie.domain.removesuffix(".local")  # which Python adds to hosts without a dot
        return {
            "name": cookie.name,
            "value": cookie.value or "",
            "domain": plain if plain in self._hosts and "." not in plain else cookie.domain,
            "path": cookie.path,
            "expires": -1 if cookie.expires is None else cookie.expires,
            "httpOnly": "httponly" in attributes,
            "secure": cookie.secure,
            "sameSite": same_site if same_site in accepted else "Lax",
        }

    def _visit(self, method: str, url: str, data: Mapping[str, str] | None) -> Page:
        visited: list[str] = []
        while True:
            self._require_allowed(url, visited)
            response = self._ask(method, url, data)
            visited.append(url)
            if not response.has_redirect_location:
                return Page(url, response.status_code, response.text)
            if len(visited) > REDIRECTS:
                raise ProductFailure(
                    f"redirects lead in a circle by {_plain(visited[-1])}",
                    expected="a page",
                    seen=" → ".join(map(_plain, visited[-3:])),
                    next_step="look at where the product redirects one who has not signed in, or whose login failed",
                )
            url = _joined(url, response.headers["location"])
            if response.status_code in (301, 302, 303):
                method, data = "GET", None

    def _require_allowed(self, url: str, visited: list[str]) -> None:
        if is_foreign(url, self._allowed):
            raise WrongSubject(
                f"the login leaves the preview: it leads to {origin_of(url)}",
                expected=f"pages of {', '.join(sorted(self._allowed))}",
                seen=" → ".join(map(_plain, [*visited[-2:], url])),
                next_step="let the login come back to the preview; the identity provider's origin is named in "
                "preview.sign_in.identity_origins",
            )

    def _ask(self, method: str, url: str, data: Mapping[str, str] | None) -> httpx.Response:
        if self._deadline.expired:
            raise WaitTimeout(
                f"the login took longer than {self._deadline.elapsed:.0f} s",
                seen=f"it was to ask for {url} next",
                next_step="look at why it is slow, or raise preview.sign_in.timeout_seconds",
            )
        try:
            request = httpx.Request(method, url, data=data, headers={"Accept": "text/html,application/json"})
            self._hosts.add(request.url.host)
            self.cookies.set_cookie_header(request)
            response = self._route.send(request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Unreachable(
                f"{url} did not answer: {type(error).__name__}: {error}",
                next_step="look at whether this host answers here; preview.addresses can name its address",
            ) from error
        self.cookies.extract_cookies(response)
        return response


def _plain(url: str) -> str:
    """An address without its query, which can hold what gives access."""
    return url.partition("?")[0]


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError as error:
        raise UnexpectedAnswer(f"{base} leads to {url!r}, which is no address", seen=str(error)) from error


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        #: The name of the list or the text that is open.
        self._named = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is None or "disabled" in values:
            return
        elif tag in ("input", "button"):
            self._control(
                self._open, values, values.get("type", "text" if tag == "input" else "submit").lower()
            )
        elif tag in ("select", "textarea"):
            self._named = values.get("name", "")
            if tag == "textarea" and self._named:
                self._open.fields[self._named] = ""
        elif (
            tag == "option" and self._named and ("selected" in values or self._named not in self._open.fields)
        ):
            self._open.fields[self._named] = values.get("value", "")

    def _control(self, form: Form, values: dict[str, str], kind: str) -> None:
        named = values.get("name", "")
        if kind in ("submit", "image"):
            if form.has_button:
                return
            form.has_button = True
            form.action = values.get("formaction", form.action)
            form.method = values.get("formmethod", form.method).lower()
        elif kind in ("button", "reset") or (kind in ("checkbox", "radio") and "checked" not in values):
            return
        if named and kind != "image":
            form.fields[named] = values.get("value", "on" if kind in ("checkbox", "radio") else "")

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea" and self._named:
            self._open.fields[self._named] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag in ("select", "textarea"):
            self._named = ""


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "title")

    def handle_data(self, data: str) -> None:
        if self._silent <= 0:
            self.words.append(data)
