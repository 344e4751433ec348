"""The whole of a run, or of a day's traffic: what it takes to judge it grows with it, not with its square."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from rampcheck.contract import descriptor, profile
from rampcheck.judging import suite as suites
from rampcheck.sandbox import builtin_profile
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.journal import from_record
from tests import runs

FEW, MANY = 10, 80
MOST_GROWTH = 1.25 * MANY / FEW
UUID = re.compile(r"(?<=-)[0-9a-f]{12}\b")  # its last part
SHORT = 5  # exchanges
LASTS = 3600.0  # seconds from one copy of a run to the next


def of_one_thing(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives the exchanges about what was asked for first after it was created, and some that created something."""
    answered = [record for record in records if record.get("response")]
    asked = next((one["request"]["url"] for one in answered if one["request"]["method"] == "GET"), "")
    wanted = UUID.search(asked)
    about = [one for one in answered if wanted and wanted[0] in json.dumps(one)]
    return [*about[:SHORT], *[one for one in answered if one["response"]["status"] < 300][:SHORT]]


def day(records: list[dict[str, Any]], copies: int) -> list[Exchange]:
    """Gives the exchanges of a run so many times: in each copy at another time, and with other identifiers."""
    found = []
    for copy in range(copies):
        for record in records:
            text = UUID.sub(f"{copy:012x}", json.dumps(record))
            exchange = from_record(json.loads(text))
            started = exchange.started + LASTS * copy
            found.append(Exchange(**{**vars(exchange), "number": len(found) + 1, "started": started}))
    return sorted(found, key=lambda exchange: exchange.started)


@contextmanager
def steps() -> Iterator[list[int]]:
    """Counts the lines that are executed: each turn of a loop is one, however it is written."""
    counted = [0]

    def trace(_frame: FrameType, event: str, _given: Any) -> Callable[..., Any]:
        counted[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield counted
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("contract", descriptor.contracts())
def test_the_work_grows_with_the_traffic(contract: str, conforming: Callable[[str], runs.Completed]) -> None:
    """Four times the traffic is no more than some four times the work."""
    suite, described = suites.load(contract), profile.from_mapping(builtin_profile(contract, "http://127.0.0.1:1"), {})
    records = of_one_thing(conforming(contract).records("exchange"))
    taken: dict[str, list[int]] = defaultdict(list)
    for copies in (FEW, MANY):
        exchanges = day(records, copies)
        for number, invariant in enumerate(suite.history):
            relevant = [exchange for exchange in exchanges if invariant.when(exchange)]
            with steps() as counted:
                list(invariant.judge(relevant, described))
            taken[f"{invariant.clause} {number}"].append(counted[0])
    assert not {name: work for name, work in taken.items() if work[1] > MOST_GROWTH * work[0]}
