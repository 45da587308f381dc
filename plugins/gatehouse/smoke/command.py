"""`gatehouse baseline`, from the settings to the last line it prints."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from gatehouse.coder.connect import connect
from gatehouse.core.errors import GatehouseError, UsageError
from gatehouse.core.ledger import left_behind, outstanding_in
from gatehouse.core.settings import FILE_NAME as SETTINGS_FILE
from gatehouse.core.settings import choose_target, find_settings_file, load_settings
from gatehouse.smoke.baseline import FILE_NAME
from gatehouse.smoke.take_baseline import take_baseline

FAILED = 1


def baseline(folder: Path, target_name: str | None, *, canaries: bool, lifetime_days: int) -> int:
    """Take a baseline of a target's Coder; 0 when it is complete, 1 when something could not be made or recorded.

    Raises `UsageError` for a target that has no Coder, or a folder that cannot be used.
    """
    settings = load_settings(find_settings_file(Path.cwd()))
    name, target = choose_target(settings, target_name)
    if target is None or target.coder is None:
        raise UsageError(
            f"the target {name!r} has no coder section to take a baseline of",
            next_step=f"set CODER_URL and CODER_SESSION_TOKEN, or add targets.{name}.coder to {SETTINGS_FILE}",
        )
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with (
        connect(target.coder, target.coder.token.read()) as coder,
        connect(target.coder, target.coder.deployment_token.read()) as owner,
    ):
        try:
            taken = take_baseline(
                folder,
                coder,
                owner,
                target.coder,
                run_id=run_id,
                canaries=canaries,
                lifetime_seconds=lifetime_days * 86_400.0,
            )
        except UsageError:
            raise
        except KeyboardInterrupt:
            _say_what_is_left(folder)
            raise
        except GatehouseError as error:
            print(f"gatehouse: {error}", file=sys.stderr)
            _say_what_is_left(folder)
            return FAILED
    unverified = [name for name, section in taken.sections.items() if section.unverified]
    print(f"baseline: {folder} ({taken.version}, {len(taken.canaries)} canaries)")
    if unverified:
        print(f"not recorded: {', '.join(unverified)}; after the upgrade these stay unverified")
    print(f"after the upgrade: pytest -m smoke --gate-baseline {folder}")
    return 0


def _say_what_is_left(folder: Path) -> None:
    """What a baseline that was cut off has made so far, and what can be done with it."""
    left = left_behind(outstanding_in(folder))
    for line in left:
        print(line, file=sys.stderr)
    if not (folder / FILE_NAME).exists():
        return
    remedy = "remove what is left behind, and take" if left else "take"
    print(
        f"the baseline is not complete: {folder} holds what was recorded, with the canaries that were ready by then; "
        f"{remedy} another one into another folder",
        file=sys.stderr,
    )
