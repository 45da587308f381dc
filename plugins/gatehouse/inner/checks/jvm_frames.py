"""Places in sources of the Java machine, which its stack traces name by classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatehouse.inner.checks.parsing import Place
from gatehouse.inner.model import Check

SOURCES = (".java", ".kt", ".groovy", ".scala")

#: `at app//org.example.Cart.add(Cart.java:12)`; methods of Kotlin may have spaces in their names.
_FRAME = re.compile(
    r"^\s*at (?:\S+/)?(?P<method>\S[^(\n]*)\((?P<file>[\w$-]+\.(?:java|kts?|groovy|scala)):(?P<line>\d+)\)",
    re.MULTILINE,
)


def jvm_places(check: Check, stack: str) -> Iterator[Place]:
    """The frames of a stack trace that lie in the package, in their order."""
    for frame in _FRAME.finditer(stack):
        class_name = frame["method"].rpartition(".")[0]
        if path := source_of_class(check, class_name, frame["file"]):
            yield str(check.package.root / path), int(frame["line"]), None


def source_of_class(check: Check, qualified: str, file: str = "") -> str:
    """The package's file of a class, relative to the checkout; empty where it cannot be told.

    It lies below a folder named after the class's package, or is the only one of its name, which `file` tells if known.
    """
    folder, _, name = qualified.partition("$")[0].replace(".", "/").rpartition("/")
    wanted = (file,) if file else tuple(f"{name}{suffix}" for suffix in SOURCES)
    named = [each for each in check.package.files if each.rpartition("/")[2] in wanted]
    inside = [each for each in named if f"/{each.rpartition('/')[0]}".endswith(f"/{folder}")]
    if len(inside) == 1 or (inside and folder):
        return inside[0]
    # Kotlin files need not lie in a folder of their package's name.
    return named[0] if len(named) == 1 and named[0].endswith(".kt") else ""
