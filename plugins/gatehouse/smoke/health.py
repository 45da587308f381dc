"""What of Coder's own health report concerns users: a pure decision.

Source of the codes: Coder's documentation of its health checks; which of them are transient during an upgrade, too.
"""

from __future__ import annotations

from gatehouse.coder.models import HealthSection

#: Codes that mean that users are affected. Others are reported, not failed.
SERIOUS = ("EACS", "EDB01", "EWS", "EPD01", "EUNKNOWN")


def problems(section: HealthSection) -> list[str]:
    """What is serious in a section, also in one that somebody dismissed; with codes and the server's words."""
    found = [f"{each.get('code', '')}: {each.get('message', '')}" for each in section.warnings]
    serious = [each for each in found if each.startswith(SERIOUS)]
    if section.error:
        serious.insert(0, section.error)
    if section.severity == "error" and not serious:
        serious = found or ["severity is error, without a word about why"]
    return serious


def shown(section: HealthSection) -> str:
    """A note that a section was dismissed, for messages."""
    return " (dismissed by an administrator, and bad nonetheless)" if section.dismissed else ""
