"""The same request in two runs, and its two answers line by line, with what differs between them."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

from rampcheck.comparison import times
from rampcheck.comparison.saved import Saved
from rampcheck.comparison.shape import shape
from rampcheck.report.pretty import indent_json
from rampcheck.wire.journal_records import ExchangeRecord

Record = ExchangeRecord
Key = tuple[str, ...]

MOST_LINES = 400  # of one answer
# Of each answer, laid against those of the other from the first that differ; of a request, laid against others' for the
# one that is most like it. Lines that come again and again take time that grows with the cube of their number.
MOST_MATCHED = 500
MOST_ASKED = 100
LONGEST_LINE = 600  # characters
LONGEST_BODY = 200_000  # characters
MOST_CANDIDATES = 200  # requests of one kind in the earlier run, among which the most like is looked for


@dataclass
class Trace:
    """What a comparison keeps of one journal: answer times by endpoint, and exchange records that it needs.

    `numbered` holds those that were asked for by number, `alike` those of the kinds that were asked for.
    """

    times: dict[str, list[float]] = field(default_factory=dict)
    numbered: dict[int, Record] = field(default_factory=dict)
    alike: dict[Key, list[Record]] = field(default_factory=dict)


def trace(run: Saved, *, numbers: Iterable[int] = (), kinds: Iterable[Key] = ()) -> Trace:
    """Reads a run's journal once, record by record; empty where there is none. Raises `UsageError`."""
    wanted, found = frozenset(numbers), Trace(alike={kind: [] for kind in kinds})
    for record in run.records():
        if record["kind"] != "exchange":
            continue
        if times.is_sample(record):
            found.times.setdefault(endpoint(run, record), []).append(record["elapsed_ms"])
        if record["number"] in wanted:
            found.numbered[record["number"]] = record
        if found.alike:
            same = found.alike.get(key(run, record))
            if same is not None and len(same) < MOST_CANDIDATES:
                same.append(record)
    return found


def endpoint(run: Saved, record: Record) -> str:
    """Gives method and path of an exchange, the path as the contract's document has it."""
    method, path = record["request"]["method"], record["path"].partition("?")[0]
    known = run.contract.operation(method, path) if run.contract else None
    return f"{method} {known.path if known else path}"


def key(run: Saved, record: Record) -> Key:
    """Gives what makes two requests the same: scenario, protocol, method and path, credential, what was changed."""
    return (
        record["scenario"],
        f"{record['direction']} {record['protocol']}",
        endpoint(run, record),
        record["credential"] or "",
        shape(record.get("change", "")),
    )


def pair(run: Saved, record: Record, candidates: Iterable[Record]) -> dict[str, Any]:
    """Gives the two answers to the same request: `record` is that of the later run.

    Of the `candidates`, the same kind of request in the earlier run, it takes the one that is most like it.
    """
    same, later = _most_alike(record, candidates), _lines(record)
    earlier = _lines(same) if same else []
    skipped = _skipped(earlier, later)
    sides = [lines[skipped : skipped + MOST_MATCHED] for lines in (earlier, later)]
    rows = list(_rows(*sides)) if same else [_row(None, line) for line in sides[1]]
    unmatched = max(len(earlier), len(later)) - skipped - MOST_MATCHED
    return {
        "scenario": record["scenario"],
        "request": endpoint(run, record),
        "change": record.get("change", ""),
        "before": same["number"] if same else None,
        "after": record["number"],
        "skipped": skipped,
        "rows": rows[:MOST_LINES],
        "cut": max(0, len(rows) - MOST_LINES) + max(0, unmatched),
    }


def _skipped(before: list[str], after: list[str]) -> int:
    """Gives how many lines of a long common beginning are left out, so that what differs first is shown."""
    if max(len(before), len(after)) <= MOST_LINES:
        return 0
    for number, (earlier, later) in enumerate(zip(before, after, strict=False)):
        if earlier != later and shape(earlier) != shape(later):
            return max(0, number - MOST_LINES // 2)
    shorter = min(len(before), len(after))
    return 0 if len(before) == len(after) else max(0, shorter - MOST_LINES // 2)


def _most_alike(record: Record, candidates: Iterable[Record]) -> Record | None:
    matcher = difflib.SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(_request(record))  # of which it keeps what it worked out

    def likeness(other: Record) -> tuple[bool, float]:
        matcher.set_seq1(_request(other))
        return other.get("final", True) == record.get("final", True), matcher.ratio()

    return max(candidates, key=likeness, default=None)


def _request(record: Record) -> list[str]:
    return [shape(line) for line in islice(_content("", record["request"]), MOST_ASKED)]


def _lines(record: Record) -> list[str]:
    """Gives an answer for reading: status, headers by name, body laid out; of a WebSocket the messages, too."""
    response, failure = record["response"], record["failure"]
    lines = list(_content(f"status {response['status']}", response)) if response else []
    if failure:
        lines.append(f"no answer: {failure['kind']}: {failure['detail']}" if not response else failure["detail"])
    for message in record["messages"]:
        lines += [f"{message['kind']} message, {message['direction']}", *_body(message)]
    return [line[:LONGEST_LINE] for line in lines]


def _content(start: str, content: Mapping[str, Any]) -> Iterator[str]:
    yield start
    yield from sorted(f"{name.lower()}: {value}" for name, value in content["headers"])
    yield ""
    yield from _body(content)


def _body(content: Mapping[str, Any]) -> list[str]:
    text: str = content["body"]
    if content["encoding"] == "base64":
        text = base64.b64decode(text).decode("utf-8", "backslashreplace")
    laid_out = indent_json(text) if len(text) <= LONGEST_BODY else None
    return (text[:LONGEST_BODY] if laid_out is None else laid_out).splitlines()


def _row(before: str | None, after: str | None, *, differs: bool = True) -> dict[str, Any]:
    return {"before": before, "after": after, "differs": differs}


def _rows(before: list[str], after: list[str]) -> Iterator[dict[str, Any]]:
    """Gives the lines of two answers side by side; what differs between any two runs does not count."""
    shapes = [shape(line) for line in before], [shape(line) for line in after]
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, *shapes, autojunk=False).get_opcodes():
        for earlier, later in zip_longest(before[i1:i2], after[j1:j2]):
            yield _row(earlier, later, differs=tag != "equal")


def apart(before: str, after: str) -> tuple[str, str, str, str]:
    """Gives how two lines begin and end alike, and what stands between: begin, before's, after's, end."""
    begin = 0
    while begin < min(len(before), len(after)) and before[begin] == after[begin]:
        begin += 1
    end = 0
    while end < min(len(before), len(after)) - begin and before[-1 - end] == after[-1 - end]:
        end += 1
    return (
        before[:begin],
        before[begin : len(before) - end],
        after[begin : len(after) - end],
        before[len(before) - end :],
    )
