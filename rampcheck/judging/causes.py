"""Which finding explains which: where one thing is wrong with an answer, many promises may be broken at once.

The register's table `causes` says which clauses may be broken because another one is. Whether one finding explains
another is seen in what they are about: the status, the whole body, or members of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rampcheck.contract.register import Cause
from rampcheck.judging.findings import Finding
from rampcheck.judging.suite import BODY, STATUS


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
    return bool(other) and BODY not in other and other <= known


def explains_anywhere(cause: Cause, source: Finding, finding: Finding, outcomes: Mapping[int, str]) -> bool:
    """Whether `source`, a finding of the cause's own clause, explains a finding in whatever exchange.

    It does where the cause is one that shows anywhere, the same was changed in both requests, and it had the same
    outcome, as `outcomes` tells for the number of an exchange.
    """
    if not cause.anywhere or source.clause != cause.clause or finding.clause not in cause.explains:
        return False
    if not finding.change or source.change != finding.change:
        return False
    outcome = None if finding.exchange is None else outcomes.get(finding.exchange)
    return outcome is not None and source.exchange is not None and outcomes.get(source.exchange) == outcome


def follows(
    causes: Sequence[Cause],
    findings: Iterable[Finding],
    outcomes: Mapping[int, str] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Gives, for each clause of which every finding follows from another's, the ids of the clauses at the roots.

    Takes all findings of a run, and for the numbers of exchanges how they ended. A finding follows from one in the
    same exchange, or from one elsewhere where the cause is marked so; the first cause of the table that explains it
    counts. Where the findings of a clause have several roots, that of most of them stands first, and of equals the one
    that stands first in the table. Causes must not form a circle.
    """
    known = list(findings)
    search = _Search(causes, known, outcomes or {})
    roots: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in known:
        roots[finding.clause][search.root(finding)] += finding.times
    order = [cause.clause for cause in causes]
    return {
        clause: tuple(sorted(found, key=lambda root: (-found[root], order.index(root))))
        for clause, found in roots.items()
        if clause not in found
    }


@dataclass(frozen=True)
class _Kind:
    """All of a finding by which something explains it, or is explained by it: findings of one kind have one root."""

    clause: str
    exchange: int | None
    about: frozenset[str]
    change: str


def _kind(finding: Finding) -> _Kind:
    return _Kind(finding.clause, finding.exchange, frozenset(finding.about), finding.change)


class _Search:
    """Looks for what explains a finding, among all `findings` of a run.

    Of each kind only the first is looked at, and is looked for only once: the work grows with the findings, where a
    target breaks one thing thousands of times in an answer.
    """

    def __init__(self, causes: Sequence[Cause], findings: Iterable[Finding], outcomes: Mapping[int, str]) -> None:
        self._causes = causes
        self._outcomes = outcomes
        self._roots: dict[_Kind, str] = {}
        self._here: dict[tuple[int, str], dict[_Kind, Finding]] = defaultdict(dict)
        self._anywhere: dict[tuple[str, str, str | None], Finding] = {}
        for finding in findings:
            if finding.exchange is not None:
                self._here[finding.exchange, finding.clause].setdefault(_kind(finding), finding)
                outcome = outcomes.get(finding.exchange)
                self._anywhere.setdefault((finding.clause, finding.change, outcome), finding)

    def root(self, finding: Finding) -> str:
        """Gives the clause from which a finding follows in the end, its own where it follows from none."""
        kind = _kind(finding)
        if kind not in self._roots:
            source = self._source(finding)
            self._roots[kind] = finding.clause if source is None else self.root(source)
        return self._roots[kind]

    def _source(self, finding: Finding) -> Finding | None:
        if finding.exchange is None:
            return None
        for cause in self._causes:
            if finding.clause in cause.explains:
                for source in self._here.get((finding.exchange, cause.clause), {}).values():
                    if explains(cause, source, finding):
                        return source
                outcome = self._outcomes.get(finding.exchange)
                elsewhere = self._anywhere.get((cause.clause, finding.change, outcome))
                if elsewhere is not None and explains_anywhere(cause, elsewhere, finding, self._outcomes):
                    return elsewhere
        return None
