"""How long the target took over each clause."""

from __future__ import annotations

from collections import defaultdict

from rampcheck.judging.evidence import Account


def by_clause(account: Account) -> dict[str, float]:
    """Gives the milliseconds that the target took over each clause of which the account of a run has evidence.

    An exchange is judged by many clauses: its time is shared out evenly among them, so that the times of all clauses
    together are never more than what was waited for. A clause that no single exchange showed took no time of its own.
    """
    judged: defaultdict[int, set[str]] = defaultdict(set)
    for clause, evidence in account.clauses.items():
        cited = [finding.exchange for finding in evidence.findings]
        cited += [observation["exchange"] for observation in evidence.observations]
        for number in evidence.held.union(number for number in cited if number is not None):
            judged[number].add(clause)
    times: defaultdict[str, float] = defaultdict(float)
    for number, clauses in judged.items():
        for clause in clauses:
            times[clause] += account.elapsed.get(number, 0.0) / len(clauses)
    return {clause: round(milliseconds, 3) for clause, milliseconds in times.items()}
