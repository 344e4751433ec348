"""What holds for every exchange, or for the whole run, whatever provoked it.

What the OpenAPI document can say (required members, types, patterns) stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from rampcheck.contract.profile import Partner
from rampcheck.judging.history import never_repeated
from rampcheck.judging.invariants import Endpoint, asked, given, not_a_gateways, same
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import BODY, STATUS, Broken, HistoryInvariant, Invariant, invariant, member
from rampcheck.wire.exchanges import Exchange

from .requests import PATH, REDEEM

SESSION, REDEMPTION = Endpoint("POST", PATH), Endpoint("POST", REDEEM)
ECHOED = ("asset", "amount", "reference")
LIFETIME, TOLERANCE = 900, 5  # seconds


def _is_echo(exchange: Exchange, partner: Partner) -> bool:
    """Whether a session answers a JSON object; what it lacks is the schema's to judge."""
    return SESSION.answered_with("asset", "amount")(exchange, partner) and isinstance(exchange.request.json, dict)


@invariant("tinyramp.session.echo", _is_echo)
def session_repeats_the_request(exchange: Exchange, _: Partner) -> Broken | None:
    """Asset, amount and reference are those of the request, letter for letter; of other types nothing is promised."""
    wrong = (
        same(name, asked(exchange, name), given(exchange, name))
        for name in ECHOED
        if isinstance(asked(exchange, name), str)
    )
    return next(filter(None, wrong), None)


def creation_times(exchange: Exchange) -> Iterator[tuple[float, float]]:
    """Gives the earliest and latest moment of a session's creation, by this machine's clock and the target's.

    The target's clock is the response's `Date` header, which has whole seconds (RFC 9110 section 6.6.1).
    """
    yield exchange.started, exchange.started + exchange.elapsed
    date = exchange.response.header("date") if exchange.response else None
    try:
        sent = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return
    yield sent - exchange.elapsed, sent + 1


@invariant("tinyramp.session.expires-at", SESSION.answered_with("expires_at"))
def expires_in_time(exchange: Exchange, _: Partner) -> Broken | None:
    """A session ends as many seconds after its creation as were asked for."""
    text, lifetime = given(exchange, "expires_at"), asked(exchange, "expires_in") or LIFETIME
    if not isinstance(lifetime, int):
        return None  # It should have been refused.
    expected = f"`expires_at`: {lifetime} seconds after the session's creation"
    try:
        end = datetime.fromisoformat(text.upper())
    except (AttributeError, ValueError):
        return Broken(expected, describe(text), about=(member("expires_at"),))
    if end.tzinfo is None:
        return None  # The schema judges the form.
    if any(
        first - TOLERANCE <= end.timestamp() - lifetime <= last + TOLERANCE for first, last in creation_times(exchange)
    ):
        return None
    later = end.timestamp() - exchange.started
    return Broken(expected, f"{describe(text)}, {later:.0f} seconds after the request", about=(member("expires_at"),))


@invariant("tinyramp.redeem.first", REDEMPTION.answered_with("id"))
def redeemed_is_what_was_named(exchange: Exchange, _: Partner) -> Broken | None:
    """The answer is about the session that the path names."""
    return same("id", REDEMPTION.parameter(exchange), given(exchange, "id"))


def _is_asked(exchange: Exchange, _: Partner) -> bool:
    return SESSION.asked(exchange) or REDEMPTION.asked(exchange)


@invariant(
    "tinyramp.auth.any-bytes",
    lambda exchange, partner: _is_asked(exchange, partner) and exchange.authenticated,
    exercises=False,
)
def right_credentials_are_not_refused(exchange: Exchange, _: Partner) -> Broken | None:
    """However the body is written, a signature over its very bytes is good."""
    if exchange.status != 401 or exchange.is_page:
        return None
    return Broken(
        "no refusal of the credentials of a request that is signed over its very bytes",
        exchange.summary(),
        about=(STATUS, BODY),
    )


INVARIANTS: Sequence[Invariant] = (
    right_credentials_are_not_refused,
    session_repeats_the_request,
    expires_in_time,
    redeemed_is_what_was_named,
    not_a_gateways("tinyramp.errors.gateway-envelope", _is_asked),
)

HISTORY: Sequence[HistoryInvariant] = (
    never_repeated("tinyramp.session.id", "`id`", SESSION.answered, lambda exchange: given(exchange, "id")),
)
