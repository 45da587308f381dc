"""The identity provider's pages, with the words of Keycloak's."""

from __future__ import annotations

import html

_LAYOUT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex, nofollow">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title><link rel="icon" href="data:,">
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:26rem;color:#151515;background:#fff}}
label{{display:block}} input{{font:inherit}} .error{{color:#a30000}}</style></head>
<body><header id="kc-header">shop</header><main><h1 id="kc-page-title">{heading}</h1>
{body}</main></body></html>
"""

_LOGIN = """<form id="kc-form-login" action="{action}" method="post">
<p><label for="username">Username or email</label>
<input id="username" name="username" value="{username}" type="text" autocomplete="username" {invalid}></p>{error}
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" {invalid}></p>
<input type="hidden" id="id-hidden-input" name="credentialId">
<p><button name="login" id="kc-login" type="submit">Sign In</button></p></form>"""

_LOGOUT = """<p class="instruction">Do you want to log out?</p>
<form class="form-actions" action="{action}" method="post">
<p><button name="confirmLogout" id="kc-logout" type="submit">Logout</button></p></form>"""


def login_page(action: str, username: str = "", error: str = "") -> str:
    """The form for a user name and a password."""
    told = f'\n<span id="input-error" class="error" aria-live="polite">{error}</span>' if error else ""
    body = _LOGIN.format(
        action=html.escape(action),
        username=html.escape(username),
        error=told,
        invalid='aria-invalid="true" aria-describedby="input-error"' if error else "",
    )
    return _LAYOUT.format(title="Sign in to shop", heading="Sign in to your account", body=body)


def error_page(message: str) -> str:
    """The page for a request that cannot be gone on with."""
    body = f'<div id="kc-error-message"><p class="instruction">{html.escape(message)}</p></div>'
    return _LAYOUT.format(title="We are sorry...", heading="We are sorry...", body=body)


def logout_page(action: str) -> str:
    """The question whether to sign out, for those whose application does not say who they are."""
    return _LAYOUT.format(
        title="Logging out", heading="Logging out", body=_LOGOUT.format(action=html.escape(action))
    )


def signed_out_page() -> str:
    """What is shown to those who have signed out and are sent nowhere."""
    return _LAYOUT.format(title="Logging out", heading="You are logged out", body="")
