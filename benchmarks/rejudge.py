"""Counts the verdicts that come out the same when a run is judged again. `python benchmarks/rejudge.py [options]`.

Runs the selftest's trials of defects (quick: the scenarios of a defect's own clauses only), judges each run's folder
again from its redacted journal, and prints, for each contract, the share of the `must` clauses that were put to the
test and are judged again with the same verdict, what is attested by the live run only, and every clause that differs,
of which there should be none. `--every N` takes one defect in N, `--whole` makes whole runs, `--keep DIR` keeps them.
`--from DIR` makes none, and judges again what `rampcheck selftest --keep --output DIR` left there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from rampcheck.errors import RampcheckError
from rampcheck.running.rejudgement import ATTESTED, DIFFERS, SAME, rejudged
from rampcheck.selftest import Conditions, Selection, planned, prove
from rampcheck.selftest.attempt import RUN


def main() -> None:
    """Makes the runs, judges them again, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contracts", nargs="*", default=["proof", "kryptonim"])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--from", dest="made", type=Path)
    given = parser.parse_args()
    if given.made is not None:
        for contract in given.contracts:
            tell(contract, sorted((given.made / "trials").glob(f"{contract}-defect-*/{RUN}")))
        return
    with tempfile.TemporaryDirectory() as scratch:
        output = given.keep or Path(scratch) / "selftest"
        for contract in given.contracts:
            trials = [trial for trial in planned(Selection([contract])) if trial.kind == "defect"]
            trials = trials[given.first :: given.every]
            conditions = Conditions(quick=not given.whole)
            prove(Selection([contract]), conditions, output / contract, jobs=given.jobs, keep=True, trials=trials)
            tell(contract, sorted((output / contract / "trials").glob(f"*/{RUN}")))


def tell(contract: str, runs: list[Path]) -> None:
    """Prints what came of the runs of one contract."""
    outcomes: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for run in runs:
        try:
            again = rejudged(run)
        except RampcheckError as error:
            print(f"{run.parent.name}: {error}")
            continue
        musts = [clause for clause in again.clauses if clause.level == "must" and clause.told != "not_verified"]
        outcomes.update(clause.outcome for clause in musts)
        failures.update(clause.outcome for clause in musts if clause.told == "failed")
        for clause in again.of(DIFFERS):
            print(f"{run.parent.name} differs: {clause}")
        for line in again.taken_out:
            print(f"{run.parent.name} lacks: {line}")
        lines.update(f"{clause.clause} ({clause.told})" for clause in again.of(ATTESTED) if clause in musts)
    for what, counted in (("verified musts", outcomes), ("failed musts", failures)):
        share = counted[SAME] / max(1, counted.total())
        print(f"{contract}: {len(runs)} runs, {counted.total():,} {what}: {share:.2%} the same; {dict(counted)}")
    for line, times in lines.most_common():
        print(f"    attested by the live run in {times}: {line}")


if __name__ == "__main__":
    main()
