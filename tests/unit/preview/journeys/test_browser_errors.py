import pytest

from gatehouse.core.errors import FailureClass
from gatehouse.preview.journeys.browser_errors import meaning_of

LOG = "\nCall log:\n  - navigating to http://shop/, waiting until load"


@pytest.mark.parametrize(
    ("kind", "message", "failure_class", "next_step"),
    [
        ("Error", f"Page.goto: net::ERR_TOO_MANY_REDIRECTS at http://shop/{LOG}", "product", "redirects to"),
        ("Error", f"APIRequestContext.get: Max redirect count exceeded{LOG}", "product", "redirects to"),
        (
            "Error",
            f"Page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://shop/{LOG}",
            "environment",
            "ca_file",
        ),
        (
            "Error",
            "APIRequestContext.get: self-signed certificate in certificate chain",
            "environment",
            "ca_file",
        ),
        ("Error", "APIRequestContext.get: unable to verify the first certificate", "environment", "ca_file"),
        ("Error", "Page.goto: SEC_ERROR_UNKNOWN_ISSUER", "environment", "ca_file"),
        ("Error", f"Page.goto: net::ERR_NAME_NOT_RESOLVED at http://shop/{LOG}", "environment", "addresses"),
        ("Error", "APIRequestContext.get: getaddrinfo ENOTFOUND shop.example", "environment", "addresses"),
        ("Error", f"Page.goto: net::ERR_CONNECTION_REFUSED at http://shop/{LOG}", "infrastructure", "pods"),
        ("Error", f"Page.goto: net::ERR_EMPTY_RESPONSE at http://shop/{LOG}", "infrastructure", "pods"),
        ("Error", "APIRequestContext.get: connect ECONNREFUSED 127.0.0.1:9", "infrastructure", "pods"),
        ("Error", "APIRequestContext.get: socket hang up", "infrastructure", "pods"),
        ("Error", "Page.goto: net::ERR_HTTP2_PROTOCOL_ERROR at http://shop/", "infrastructure", "pods"),
        (
            "TargetClosedError",
            "Page.goto: Target page, context or browser has been closed",
            "infrastructure",
            "memory",
        ),
        ("Error", "Page.goto: Page crashed", "infrastructure", "memory"),
        ("Error", "Connection closed while reading from the driver", "infrastructure", "memory"),
        ("Error", "BrowserType.launch: Executable doesn't exist at /x\n╔═══╗", "environment", "install"),
        (
            "TargetClosedError",
            "BrowserType.launch: Target page, context or browser has been closed\nBrowser logs:\n\n"
            "[err] error while loading shared libraries: libnss3.so",
            "environment",
            "install",
        ),
        ("TimeoutError", "BrowserType.launch: Timeout 180000ms exceeded.", "environment", "install"),
        ("Error", "OSError: [Errno 28] No space left on device: '/x'", "environment", "free space"),
        ("Error", "Page.screenshot: ENOSPC: no space left on device, write", "environment", "free space"),
        ("TimeoutError", "Locator.click: Timeout 500ms exceeded.", "product", ""),
        (
            "Error",
            'Locator.click: Error: strict mode violation: get_by_text("a") resolved to 2',
            "product",
            "",
        ),
    ],
)
def test_the_browsers_words_say_whose_fault_it_was(kind, message, failure_class, next_step):
    meaning = meaning_of(kind, message)

    assert meaning.failure_class == FailureClass(failure_class)
    assert next_step in meaning.next_step
    assert bool(meaning.next_step) == bool(next_step)


@pytest.mark.parametrize(
    "awaited",
    [
        'get_by_text("certificate")',
        'get_by_role("link", name="Report crashed")',
        'get_by_text("The order has been closed")',
        'get_by_text("getaddrinfo")',
        'get_by_text("ERR_CERT_DATE_INVALID")',
    ],
)
def test_what_a_test_waited_for_is_not_taken_for_the_browsers_words(awaited):
    message = f"Locator.click: Timeout 500ms exceeded.\nCall log:\n  - waiting for {awaited}"

    assert meaning_of("TimeoutError", message).failure_class is FailureClass.PRODUCT


def test_neither_is_the_address_of_a_page():
    message = "Page.goto: net::ERR_CONNECTION_RESET at http://shop/certificate/ERR_CERT_ENOSPC"

    assert meaning_of("Error", message).failure_class is FailureClass.INFRASTRUCTURE


def test_other_errors_say_nothing_about_whose_fault_it_was():
    assert meaning_of("Error", "Page.evaluate: ReferenceError: cart is not defined") is None
