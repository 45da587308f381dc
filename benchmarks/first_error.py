"""How often the inner suite's first error is the right one: its class, its file and its line, on seeded faults.

    make bench-first-error

Each fault is a small edit of a project that passes, made in its checkout and taken back after `pytest -m inner`: the
checkouts are worked on side by side, the faults of one after the other, as an editor makes them. What is compared is
the first error of digest.json: the class of the failure, what its check blames, and the first finding of that check.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import Ecosystem, Fault, files, go, java, node, python, rust
from inner_monorepo import commit, write
from installed import NotInstallableError

ECOSYSTEMS = tuple(module.ECOSYSTEM for module in (go, node, python, rust, java, files))

#: Of all faults, how many must be told right.
AIM = 0.95


@dataclass(frozen=True)
class Answer:
    """What the suite said first: the failure's class, what the check blames, the place, and all of its words."""

    failure_class: str
    blame: str
    path: str
    line: int | None
    text: str


@dataclass(frozen=True)
class Told:
    """A fault with what was said about it; `wrong` names what is not as expected, empty where all is."""

    ecosystem: str
    fault: Fault
    place: tuple[str, int | None]
    answer: Answer
    wrong: tuple[str, ...]


def main() -> None:
    """Run all faults, and print the table and the misses; exit code 1 where fewer are right than the aim."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="NAME", help="one ecosystem, such as Go")
    chosen = parser.parse_args().only
    wanted = [each for each in ECOSYSTEMS if chosen in (None, each.name)]
    if not wanted:
        parser.error(f"there is no ecosystem {chosen}: {', '.join(each.name for each in ECOSYSTEMS)}")
    with (
        tempfile.TemporaryDirectory(prefix="gatehouse-faults-") as folder,
        ThreadPoolExecutor(os.cpu_count() or 1) as executor,
    ):
        runs = executor.map(lambda each: list(tell(each, Path(folder).resolve())), wanted)
        told = [each for found in runs for each in found]
    show(told)
    sys.exit(0 if told and sum(not each.wrong for each in told) >= AIM * len(told) else 1)


def tell(ecosystem: Ecosystem, folder: Path) -> Iterator[Told]:
    """What is said about each fault of an ecosystem."""
    root = folder / ecosystem.name.replace(" ", "-").lower()
    for path, text in ecosystem.files.items():
        write(root / path, text)
    try:
        more = ecosystem.prepare(root)
    except NotInstallableError as error:
        print(f"left out: {ecosystem.name}: {error}", file=sys.stderr)
        return
    commit(root)
    environment = {**os.environ, **more, "XDG_CACHE_HOME": f"{root}-cache"}
    untouched = run(root, environment)
    if untouched.returncode:
        sys.exit(
            f"{ecosystem.name}: the project without a fault fails:\n{untouched.stdout}{untouched.stderr}"
        )
    for fault in ecosystem.faults:
        place = fault.place(ecosystem.files)
        changed = fault.files(ecosystem.files)
        for path, text in changed.items():
            write(root / path, text)
        answer = ask(root, environment)
        found = Told(ecosystem.name, fault, place, answer, wrong(fault, place, answer))
        print(
            f"{ecosystem.name}: {fault.kind} in {fault.file}: {', '.join(found.wrong) or 'right'}",
            file=sys.stderr,
        )
        yield found
        for path in changed:
            take_back(root, path, ecosystem)


def take_back(root: Path, path: str, ecosystem: Ecosystem) -> None:
    """A file as it was before the fault."""
    if path in ecosystem.files:
        write(root / path, ecosystem.files[path])
    else:
        (root / path).unlink()


def run(root: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`pytest -m inner`."""
    shutil.rmtree(root / "reports", ignore_errors=True)
    command = [str(Path(sys.executable).parent / "pytest"), "-m", "inner"]
    return subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def ask(root: Path, environment: dict[str, str]) -> Answer:
    """What the suite says first about the checkout as it is."""
    done = run(root, environment)
    bundle = root / "reports" / "latest"
    error = json.loads((bundle / "digest.json").read_text())["first_error"] if bundle.exists() else None
    if error is None:
        return Answer("none", "none", "", None, done.stdout + done.stderr)
    finding = first_finding(bundle, error["test"])
    text = f"{error['test']}: {error['summary']} {error['details']}"
    path = finding["path"] if finding else error["test"].partition("::")[0]
    line = finding["line"] if finding else None
    return Answer(error["failure_class"], blamed(bundle).get(error["test"], "none"), path, line, text)


def blamed(bundle: Path) -> dict[str, str]:
    """What each check of the checkout blames, by its id."""
    plan = json.loads((bundle / "attachments" / "inner-plan.json").read_text())
    return {each["check"]: each["blame"] for each in plan["checks"]}


def first_finding(bundle: Path, test: str) -> dict[str, Any] | None:
    """The first finding of a check, as the record has it."""
    for line in (bundle / "record.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event.get("event") == "check" and event.get("test") == test:
            return next(iter(event["findings"]), None)
    return None


def wrong(fault: Fault, place: tuple[str, int | None], answer: Answer) -> tuple[str, ...]:
    """What is not as it must be."""
    path, line = place
    found = []
    if answer.failure_class != fault.failure_class:
        found.append("class of failure")
    if answer.blame not in fault.blames.split():
        found.append("blame")
    if answer.path != path:
        found.append("file")
    if line is not None and answer.line != line:
        found.append("line")
    if fault.says not in answer.text:
        found.append("words")
    return tuple(found)


def show(told: list[Told]) -> None:
    """Print the table by ecosystem and by kind, then each miss with what was said."""
    for title, key in (("ecosystem", lambda each: each.ecosystem), ("kind", lambda each: each.fault.kind)):
        faults, right = Counter(map(key, told)), Counter(key(each) for each in told if not each.wrong)
        print(f"\n{title:22} {'faults':>7} {'right':>7}")
        for name, count in faults.items():
            print(f"{name:22} {count:7} {right[name]:7}")
    all_right = sum(not each.wrong for each in told)
    print(
        f"\nright class, file and line: {all_right} of {len(told)} ({100 * all_right / max(len(told), 1):.1f} %)"
    )
    for each in told:
        if each.wrong:
            fault, answer = each.fault, each.answer
            print(
                f"\n{each.ecosystem}: {fault.kind}: {fault.old!r} became {fault.new!r} in {fault.file}"[:300]
            )
            print(f"  wrong: {', '.join(each.wrong)}")
            print(f"  expected: {fault.failure_class}, {fault.blames}, {each.place} {fault.says}")
            print(f"  seen: {answer.failure_class}, {answer.blame}, {(answer.path, answer.line)}")
            print(f"  said: {answer.text[:600]}")


if __name__ == "__main__":
    main()
