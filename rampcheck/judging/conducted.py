"""A conduct in a journal: as it is written there, as it is read again, and what the rules say of it.

Where a value is hidden its mark stands, the same for the same value, so most rules say of a journal what they said of
what was seen. Which of them do not is tried when the journal is written, and told in it: by a clause that is `hidden`
only the live run could judge.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rampcheck.contract.profile import Profile
from rampcheck.judging.conduct import Attested, Conduct, Kept, Purchase, Rule, Unseen
from rampcheck.judging.findings import shortened
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import exchange_records, from_record, moment, timestamp
from rampcheck.wire.journal_records import ConductRecord, ExchangeRecord, PurchaseContent, Record
from rampcheck.wire.redaction import Redactor

UNTAKEN = "no traffic: "  # how the reason begins of what the integration never did
MOST_FINDINGS = 50  # of one clause that are written
# Of which kind a record is, and of which exchange, how often.
Said = Counter[tuple[str, int | None]]
JUDGED = frozenset({"held", "finding", "attested", "unjudged"})


def judged(conduct: Conduct, rules: Sequence[Rule], redactor: Redactor | None = None) -> Iterator[Record]:
    """Gives what the rules say of a conduct, as records; nothing where there is nothing that it did.

    What is told of a finding is redacted, where it is not made of marks already.
    """
    if any(purchase.exchanges for purchase in conduct.purchases):
        for rule in rules:
            yield from _judged_by(rule, conduct, redactor)


def _judged_by(rule: Rule, conduct: Conduct, redactor: Redactor | None) -> Iterator[Record]:
    clause, findings, judgements = rule.clause, 0, list(rule.judge(conduct))
    for judgement in judgements:
        match judgement:
            case Kept(exchange):
                yield {"kind": "held", "clause": clause, "scenario": exchange.scenario, "exchange": exchange.number}
            case Attested(why):
                yield {"kind": "attested", "clause": clause, "scenario": "", "reason": why}
            case Unseen(why):
                yield {"kind": "unjudged", "clause": clause, "scenario": "", "reason": why}
            case Broken() if (findings := findings + 1) <= MOST_FINDINGS:
                yield _finding(clause, judgement, redactor)
    if not judgements:
        yield {"kind": "unjudged", "clause": clause, "scenario": "", "reason": f"{UNTAKEN}{rule.untried}"}


def _finding(clause: str, broken: Broken, redactor: Redactor | None) -> Record:
    exchange, shown = broken.exchange, redactor.text if redactor else str
    return {
        "kind": "finding",
        "clause": clause,
        "expected": shortened(shown(broken.expected)),
        "actual": shortened(shown(broken.actual)),
        "exchange": exchange.number if exchange else None,
        "scenario": exchange.scenario if exchange else "",
        "judge": "scenario",
        "about": [],
        "change": "",
        "times": 1,
    }


def said(records: Sequence[Record], clause: str) -> Said:
    """Gives what records say of a clause."""
    told: Said = Counter()
    for record in records:
        match record["kind"]:
            case "held" | "finding" if record["clause"] == clause:
                told[record["kind"], record["exchange"]] += 1
            case "attested" | "unjudged" if record["clause"] == clause:
                told[record["kind"], None] += 1
    return told


def written(
    conduct: Conduct, rules: Sequence[Rule], exchanges: Mapping[int, ExchangeRecord], redactor: Redactor
) -> ConductRecord:
    """Gives the record of a conduct, of which the `exchanges` stand in the journal like this."""
    record: ConductRecord = {
        "kind": "conduct",
        "observed": conduct.observed,
        "credentials": {name: redactor.mark(name, value) for name, value in conduct.credentials.items()},
        "purchases": [_purchase(purchase, redactor) for purchase in conduct.purchases],
        "exchanges": len(exchanges),
        "hidden": [],
    }
    again = recalled(record, exchanges, conduct.profile, conduct.time_scale)
    record["hidden"] = [rule.clause for rule in rules if not _is_seen_again(rule, conduct, again)]
    return record


def _is_seen_again(rule: Rule, conduct: Conduct, again: Conduct) -> bool:
    """Whether a rule says the same of a conduct with marks in place of what is hidden."""
    try:
        two = [said([*judged(one, [rule])], rule.clause) for one in (conduct, again)]
    except (ValueError, TypeError, LookupError):  # of a mark where a rule expects an address, say
        return False
    return two[0] == two[1]


def _purchase(purchase: Purchase, redactor: Redactor) -> PurchaseContent:
    return {
        "step": purchase.step,
        "told": {name: redactor.data(value) for name, value in purchase.told.items()},
        "cut": purchase.cut,
        "left": None if math.isinf(purchase.left) else timestamp(purchase.left),
        "processed": [
            {"transaction": redactor.data(named), "status": redactor.data(status), "times": times}
            for (named, status), times in purchase.processed.items()
        ],
        "sources": {
            str(exchange.number): purchase.sources[exchange.number]
            for exchange in purchase.exchanges
            if exchange.number in purchase.sources
        },
    }


def recalled(
    record: ConductRecord, exchanges: Mapping[int, ExchangeRecord], profile: Profile, time_scale: float
) -> Conduct:
    """Gives the conduct that a journal tells of. Raises `ValueError` or `LookupError` where it is none."""
    steps: dict[str, list[Exchange]] = {}
    for told in exchanges.values():
        exchange = from_record(told)
        steps.setdefault(exchange.scenario, []).append(exchange)
    purchases = [_recalled(told, steps.get(told["step"], [])) for told in record["purchases"]]
    return Conduct(purchases, profile, record["credentials"], time_scale, record["observed"])


def _recalled(told: PurchaseContent, exchanges: Sequence[Exchange]) -> Purchase:
    return Purchase(
        told["step"],
        told["told"],
        tuple(sorted(exchanges, key=lambda one: (one.started, one.number))),
        told["cut"],
        {(one["transaction"], one["status"]): one["times"] for one in told["processed"]},
        {int(number): source for number, source in told["sources"].items()},
        math.inf if told["left"] is None else moment(told["left"]),
    )


def judged_again(records: Sequence[Record], rules: Sequence[Rule], profile: Profile) -> list[Record] | None:
    """Gives a journal's records with what the rules say in place of what the journal says they did.

    By a clause that is hidden, and where the journal has no conduct (None), its word stands. Raises as `recalled`.
    """
    conduct = of(records)
    if conduct is None:
        return None
    beginning = records[0]
    scale = beginning.get("time_scale", 1.0) if beginning["kind"] == "run" else 1.0
    again = recalled(conduct, exchange_records(records), profile, scale)
    judging = [rule for rule in rules if rule.clause not in conduct["hidden"]]
    clauses = {rule.clause for rule in judging}
    kept = [one for one in records if not (one["kind"] in JUDGED and one.get("clause") in clauses)]
    at = len(kept) - (kept[-1]["kind"] == "end")  # the end, if there is one, stays the last
    return [*kept[:at], *judged(again, judging), *kept[at:]]


def of(records: Sequence[Record]) -> ConductRecord | None:
    """Gives the conduct that a journal tells of; None where it has none."""
    return next((record for record in records if record["kind"] == "conduct"), None)
