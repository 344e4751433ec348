"""Which finding explains which: where one thing is wrong with an answer, many promises may be broken at once.

The register's table `causes` says which clauses may be broken because another one is. Whether one finding explains
another is seen in what they are about: the status, the whole body, or members of it. That stands in the text of their
expectation, as the schema judge, the invariants and `Rejection` write it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rampcheck.contract import Cause
from rampcheck.findings import Finding

MEMBER = re.compile(r"`(\w+)[^`]*`")
VALUES = r"'[^']*'(?: or '[^']*')*"
REFUSAL = re.compile(rf"(a \dxx|\d{{3}}(?: or \d{{3}})*)((?:, \w+ {VALUES})*)(?= |$)")


@dataclass(frozen=True)
class About:
    """What a finding is about: the status of an answer, its body as a whole, the members of its body."""

    status: bool = False
    body: bool = False
    members: frozenset[str] = frozenset()


# What an expectation of the whole answer says.
WHOLE = {
    "an answer below 500": About(status=True, body=True),
    "a JSON object": About(body=True),
    "the body: of type object": About(body=True),
}


def about(finding: Finding) -> About:
    """Gives what a finding is about; nothing of all that where it is about a header or the course of things."""
    if finding.expected in WHOLE:
        return WHOLE[finding.expected]
    if refusal := REFUSAL.match(finding.expected):
        return _about_refusal(refusal[1], refusal[2], finding.actual)
    return About(members=frozenset(MEMBER.findall(finding.expected.partition(": ")[0])))


def _about_refusal(statuses: str, members: str, actual: str) -> About:
    """Gives in what an answer, as `Exchange.summary` tells of it, differs from what `Rejection` promises."""
    is_promised = any(re.match(status.replace("x", r"\d"), actual) for status in re.findall(r"\d[\dx]{2}", statuses))
    wrong = {
        name for name, values in re.findall(rf", (\w+) ({VALUES})", members)
        if not any(f", {name} {value}" in actual for value in values.split(" or "))
    }
    return About(status=not is_promised, members=frozenset(wrong))


def explains(cause: Cause, source: Finding, finding: Finding) -> bool:
    """Whether `source`, a finding of the cause's own clause, explains a finding in the same exchange.

    It does where nothing is wrong in the latter that is not wrong in the former too.
    """
    if source.clause != cause.clause or finding.clause not in cause.explains:
        return False
    known, other = about(source), about(finding)
    if other.status and not known.status:
        return False
    if known.body and not cause.several:
        return True
    return not other.body and bool(other.members) and other.members <= known.members


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
