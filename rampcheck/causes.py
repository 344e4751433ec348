"""Which finding explains which: where one thing is wrong with an answer, many promises may be broken at once.

The register's table `causes` says which clauses may be broken because another one is. Whether one finding explains
another is seen in what they are about: the status, the whole body, or members of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rampcheck.contract import Cause
from rampcheck.findings import Finding
from rampcheck.suite import BODY, STATUS


def explains(cause: Cause, source: Finding, finding: Finding) -> bool:
    """Whether `source`, a finding of the cause's own clause, explains a finding in the same exchange.

    It does where nothing is wrong in the latter that is not wrong in the former too.
    """
    if source.clause != cause.clause or finding.clause not in cause.explains:
        return False
    known, other = set(source.about), set(finding.about)
    if STATUS in other and STATUS not in known:
        return False
    if BODY in known and not cause.several:
        return True
    members = other - {STATUS}
    return bool(members) and BODY not in members and members <= known


def follows(causes: Sequence[Cause], findings: Iterable[Finding]) -> dict[str, str]:
    """Gives, for each clause of which every finding follows from another's, the id of the clause at the root.

    Takes all findings of a run. A finding follows only from one in the same exchange; the first cause of the table that
    explains it counts. Where the findings of a clause have several roots, it is the one of most of them, and of
    equals the one that stands first in the table. Causes must not form a circle.
    """
    by_exchange: dict[int | None, list[Finding]] = defaultdict(list)
    roots: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in findings:
        by_exchange[finding.exchange].append(finding)
    for exchange, seen in by_exchange.items():
        for finding in seen:
            root = finding if exchange is None else _root(causes, finding, seen)
            roots[finding.clause][root.clause] += 1
    order = [cause.clause for cause in causes]
    return {
        clause: max(found, key=lambda root: (found[root], -order.index(root)))
        for clause, found in roots.items() if clause not in found
    }


def _root(causes: Sequence[Cause], finding: Finding, seen: Sequence[Finding]) -> Finding:
    for cause in causes:
        for source in seen:
            if explains(cause, source, finding):
                return _root(causes, source, seen)
    return finding
