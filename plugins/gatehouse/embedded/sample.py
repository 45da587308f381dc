"""Where the sample repositories, manifests and templates are."""

from __future__ import annotations

from pathlib import Path

import gatehouse

_PACKAGE = Path(gatehouse.__file__).parent


def sample_folder() -> Path:
    """The folder with `monorepo`, `gitops`, `pull_requests` and `templates`.

    In a wheel it is inside the package; in a checkout it is `fixtures/platform` at the root.
    """
    installed = _PACKAGE / "_sample"
    return installed if installed.is_dir() else _PACKAGE.parent.parent / "fixtures" / "platform"
