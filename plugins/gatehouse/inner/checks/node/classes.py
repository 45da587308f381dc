"""Which tests of a Node package are of which class: by the folders in `__tests__`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatehouse.inner.checks.node.package import NodePackage
from gatehouse.inner.model import Package, Phase

#: Endings of sources that a runner of tests takes.
SUFFIXES = (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx")

_TEST = re.compile(r"(^|/)(__tests__|test)/|(^|/)test\.[^./]+$|[._-](test|spec)\.[^./]+$")


@dataclass(frozen=True)
class Tests:
    """The tests of a package by the folders of `__tests__` that tell classes apart.

    `left_out` are the folders that hold tests of other classes; `folder` is the only one that is run, if any. `alone`
    tells that there are no unit tests beside them.
    """

    __test__ = False  # not one of pytest's

    name: str
    phase: Phase
    files: tuple[str, ...]
    folder: str = ""
    left_out: tuple[str, ...] = ()
    alone: bool = False


def classes_of(node: NodePackage) -> list[Tests]:
    """Unit tests are all that lie in no folder of another class; integration tests are those of its folders."""
    classes = node.tools.classes
    files = files_with_tests(node.package)
    other = [
        name
        for name in (*classes.integration, *classes.cluster)
        if any(_lies_in(file, name) for file in files)
    ]
    unit = tuple(file for file in files if not any(_lies_in(file, name) for name in other))
    found = [Tests("test", Phase.UNIT, unit, left_out=tuple(other))] if unit or not files else []
    for name in other:
        if name in classes.integration:
            own = tuple(file for file in files if _lies_in(file, name))
            others = tuple(each for each in other if each != name)
            found.append(
                Tests("integration", Phase.INTEGRATION, own, folder=name, left_out=others, alone=not unit)
            )
    return found


def files_with_tests(package: Package) -> tuple[str, ...]:
    """The files that are tests by the conventions that all runners share, relative to the package."""
    folder = f"{package.folder}/" if package.folder else ""
    names = (file.removeprefix(folder) for file in package.files if file.endswith(SUFFIXES))
    return tuple(sorted(name for name in names if _TEST.search(name)))


def _lies_in(file: str, name: str) -> bool:
    return f"/__tests__/{name}/" in f"/{file}"
