"""How a run went: how soon each endpoint answered, what was asked when, and with which statuses it was answered."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rampcheck.judging.results import OutageResult
from rampcheck.wire.journal_records import ExchangeRecord

MOST_ENDPOINTS = 10  # with a row of their own; the others share one
MOST_STATUSES = 12
MOST_SLOTS = 60
SLOT_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # seconds

# Segments of a path that stand for one of many: long ones with a digit, or any where there are many beside it.
SHORTEST_NAME = 8
MOST_SIBLINGS = 8

OTHERS, UNANSWERED = "all others", "no answer"

# What became of a request, each of one kind only: the first that holds.
KINDS: Mapping[str, str] = {
    "unanswered": "no answer",
    "limited": "429, asked to wait",
    "retried": "answered, on a retry",
    "answered": "answered",
}


@dataclass(frozen=True)
class Times:
    """How soon an endpoint answered: how often it did, and the percentiles (nearest rank) in milliseconds."""

    endpoint: str
    answers: int
    p50: float
    p95: float
    longest: float


@dataclass(frozen=True)
class Slot:
    """The requests sent in one slot of time, which begins so many seconds after the first, by their `KINDS`."""

    begins: float
    requests: Mapping[str, int]


@dataclass(frozen=True)
class Absence:
    """When the target answered nothing, in seconds after the first request; `ends` is None where it stayed away."""

    begins: float
    ends: float | None


@dataclass(frozen=True)
class Course:
    """How a run went; `seconds` from its first request to the last, in slots of `width` seconds."""

    seconds: float
    width: float
    times: tuple[Times, ...]
    slots: tuple[Slot, ...]
    absences: tuple[Absence, ...]
    statuses: tuple[tuple[str, int], ...]
    sums: Mapping[str, int]


def course(exchanges: Iterable[ExchangeRecord], outages: Iterable[OutageResult] = ()) -> Course | None:
    """Gives the course of a run from the exchange records of its journal; None where nothing was sent.

    A webhook, whichever way it goes, is no request to the API. A WebSocket that was opened has no time of an answer.
    """
    sent = sorted((record for record in exchanges if record["protocol"] != "webhook"), key=lambda one: one["started"])
    if not sent:
        return None
    first = _moment(sent[0]["started"])
    begins = [_moment(record["started"]) - first for record in sent]
    seconds = max(begin + record["elapsed_ms"] / 1000 for begin, record in zip(begins, sent, strict=True))
    width = next((width for width in SLOT_WIDTHS if seconds <= width * MOST_SLOTS), seconds / MOST_SLOTS)
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for begin, record in zip(begins, sent, strict=True):
        counted[int(max(0.0, begin) / width)][_kind(record)] += 1
    return Course(
        seconds=seconds,
        width=width,
        times=_times(sent),
        slots=tuple(Slot(number * width, counted[number]) for number in range(max(counted) + 1)),
        absences=tuple(
            Absence(
                max(0.0, _moment(outage["began"]) - first),
                None if outage["ended"] is None else max(0.0, _moment(outage["ended"]) - first),
            )
            for outage in outages
        ),
        statuses=_statuses(sent),
        sums={kind: sum(counts[kind] for counts in counted.values()) for kind in KINDS},
    )


def _moment(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _kind(record: ExchangeRecord) -> str:
    if record["response"] is None:
        return "unanswered"
    if record["response"]["status"] == 429:
        return "limited"
    return "retried" if record["attempt"] > 1 else "answered"


def _times(sent: Sequence[ExchangeRecord]) -> tuple[Times, ...]:
    timed = [record for record in sent if record["response"] and record["response"]["status"] != 101]
    endpoint = _Endpoints(timed)
    found: dict[str, list[float]] = defaultdict(list)
    for record in timed:
        found[endpoint.of(record)].append(record["elapsed_ms"])
    ranked = sorted(found, key=lambda name: (-len(found[name]), name))
    told = {name: found[name] for name in ranked[:MOST_ENDPOINTS]}
    if rest := [value for name in ranked[MOST_ENDPOINTS:] for value in found[name]]:
        told[OTHERS] = rest
    return tuple(
        Times(name, len(values), percentile(values, 50), percentile(values, 95), max(values))
        for name, values in told.items()
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Gives the smallest of the values that is at least as large as so many percent of them (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


class _Endpoints:
    """Names endpoints: a method and a path, in which what stands for one of many is `…`."""

    def __init__(self, records: Iterable[ExchangeRecord]) -> None:
        self._beside: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for path in {_path(record) for record in records}:
            segments = path.split("/")
            for number, segment in enumerate(segments):
                self._beside[tuple(segments[:number])].add(segment)

    def of(self, record: ExchangeRecord) -> str:
        """Gives the endpoint that a request went to."""
        segments = _path(record).split("/")
        names = [self._name(tuple(segments[:number]), segment) for number, segment in enumerate(segments)]
        return f"{record['request']['method']} {'/'.join(names)}"

    def _name(self, before: tuple[str, ...], segment: str) -> str:
        is_long = len(segment) >= SHORTEST_NAME and any(character.isdigit() for character in segment)
        return "…" if is_long or len(self._beside[before]) > MOST_SIBLINGS else segment


def _path(record: ExchangeRecord) -> str:
    return str(record["path"]).partition("?")[0]


def _statuses(sent: Iterable[ExchangeRecord]) -> tuple[tuple[str, int], ...]:
    """Gives how many exchanges had each status, in their order, what was not answered last."""
    found = Counter(str(record["response"]["status"]) if record["response"] else UNANSWERED for record in sent)
    common = {status for status, _ in found.most_common(MOST_STATUSES)}
    told = [(status, found[status]) for status in sorted(common - {UNANSWERED})]
    if rest := sum(number for status, number in found.items() if status not in common | {UNANSWERED}):
        told.append((OTHERS, rest))
    return (*told, *([(UNANSWERED, found[UNANSWERED])] if UNANSWERED in found else []))
