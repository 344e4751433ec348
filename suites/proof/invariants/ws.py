"""What holds for the messages of a WebSocket: whose they are, their order, that none is missing (WebSocket page)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from operator import eq
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.history import disagreements
from rampcheck.judging.invariants import given, moves_forward, never_accepted, query, same
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import Broken, Held, HistoryInvariant, Invariant, history_invariant, invariant, member
from rampcheck.wire.exchanges import Exchange, Message

from ..endpoints import EVENTS
from ..requests import is_second
from .trail import (
    PATIENCE,
    Trail,
    is_of_a_transaction,
    of_each_transaction,
    trails,
)
from .values import RANK, TERMINAL, equal_amounts, is_terminal, time

# Going away, service restart, try again later: the server's operation, not its promise (RFC 6455 section 7.4.1 and
# the IANA registry of close codes).
EXCUSED = frozenset({"1001", "1012", "1013"})
LOST = "1006"  # the connection ended without a close of either side, which is the network's affair
NEAR = timedelta(seconds=10)


def updates(exchange: Exchange) -> list[dict[str, Any]]:
    """Gives the JSON objects that came as text messages and tell of a transaction."""
    values = [message.json for message in exchange.events if message.kind == "text"]
    return [
        value
        for value in values
        if isinstance(value, dict) and ("status" in value or value.get("event") == "tx.update")
    ]


def own_updates(exchange: Exchange) -> list[dict[str, Any]]:
    """Gives the updates that are not about another transaction than the subscribed one."""
    return [
        update
        for update in updates(exchange)
        if not isinstance(named := update.get("merchant_transaction_id"), str) or named == query(exchange, "tx_id")
    ]


def is_sent_away(exchange: Exchange) -> bool:
    """Whether the target closed a WebSocket before any event; an error that it sends first is none."""
    return exchange.closed is not None and not exchange.told


def is_lost(exchange: Exchange) -> bool:
    """Whether a WebSocket ended without a close of either side, or with one of a server that goes away."""
    if exchange.closed is not None:
        return exchange.closed.body[:4].decode("ascii", "replace") in EXCUSED | {LOST}
    return not any(message.kind == "close" for message in exchange.messages)


def _statuses(exchange: Exchange) -> list[str]:
    return [status for update in own_updates(exchange) if isinstance(status := update.get("status"), str)]


@invariant("proof.ws.event", EVENTS.answered, exercises=False)
def messages_are_text(exchange: Exchange, _: Partner) -> Broken | None:
    """An event is a text message; what stands in it is the schema's to judge."""
    binary = next((message for message in exchange.events if message.kind == "binary"), None)
    return None if binary is None else Broken("a text message", f"a binary message of {len(binary.body)} bytes")


@invariant(
    "proof.ws.only-own",
    lambda exchange, _: (
        EVENTS.answered(exchange)
        and any(isinstance(update.get("merchant_transaction_id"), str) for update in updates(exchange))
    ),
)
def events_are_of_the_subscribed_transaction(exchange: Exchange, _: Partner) -> Broken | None:
    """Each event is about the transaction in the URL."""
    for update in updates(exchange):
        named = update.get("merchant_transaction_id")
        if isinstance(named, str) and (problem := same("merchant_transaction_id", query(exchange, "tx_id"), named)):
            return problem
    return None


@invariant(
    "proof.ws.times",
    lambda exchange, _: (
        EVENTS.answered(exchange)
        and any(isinstance(update.get("occurred_at"), str) for update in own_updates(exchange))
    ),
)
def times_go_forward(exchange: Exchange, _: Partner) -> Broken | None:
    """Each `occurred_at` is in the calendar, and not before the one before it."""
    latest = None
    for given_time in (update.get("occurred_at") for update in own_updates(exchange)):
        occurred = time(given_time)
        if isinstance(given_time, str) and occurred is None:
            return Broken(
                "`occurred_at`: an ISO 8601 date-time in UTC", describe(given_time), about=(member("occurred_at"),)
            )
        if occurred is not None and latest is not None and occurred.is_before(latest):
            return Broken(
                "`occurred_at` not before that of the event before",
                f"{describe(given_time)} after {latest.instant.isoformat()}",
                about=(member("occurred_at"),),
            )
        latest = occurred or latest
    return None


INVARIANTS: Sequence[Invariant] = (
    messages_are_text,
    events_are_of_the_subscribed_transaction,
    times_go_forward,
    # The same event twice is another clause's affair.
    moves_forward("proof.ws.order", EVENTS.answered, _statuses, RANK, TERMINAL),
    # A target may also take the upgrade to say in a close that it refuses.
    never_accepted(
        "proof.ws.auth",
        EVENTS,
        "no Authorization header",
        lambda exchange, _: not exchange.request.header("authorization") and not is_sent_away(exchange),
    ),
)


# The whole run


def _had_its_chance(socket: Exchange, poll: Exchange, profile: Profile) -> bool:
    """Whether a WebSocket was open for long enough after a poll to tell what the poll shows."""
    if socket.cut or is_lost(socket):
        return False
    return socket.closed is not None or any(
        message.at >= poll.ended + PATIENCE * profile.limits.event_timeout_seconds
        for message in socket.messages
        if message.kind == "close"
    )


@of_each_transaction("proof.ws.event")
def every_change_is_told(trail: Trail, profile: Profile) -> Iterator[Broken | Held]:
    """Each status that polls saw come while a WebSocket was open came over it."""
    for socket in trail.sockets:
        told = _statuses(socket)
        for poll, status in trail.changes(socket):
            if status in told:
                yield Held()
            elif _had_its_chance(socket, poll, profile):
                yield Broken(
                    f"an event with the status {status!r}, which exchange {poll.number} shows",
                    f"the events: {', '.join(told) or 'none'}",
                    socket,
                )


@of_each_transaction("proof.ws.event")
def no_change_is_told_twice(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """One message on every change; a first one may tell the state at the time of the subscription."""
    for socket in trail.sockets:
        told = own_updates(socket)
        state = trail.state_at(socket)
        if told and state is not None and told[0].get("status") == state:
            told = told[1:]
        seen: set[str] = set()
        for update in told:
            if (text := json.dumps(update, sort_keys=True)) in seen:
                yield Broken("one message on every change", f"the same event twice: {describe(update)}", socket)
            seen.add(text)


@history_invariant("proof.ws.isolation", is_of_a_transaction, at_least=None)
def strangers_are_told_nothing(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
    """Another partner's subscription is refused, or silent while the transaction changes."""
    found = trails(exchanges)
    # A token that opens no WebSocket at all is refused for itself.
    good = {is_second(socket.credential) for trail in found for socket in trail.sockets}
    for trail in found:
        for socket in filter(EVENTS.asked, trail.strangers):
            if leaked := updates(socket):
                yield Broken(
                    "a refusal, or no event of another partner's transaction",
                    f"{len(leaked)} events, the first: {describe(leaked[0])}",
                    socket,
                )
            elif _is_refused(socket, trail, is_good=is_second(socket.credential) in good) or _is_silent(socket, trail):
                yield Held()


def _is_refused(socket: Exchange, trail: Trail, *, is_good: bool) -> bool:
    """Whether an upgrade was refused that the owner was granted, and not (401) for a token that is not good."""
    return bool(trail.sockets) and 400 <= socket.status < 500 and (is_good or socket.status != 401)


def _is_silent(socket: Exchange, trail: Trail) -> bool:
    """Whether nothing came over a WebSocket that the target closed, or that was open while the status changed."""
    return socket.accepted and (socket.closed is not None or bool(trail.changes(socket)))


@of_each_transaction("proof.ws.times")
def changes_are_told_with_their_time(trail: Trail, _: Profile) -> Iterator[Broken | Held]:
    """`occurred_at` of the first event of a status is near the `updated_at` of the first poll that shows it."""
    for socket in trail.sockets:
        before: set[str] = set()
        for update in own_updates(socket):
            status = update.get("status")
            polls = trail.polls_with(status)
            if not polls or describe(status) in before:
                continue
            before.add(describe(status))
            occurred, updated = time(update.get("occurred_at")), time(given(polls[0], "updated_at"))
            if occurred is None or updated is None:
                continue
            yield (
                Held()
                if occurred.distance(updated) <= NEAR
                else Broken(
                    f"`occurred_at` of {status!r} within 10 s of `updated_at` "
                    f"{describe(given(polls[0], 'updated_at'))} (exchange {polls[0].number})",
                    describe(update["occurred_at"]),
                    socket,
                    (member("occurred_at"),),
                )
            )


def _disagreements(trail: Trail, update: dict[str, Any]) -> Iterator[tuple[str, Any, Exchange]]:
    """Gives each member of an event that no poll shows: its name, what a poll shows, that poll."""
    polls = trail.polls_with(update.get("status"))
    yield from disagreements(update, trail.polls[:1], {"type": eq, "currency": eq})
    # `fix_fiat_currency` is false: the user may choose another one after the first poll.
    yield from disagreements(update, polls or trail.polls, {"fiat_currency": eq})
    if update.get("status") != "pending":
        yield from disagreements(update, polls, {"fiat_amount": equal_amounts, "crypto_amount": equal_amounts})


@of_each_transaction("proof.ws.agrees")
def events_agree_with_polls(trail: Trail, profile: Profile) -> Iterator[Broken | Held]:
    """Events tell what polls of the same status show, and end as the polls do."""
    for socket in trail.sockets:
        told = own_updates(socket)
        if not told or not trail.polls:
            continue
        for update in told:
            problems = list(_disagreements(trail, update))
            for name, expected, poll in problems:
                yield Broken(
                    f"`{name}`: {describe(expected)}, as in exchange {poll.number}",
                    f"{describe(update[name])} in the event {describe(update.get('status'))}",
                    socket,
                    (member(name),),
                )
            if not problems:
                yield Held()
        last = told[-1].get("status")
        if trail.end is not None and isinstance(last, str) and last in TERMINAL - {given(trail.end, "status")}:
            yield Broken(
                f"the final status {given(trail.end, 'status')!r}, as in exchange {trail.end.number}",
                repr(last),
                socket,
                (member("status"),),
            )
        if (ended := _end_told(socket)) and (denial := trail.denial(ended.at, profile)):
            yield Broken(
                f"a poll with the final status {last!r}, which an event told, within "
                f"{profile.limits.event_timeout_seconds:g} s",
                f"{describe(given(denial, 'status'))} in exchange {denial.number}, "
                f"{denial.started - ended.at:.0f} s later",
                socket,
                (member("status"),),
            )


def _end_told(socket: Exchange) -> Message | None:
    """Gives the first event that tells the subscribed transaction's end."""
    told = [message for message in socket.events if isinstance(message.json, dict)]
    return next(
        (
            message
            for message in told
            if is_terminal(message.json.get("status"))
            and message.json.get("merchant_transaction_id") == query(socket, "tx_id")
        ),
        None,
    )


HISTORY: Sequence[HistoryInvariant] = (
    every_change_is_told,
    no_change_is_told_twice,
    strangers_are_told_nothing,
    changes_are_told_with_their_time,
    events_agree_with_polls,
)
