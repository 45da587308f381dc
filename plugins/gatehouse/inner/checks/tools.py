"""Programs that checks need: looked for beside the package first, then on the PATH, never downloaded."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.inner.model import Package


@dataclass(frozen=True)
class TestClasses:
    """Names of tests that are no unit tests: Go's build tags, pytest's markers, folders, source sets.

    Those of `integration` run in a phase of their own, those of `cluster` never.
    """

    __test__ = False  # not one of pytest's

    integration: tuple[str, ...] = ("integration",)
    cluster: tuple[str, ...] = ("cluster", "e2e")


@dataclass
class Tools:
    """Finds programs; `path` is the PATH to search, `cache` a folder outside of the checkout for their caches."""

    path: str
    cache: Path
    classes: TestClasses = TestClasses()
    #: How the names of all files begin in which runners write their reports. Each `Tools` has a beginning of its own,
    #: so that runs at the same time do not meet: before two commands are compared, it must be replaced.
    reports: str = field(init=False)
    #: What the automation in a folder says, as far as it was read.
    automation: dict[Path, str] = field(default_factory=dict)
    _known: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reports = str(self.cache / "reports" / uuid.uuid4().hex)

    def find(self, name: str) -> str | None:
        """The absolute path of a program on the PATH, or None."""
        if name not in self._known:
            self._known[name] = shutil.which(name, path=self.path)
        return self._known[name]

    def report(self, package: Package, name: str) -> Path:
        """A file outside of the checkout for the report `name` of a package; its folder is made, the file is not."""
        folder = hashlib.blake2b(package.manifest.encode(errors="surrogateescape"), digest_size=8).hexdigest()
        path = Path(f"{self.reports}-{folder}-{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def beside(self, package: Package, *places: str) -> str | None:
        """The first of `places` that is a file in the package or in a folder above it, up to the root."""
        folder = package.path
        while True:
            for place in places:
                candidate = folder / place
                if candidate.is_file():
                    return str(candidate)
            if folder == package.root or folder == folder.parent:
                return None
            folder = folder.parent
