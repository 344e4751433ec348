"""Certifies each example of `examples/partners` many times, and says how often one was accused, and how long it took.

`python -m benchmarks.partners [--runs N] [--at-once N] [--time-scale FACTOR] [NAME…]`; names are `proof-php`,
`proof-express-mjs` and the like. Most of a run is waiting, so several go on at once.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.partners.programs import COMMANDS, contract_of, examples, missing, spoken
from tests.test_partners import certified


def tried(example: Path, folder: Path, time_scale: float) -> tuple[float, dict[str, str]]:
    """Certifies an example with every step, and gives how long that took, and what it was accused of."""
    command = [*COMMANDS[example.suffix], str(example)]
    began = time.monotonic()
    done = certified(contract_of(example), command, folder, time_scale=time_scale, patience=3600)
    return time.monotonic() - began, done.verdicts("failed", "advisory")


def main() -> None:
    """Prints a line for each example, and each accusation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--time-scale", type=float, default=1.0)
    told = parser.parse_args()
    chosen = [one for one in examples() if not told.names or spoken(one) in told.names]
    for one in chosen:
        if why := missing(one):
            print(f"{spoken(one)}: left out, {why}")
    runnable = [one for one in chosen if not missing(one)]
    took: dict[Path, list[float]] = defaultdict(list)
    accused: Counter[Path] = Counter()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(told.at_once) as pool:
        waiting = [
            (one, pool.submit(tried, one, Path(name) / f"{spoken(one)}-{number}", told.time_scale))
            for number in range(told.runs)
            for one in runnable
        ]
        for one, run in waiting:
            seconds, accusations = run.result()
            took[one].append(seconds)
            accused[one] += bool(accusations)
            if accusations:
                print(f"{spoken(one)}: accused of {', '.join(accusations)}", flush=True)
    for one, seconds in took.items():
        print(
            f"{spoken(one)}: {len(seconds)} runs, {accused[one]} accused, {statistics.median(seconds):.0f} s a run "
            f"({min(seconds):.0f} to {max(seconds):.0f})"
        )


if __name__ == "__main__":
    main()
