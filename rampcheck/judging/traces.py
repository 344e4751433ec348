"""What shows that something was taken out of a journal, though all that is left fits together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from rampcheck.judging.findings import UNREAD
from rampcheck.judging.suite import Suite
from rampcheck.wire.client import ROUND
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import exchange_records, from_record
from rampcheck.wire.journal_records import Record
from rampcheck.wire.redaction import marks

JUDGING = frozenset({"demand", "finding", "doubt", "observation"})
_OWN_NUMBER = re.compile(r"\(run [^;)]*; exchange ([0-9]+)\)")


def taken_out(records: Sequence[Record], credentials: Collection[str], suite: Suite) -> Iterator[str]:
    """Says in a line each what a journal lacks: records that were counted, or numbers of exchanges that were given.

    It says besides where a made-up credential was accepted and nothing judges that, `credentials` being those of the
    profile, and where an exchange told the target another number than its own.
    """
    exchanges = {number: from_record(record) for number, record in exchange_records(records).items()}
    yield from _uncounted(records, exchanges)
    yield from _skipped(records, exchanges)
    for number, exchange in exchanges.items():
        told = _OWN_NUMBER.search(dict(exchange.request.headers).get("User-Agent", ""))
        if exchange.direction == "outgoing" and told and int(told[1]) != number:
            yield f"exchange {number} told the target that it was exchange {told[1]}"
    yield from _unjudged(records, exchanges, credentials, suite)


def _uncounted(records: Sequence[Record], exchanges: dict[int, Exchange]) -> Iterator[str]:
    """Tells of scenarios of which there are fewer records than were counted, and of those that nobody counted."""
    there: Counter[tuple[str, str]] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    for record in records:
        if record["kind"] == "tally":
            counted.update({(record["scenario"], kind): number for kind, number in record["records"].items()})
            continue
        told: dict[str, Any] = {**record}
        exchange = exchanges.get(told.get("exchange", -1))
        # What names no scenario is of that of its exchange.
        there[told.get("scenario", exchange.scenario if exchange else ""), record["kind"]] += 1
    for (scenario, kind), number in counted.items():
        if kind != UNREAD and (left := there[scenario, kind]) < number:
            yield f"{number - left} of {number} records of the kind {kind} are missing of {scenario or 'no scenario'}"
    if _is_whole(records):
        for scenario in {scenario for scenario, kind in there if kind == "exchange"} - {name for name, _ in counted}:
            yield f"nothing says how many records there were of {scenario or 'no scenario'}"


def _is_whole(records: Sequence[Record]) -> bool:
    """Whether every process of the run came to its end."""
    end = records[-1]
    is_ended = end["kind"] == "end" and not end["interrupted"] and not end["reason"]
    return is_ended and not any(record["kind"] in {"fault", "cut"} for record in records)


def _skipped(records: Sequence[Record], exchanges: dict[int, Exchange]) -> Iterator[str]:
    """Tells of numbers that one of the run's processes has passed over; of shards, each counts by itself."""
    first = records[0]
    if not exchanges or first["kind"] != "run" or not _is_whole(records) or first.get("shards"):
        return
    shards = first["selection"].get("shard", "1/1").partition("/")[2]
    step = (first["workers"] + 1) * int(shards)
    skipped: list[tuple[int, int]] = []
    for lane in range(step):
        own = sorted(number for number in exchanges if (number - 1) % step == lane)
        # A process that took the place of a killed one begins a round further on.
        skipped += [(before, after) for before, after in pairwise(own) if before + step < after < before + ROUND]
    # What came to the webhook's address has a number, too, and is no exchange where it is not of this run.
    unread = sum(record["records"].get(UNREAD, 0) for record in records if record["kind"] == "tally")
    if sum((after - before) // step - 1 for before, after in skipped) > unread:
        for before, after in skipped:
            yield f"between the exchanges {before} and {after} of one process there are none"


def _unjudged(
    records: Sequence[Record], exchanges: dict[int, Exchange], credentials: Collection[str], suite: Suite
) -> Iterator[str]:
    """Tells of made-up credentials that were accepted, though no record judges any answer to them."""
    judged = {record.get("exchange") for record in records if record["kind"] in JUDGING}
    demanded = {(record["clause"], record["exchange"]) for record in records if record["kind"] == "demand"}
    # Of other ways to write a credential, one finding says that they were accepted, in the exchange that was refused.
    told = {
        record["scenario"]
        for record in records
        if record["kind"] == "unjudged"
        or (
            record["kind"] == "finding"
            and record["judge"] == "scenario"
            and (record["clause"], record["exchange"]) not in demanded
        )
    }
    accepted: dict[frozenset[str], list[Exchange]] = {}
    for exchange in exchanges.values():
        if exchange.direction == "incoming" or exchange.authenticated or not suite.is_acceptance(exchange):
            continue
        sent = " ".join(value for _, value in exchange.request.headers)
        made_up = frozenset(mark for name, mark in marks(sent) if name not in credentials)
        if made_up:
            accepted.setdefault(made_up, []).append(exchange)
    for alike in accepted.values():
        if not any(exchange.number in judged or exchange.scenario in told for exchange in alike):
            yield f"exchange {alike[0].number} was accepted with a made-up credential, and nothing judges that"
