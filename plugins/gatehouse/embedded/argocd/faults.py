"""What scenarios make go wrong in the application controller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gatehouse.embedded.kubernetes.kinds import Object

#: Changes an Application that is about to be stored; told how many seconds the controller has been running.
Rewrite = Callable[[Object, float], None]


@dataclass
class Faults:
    """Faults by Application name, unless said otherwise."""

    comparison_errors: dict[str, str] = field(default_factory=dict)
    sync_errors: dict[str, str] = field(default_factory=dict)
    #: Why the API server refuses an object, by Application and `Kind/name`.
    apply_errors: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Seconds that an Application's comparison takes longer than others'.
    slow: dict[str, float] = field(default_factory=dict)
    #: The schedule of a deny window, of one day, that is open now and keeps auto-sync from running.
    closed_windows: dict[str, str] = field(default_factory=dict)
    #: Shows a status other than the true one, which the controller keeps and works with.
    rewrite: dict[str, Rewrite] = field(default_factory=dict)
