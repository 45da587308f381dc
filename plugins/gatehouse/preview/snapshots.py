"""Compares what an element looks like with a picture that was kept."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse.core.errors import EnvironmentProblem, NotInstalled, ProductFailure, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from playwright.sync_api import Locator, Page

#: Milliseconds between the screenshots of an element that does not look as it should yet.
PAUSES = (100, 400, 1000, 2000)

#: What is outside of the smaller one of two pictures.
OUTSIDE = (255, 0, 255, 255)


@dataclass(repr=False)
class Snapshots:
    """The fixture `assert_snapshot`: fails where an element does not look as it did, and keeps three pictures.

    `command` writes the pictures anew, as this does if `update` is set; those it has written are in `written`.
    """

    folder: Path
    command: str
    update: bool
    attach: Callable[[str, bytes, str], object]
    written: list[Path] = field(default_factory=list)
    pauses: Iterable[int] = PAUSES

    def __call__(
        self,
        subject: Page | Locator,
        name: str,
        *,
        mask: Iterable[Locator] = (),
        threshold: float = 0.1,
        most_different: int = 0,
    ) -> None:
        """Compare a page or a locator with the snapshot of this name.

        Colours may differ by `threshold` (0 to 1), as edges may that are drawn smoother; `most_different` pixels may
        be different all the same. What is in `mask` is painted over. Raises `ProductFailure` for a difference,
        `EnvironmentProblem` where there is no snapshot, and `UsageError` for a name that is none of a file.
        """
        __tracebackhide__ = True  # what it raises says all
        if not re.fullmatch(r"[\w-]+", name):
            raise UsageError(f"a snapshot's name has letters, digits, _ and - only: {name!r}")
        path = self.folder / f"{name}.png"
        pictures = _screenshots(subject, list(mask), self.pauses)
        if not path.is_file():
            self._missing(path, _at_rest(pictures))
            return
        expected, difference, actual = path.read_bytes(), None, b""
        for picture in pictures:
            if picture == actual:
                continue
            actual, difference = picture, compare(expected, picture, threshold)
            if difference.different <= most_different:
                return
        assert difference, "there is at least one screenshot"
        if self.update:
            self._write(path, actual)
            return
        kept = {"expected": expected, "actual": actual, "difference": difference.picture}
        for kind, content in kept.items():
            self.attach(f"{name}-{kind}.png", content, "image/png")
        raise ProductFailure(
            f"{name} does not look as it did: {difference}",
            expected=f"{_shown(path)}, with at most {most_different} different pixels",
            seen=f"the attachments {name}-actual.png and {name}-difference.png",
            next_step=f"look at them; if it is to look so from now on: {self.command}",
        )

    def _missing(self, path: Path, actual: bytes) -> None:
        __tracebackhide__ = True
        if self.update:
            self._write(path, actual)
            return
        self.attach(f"{path.stem}-actual.png", actual, "image/png")
        raise EnvironmentProblem(
            f"there is no snapshot {path.stem} to compare with",
            expected=_shown(path),
            next_step=f"make it, look at it, and commit it: {self.command}",
        )

    def _write(self, path: Path, picture: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        self.written.append(path)


@dataclass(frozen=True)
class Difference:
    """How two pictures differ: `different` of `pixels`, and a `picture` of where (PNG)."""

    different: int
    pixels: int
    sizes: tuple[tuple[int, int], tuple[int, int]]
    picture: bytes

    def __str__(self) -> str:
        before, after = (f"{width} by {height}" for width, height in self.sizes)
        sizes = f", and it is {after} in place of {before}" if before != after else ""
        return f"{self.different} of {self.pixels} pixels are different{sizes}"


def compare(expected: bytes, actual: bytes, threshold: float) -> Difference:
    """Compare two PNGs; what only one of them covers is different. Raises `NotInstalled`."""
    try:
        from PIL import Image
        from pixelmatch.contrib.PIL import pixelmatch
    except ImportError as error:
        raise NotInstalled(
            "pictures cannot be compared",
            seen=str(error),
            next_step="pip install 'gatehouse[snapshots]'",
        ) from error
    before, after = (Image.open(io.BytesIO(each)).convert("RGBA") for each in (expected, actual))
    size = max(before.width, after.width), max(before.height, after.height)
    drawn = Image.new("RGBA", size)
    different = pixelmatch(_on(before, size), _on(after, size), drawn, threshold=threshold)
    written = io.BytesIO()
    drawn.save(written, "PNG")
    return Difference(different, size[0] * size[1], (before.size, after.size), written.getvalue())


def _on(picture: Image, size: tuple[int, int]) -> Image:
    """The picture on a ground of this size."""
    from PIL import Image

    if picture.size == size:
        return picture
    ground = Image.new("RGBA", size, OUTSIDE)
    ground.paste(picture, (0, 0))
    return ground


def _screenshots(subject: Page | Locator, mask: list[Locator], pauses: Iterable[int]) -> Iterator[bytes]:
    """A screenshot, and one after each pause."""
    page = subject.page if hasattr(subject, "page") else subject
    for pause in (0, *pauses):
        if pause:
            page.wait_for_timeout(pause)
        yield subject.screenshot(animations="disabled", caret="hide", scale="css", mask=mask)


def _at_rest(pictures: Iterable[bytes]) -> bytes:
    """The first picture that is the same as the one before, or the last."""
    before = b""
    for picture in pictures:
        if picture == before:
            break
        before = picture
    return before


def _shown(path: Path) -> str:
    return os.path.relpath(path)
