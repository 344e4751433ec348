"""How a run went, and where its pictures have their lines."""

from __future__ import annotations

from typing import Any

import pytest

from rampcheck.report.chart import WIDTH, milliseconds, requests_chart, statuses_chart, times_chart
from rampcheck.report.course import Absence, Course, course, percentile
from tests import samples


def asked(second: float, *, status: int | None = 200, ms: float = 10.0, path: str = "/a", **changes: Any) -> Any:
    """The record of an exchange that began so many seconds after the full minute."""
    response = None if status is None else samples.exchange(1, status)["response"]
    started = f"2026-11-21T07:00:{second:09.6f}Z"
    return samples.exchange(1, response=response, started=started, elapsed_ms=ms, path=path, **changes)


def went(*records: Any, outages: Any = ()) -> Course:
    """The course of a run of these exchanges."""
    found = course(records, outages)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [([7], 50, 7), ([1, 2], 50, 1), ([4, 1, 3, 2], 50, 2), (range(1, 101), 95, 95), (range(1, 11), 95, 10)],
)
def test_a_percentile_is_a_value_that_was_there(values: Any, percent: int, wanted: int) -> None:
    """It is the nearest rank."""
    assert percentile(list(values), percent) == wanted


def test_the_times_of_an_endpoint_are_told_together() -> None:
    """What stands for one of many in a path is left out of an endpoint's name, and the busiest endpoint comes first."""
    ids = [f"/users/{number:08}-4b7b/kyc?x={number}" for number in range(3)]
    found = went(asked(1, ms=3, path="/v1/session"), *(asked(2, ms=n, path=path) for n, path in enumerate(ids, 1)))
    assert [(one.endpoint, one.answers, one.p50, one.longest) for one in found.times] == [
        ("POST /users/…/kyc", 3, 2, 3),
        ("POST /v1/session", 1, 3, 3),
    ]


def test_many_short_names_are_one_of_many_too() -> None:
    """Where a segment has many values, it stands for one of many, however short."""
    found = went(*(asked(1, path=f"/t/{letter}") for letter in "abcdefghij"))
    assert [(one.endpoint, one.answers) for one in found.times] == [("POST /t/…", 10)]


def test_many_endpoints_are_ten_and_the_others() -> None:
    """However many there are, the table stays short, and no answer is lost from it."""
    paths = [f"/{a}/{b}" for a in "abcd" for b in "pqrs"]
    times = went(*(asked(1, path=path) for path in paths)).times
    assert len(times) == 11
    assert (times[-1].endpoint, sum(one.answers for one in times)) == ("all others", 16)


def test_what_became_of_each_request_is_told_once() -> None:
    """Each request is of one kind: not answered, asked to wait, answered on a retry, answered."""
    found = went(
        asked(1),
        asked(2, status=429),
        asked(3, status=None, attempt=2),
        asked(4, attempt=2),
        asked(5, status=429, attempt=3),
    )
    assert found.sums == {"unanswered": 1, "limited": 2, "retried": 1, "answered": 1}
    assert found.statuses == (("200", 2), ("429", 2), ("no answer", 1))
    assert sum(sum(slot.requests.values()) for slot in found.slots) == 5


def test_what_came_in_and_what_stays_open_has_no_answer_time() -> None:
    """A webhook is no request of the run, and a WebSocket that was opened took no time to be answered."""
    found = went(
        asked(1, ms=5),
        asked(2, status=101, ms=60_000, protocol="websocket"),
        asked(3, direction="incoming", protocol="webhook"),
    )
    assert [(one.answers, one.longest) for one in found.times] == [(1, 5)]
    assert dict(found.statuses) == {"101": 1, "200": 1}


def test_an_hour_has_no_more_slots_than_a_second() -> None:
    """Slots are as wide as it takes for at most sixty of them."""
    short, long = went(asked(1), asked(2)), went(asked(1, ms=3_600_000), asked(59))
    assert short.width == 0.1
    assert (long.width, long.seconds) == (60, 3_600)
    assert len(short.slots) <= 61


def test_outages_are_told_from_the_first_request_on() -> None:
    """An outage has its begin and its end in seconds of the run; one that lasted has none."""
    outages = [
        {"began": "2026-11-21T07:00:03Z", "ended": "2026-11-21T07:00:05Z"},
        {"began": "2026-11-21T07:00:07Z", "ended": None},
    ]
    found = went(asked(1), asked(9), outages=outages)
    assert found.absences == (Absence(2, 4), Absence(6, None))
    first, second = requests_chart(found).absences
    assert first.x + first.width < second.x
    assert second.x + second.width == pytest.approx(WIDTH, abs=1)


def test_a_run_that_sent_nothing_has_no_course() -> None:
    """Neither without exchanges nor with nothing but what came in."""
    assert course([]) is None
    assert course([asked(1, direction="incoming", protocol="webhook")]) is None


@pytest.mark.parametrize(
    "records",
    [
        [asked(1, ms=0)],
        [asked(1, status=None)],
        [asked(1, ms=0.01), asked(59, ms=900_000, status=503)],
        [asked(number / 10, status=200 + number, ms=10**number) for number in range(6)],
    ],
)
def test_a_picture_holds_all_that_is_in_it(records: Any) -> None:
    """Whatever the numbers are, nothing is drawn outside of the picture, and the times of a row stand in order."""
    found = went(*records)
    times, requests, statuses = times_chart(found), requests_chart(found), statuses_chart(found)
    for row in times.rows:
        assert 0 < row.p50 <= row.p95 <= row.longest < WIDTH
        assert row.y < times.height
    for bar in (*requests.bars, *statuses.bars):
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 1
        assert bar.y >= 0
    assert all(0 <= tick.at <= WIDTH for tick in (*times.ticks, *requests.ticks))
    assert requests.levels[0].text == "0"


@pytest.mark.parametrize(("value", "text"), [(0.04, "0.0 ms"), (9.5, "9.5 ms"), (120.4, "120 ms"), (1530, "1.53 s")])
def test_times_are_told_as_finely_as_they_matter(value: float, text: str) -> None:
    """Tenths below ten, whole milliseconds below a second, then seconds."""
    assert milliseconds(value) == text
