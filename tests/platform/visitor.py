"""Somebody who goes through the product's pages: a browser without scripts, over real sockets."""

import html.parser
from urllib.parse import urljoin

import httpx

from gatehouse.embedded.platform import Platform
from tests.platform.conftest import trusting


class Loopback(httpx.HTTPTransport):
    """Reaches every hostname on this machine, as a browser does with `*.localhost`."""

    def handle_request(self, request):
        return super().handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )


class Forms(html.parser.HTMLParser):
    """The forms of a page: where each goes, its fields, and the words on its button."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self._in_button = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.found.append({"action": attributes["action"], "fields": {}, "button": ""})
        elif tag == "input" and self.found and attributes.get("type") != "file":
            self.found[-1]["fields"][attributes["name"]] = attributes.get("value") or ""
        self._in_button = tag == "button"

    def handle_data(self, words):
        if self._in_button and self.found:
            self.found[-1]["button"] += words

    def handle_endtag(self, tag):
        self._in_button = self._in_button and tag != "button"


class Visitor:
    """Keeps cookies, follows redirects and submits forms; `page` is the last answer."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.page = None
        self.home = platform.urls.preview_url("platform").format(number=7)
        self.identity = platform.urls.preview.replace("127.0.0.1", "auth.preview.localhost")
        secure = self.home.startswith("https:")
        self.http = httpx.Client(
            transport=Loopback(verify=trusting(platform) if secure else True),
            follow_redirects=True,
            timeout=5,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.http.close()

    def open(self, path, **options):
        """The page at a path of the preview's platform, or at an address."""
        self.page = self.http.get(urljoin(self.home, path), **options)
        return self.page

    def press(self, button, **fields):
        """The page that submitting the form with this button leads to."""
        (form,) = [each for each in Forms(self.page.text).found if each["button"] == button]
        target = urljoin(str(self.page.url), form["action"])
        self.page = self.http.post(target, data={**form["fields"], **fields})
        return self.page

    def sign_in(self, username, password=None):
        """The page after signing in, with the user's own password if no other is given."""
        passwords = self.platform.credentials.passwords
        password = passwords[username] if password is None else password
        self.open("/login")
        self.press("Sign in with single sign-on")
        return self.press("Sign In", username=username, password=password)

    @property
    def where(self):
        """The address of the page, without its query."""
        return str(self.page.url).partition("?")[0]
