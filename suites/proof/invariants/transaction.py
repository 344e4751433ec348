"""What holds for the status of a transaction: whose it is, its times, that an end is the end (status page)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.invariants import asked, given, never_accepted, same, succeeds_with
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import (
    STATUS,
    Broken,
    Held,
    HistoryInvariant,
    Invariant,
    invariant,
    member,
)
from rampcheck.wire.exchanges import Exchange, http_date

from ..endpoints import TRANSACTION
from .trail import Trail, of_each_transaction
from .values import Time, time, times_in_order

NEAR = 120  # seconds


@invariant("proof.transaction.echo", TRANSACTION.answered_with("merchant_transaction_id"))
def transaction_is_the_one_asked_for(exchange: Exchange, _: Partner) -> Broken | None:
    """The id in the answer is the one in the path; a target may take an id in any letter case."""
    wanted, actual = TRANSACTION.parameter(exchange), given(exchange, "merchant_transaction_id")
    if isinstance(actual, str) and wanted is not None and wanted.casefold() == actual.casefold():
        return None
    return same("merchant_transaction_id", wanted, actual)


@invariant("proof.transaction.times", TRANSACTION.answered_with("created_at", "updated_at"))
def times_exist_and_are_in_order(exchange: Exchange, _: Partner) -> Broken | None:
    """Both times are in the calendar, and a transaction is not updated before it is created."""
    answer = exchange.response.json if exchange.response else {}
    return times_in_order(answer)


INVARIANTS: Sequence[Invariant] = (
    transaction_is_the_one_asked_for,
    times_exist_and_are_in_order,
    succeeds_with("proof.transaction.complete", TRANSACTION, 200),
    never_accepted(
        "proof.transaction.auth",
        TRANSACTION,
        "no Authorization header",
        lambda exchange, _: not exchange.request.header("authorization"),
    ),
)


# The whole run


def _of_the_session(session: Exchange) -> dict[str, Any]:
    return {
        "merchant_transaction_id": given(session, "merchant_transaction_id"),
        "partner_user_id": asked(session, "partner_user_id"),
        "type": given(session, "type"),
        "currency": asked(session, "currency"),
        "network": asked(session, "network"),
    }


@of_each_transaction("proof.transaction.echo")
def transaction_is_the_sessions(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """What the session was created with stands in every answer for its transaction."""
    expected = {name: value for name, value in _of_the_session(trail.session).items() if isinstance(value, str)}
    for poll in trail.polls:
        for name, value in expected.items():
            if given(poll, name) is None:
                continue
            problem = same(name, value, given(poll, name))
            yield (
                Held()
                if problem is None
                else replace(
                    problem, expected=f"{problem.expected}, as in exchange {trail.session.number}", exchange=poll
                )
            )


def _is_near(created: Time, session: Exchange) -> bool:
    """Whether a session's transaction was created near it, by this machine's clock or by the target's."""
    spans = [(session.started, session.ended)]
    if date := http_date((session.response and session.response.header("date")) or ""):
        spans.append((date.timestamp(), date.timestamp()))
    return any(begin - NEAR <= created.instant.timestamp() <= end + NEAR for begin, end in spans)


@of_each_transaction("proof.transaction.times")
def transaction_is_created_with_its_session(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """`created_at` is near the session's creation, and the same in every answer."""
    dated = [(poll, created) for poll in trail.polls if (created := time(given(poll, "created_at"))) is not None]
    for poll, created in dated:
        first, known = dated[0]
        if created.distance(known):
            yield Broken(
                f"`created_at`: {describe(given(first, 'created_at'))}, as in exchange {first.number}",
                describe(given(poll, "created_at")),
                poll,
                (member("created_at"),),
            )
        elif not _is_near(created, trail.session):
            begun = datetime.fromtimestamp(trail.session.started, UTC).isoformat(timespec="seconds")
            yield Broken(
                f"`created_at` within 120 s of the session's creation at {begun} (exchange {trail.session.number})",
                describe(given(poll, "created_at")),
                poll,
                (member("created_at"),),
            )
        else:
            yield Held()


@of_each_transaction("proof.transaction.terminal")
def an_end_is_the_end(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """After a terminal status no poll shows another."""
    end = trail.end
    for poll in trail.polls:
        if end is not None and poll.started >= end.ended:
            problem = same("status", given(end, "status"), given(poll, "status"))
            yield (
                Held()
                if problem is None
                else replace(problem, expected=f"{problem.expected}, as in exchange {end.number}", exchange=poll)
            )


@of_each_transaction("proof.transaction.isolation")
def transaction_is_the_partners_own(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """Another partner is never told of it. A refusal proves nothing here: it may have any reason."""
    for stranger in trail.strangers:
        if TRANSACTION.answered(stranger):
            yield Broken(
                f"404 for the other partner's transaction of exchange {trail.session.number}",
                stranger.summary(),
                stranger,
                (STATUS,),
            )


HISTORY: Sequence[HistoryInvariant] = (
    transaction_is_the_sessions,
    transaction_is_created_with_its_session,
    an_end_is_the_end,
    transaction_is_the_partners_own,
)
