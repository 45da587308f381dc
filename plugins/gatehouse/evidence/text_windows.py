"""Masks a text of any length through a window that moves over it."""

from __future__ import annotations

from gatehouse.evidence.masker import Masker

#: Characters that a window moves on by.
_WINDOW = 1024 * 1024

#: Characters kept from one window to the next: a secret is not longer, unless it is known.
OVERLAP = 64 * 1024

#: How far the place of a cut goes back when it would be within a secret.
_STEP = 997

#: A window that cannot be cut grows up to this; it is cut then, wherever that is.
_LARGEST = 16 * _WINDOW


class TextWindows:
    """Takes the parts of a text and gives the parts of the masked text; never cuts through a secret."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._buffer = ""
        self._overlap = max(OVERLAP, 2 * masker.redactor.longest)

    def feed(self, text: str) -> str:
        """Take more of the text; gives what is ready."""
        self._buffer += text
        if len(self._buffer) < _WINDOW + self._overlap:
            return ""
        place = len(self._buffer) - self._overlap
        if not self._masker.may_hold(self._buffer):
            return self._give(place, masked=False)
        cut = self._cut(place)
        if not cut and len(self._buffer) < _LARGEST:
            return ""
        return self._give(cut or place)

    def finish(self) -> str:
        """The rest."""
        return self._give(len(self._buffer))

    def _give(self, place: int, *, masked: bool = True) -> str:
        ready, self._buffer = self._buffer[:place], self._buffer[place:]
        return self._mask(ready) if masked else ready

    def _cut(self, place: int) -> int:
        """The last place at which cutting makes no difference to the masked text; 0 if there is none near."""
        for cut in range(place, max(place - self._overlap, 0), -_STEP):
            before = self._buffer[max(cut - self._overlap, 0) : cut]
            after = self._buffer[cut : cut + self._overlap]
            if self._mask(before) + self._mask(after) == self._mask(before + after):
                return cut
        return 0

    def _mask(self, text: str) -> str:
        return self._masker.flat(text)
