"""The verdicts of a run, folded again from its journal alone, and held against those that stand in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.errors import UsageError
from rampcheck.judging import conducted
from rampcheck.judging import suite as suites
from rampcheck.judging.conduct import rules
from rampcheck.judging.conducted import Said
from rampcheck.judging.rederived import BROKEN, HELD, NEITHER, Difference, rederived
from rampcheck.judging.results import ClauseResult
from rampcheck.judging.traces import taken_out
from rampcheck.report import results as results_file
from rampcheck.running import conclusion, folder
from rampcheck.wire.journal import JOURNAL, UNTOUCHED
from rampcheck.wire.journal_records import ConductRecord, Record

SAME, DIFFERS, ATTESTED = "same", "differs", "attested"
ATTESTED_BY = "attested by the live run"
HIDDEN = "what decides it is hidden in the journal"
BY_RULE = "the journal does not say what the integration did"
SAID = {"held": HELD, "finding": BROKEN, "attested": "attested", "unjudged": NEITHER}
NO_CONDUCT = "what the integration did, by which its rules would judge again"
MOST_TAKEN_OUT = 10  # traces that are told
MOST_TOLD = 3  # differences of a clause, and exchanges of a reason, that are named


@dataclass(frozen=True)
class Rejudged:
    """One clause judged again: `outcome` is `same`, `differs`, or `attested` (by the live run only), `why` says why.

    `told` is the verdict in results.json, `again` the one that its journal comes to.
    """

    clause: str
    level: str
    outcome: str
    told: str
    again: str
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.clause}: {'; '.join(self.why)}" if self.why else f"{self.clause}: {self.again}"


@dataclass(frozen=True)
class Rejudgement:
    """A run judged again: all its clauses, and the run's verdict as it is told and as it comes out again.

    `taken_out` says, a line each, what shows that something was taken out of its journal.
    """

    clauses: tuple[Rejudged, ...]
    told: str
    again: str
    taken_out: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing came out otherwise."""
        return self.told == self.again and not self.of(DIFFERS) and not self.taken_out

    def of(self, outcome: str) -> tuple[Rejudged, ...]:
        """Gives the clauses of one outcome."""
        return tuple(clause for clause in self.clauses if clause.outcome == outcome)

    def lines(self) -> list[str]:
        """Says for a reader what came of it: a line for each clause that differs, or is attested only."""
        told = [] if self.told == self.again else [f"the run: {self.told} by results.json, {self.again} judged again"]
        told += [f"taken out of the journal: {line}" for line in self.taken_out[:MOST_TAKEN_OUT]]
        if (more := len(self.taken_out) - MOST_TAKEN_OUT) > 0:
            told.append(f"taken out of the journal: and {more:,} more such traces")
        told += [f"differs: {clause}" for clause in self.of(DIFFERS)]
        told += [f"{ATTESTED_BY}: {clause}" for clause in self.of(ATTESTED)]
        same, total = len(self.of(SAME)), len(self.clauses)
        return [*told, f"{same} of {total} clauses judged again with the same verdict"]


def rejudged(where: Path) -> Rejudgement:
    """Judges the journal in a run's folder again and compares with it, and with results.json; writes nothing.

    Raises `UsageError` where the folder holds no run that this rampcheck could judge, or no results.
    """
    records = folder.read(where)
    told = _told(where)
    said = {clause["id"]: clause for clause in conclusion.judged(where, records).results["clauses"]}
    beginning = folder.beginning(where, records)
    known = conclusion.contract_of(where, beginning)
    profile = conclusion.profile_of(where, known, beginning)
    if "side" in beginning:
        return _of_partner(where, records, profile, told, said)
    try:
        suite = suites.load(known.name)
        again = rederived(records, known, suite, profile)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(where, error) from error
    results = conclusion.judged(where, again.records).results
    different: dict[str, list[str]] = {}
    for difference in again.differences:
        different.setdefault(difference.clause, []).append(str(difference))
    clauses = tuple(
        _clause(
            clause,
            told["clauses"].get(clause["id"], {}),
            said[clause["id"]],
            different.get(clause["id"], []),
            _reasons(again.attested.get(clause["id"], {})),
        )
        for clause in results["clauses"]
    )
    missing = tuple(taken_out(records, frozenset(beginning["profile"]["credentials"]), suite))
    return Rejudgement(clauses, str(told["verdict"]), results["verdict"], missing)


def _unusable(where: Path, error: Exception) -> UsageError:
    return UsageError(f"{where / JOURNAL} holds a record that cannot be judged again: {error}", UNTOUCHED)


def _of_partner(
    where: Path, records: Sequence[Record], profile: Profile, told: Mapping[str, Any], said: Mapping[str, ClauseResult]
) -> Rejudgement:
    """Gives what a certification comes to when the rules judge again what the integration did."""
    by_rules = rules(profile.contract)
    try:
        again = conducted.judged_again(records, by_rules, profile)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(where, error) from error
    results = conclusion.judged(where, records if again is None else again).results
    conduct = conducted.of(records)
    attested = dict.fromkeys(conduct["hidden"], HIDDEN) if conduct else dict.fromkeys(said, BY_RULE)
    clauses = tuple(
        _clause(
            clause,
            told["clauses"].get(clause["id"], {}),
            said[clause["id"]],
            _unlike(clause["id"], *(conducted.said(one, clause["id"]) for one in (records, again or records))),
            (attested[clause["id"]],) if clause["exercised"] and clause["id"] in attested else (),
        )
        for clause in results["clauses"]
    )
    return Rejudgement(clauses, str(told["verdict"]), results["verdict"], tuple(_partner_lacks(records, conduct)))


def _unlike(clause: str, said: Said, shown: Said) -> list[str]:
    """Says where a journal and the rules differ about a clause: in which exchange who says what."""
    places = {exchange for _, exchange in (said - shown) + (shown - said)}
    return [
        str(Difference(clause, place, _words(said, place), _words(shown, place)))
        for place in sorted(places, key=lambda number: number or 0)
    ]


def _words(said: Said, place: int | None) -> str:
    return " and ".join(sorted(SAID[kind] for kind, exchange in said if exchange == place)) or NEITHER


def _partner_lacks(records: Sequence[Record], conduct: ConductRecord | None) -> Iterator[str]:
    """Says in a line each what the journal of a certification that came to its end lacks."""
    if conduct is None:
        if records[-1]["kind"] == "end":
            yield NO_CONDUCT
    elif (missing := conduct["exchanges"] - sum(record["kind"] == "exchange" for record in records)) != 0:
        yield f"{abs(missing)} exchanges {'are missing' if missing > 0 else 'are too many'}"


def _told(where: Path) -> dict[str, Any]:
    """Gives the run's verdict and its clauses by id, as results.json has them."""
    path = where / results_file.FILE_NAME
    try:
        results = json.loads(path.read_bytes())
        return {"verdict": results["verdict"], "clauses": {clause["id"]: clause for clause in results["clauses"]}}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", "`rampcheck report DIR` makes it again from the journal."
        ) from error


def _clause(
    again: Mapping[str, Any],
    told: Mapping[str, Any],
    said: Mapping[str, Any],
    different: list[str],
    attested: tuple[str, ...],
) -> Rejudged:
    why = different[:MOST_TOLD]
    if len(different) > MOST_TOLD:
        why.append(f"and {len(different) - MOST_TOLD:,} more")
    if told.get("verdict") != again["verdict"]:
        why.insert(0, f"{told.get('verdict', 'nothing')} by results.json, {again['verdict']} judged again")
    elif _evidence(told) != _evidence(said):
        why.insert(0, "results.json tells other evidence than the journal")
    outcome = DIFFERS if why else ATTESTED if attested else SAME
    return Rejudged(
        again["id"],
        again["level"],
        outcome,
        told.get("verdict", ""),
        again["verdict"],
        tuple(why) or attested,
    )


def _evidence(clause: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(clause.get(name) for name in ("exercised", "findings", "observations", "level"))


def _reasons(attested: Mapping[str, set[int | None]]) -> tuple[str, ...]:
    return tuple(f"{why}{_where(exchanges)}" for why, exchanges in attested.items())


def _where(exchanges: set[int | None]) -> str:
    numbers = sorted(number for number in exchanges if number is not None)
    more = f" and {len(numbers) - MOST_TOLD:,} more" if len(numbers) > MOST_TOLD else ""
    named = ", ".join(map(str, numbers[:MOST_TOLD]))
    return f" (exchange{'s' if len(numbers) > 1 else ''} {named}{more})" if numbers else ""
