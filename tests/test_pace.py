"""A rate that is learned: considerate at first, halved by 429, growing slowly, the same for all workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rampcheck.contract import profile as profiles
from rampcheck.errors import RunOver
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.limits import Budget, Deadline
from rampcheck.wire.pace import CALM, LEAST, LONGEST_HOLD, MOST, STEP, Pace


class Time:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Gives the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Lets the time go by."""
        self.slept.append(seconds)
        self.now += seconds


def a_pace(time: Time, shared: Path | None = None, first: float = 4.0) -> Pace:
    """Gives a pace by this clock."""
    return Pace(first, shared, time, time.sleep)


def ask(pace: Pace, count: int = 1, left: float = 1e9) -> int:
    """Waits for requests."""
    return pace.wait(count, lambda: left)


def refuse(pace: Pace, asked: float | None = None, elapsed: float = 0.0) -> None:
    """Answers one with 429."""
    pace.answered(refused=True, asked=asked, elapsed=elapsed)


def accept(pace: Pace, times: int = 1) -> None:
    """Answers so many otherwise."""
    for _ in range(times):
        pace.answered(refused=False, asked=None, elapsed=0.0)


def test_requests_are_spaced() -> None:
    """The first goes at once, the next when its time has come; several count as so many."""
    time = Time()
    pace = a_pace(time)
    assert [ask(pace) for _ in range(3)] == [1, 1, 1]
    assert time.slept == pytest.approx([0.25, 0.25])
    assert ask(pace, 10) == 4
    time.now += 0.9
    assert ask(pace) == 1
    assert time.slept[-1] == pytest.approx(0.1)


def test_it_is_halved_by_429_and_grows_slowly() -> None:
    """By a step after so many calm answers, between its bounds."""
    pace = a_pace(time := Time())
    accept(pace, CALM - 1)
    assert pace.now == (4.0, 0)
    accept(pace)
    assert pace.now == (4.0 + STEP, 0)
    time.now += 1
    refuse(pace)
    assert pace.now == ((4.0 + STEP) / 2, 1)
    for _ in range(20):
        time.now += 1
        refuse(pace)
    assert pace.now == (LEAST, 21)
    accept(pace, CALM * 100)
    assert pace.now == (MOST, 21)


def test_one_refusal_of_several_at_once_halves_it() -> None:
    """What was asked before it was halved says nothing of the new rate; nor is a calm kept that was interrupted."""
    pace = a_pace(time := Time())
    accept(pace, CALM - 1)
    refuse(pace, elapsed=0.1)
    time.now += 0.2
    refuse(pace, elapsed=0.3)
    accept(pace, CALM - 1)
    assert pace.now == (2.0, 2)
    refuse(pace, elapsed=0.1)
    assert pace.now == (1.0, 3)


def test_nothing_is_asked_before_the_time_that_the_target_names() -> None:
    """`Retry-After` holds for all; who asks for too long is not asked again, and holds nobody up."""
    pace = a_pace(time := Time())
    ask(pace)
    refuse(pace, asked=7.0)
    ask(pace)
    assert time.slept == pytest.approx([7.0])
    time.now += 10
    refuse(pace, asked=LONGEST_HOLD + 1)
    ask(pace)
    assert len(time.slept) == 1


def test_no_wait_is_begun_that_does_not_fit_in() -> None:
    """The run's time is over then."""
    pace = a_pace(time := Time())
    ask(pace)
    refuse(pace, asked=30.0)
    assert ask(pace, left=29.0) == 0
    assert time.slept == []


def test_all_workers_know_it(tmp_path: Path) -> None:
    """What one learns, another one keeps to, also who begins later; and they take turns."""
    time = Time()
    one, two = a_pace(time, tmp_path), a_pace(time, tmp_path)
    ask(one)
    ask(two)
    assert time.slept == pytest.approx([0.25])
    refuse(one, asked=3.0)
    ask(two)
    assert time.slept[-1] == pytest.approx(3.0)
    assert two.now == a_pace(time, tmp_path, first=9.0).now == (2.0, 1)
    assert json.loads((tmp_path / "pace.json").read_text())["rate"] == 2.0


def exchange(status: int) -> Exchange:
    """Gives an exchange with this answer."""
    sent = Sent("POST", "https://sandbox.example/", (), b"")
    return Exchange(1, "one", sent, Response(status, (("retry-after", "0"),), b""), 0.0, 0.0, "/")


def test_a_budget_tells_what_its_rate_came_to() -> None:
    """What it began with, what it is now, how often it was refused; of a rate that is given, nothing."""
    learned, given = Budget(5.0, 100, adapts=True), Budget(5.0, 100)
    for budget in (learned, given):
        budget.take()
        budget.answered(exchange(429))
        budget.answered(exchange(200))
    assert given.told() == ""
    assert learned.told() == (
        "`limits.requests_per_second: auto` began with 5 requests a second and came to 2.5: the target answered 429 "
        "(too many requests) 1 time"
    )
    assert "never" in Budget(5.0, 100, adapts=True).told()


def test_a_budget_ends_with_the_time() -> None:
    """As one with a given rate does."""
    budget = Budget(0.001, 100, deadline=Deadline(0.0), adapts=True)
    budget.take()
    with pytest.raises(RunOver, match=r"limits\.max_minutes"):
        budget.take()


def test_a_profile_asks_for_it_in_a_word() -> None:
    """`auto`, and no other one."""
    given = {
        "contract": "proof",
        "base_url": "http://127.0.0.1:1",
        "credentials": {"client_token": "a-token-of-some-length"},
    }

    def limits(rate: object) -> profiles.Limits:
        return profiles.from_mapping({**given, "limits": {"requests_per_second": rate}}, {}).limits

    assert (limits("auto").adapts, limits("auto").requests_per_second) == (True, profiles.FIRST_RATE)
    assert (limits(3).adapts, limits(3).requests_per_second) == (False, 3)
    with pytest.raises(profiles.ProfileError, match='expected a number from 0 to 10000, or auto, found "fast"'):
        limits("fast")
