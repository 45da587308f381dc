"""Which checks the command line asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from gatehouse.core.errors import UsageError


def selection(arguments: Iterable[str], started_in: Path, root: Path) -> set[str]:
    """The paths and check ids on the command line, relative to the checkout; empty means everything.

    Raises `UsageError` for a path outside of the checkout.
    """
    chosen = set()
    for argument in arguments:
        path, separator, check = argument.partition("::")
        absolute = (started_in / path).resolve()
        if not absolute.exists() and (root / path).exists():
            absolute = (root / path).resolve()
        try:
            relative = absolute.relative_to(root.resolve()).as_posix()
        except ValueError:
            raise UsageError(f"{path} is outside of the checkout {root}") from None
        chosen.add(("" if relative == "." else relative) + separator + check)
    return chosen


def is_wanted(check_id: str, folder: str, wanted: Collection[str]) -> bool:
    """Whether a check is asked for by its id, its manifest, its package's folder, or a folder above."""
    return not wanted or any(
        each in ("", check_id)
        or check_id.startswith((f"{each}/", f"{each}::"))
        or folder == each
        or folder.startswith(f"{each}/")
        for each in wanted
    )


def require_matches(
    wanted: Iterable[str], checks: Collection[tuple[str, str]], manifests: Collection[str]
) -> None:
    """Raises `UsageError` where nothing is what was asked for. `checks` are ids with their packages' folders."""
    for argument in wanted:
        if not any(is_wanted(check_id, folder, {argument}) for check_id, folder in checks):
            raise UsageError(
                f"no check matches {argument}",
                seen=f"packages: {', '.join(sorted(manifests)[:10]) or 'none'}",
                next_step="name a folder, a manifest such as packages/cart/package.json, or one check as it is listed",
            )
