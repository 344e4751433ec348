"""What many runs of one contract say of each clause, release by release, and which clauses are flaky."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rampcheck.comparison import saved
from rampcheck.comparison.saved import Saved
from rampcheck.judging.results import ClauseVerdict
from rampcheck.report.outline import CLAUSE_VERDICTS
from rampcheck.report.text import moment

INCONCLUSIVE = "inconclusive"  # of a run that judged nothing
# What a verdict says of the target: a waiver, and a level, change the verdict and not what the target does.
STATES = {"passed": "held", "failed": "broken", "advisory": "broken", "waived": "broken", "observed": "observed"}


@dataclass(frozen=True)
class Release:
    """The runs of one build; of a run whose build is not known, the run alone. `name` is the build or the time."""

    name: str
    build: str
    runs: tuple[Saved, ...]

    @property
    def judged(self) -> tuple[Saved, ...]:
        """Its runs without those that were inconclusive, which judged nothing."""
        return tuple(run for run in self.runs if run.results["verdict"] != INCONCLUSIVE)

    def verdicts(self, clause: str) -> tuple[ClauseVerdict, ...] | None:
        """Gives the verdicts of a clause in its runs, the worst first, each once; empty where no run knows it.

        None where nothing was judged in any run.
        """
        if not self.judged:
            return None
        found = {run.clauses[clause]["verdict"] for run in self.judged if clause in run.clauses}
        return tuple(verdict for verdict in CLAUSE_VERDICTS if verdict in found)

    def is_flaky(self, clause: str) -> bool:
        """Whether a clause was judged differently though the build is the same, and so is what was selected.

        What the profile lacked, or nobody selected, was not judged at all, and says nothing; nor does it that a run of
        a smaller budget did not see what a larger one sees.
        """
        states: dict[str, set[str]] = {}
        for run in self.judged:
            result = run.clauses.get(clause)
            if result is not None and result.get("gap") not in ("declared", "unselected"):
                selected = json.dumps(run.results.get("selection", {}), sort_keys=True)
                states.setdefault(selected, set()).add(STATES.get(result["verdict"], "not verified"))
        return bool(self.build) and any(len(seen) > 1 for seen in states.values())


@dataclass(frozen=True)
class Row:
    """One clause: its result in the last run that knows it, its verdicts in each release, and where it is flaky.

    The verdicts of a release in which nothing was judged are None.
    """

    result: Mapping[str, Any]
    verdicts: tuple[tuple[ClauseVerdict, ...] | None, ...]
    flaky: tuple[bool, ...]

    @property
    def steady(self) -> ClauseVerdict | None:
        """The verdict that it had in all runs that judged something, None where there is no such one."""
        found = {verdicts for verdicts in self.verdicts if verdicts is not None}
        (verdict, *others) = next(iter(found), ()) or (None,)
        return None if len(found) > 1 or others else verdict

    @property
    def is_steady(self) -> bool:
        """Whether it was the same in all runs that judged something; where none did, nothing changed."""
        return self.steady is not None or all(verdicts is None for verdicts in self.verdicts)


@dataclass(frozen=True)
class History:
    """The releases in the order of time, and the clauses in that of the documentation.

    `can_tell_flaky` says whether a build was judged more than once, without which no clause can be called flaky.
    """

    title: str
    contract: str
    releases: tuple[Release, ...]
    rows: tuple[Row, ...]

    @property
    def flaky(self) -> tuple[Row, ...]:
        """The clauses that changed without a release."""
        return tuple(row for row in self.rows if any(row.flaky))

    @property
    def can_tell_flaky(self) -> bool:
        """Whether any build was judged more than once."""
        return any(release.build and len(release.runs) > 1 for release in self.releases)


def history(runs: Sequence[Saved]) -> History:
    """Gives the history that runs tell, in whatever order. Raises `UsageError` where they are not of one contract."""
    saved.demand_one_contract(*runs)
    ordered = sorted(runs, key=lambda run: str(run.results["started"]))
    known = {clause: result for run in ordered for clause, result in run.clauses.items()}
    # In the order of the last run's documentation; what it does not know any more comes last.
    names = dict.fromkeys([*ordered[-1].clauses, *known])
    releases = _releases(ordered)
    rows = [
        Row(
            known[name],
            tuple(release.verdicts(name) for release in releases),
            tuple(release.is_flaky(name) for release in releases),
        )
        for name in names
    ]
    last = ordered[-1].results
    return History(last["title"], last["contract"], releases, tuple(rows))


def _releases(ordered: Sequence[Saved]) -> tuple[Release, ...]:
    """Gives releases in the order of their first runs; a build that comes back later is the same release."""
    runs: dict[str, list[Saved]] = {}
    for number, run in enumerate(ordered):
        runs.setdefault(run.build or f"\0{number}", []).append(run)
    return tuple(
        Release(own[0].build or moment(own[0].results["started"]), own[0].build, tuple(own)) for own in runs.values()
    )
