"""Rounds in which each way is measured once, in changing order, and the table of what they took."""

from __future__ import annotations

import os
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from inner_best import Pool
from inner_tools import Ran, Tool

Seconds = dict[str, list[float]]

#: The way that the others are compared with, where it is among them.
BEST = "best: the suite's commands alone"


def alternately(
    rounds: int,
    tools: Sequence[Tool],
    pools: Mapping[str, Pool],
    call: Callable[[Tool], Ran],
    before: Callable[[int], None] = lambda _number: None,
) -> tuple[Seconds, Seconds]:
    """Seconds of each way, and of the bounds; all ways in each round, in changing order."""
    seconds, bounds = defaultdict(list), defaultdict(list)
    for number in range(rounds):
        before(number)
        for way in random.sample([*tools, *pools], len(tools) + len(pools)):
            if isinstance(way, Tool):
                seconds[way.name].append(call(way).seconds)
            else:
                seconds[way].append(pools[way].run())
                bounds[way].append(pools[way].bound)
            latest = way.name if isinstance(way, Tool) else way
            print(f"round {number + 1}: {latest}: {seconds[latest][-1]:.3f} s", file=sys.stderr)
    ways = [*(tool.name for tool in tools), *pools]
    return {way: seconds[way] for way in ways}, {way: bounds[way] for way in pools}


def show(title: str, seconds: Seconds, bounds: Seconds, told: Mapping[str, str] | None = None) -> None:
    """Print medians and 95th percentiles, and where there is a best, how much of it each way takes."""
    best_median = statistics.median(seconds[BEST]) if BEST in seconds else 0.0
    print(f"\n{title:42} {'median':>9} {'95th':>9}" + ("   of the best" if best_median else ""))
    for way, values in seconds.items():
        median = statistics.median(values)
        worst = statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else median
        ratio = f"   {median / best_median:11.2f}" if best_median else ""
        print(f"{way:42} {median:7.3f} s {worst:7.3f} s{ratio}   {(told or {}).get(way, '')}".rstrip())
    for way, values in bounds.items():
        label = f"no order is faster than, {way.removeprefix('best: ')}"
        print(
            f"{label:42} {statistics.median(values):7.3f} s   (longest command, or work / {os.cpu_count()})"
        )
