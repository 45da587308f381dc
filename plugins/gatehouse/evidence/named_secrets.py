"""Values that are secrets because of the name they stand beside, whether anybody declared them or not."""

from __future__ import annotations

import re
from functools import lru_cache

from gatehouse.core.redaction import MASK, looks_like_secret_name

#: Fields of forms, parameters of addresses, headers and cookies, besides names that end as those of variables do.
_FIELD = re.compile(
    r"""(?ix)
    ^(proxy-)?authorization$ | ^(set-)?cookie2?$ | ^x-(forwarded-)?auth(entication)?$
    | (^|[-_.\[])(pwd|pass|passphrase|passcode|otp|totp|sid)$
    | passw(or)?d[-_ ]?(confirm(ation)?|again|repeat(ed)?|new|old|current|\d+)?$
    | (api|access|private|secret|session)[-_]?key$
    | session[-_]?id$ | sessid$
    """
)

#: Locators of fields into which one types a secret: by label, by type, by name.
_LOCATOR = re.compile(
    r"(?i)passw|pwd|passphrase|passcode|secret|token|api.?key|kennwort|mot de passe|contrase|\botp\b"
)

#: One of these, in lower case, is in every text in which a name could say that something is a secret.
HINTS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "cookie",
    "authori",
    "x-auth",
    "key",
    "credential",
    "otp",
    "sid",
    "sessi",
    "kennwort",
    "contrase",
)

_NAME = r"[\w.\-\[\]%]{1,64}"

#: A parameter of an address, wherever it stands: `?token=…`, `&amp;password=…`; but not `a&&token=b` of a program.
_PARAMETER = re.compile(rf"(?<!&)(?:[?&]|&amp;|\\u0026)(?P<name>{_NAME})=(?!=)(?P<secret>[^&\s\"'<>#\\;,)]+)")

#: A member of an object in JSON or Python, with its quotes escaped as often as it may be.
_MEMBER = re.compile(
    rf"(?P<quote>\\{{0,15}}[\"'])(?P<name>{_NAME})(?P=quote)\s?:\s?(?P=quote)(?P<secret>[^\r\n]{{1,4096}}?)(?<!\\)(?P=quote)"
)

#: A part of a multipart form.
_PART = re.compile(
    rf"form-data; name=\"?(?P<name>{_NAME})\"?\r?\n(?:[^\r\n]+\r?\n)*\r?\n(?P<secret>[^\r\n]+)"
)

_FORM = re.compile(rf"{_NAME}=[^&\s]*(?:&{_NAME}=[^&\s]*)*")


@lru_cache(4096)
def is_secret_field(name: str) -> bool:
    """Whether a field, parameter, header or cookie of this name holds a secret."""
    plain = name.replace("%5B", "[").replace("%5D", "]").rstrip("]")
    return bool(looks_like_secret_name(plain) or _FIELD.search(plain))


@lru_cache(4096)
def is_secret_locator(selector: str) -> bool:
    """Whether what is typed into the element that a Playwright selector names is a secret."""
    return bool(_LOCATOR.search(selector))


def may_name(text: str) -> bool:
    """Whether `text` can name a secret at all."""
    folded = text.lower() if text.isascii() else text.encode(errors="surrogatepass").lower().decode("latin-1")
    return bool([hint for hint in HINTS if hint in folded])  # a list is made faster than a generator


def mask_named(text: str) -> str:
    """`text` with the values of secret-named parameters, members and fields of forms masked."""
    if "=" in text:
        if _FORM.fullmatch(text):
            return "&".join(_masked_field(field) for field in text.split("&"))
        text = _PARAMETER.sub(_mask_value, text)
        if "form-data" in text:
            text = _PART.sub(_mask_value, text)
    return _MEMBER.sub(_mask_value, text) if ":" in text else text


def _masked_field(field: str) -> str:
    name, _, value = field.partition("=")
    return f"{name}={MASK}" if value and is_secret_field(name) else field


def _mask_value(match: re.Match[str]) -> str:
    if not is_secret_field(match["name"]):
        return match[0]
    start, end = (place - match.start() for place in match.span("secret"))
    return match[0][:start] + MASK + match[0][end:]
