"""What holds for the webhooks that the target sends: their form, their values, that they give nothing away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from operator import eq
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.history import disagreements
from rampcheck.judging.invariants import asked, given
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import (
    BODY,
    Broken,
    Held,
    HistoryInvariant,
    Invariant,
    history_invariant,
    invariant,
    member,
)
from rampcheck.wire.exchanges import Exchange

from ..endpoints import SESSION, is_webhook
from .trail import Trail, of_each_transaction
from .values import equal_amounts, is_terminal, time, times_in_order

NEAR = timedelta(seconds=10)
MARK = re.compile(r"\[redacted (\w+) ([0-9a-f]+)\]")


@invariant("proof.webhook.post-json", is_webhook)
def webhook_is_posted_as_json(exchange: Exchange, _: Partner) -> Broken | None:
    """A POST with `application/json`, parameters allowed, and a JSON object."""
    request = exchange.request
    media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if request.method != "POST":
        return Broken("a POST", f"the method {request.method}")
    if media_type != "application/json":
        return Broken("Content-Type: application/json", request.header("content-type") or "no Content-Type")
    return None if isinstance(request.json, dict) else Broken("a JSON object", describe(request.json), about=(BODY,))


@invariant(
    "proof.webhook.complete",
    lambda exchange, _: is_webhook(exchange) and isinstance(exchange.request.json, dict),
    exercises=False,
)
def times_exist_and_are_in_order(exchange: Exchange, _: Partner) -> Broken | None:
    """Both times are in the calendar, and a transaction is not updated before it is created."""
    return times_in_order(exchange.request.json)


INVARIANTS: Sequence[Invariant] = (webhook_is_posted_as_json, times_exist_and_are_in_order)


# The whole run


def _near(sent: Any, polled: Any, most: timedelta) -> bool:
    one, other = time(sent), time(polled)
    return one is None or other is None or one.distance(other) <= most


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("type", "currency", "network", "fiat_currency"), eq),
    **dict.fromkeys(("fiat_amount", "crypto_amount"), equal_amounts),
    "created_at": lambda sent, polled: _near(sent, polled, timedelta()),
    "updated_at": lambda sent, polled: _near(sent, polled, NEAR),
}
# Before processing amounts are not settled.
UNSETTLED = {"pending": frozenset({"fiat_amount", "crypto_amount"})}


@of_each_transaction("proof.webhook.agrees")
def webhooks_agree_with_polls(trail: Trail, profile: Profile) -> Iterator[Broken | Held]:
    """Each value is one with which a poll shows the same status, and no webhook tells another end."""
    for webhook in trail.webhooks:
        status = asked(webhook, "status")
        polls = trail.polls_with(status)
        if polls:
            yield from _compared(webhook, polls, frozenset(COMPARED) - UNSETTLED.get(str(status), frozenset()))
        elif is_terminal(status) and trail.end is not None:
            yield Broken(
                f"the final status {given(trail.end, 'status')!r}, as in exchange {trail.end.number}",
                repr(status),
                webhook,
                (member("status"),),
            )
        elif is_terminal(status) and (poll := trail.denial(webhook.started, profile)):
            yield Broken(
                f"a poll with the final status {status!r}, which a webhook told, within "
                f"{profile.limits.event_timeout_seconds:g} s",
                f"{describe(given(poll, 'status'))} in exchange {poll.number}, "
                f"{poll.started - webhook.started:.0f} s later",
                webhook,
                (member("status"),),
            )


def _compared(webhook: Exchange, polls: Sequence[Exchange], names: frozenset[str]) -> Iterator[Broken | Held]:
    sent = webhook.request.json
    problems = list(disagreements(sent, polls, {name: COMPARED[name] for name in sorted(names)}))
    for name, shown, poll in problems:
        yield Broken(
            f"`{name}`: {describe(shown)}, as in exchange {poll.number}",
            f"{describe(sent[name])} for {describe(sent.get('status'))}",
            webhook,
            (member(name),),
        )
    if not problems:
        yield Held()


@history_invariant(
    "proof.webhook.no-token", lambda exchange: is_webhook(exchange) or SESSION.answered(exchange), at_least=None
)
def webhooks_give_nothing_away(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken | Held]:
    """No webhook holds a credential, or an init token or signature that a session handed out.

    It reads the journal, where redaction has put a mark for each; a webhook may be signed in a way of its own.
    """
    handed_out = {
        fingerprint
        for exchange in exchanges
        if SESSION.answered(exchange)
        for name in ("init_token", "signature")
        for _, fingerprint in MARK.findall(str(given(exchange, name)))
    }
    for webhook in filter(is_webhook, exchanges):
        sent = webhook.request
        text = " ".join(
            [sent.url, *(f"{name}: {value}" for name, value in sent.headers), sent.body.decode("utf-8", "replace")]
        )
        found = [
            name for name, fingerprint in MARK.findall(text) if name in profile.credentials or fingerprint in handed_out
        ]
        yield (
            Held()
            if not found
            else Broken(
                "a webhook without token, init token or signature of a session",
                f"it holds the {', '.join(sorted(set(found)))}",
                webhook,
            )
        )


HISTORY: Sequence[HistoryInvariant] = (webhooks_agree_with_polls, webhooks_give_nothing_away)
