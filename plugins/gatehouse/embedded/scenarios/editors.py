"""What goes wrong with the web editor of workspaces."""

from __future__ import annotations

import platform
import re

from gatehouse.embedded.scenarios.catalogue import scenario
from gatehouse.embedded.scenarios.workspaces import change_script
from gatehouse.embedded.systems import Systems

#: Numbers of processors in the header of a program (ELF's e_machine), as octal text for `printf`.
X86_64, AARCH64 = r"\076\000", r"\267\000"


@scenario("coder")
def editor_other_architecture(systems: Systems) -> None:
    """The editor that is cached on the volume was installed for another processor, and cannot be executed."""
    other = AARCH64 if platform.machine() in ("x86_64", "AMD64") else X86_64
    # 64 bits, little-endian, an executable: enough of a header for the kernel to refuse.
    header = r"\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000" + other
    change_script(
        systems,
        "Install editor",
        lambda text: re.sub(r"printf '[^']*'", lambda _found: f"printf '{header}'", text),
    )


@scenario("coder")
def editor_unhealthy(systems: Systems) -> None:
    """The web editor's process runs, but its health page answers 500."""
    systems.agents.faults.app_environment["EDITOR_FAULT"] = "unhealthy"


@scenario("coder")
def editor_blank(systems: Systems) -> None:
    """The web editor's page names a script that is not there."""
    systems.agents.faults.app_environment["EDITOR_FAULT"] = "asset-missing"


@scenario("coder")
def editor_socket_not_upgraded(systems: Systems) -> None:
    """WebSockets of apps do not get through to them: they are answered with 404 in place of the upgrade."""
    systems.coder.faults.unknown_sockets.append(r"/@[^/]+/[^/]+/apps/.*")
