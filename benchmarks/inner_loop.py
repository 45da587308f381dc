"""What the inner suite takes, beside tools that run scripts of monorepos, and beside the best possible.

    make bench-inner

On a generated monorepo of 30 packages and 60 checks: everything anew, nothing changed, one package changed (one that
others need, and one that nobody needs), and what each prints; then nothing changed among 50,000 files. All ways in each
round, in changing order, on the same change, each with a cache of its own; turbo and moon without the script that npm
puts before them. After each call it is asserted that the tool did what is measured.

    .venv/bin/python benchmarks/inner_loop.py --checkout DIR

does the first two on a copy of any checkout, for the inner suite alone. Where checks fail, a red phase stops the next:
what is then measured is not all that there is to run, which is what the best is of.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from inner_best import Pool, commands_of, scripts
from inner_monorepo import PACKAGES, commit, generate, name, write
from inner_others import configure_others
from inner_rounds import BEST, alternately, show
from inner_tools import Ran, Tool, WrongWorkError, expect, gatehouse_tools

CHECKS = 2 * PACKAGES

#: Packages that need the first one, over others, and itself.
NEEDED, NEEDED_CHECKS = name(0), 12

#: A package that nobody needs.
ALONE, ALONE_CHECKS = name(PACKAGES - 1), 2

FILES = 50_000


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="of what takes a second or so")
    parser.add_argument("--cold-rounds", type=int, default=3, help="of everything anew")
    parser.add_argument("--files", type=int, default=FILES, help="of the checkout with many files")
    parser.add_argument("--checkout", type=Path, help="measure this one instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatehouse-inner-") as folder:
        root = Path(folder).resolve()
        try:
            if options.checkout:
                one_checkout(root, options.checkout, options.rounds, options.cold_rounds)
            else:
                generated(root, options.rounds, options.cold_rounds)
                many_files(root, options.files, options.rounds)
        except WrongWorkError as error:
            sys.exit(f"this is no measurement: {error}")


def generated(folder: Path, rounds: int, cold_rounds: int) -> None:
    """The generated monorepo, by all tools."""
    root = folder / "monorepo"
    generate(root)
    others = configure_others(root)
    tools = [*gatehouse_tools(folder / "caches"), *others]
    try:
        cold(root, tools, cold_rounds, folder)
        nothing_changed(f"nothing changed, {CHECKS} checks", root, tools, rounds)
        for package, checks in ((NEEDED, NEEDED_CHECKS), (ALONE, ALONE_CHECKS)):
            one_changed(root, tools, rounds, package, checks, folder)
        printed(root, tools)
    finally:
        for tool in tools:
            tool.empty(root)


def cold(root: Path, tools: Sequence[Tool], rounds: int, folder: Path) -> None:
    """All checks, with caches emptied, beside the commands alone."""
    pools = best(root, folder / "best-cold")
    seconds, bounds = alternately(rounds, tools, pools, lambda tool: emptied(tool, root))
    show(f"everything anew, {CHECKS} checks", seconds, bounds)


def emptied(tool: Tool, root: Path) -> Ran:
    """One call with empty caches."""
    tool.empty(root)
    ran = tool.run(root)
    expect(tool, ran, CHECKS, 0)
    return ran


def nothing_changed(title: str, root: Path, tools: Sequence[Tool], rounds: int) -> None:
    """Each tool once more after a pass."""

    def again(tool: Tool) -> Ran:
        ran = tool.run(root)
        expect(tool, ran, 0, CHECKS)
        return ran

    for tool in tools:  # one that is not measured: a daemon starts, an answer is kept
        tool.run(root)
    show(title, alternately(rounds, tools, {}, again)[0], {})


def one_changed(
    root: Path, tools: Sequence[Tool], rounds: int, package: str, checks: int, folder: Path
) -> None:
    """Each tool after the same change of a package, a new one in each round."""
    for tool in tools:  # one that is not measured: moon runs again what went back to an older state
        tool.run(root)
    source = root / "packages" / package / "src" / "index.js"
    original = source.read_text()
    source.write_text(f"{original}// a change to plan by\n")
    pools = best(root, folder / f"best-{package}")

    def again(tool: Tool) -> Ran:
        ran = tool.run(root)
        expect(tool, ran, checks, None)
        return ran

    def change(number: int) -> None:
        source.write_text(f"{original}// change {number}\n")

    seconds, bounds = alternately(rounds, tools, pools, again, change)
    source.write_text(original)
    show(f"one package changed ({package}), {checks} checks to run", seconds, bounds)


def best(root: Path, cache: Path) -> dict[str, Pool]:
    """The same commands by a pool with nothing around them, each pool run once to know its order."""
    commands = commands_of(root, cache)
    folders = dict.fromkeys(command.folder for command in commands)
    pools = {
        BEST: Pool(commands),
        "best: the scripts alone": Pool(scripts(folders)),
    }
    for way, pool in pools.items():
        pool.run()
        if pool.failed:
            raise WrongWorkError(f"{way}: {pool.failed} commands failed")
    return pools


def printed(root: Path, tools: Sequence[Tool]) -> None:
    """Characters that each tool prints: all from the cache, and when a test of one package fails."""
    source = root / "packages" / NEEDED / "src" / "index.js"
    original = source.read_text()
    print(f"\n{'characters printed':42} {'on pass':>9} {'on failure':>11}")
    for tool in tools:
        passing = tool.run(root)
        expect(tool, passing, 0, CHECKS)
        source.write_text(original.replace("return 0;", "return 999;"))
        failing = tool.run(root)
        source.write_text(original)
        if not failing.code:
            raise WrongWorkError(f"{tool.name} ends with 0 although a test fails:\n{failing.output[-1500:]}")
        print(f"{tool.name:42} {len(passing.output):9} {len(failing.output):11}")
        tool.run(root)


def many_files(folder: Path, files: int, rounds: int) -> None:
    """Nothing changed among many small files in the same packages."""
    root = folder / "many"
    generate(root)
    for number in range(files):
        write(root / "packages" / name(number % PACKAGES) / "data" / f"{number}.txt", f"{number}\n")
    commit(root)
    tools = gatehouse_tools(folder / "many-caches")
    for tool in tools:
        expect(tool, tool.run(root), CHECKS, 0)
    status = Tool("git status alone", ("git", "status", "--porcelain=v2", "-z", "--untracked-files=all"))

    def again(tool: Tool) -> Ran:
        ran = tool.run(root)
        if tool is not status:
            expect(tool, ran, 0, CHECKS)
        return ran

    seconds, _ = alternately(rounds, [*tools, status], {}, again)
    show(f"nothing changed among {files} files", seconds, {})


def one_checkout(folder: Path, checkout: Path, rounds: int, cold_rounds: int) -> None:
    """Everything anew and nothing changed on a copy of a checkout."""
    root = folder / checkout.resolve().name
    shutil.copytree(checkout, root, symlinks=True)
    tools = gatehouse_tools(folder / "caches")
    told: dict[str, str] = {}

    def anew(tool: Tool) -> Ran:
        tool.empty(root)
        ran = tool.run(root)
        if ran.cached:
            raise WrongWorkError(f"{tool.name}: {ran.cached} checks were cached, with an empty cache")
        told[tool.name] = f"exit code {ran.code}, {ran.executed} checks to run"
        return ran

    def again(tool: Tool) -> Ran:
        ran = tool.run(root)
        if ran.code == 0 and ran.executed:
            raise WrongWorkError(
                f"{tool.name}: {ran.executed} checks were executed again:\n{ran.output[-1500:]}"
            )
        told[tool.name] = f"exit code {ran.code}, {ran.executed} checks to run again, {ran.cached} cached"
        return ran

    pool = Pool(commands_of(root, folder / "best"))
    pool.run()
    print(f"{pool.failed} of {len(pool.costs)} commands fail by themselves", file=sys.stderr)
    seconds, bounds = alternately(cold_rounds, tools, {BEST: pool}, anew)
    show(f"everything anew: {checkout}", seconds, bounds, told)
    for tool in tools:
        tool.run(root)
    seconds, _ = alternately(rounds, tools, {}, again)
    show(f"nothing changed: {checkout}", seconds, {}, told)


if __name__ == "__main__":
    main()
