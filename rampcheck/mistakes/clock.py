"""This machine's clock, against the `Date` of the target's answers."""

from __future__ import annotations

from rampcheck.mistakes.observation import Observation
from rampcheck.wire.exchanges import Exchange, http_date

MOST_SKEW = 30.0  # seconds; a Date has whole seconds, and proxies may keep an answer for some


def skew(exchange: Exchange) -> float | None:
    """Gives by how many seconds this machine's clock is ahead of the target's, None where it tells no time."""
    told = http_date(exchange.response.header("date") or "") if exchange.response else None
    return None if told is None else exchange.ended - told.timestamp()


def looked_at(exchange: Exchange) -> Observation:
    """Compares the clocks."""
    seconds = skew(exchange)
    if seconds is None:
        return Observation("clock", "ok", "the target tells no time (`Date`): nothing to compare with")
    if abs(seconds) <= MOST_SKEW:
        return Observation("clock", "ok", f"within {MOST_SKEW:.0f} s of the target's", exchange=exchange.number)
    return Observation(
        "clock",
        "look",
        f"this machine's clock is {abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} the target's",
        "Set this machine's clock (NTP): signatures, expiries and certificates are compared with it. If it is right, "
        "tell the vendor.",
        "machine",
        exchange.number,
    )
