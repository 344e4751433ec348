"""How the documented values are read: statuses, times, amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeGuard

from rampcheck.judging.schema import describe
from rampcheck.judging.suite import Broken, member

TERMINAL = frozenset({"completed", "failed", "cancelled"})
RANK = {"pending": 0, "processing": 1, "completed": 2, "failed": 2, "cancelled": 2}
UNTIL_KNOWN = 2.0  # seconds that may pass until a session is known everywhere
# A clock's digits without a fraction, HHMM or HHMMSS, and the smallest step that they can tell.
STEPS = {4: timedelta(minutes=1), 6: timedelta(seconds=1)}


def is_terminal(status: Any) -> bool:
    """Whether a status is one that never changes."""
    return isinstance(status, str) and status in TERMINAL


def is_status(value: Any) -> TypeGuard[str]:
    """Whether a value is a documented status."""
    return isinstance(value, str) and value in RANK


@dataclass(frozen=True)
class Time:
    """An instant, and the smallest step of the form in which it was given."""

    instant: datetime
    step: timedelta

    def distance(self, other: Time) -> timedelta:
        """Gives how far two times are apart at least, as one step of the coarser one says nothing."""
        return max(timedelta(), abs(self.instant - other.instant) - self._slack(other))

    def is_before(self, other: Time) -> bool:
        """Whether this time is earlier than another by more than their forms leave open."""
        return other.instant - self.instant > self._slack(other)

    def _slack(self, other: Time) -> timedelta:
        return timedelta() if self.step == other.step else max(self.step, other.step)


def time(value: Any) -> Time | None:
    """Reads an ISO 8601 date-time in UTC, in the extended or the basic form.

    Gives None for anything else, also for a day that is in no calendar. Source: ISO 8601-1, sections 5.3 and 5.4; the
    second 60 of a leap second is read as the one before.
    """
    if not isinstance(value, str) or not value.isascii():
        return None
    text = value.upper().replace(",", ".")
    seconds, _, fraction = text.removesuffix("Z").partition("+")[0].partition(".")
    clock = seconds.partition("T")[2].replace(":", "")
    if len(clock) not in STEPS:
        return None
    if clock.endswith("60") and len(clock) == len("103760"):
        seconds = f"{seconds[:-2]}59"
    zone = text[len(text.removesuffix("Z").partition("+")[0]) :]
    try:
        instant = datetime.fromisoformat(f"{seconds}{f'.{fraction[:6]}' if fraction else ''}{zone}")
    except ValueError:
        return None
    if instant.utcoffset() != timedelta():
        return None
    return Time(instant.astimezone(UTC), STEPS[len(clock)] * 10 ** -min(len(fraction), 6))


def times_in_order(document: Mapping[str, Any]) -> Broken | None:
    """Demands of `created_at` and `updated_at` that they exist in the calendar and are in this order.

    What is absent or no string is the schema's to judge.
    """
    for name in ("created_at", "updated_at"):
        if isinstance(document.get(name), str) and time(document[name]) is None:
            return Broken(f"`{name}`: an ISO 8601 date-time in UTC", describe(document[name]), about=(member(name),))
    created, updated = time(document.get("created_at")), time(document.get("updated_at"))
    if created is not None and updated is not None and updated.is_before(created):
        return Broken(
            "`created_at` not after `updated_at`",
            f"{describe(document['created_at'])} and {describe(document['updated_at'])}",
            about=(member("created_at"), member("updated_at")),
        )
    return None


def equal_amounts(one: Any, other: Any) -> bool:
    """Whether two decimal strings are the same number; what is no decimal is equal only to the same text."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    try:
        return one == other or Decimal(one) == Decimal(other)
    except ArithmeticError:
        return False


def is_in_other_order(one: Any, other: Any) -> bool:
    """Whether two lists hold the same texts, in whatever order."""
    return all(isinstance(values, list) and {*map(type, values)} <= {str} for values in (one, other)) and (
        sorted(one) == sorted(other)
    )
