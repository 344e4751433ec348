"""A rate that is learned: considerate at first, halved by 429, growing slowly, the same for all workers."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from rampcheck.contract import profile as profiles
from rampcheck.errors import RunOver
from rampcheck.running import folder
from rampcheck.running.run import Run, Settings
from rampcheck.wire import limits
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.limits import Budget, Deadline
from rampcheck.wire.pace import CALM, LEAST, LONGEST_HOLD, MOST, STEP, Pace, shortest


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


def test_who_is_late_holds_nothing_back_before_the_first_refusal(tmp_path: Path) -> None:
    """And keeps nothing in a file until then; after it, all keep the half, and never ask more often than at first."""
    time = Time()
    one, two = (Pace(4.0, tmp_path, time, time.sleep, most=4.0, late=True) for _ in range(2))
    assert [ask(one, 6), ask(two, 6), ask(one, 6)] == [6, 6, 6]
    accept(one, CALM * 10)
    assert (time.slept, list(tmp_path.iterdir())) == ([], [])
    refuse(one, asked=3.0)
    assert (ask(two, 6), ask(one, 6)) == (2, 2)
    assert time.slept == pytest.approx([3.0, 1.0])
    accept(two, CALM * 100)
    assert one.now == (4.0, 1)


def test_what_is_let_through_between_refusals_is_what_is_borne() -> None:
    """Of too few refusals, or within a moment, nothing is known."""
    pace = a_pace(time := Time())
    accept(pace, CALM - 1)
    for _ in range(3):
        refuse(pace)
        accept(pace, 5)
        assert pace.borne == 0
    for _ in range(4):
        time.now += 2.5
        accept(pace, 1)
        refuse(pace)
    assert pace.borne == pytest.approx((15 + 4) / 10)


def test_the_shortest_time_is_that_in_which_nothing_is_refused() -> None:
    """By a rate that grows as `auto` does."""
    assert shortest(CALM, 5.0) == pytest.approx(CALM / 5.0)
    assert shortest(CALM + 1, 5.0) == pytest.approx(CALM / 5.0 + 1 / 5.5)
    assert shortest(100_000, 5.0) == pytest.approx(100_000 / MOST, rel=0.05)


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


@pytest.mark.parametrize("shared", [False, True])
def test_a_rate_that_nobody_stated_yields_to_429(shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told how often that came, and what to write; one that is stated is kept, and only told to be high."""
    time = Time()
    monkeypatch.setattr(limits, "Pace", partial(Pace, clock=time, sleep=time.sleep))
    default, stated = (
        Budget(1000.0, 100, tmp_path / name if shared else None, yields=yields)
        for name, yields in (("default", True), ("stated", False))
    )
    for budget in (default, stated):
        budget.take()
        budget.answered(exchange(200))
        assert (budget.told(), time.slept) == ("", [])
    for budget in (stated, default):
        assert time.slept == []
        for _ in range(3):
            time.now += 1
            budget.take()
            budget.answered(exchange(429))
            budget.take()
            budget.answered(exchange(200))
    assert time.slept == pytest.approx([1 / 500, 1 / 250], abs=1e-6)
    assert default.told() == (
        "3 of 7 requests were answered 429 (too many requests). Nothing says how many requests a second the target "
        "allows: the run began with 1000 and came to 125. Write what the vendor allows, or "
        "`limits: {requests_per_second: 0.9}`, which it let through, in the profile"
    )
    assert stated.told() == (
        "3 of 7 requests were answered 429 (too many requests): `limits.requests_per_second` states 1000 requests a "
        "second, which was kept. Write `limits: {requests_per_second: 1}`, what it let through, or `limits: "
        "{requests_per_second: auto}`, which learns it, in the profile"
    )


@pytest.mark.parametrize(("stated", "expected"), [({}, True), ({"requests_per_second": 10}, False)])
def test_a_run_yields_where_its_profile_states_no_rate(stated: dict[str, int], expected: bool, tmp_path: Path) -> None:
    """And notes what to write into a profile; it keeps to what one states, and notes that the target finds it high."""
    given = {"contract": "proof", "base_url": "http://127.0.0.1:1", "credentials": {"client_token": "a-token-of-tests"}}
    profile = profiles.from_mapping({**given, "limits": stated}, {})
    run = Run(profile, Settings("run", bytes(32), folder.claimed(str(tmp_path / "out"), "proof"), allure=False))
    for _ in range(3):
        run.budget.take()
        run.budget.answered(exchange(429))
    (note,) = [note for note in run.conclude().results["notes"] if "429" in note]
    assert note.startswith("3 of 3 requests were answered 429 (too many requests)")
    assert ("Nothing says how many" in note, "which was kept" in note) == (expected, not expected)


def test_now_and_then_429_is_nothing_to_tell_of_a_stated_rate() -> None:
    """One of a hundred is what a window that slides makes of any rate."""
    budget = Budget(0, 1000)
    for number in range(300):
        budget.take()
        budget.answered(exchange(200 if number % 100 else 429))
    assert budget.told() == ""


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

    def limits_of(rate: object) -> profiles.Limits:
        return profiles.from_mapping({**given, "limits": {"requests_per_second": rate}}, {}).limits

    assert (limits_of("auto").adapts, limits_of("auto").requests_per_second) == (True, profiles.FIRST_RATE)
    assert (limits_of(3).adapts, limits_of(3).requests_per_second) == (False, 3)
    assert [limits_of(rate).is_stated for rate in ("auto", 3, 10, 0, None)] == [True, True, True, True, False]
    assert not profiles.from_mapping(given, {}).limits.is_stated
    with pytest.raises(profiles.ProfileError, match='expected a number from 0 to 10000, or auto, found "fast"'):
        limits_of("fast")
