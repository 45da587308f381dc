"""What a check has found wrong, as the failure of a test: every problem is shown in full."""

from __future__ import annotations

from collections.abc import Iterable

from gatehouse.core.errors import ProductFailure


def require_none(problems: Iterable[str]) -> None:
    """Raise `ProductFailure` with all problems, one a line; nothing happens without any."""
    found = list(filter(None, problems))
    if found:
        raise ProductFailure("\n".join(found))
