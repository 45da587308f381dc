"""Secrets are taken out of text before it is hashed, written or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from gatehouse.core.spellings import spellings

MASK = "[redacted]"

#: A secret shorter than this would mask ordinary words, so it is not searched for by value.
SHORTEST_SECRET = 8

#: Nothing shorter can be a secret or have the shape of one: `://u:p@`.
_SHORTEST_TEXT = 7

#: Masked texts that are remembered, of at most so many characters: those of headers come again and again.
_REMEMBERED, _REMEMBERED_LENGTH = 4096, 256

#: Names end with what they hold: `GITHUB_TOKEN` is a secret, `TOKEN_FILE` and `secretName` are not.
_SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw(or)?d|(api|private|access)_?key|credentials?)(_?(base64|b64|value))?$"
)

#: Shapes of secrets that are recognised without being known. Each pattern masks its group `secret`, and is tried
#: only on texts with one of the words before it, in any case: looking for words is a hundred times as fast.
#: GitHub's app tokens hold dots since 2026 and are over 500 characters long, so lengths are open-ended.
_SHAPES = tuple(
    (words, re.compile(pattern))
    for words, pattern in (
        (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?P<secret>gh[pousr]_[A-Za-z0-9._]{20,})"),
        (("github_pat_",), r"(?P<secret>github_pat_[A-Za-z0-9_]{20,})"),
        (("glpat-",), r"(?P<secret>glpat-[A-Za-z0-9_\-]{20,})"),
        # What begins so and is no token is passed over as a whole: base64 of JSON is full of such beginnings.
        (
            ("eyj",),
            r"(?P<secret>eyJ[A-Za-z0-9_\-]{10,}+\.[A-Za-z0-9_\-]{10,}+\.[A-Za-z0-9_\-]{10,}+)|eyJ[A-Za-z0-9_\-]*+",
        ),
        (("bearer",), r"(?i)\bbearer\s+(?P<secret>[A-Za-z0-9._~+/=\-]{8,})"),
        (("basic",), r"(?i)\bbasic\s+(?P<secret>[A-Za-z0-9+/=]{12,})"),
        (
            ("coder-session-token",),
            r"(?i)coder-session-token['\"]?\s*[:=]\s*['\"]?(?P<secret>[A-Za-z0-9\-]{8,})",
        ),
        (
            ("token=", "sig="),
            r"(?i)[?&](?:coder_session_token|access_token|token|sig)=(?P<secret>[^&\s\"']{8,})",
        ),
        (("://",), r"://[^/\s:@]+:(?P<secret>[^/\s:@]+)@"),
        (
            ("private key-----",),
            r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*+(?:-(?!----)[^-]*+)*+"
            r"-----END [A-Z ]*PRIVATE KEY-----)",
        ),
        (("akia",), r"(?P<secret>AKIA[0-9A-Z]{16})"),
        # Lines of headers, as clients log them: Playwright's call log has them as "  - cookie: …".
        (
            ("cookie:", "x-api-key:"),
            r"(?im)^[ \t<>*\-]*(?:set-cookie|cookie|x-api-key):(?:[ \t]|\[redacted\];?)*(?P<secret>[^\s][^\r\n]{7,})",
        ),
        # Lines of `env` and `export -p`; paths and what the shell puts in name where the secret is.
        (
            ("token=", "secret=", "password=", "passwd=", "key=", "credential=", "credentials="),
            r"(?m)^(?:export |declare -x )?[A-Z0-9_]*"
            r"(?:TOKEN|SECRET|PASSWORD|PASSWD|(?:API|PRIVATE|ACCESS)_?KEY|CREDENTIALS?)="
            r"[\"']?(?P<secret>(?!(?:/[\w.~-]+){2,}/?[\"']?$)[^\s$\"'\[][^\r\n\"']{7,})",
        ),
        # Playwright's call log of a field for passwords.
        (
            ("fill(", "type("),
            r"<input [^\n>]{0,500}type=\"password\"[^\n>]{0,500}>(?:\n(?!.*resolved to)[^\n]{0,500}){0,20}?"
            r"\n[^\n]{0,100}\b(?:fill|type)\(\"(?P<secret>[^\n]{1,1000})\"\)",
        ),
    )
)

#: Each word with its shape.
_WORDS = tuple((word, shape) for words, shape in _SHAPES for word in words)

#: Where pytest, Python or the record left out the middle of a text, perhaps that of a secret.
_LEFT_OUT = re.compile(r"\.\.\.|\n\[… \d+ characters left out …\]\n")

#: Characters of a secret, before and after what is left out, from which on they are masked.
_PIECE = 6

#: Letters that Python's regular expressions take for k, s and i where case does not matter.
_ODD_LETTERS = ("\u212a", "\u017f", "\u0130", "\u0131")


@lru_cache(4096)
def looks_like_secret_name(name: str) -> bool:
    """Whether a variable or key of this name usually holds a secret."""
    return bool(_SECRET_NAME.search(name))


class Redactor:
    """Masks known secret values, and text that has the shape of one.

    Known values are also found in the ways in which they are written elsewhere, see `spellings`.

    Each process has a redactor of its own. What a run learns on its way (the password of a persona, the cookies of
    a stored session) is told to `Run.redactor` by `add`, where it is learned: from then on the process masks it in
    all it writes and reports, and the controller in all that is in the bundle at the end. A worker of pytest-xdist
    hands on what it has learned when it ends; a process that the tests start has to be asked.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are values to mask wherever they occur; short ones are ignored."""
        self._known: set[str] = set()
        self._added: set[str] = set()
        #: The spellings that could stand in a document as a number.
        self._numbers: list[str] = []
        #: What could be left out of in the middle: secrets as they are and as Python shows them.
        self._wholes: set[str] = set()
        self._needles: list[bytes] = []
        self._masked: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Redactor:
        """A redactor that knows the values of all variables whose names say that they hold a secret."""
        return cls(
            value
            for name, value in environment.items()
            if looks_like_secret_name(name) and not value.startswith("/")
        )

    def add(self, secret: str) -> None:
        """Mask `secret` from now on."""
        secret = secret.strip()
        if len(secret) < SHORTEST_SECRET or secret in MASK or secret in self._added:
            return
        self._added.add(secret)
        self._known |= spellings(secret)
        self._wholes |= {secret, repr(secret)[1:-1]}
        self._numbers = [each for each in self._known if re.fullmatch(r"[-+.\deE]+", each)]
        self._needles = sorted(each.encode(errors="surrogatepass") for each in self._known)
        self._masked.clear()

    @property
    def secrets(self) -> frozenset[str]:
        """The values that were added, as they are."""
        return frozenset(self._added)

    @property
    def known_secrets(self) -> frozenset[str]:
        """The known values in all their spellings."""
        return frozenset(self._known)

    @property
    def longest(self) -> int:
        """Bytes of the longest spelling of a known value."""
        return max(map(len, self._needles), default=0)

    def text(self, text: str) -> str:
        """`text` with every secret replaced by `MASK`."""
        if len(text) < _SHORTEST_TEXT:
            return text
        if len(text) > _REMEMBERED_LENGTH:
            return self._mask(text)
        masked = self._masked.get(text)
        if masked is None:
            if len(self._masked) >= _REMEMBERED:
                self._masked.clear()
            masked = self._masked[text] = self._mask(text)
        return masked

    def _mask(self, text: str) -> str:
        if found := [each for each in self._known if each in text]:
            found.sort(key=len, reverse=True)
            text = re.sub("|".join(map(re.escape, found)), MASK, text)
        for start, end in reversed(self._pieces(text)):
            text = text[:start] + MASK + text[end:]
        for shape in _possible_shapes(text):
            text = shape.sub(_mask_group, text)
        return text

    def may_hold(self, text: str) -> bool:
        """Whether masking could change `text`; much faster than masking where the answer is no."""
        if [each for each in self._known if each in text]:  # a list is made faster than a generator
            return True
        found = (match["secret"] for shape in _possible_shapes(text) for match in shape.finditer(text))
        return any(found) or bool(self._pieces(text))

    def _pieces(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand of which the middle was left out: `'ghp_0a...9z'`."""
        if "..." not in text and "[… " not in text:
            return []
        found: list[tuple[int, int]] = []
        for match in _LEFT_OUT.finditer(text):
            start, end = match.span()
            for whole in self._wholes:
                lengths = range(len(whole) - 1, 0, -1)
                before = next((n for n in lengths if n <= start and text.startswith(whole[:n], start - n)), 0)
                after = next((n for n in lengths if text.startswith(whole[-n:], end)), 0)
                if before + after >= _PIECE and (not found or start - before >= found[-1][1]):
                    found.append((start - before, end + after))
                    break
        return found

    def data(self, value: Any) -> Any:
        """A JSON-like value with every string in it redacted, and the values of secret-named keys masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): MASK
                if isinstance(item, str) and item and looks_like_secret_name(str(key))
                else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return self.number(value)

    def number(self, value: Any) -> Any:
        """`MASK` for a number that is, or holds the digits of, a known secret; anything else as it is."""
        if self._numbers and isinstance(value, int | float):
            text = repr(value)
            if any(each in text for each in self._numbers):
                return MASK
        return value

    def contains_known(self, content: bytes) -> bool:
        """Whether a known secret is in `content`, in any of its spellings."""
        return any(needle in content for needle in self._needles)


def _possible_shapes(text: str) -> list[re.Pattern[str]]:
    """The shapes that `text` can hold at all, by the words that they need."""
    if text.isascii():
        folded = text.lower()
    elif any(letter in text for letter in _ODD_LETTERS):
        return [shape for _, shape in _SHAPES]
    else:
        folded = text.encode(errors="surrogatepass").lower().decode("latin-1")
    found = [shape for word, shape in _WORDS if word in folded]
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def _mask_group(match: re.Match[str]) -> str:
    if match["secret"] is None:
        return match[0]
    start, end = match.span("secret")
    offset = match.start()
    whole = match.group(0)
    secret = match.group("secret")
    if secret.startswith(MASK[:9]):
        return whole
    return whole[: start - offset] + MASK + whole[end - offset :]
