"""For which processor a program is made: the first twenty bytes of its file.

Source: the ELF specification (e_ident, e_machine), and the numbers of Linux' `elf-em.h`.
"""

from __future__ import annotations

#: Bytes of a file that are needed.
HEADER_BYTES = 20

#: `e_machine`, as `uname -m` names the processor.
_MACHINES = {
    3: "i686",
    21: "ppc64le",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
}

#: Other names of the same processors.
_SAME = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "i386": "i686",
    "i586": "i686",
    "armv6l": "armv7l",
    "armv8l": "armv7l",
}


def machine_of(header: bytes) -> str | None:
    """The processor that a program is for, as `uname -m` names it; None if this is not the start of one.

    `unknown (N)` for a processor that is not in the table.
    """
    if len(header) < HEADER_BYTES or not header.startswith(b"\x7fELF"):
        return None
    number = int.from_bytes(header[18:20], "big" if header[5] == 2 else "little")
    return _MACHINES.get(number, f"unknown ({number})")


def same_machine(one: str, other: str) -> bool:
    """Whether two names mean the same processor."""
    return _SAME.get(one, one) == _SAME.get(other, other)
