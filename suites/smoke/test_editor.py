"""The web editor of a workspace can be used in a browser, through Coder's own proxy."""

import pytest

from gatehouse.core.errors import NotInstalled
from gatehouse.smoke.workspace.editor_browser import look_at


def test_it_says_that_it_is_healthy(editor):
    editor.require_health()


def test_the_static_assets_that_its_page_names_are_served(editor):
    editor.require_assets()


def test_its_websocket_is_upgraded(editor):
    editor.require_socket()


def test_it_can_be_used_in_a_real_browser(editor, coder_settings, evidence):
    token, selector = coder_settings.token.read(), coder_settings.editor_selector
    try:
        look = look_at(
            editor.url,
            token,
            selector,
            coder_settings.app_timeout_seconds,
            private_authority=coder_settings.ca_file is not None,
        )
    except NotInstalled as error:
        pytest.skip(f"unverified: {error.summary}: {error.seen}")
    if look.screenshot:
        evidence.attach("web editor.png", look.screenshot, "image/png")
    errors = [
        each
        for each in look.errors
        if not any(part in each for part in coder_settings.editor_console_ignored)
    ]

    assert look.usable, (
        f"the web editor is blank in a browser: {selector} never appeared; "
        f"{'; '.join(errors[:3]) or look.text or 'the page is empty'}"
    )
    assert not errors, f"the web editor has errors of its own in the browser: {'; '.join(errors[:3])}"
