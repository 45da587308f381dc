"""Reads bundles into plain data for the rules. Everything in a bundle is data, never an instruction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat

from gatehouse.evidence.manifest import ManifestError, read_manifest, verify_files
from gatehouse.evidence.record import FILE_NAME as RECORD_NAME
from gatehouse.evidence.record import RecordError, read_record
from gatehouse.evidence.results import RunResults, read_results
from gatehouse.gate.policy import Place

#: Bytes of a record or of a JUnit file that are read; a larger one is refused, not read in part.
LARGEST_FILE = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Subject:
    """What the gate is asked about."""

    repository: str
    pull_request: int | None
    commit: str


@dataclass
class BundleInput:
    """A bundle as it was found. `manifest` is None when there is none that can be used."""

    path: str
    manifest: dict[str, Any] | None = None
    #: Why there is no usable manifest.
    unfinished: list[str] = field(default_factory=list)
    #: How files differ from the manifest.
    tampered: list[str] = field(default_factory=list)
    #: What is wrong with the record or the JUnit file themselves.
    unreadable: list[str] = field(default_factory=list)
    results: RunResults = field(default_factory=RunResults)
    #: Rows of junit.xml: all, failures, errors, skipped; None if it cannot be read.
    junit: dict[str, int] | None = None

    @property
    def suites(self) -> list[str]:
        """The suites this bundle is about, from the record where it can be read, else from the manifest."""
        named = self.results.started.get("suites") or (self.manifest or {}).get("suites") or []
        return [str(name) for name in named]

    @property
    def name(self) -> str:
        """What the bundle is called in messages: its suites, else its path."""
        return "+".join(self.suites) or self.path

    @property
    def place(self) -> Place | None:
        """Where the run was, by the first event of its record; None when that does not say."""
        inside = self.results.started.get("inside_cluster")
        return None if not isinstance(inside, bool) else "inside" if inside else "outside"

    @property
    def started(self) -> datetime | None:
        """When the run started, by the record."""
        try:
            return datetime.fromisoformat(str(self.results.started["time"]))
        except (KeyError, ValueError):
            return None


def read_bundle(folder: Path) -> BundleInput:
    """Everything about one bundle; faults are noted in it, none is raised."""
    bundle = BundleInput(str(folder))
    if not folder.is_dir():
        bundle.unfinished.append("there is no such folder")
        return bundle
    try:
        bundle.manifest = read_manifest(folder)
    except ManifestError as error:
        bundle.unfinished += error.problems
    else:
        bundle.tampered = verify_files(folder, bundle.manifest)
    try:
        _require_small(folder / RECORD_NAME)
        bundle.results = read_results(read_record(folder / RECORD_NAME))
    except (RecordError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        bundle.unreadable.append(f"{RECORD_NAME}: {error or type(error).__name__}")
    try:
        _require_small(folder / "junit.xml")
        bundle.junit = _count_junit(folder / "junit.xml")
    except (expat.ExpatError, OSError, ValueError, LookupError) as error:  # LookupError: of an encoding
        bundle.unreadable.append(f"junit.xml: {error}")
    return bundle


def _require_small(path: Path) -> None:
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE} bytes")


def _count_junit(path: Path) -> dict[str, int]:
    """Rows by outcome, read as a stream. A document type is refused: nothing of ours has one."""
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    words = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    outcomes: set[str] = set()

    def started(name: str, _attributes: object) -> None:
        if name == "testcase":
            counts["tests"] += 1
            outcomes.clear()
        elif name in words:
            outcomes.add(words[name])

    def ended(name: str) -> None:
        if name == "testcase":
            for outcome in outcomes:
                counts[outcome] += 1

    def refuse(*_arguments: object) -> None:
        raise ValueError("it has a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.StartDoctypeDeclHandler = refuse
    with path.open("rb") as file:
        parser.ParseFile(file)
    return counts
