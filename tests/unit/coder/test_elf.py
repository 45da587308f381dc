import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.coder.elf import HEADER_BYTES, machine_of, same_machine


def header(machine, big=False, bits=2):
    order = "big" if big else "little"
    return (
        b"\x7fELF"
        + bytes([bits, 2 if big else 1, 1])
        + bytes(9)
        + (2).to_bytes(2, order)
        + machine.to_bytes(2, order)
    )


@pytest.mark.parametrize(
    ("given_header", "machine"),
    [
        (header(62), "x86_64"),
        (header(183), "aarch64"),
        (header(40, bits=1), "armv7l"),
        (header(243), "riscv64"),
        (header(22, big=True), "s390x"),
        (header(999), "unknown (999)"),
        (header(62)[:19], None),
        (b'#!/bin/sh\nexec node "$@"\n', None),
        (b"\xcf\xfa\xed\xfe" + bytes(16), None),
        (b"", None),
    ],
    ids=["x86", "arm", "32 bits", "risc-v", "big-endian", "unknown", "cut off", "script", "macos", "empty"],
)
def test_the_processor_is_in_the_first_twenty_bytes(given_header, machine):
    assert machine_of(given_header) == machine


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="another format of programs")
def test_it_is_right_about_the_program_that_runs_this():
    import platform

    with Path(sys.executable).resolve().open("rb") as program:
        assert same_machine(machine_of(program.read(HEADER_BYTES)), platform.machine())


@given(st.binary(max_size=64))
def test_any_bytes_are_a_program_or_not(data):
    assert machine_of(data) is None or data.startswith(b"\x7fELF")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x86_64", "amd64", True),
        ("arm64", "aarch64", True),
        ("aarch64", "x86_64", False),
        ("armv7l", "armv8l", True),
    ],
)
def test_processors_have_several_names(one, other, same):
    assert same_machine(one, other) is same
