"""How comparisons fare on real runs: those of one target differ in nothing, and each defect is named by its clause.

`python benchmarks/compare.py alike [RUNS]` makes RUNS (12) runs of each reference, with other seeds and one or two
workers, and compares every pair. `python benchmarks/compare.py defects [PATTERN]` compares a run with each defect
(whose name matches) with a clean one; hours for all of them. `… defects PATTERN DIR` makes no run with a defect, and
takes those that `rampcheck selftest --keep --output DIR` left there, with `--quick` or without. All of them end with
exit code 1 where something is not as it has to be.
"""

from __future__ import annotations

import fnmatch
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rampcheck.comparison import differences, saved
from rampcheck.comparison.saved import Saved
from rampcheck.contract import register
from rampcheck.sandbox import all_defects, reference
from rampcheck.selftest.attempt import RUN


def run(folder: Path, *arguments: str) -> Saved | None:
    """Makes a run into a folder; gives it, None where it judged nothing."""
    command = [sys.executable, "-m", "rampcheck.cli", "run", *arguments, "--output", str(folder)]
    subprocess.run(command, capture_output=True, check=False)
    made = saved.anything(folder)
    return None if made.results["verdict"] == "inconclusive" else made


def alike(contract: str, runs: int, folder: Path) -> int:
    """Compares every pair of runs of a reference; gives how many pairs differ in anything that they should not."""
    made = [
        run(folder / f"{contract}-{number}", "--contract", contract, "--seed", str(number), "-n", str(1 + number % 2))
        for number in range(1, runs + 1)
    ]
    wrong = 0
    pairs = list(itertools.combinations([one for one in made if one is not None], 2))
    for before, after in pairs:
        comparison = differences.compare(before, after)
        told = [f"{clause['id']}: {clause['kind']}" for clause in comparison["clauses"]]
        told += [f"{change['name']} differs" for change in comparison["settings"] if change["matters"]]
        told += [f"{row['endpoint']} is {row['differs']}" for row in comparison["times"] if row["differs"]]
        if told:
            wrong += 1
            print(f"{contract}: {before.results['seed']} and {after.results['seed']}: {'; '.join(told)}")
    print(f"{contract}: {len(pairs)} pairs of {len(made)} runs, {wrong} of them differ")
    return wrong


def kept(contract: str, folder: Path) -> dict[str, Path]:
    """Gives the run of each defect of a contract that a selftest has left in a folder, by name; of the last seed."""
    runs = {run.parent.name: run for run in sorted((folder / "trials").glob(f"{contract}-defect-*/{RUN}"))}
    return {
        label.removeprefix(f"{contract}-defect-").rpartition("-seed-")[0]: run
        for label, run in runs.items()
        if (run / "results.json").is_file()
    }


def judged_saved(folder: Path) -> Saved | None:
    """Gives a run as it was kept, None where it judged nothing."""
    made = saved.anything(folder)
    return None if made.results["verdict"] == "inconclusive" else made


def defects(contract: str, pattern: str, folder: Path, made: Path | None = None) -> int:
    """Compares a run with each defect with a clean one; gives how many are named by no clause of theirs.

    Of those that a selftest has `made`, only what is kept there is compared.
    """
    there = kept(contract, made) if made is not None else {}
    if made is not None and not there:
        return 0
    clean = run(folder / contract, "--contract", contract)
    if clean is None:
        raise SystemExit(f"the reference of {contract} could not be judged")
    known = register.load(contract).clauses
    wrong = tried = 0
    for defect in all_defects(contract):
        judged = {name for name in defect.clauses if known[name].level != "open"}
        if defect.ends or not judged or not fnmatch.fnmatch(defect.name, pattern):
            continue  # Such a server is not judged at all, or breaks nothing that could regress.
        if made is not None and defect.name not in there:
            continue
        tried += 1
        if made is not None:
            broken = judged_saved(there[defect.name])
        else:
            broken = run(folder / f"{contract}-{defect.name}", "--contract", contract, "--defect", defect.name)
        comparison = differences.compare(clean, broken) if broken else {"clauses": []}
        regressed = {clause["id"]: clause for clause in comparison["clauses"] if clause["kind"] == "regressed"}
        if not judged & regressed.keys():
            wrong += 1
            print(f"{contract}: {defect.name}: none of {', '.join(sorted(judged))} is named, but {list(regressed)}")
    print(f"{contract}: {tried} defects, {wrong} of them not named by a clause of theirs")
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; gives the exit code."""
    what, *rest = arguments or ["alike"]
    with tempfile.TemporaryDirectory() as folder:
        if what == "alike":
            runs = int(rest[0]) if rest else 12
            return int(sum(alike(contract, runs, Path(folder)) for contract in reference.references()) > 0)
        pattern = rest[0] if rest else "*"
        made = Path(rest[1]) if len(rest) > 1 else None
        return int(sum(defects(contract, pattern, Path(folder), made) for contract in reference.references()) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
