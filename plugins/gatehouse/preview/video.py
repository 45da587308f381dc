"""Makes video recording work where Playwright could not download its own ffmpeg."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import MutableMapping
from pathlib import Path

BROWSERS_VARIABLE = "PLAYWRIGHT_BROWSERS_PATH"

_NAMES = {"Linux": "ffmpeg-linux", "Darwin": "ffmpeg-mac"}


def prepare_video(
    folder: Path,
    own_browser: bool,
    environment: MutableMapping[str, str] = os.environ,
    browsers: Path | None = None,
) -> str | None:
    """Why video cannot be recorded, or None if it can.

    Playwright's own ffmpeg is used where it is installed. Otherwise, if the browser is not Playwright's own
    either, the one of the package imageio-ffmpeg is linked into `folder`, and Playwright is pointed there.
    `browsers` is the list of a Playwright other than Python's.
    """
    installed = Path(environment.get(BROWSERS_VARIABLE, "") or Path.home() / ".cache/ms-playwright")
    name = _NAMES.get(platform.system())
    revision = _revision(browsers)
    if name is None or revision is None:
        return "Playwright's ffmpeg is not known on this system"
    if (installed / f"ffmpeg-{revision}" / name).exists():
        return None
    if not own_browser:
        return "Playwright's ffmpeg is not installed; run `playwright install ffmpeg`"
    try:
        import imageio_ffmpeg
    except ImportError:
        return "there is no ffmpeg; run `playwright install ffmpeg`, or pip install 'gatehouse[video]'"
    link = folder / f"ffmpeg-{revision}" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f"{name}-{os.getpid()}")
    temporary.symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    temporary.replace(link)
    environment[BROWSERS_VARIABLE] = str(folder)
    return None


def _revision(browsers: Path | None) -> str | None:
    """The revision of ffmpeg that the installed Playwright looks for."""
    import playwright

    path = browsers or Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    try:
        entries = json.loads(path.read_text())["browsers"]
        return next(str(entry["revision"]) for entry in entries if entry["name"] == "ffmpeg")
    except (OSError, ValueError, KeyError, StopIteration):
        return None
