"""Where the pictures of a run's course have their lines: the numbers that a template draws, in units of an SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rampcheck.report.course import KINDS, UNANSWERED, Course

WIDTH = 720
ROW = 22  # of a chart of rows: the height of one
LABELS, NUMBERS = 232, 116  # what its labels on the left, and its numbers on the right take
HEIGHT = 120  # of the requests over time, without the axis
MARGIN = 36  # left of it, for its numbers


@dataclass(frozen=True)
class Tick:
    """A line of the scale, and what stands at it."""

    at: float
    text: str


@dataclass(frozen=True)
class TimesRow:
    """How soon one endpoint answered: the middle of its row, and where p50, p95 and the longest stand."""

    label: str
    y: float
    p50: float
    p95: float
    longest: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A rectangle of one kind of requests."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    label: str = ""
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture: its height, what is in it, its scale, and the stretches of time in which nothing was answered."""

    height: float
    bars: tuple[Bar, ...] = ()
    rows: tuple[TimesRow, ...] = ()
    ticks: tuple[Tick, ...] = ()
    levels: tuple[Tick, ...] = ()
    absences: tuple[Bar, ...] = ()


def milliseconds(value: float) -> str:
    """Gives a time as `0.8 ms`, `12 ms`, `1.5 s`."""
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def times_chart(course: Course) -> Chart:
    """Gives the answer times by endpoint, on a logarithmic scale of whole powers of ten."""
    values = [value for times in course.times for value in (times.p50, times.longest)]
    low = math.floor(_power(min(values, default=1)))
    high = max(low + 1, math.ceil(_power(max(values, default=1))))
    room = WIDTH - LABELS - NUMBERS

    def at(value: float) -> float:
        return round(LABELS + room * (math.log10(max(value, 10**low)) - low) / (high - low), 1)

    rows = [
        TimesRow(
            times.endpoint,
            ROW * (number + 0.5),
            at(times.p50),
            at(times.p95),
            at(times.longest),
            " / ".join(_short(value) for value in (times.p50, times.p95, times.longest)),
        )
        for number, times in enumerate(course.times)
    ]
    ticks = [Tick(at(10.0**power), milliseconds(10.0**power)) for power in range(low, high + 1)]
    return Chart(ROW * len(rows) + 22, rows=tuple(rows), ticks=tuple(ticks))


def _power(milliseconds: float) -> float:
    return math.log10(max(milliseconds, 0.1))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def requests_chart(course: Course) -> Chart:
    """Gives the requests over time, those of a slot on top of each other, and when the target was away."""
    most = max(sum(slot.requests.values()) for slot in course.slots)
    total = max(course.seconds, course.width * len(course.slots))
    scale, step = (WIDTH - MARGIN) / total, _step(most)
    top = max(step, math.ceil(most / step) * step)
    bars: list[Bar] = []
    for slot in course.slots:
        y = float(HEIGHT)
        for kind in reversed(tuple(KINDS)):
            if number := slot.requests.get(kind, 0):
                height = HEIGHT * number / top
                y -= height
                left = MARGIN + slot.begins * scale
                wide = max(0.5, course.width * scale - 1)
                bars.append(Bar(kind, round(left, 1), round(y, 1), round(wide, 1), round(height, 1)))
    absences = []
    for away in course.absences:
        begins, ends = min(away.begins, total), total if away.ends is None else min(away.ends, total)
        wide = max(2.0, (ends - begins) * scale)
        absences.append(Bar("absence", round(MARGIN + begins * scale, 1), 0, round(wide, 1), HEIGHT))
    pace = _step(total, 6)
    ticks = [
        Tick(round(MARGIN + number * pace * scale, 1), f"{number * pace:g} s")
        for number in range(int(total / pace) + 1)
    ]
    levels = [Tick(round(HEIGHT - HEIGHT * level / top, 1), f"{level:,g}") for level in _levels(top, step)]
    return Chart(HEIGHT + 24, bars=tuple(bars), ticks=tuple(ticks), levels=tuple(levels), absences=tuple(absences))


def _step(most: float, parts: int = 4) -> float:
    """Gives the roundest step of which about so many make up `most`: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(max(most, 1e-3) / parts))
    return next(factor * power for factor in (1, 2, 5, 10) if most <= factor * power * parts)


def _levels(top: float, step: float) -> Sequence[float]:
    return [step * number for number in range(round(top / step) + 1)]


def statuses_chart(course: Course) -> Chart:
    """Gives the exchanges by status, a bar each."""
    most = max((number for _, number in course.statuses), default=1)
    room = WIDTH - LABELS - NUMBERS
    bars = [
        Bar(
            _status_kind(status),
            LABELS,
            ROW * index + 5,
            round(max(2.0, room * number / most), 1),
            ROW - 10,
            status,
            f"{number:,}",
        )
        for index, (status, number) in enumerate(course.statuses)
    ]
    return Chart(ROW * len(bars), bars=tuple(bars))


def _status_kind(status: str) -> str:
    return {UNANSWERED: "unanswered", "429": "limited"}.get(status, f"class-{status[0]}")
