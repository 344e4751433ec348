"""A transaction that is driven to its end and watched on every channel."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from rampcheck.errors import RunOver, Unjudged
from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.judging.invariants import asked, given
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.channel import Channel
from rampcheck.wire.exchanges import Exchange, Request

from .asking import let_pass, moments, transaction_of
from .invariants.values import RANK, TERMINAL
from .invariants.ws import is_lost
from .requests import poll, upgrade

LISTENING = 4  # intervals between polls while a WebSocket is open that tells when to ask


class Journey:
    """One transaction on its way: it is subscribed to and asked for as soon as it is created.

    `fields` are the session's that make it of its kind, `seen` holds the first poll that shows each status, `delivered`
    the first webhook that tells it. `channel` is None where the target refuses the WebSocket.
    """

    def __init__(self, target: Target, session: Accepted, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self.transaction = transaction_of(session.exchange)
        self.user: str = session.request.json["partner_user_id"]
        self.trigger = {name: session.request.json[name] for name in target.profile.triggers["complete"]}
        self.credential = session.request.credential or target.suite.credential
        self.channel = subscribed(target, upgrade(self.transaction, self.credential), session)
        self.seen: dict[str, Exchange] = {}
        self.delivered: dict[str, Exchange] = {}
        self.last = "unknown"
        self._target = target
        self._heard: set[str] = set()
        self._statuses: set[str] = set()
        self._read = 0
        self._asked = 0.0
        self.poll()

    @property
    def is_over(self) -> bool:
        """Whether a poll has shown a terminal status."""
        return not TERMINAL.isdisjoint(self.seen)

    @property
    def has_ended(self) -> bool:
        """Whether any channel has told of a terminal status."""
        return not TERMINAL.isdisjoint(self.seen.keys() | self.delivered.keys() | self._told())

    @property
    def changes(self) -> dict[str, Exchange]:
        """The statuses that polls saw come, each with the first poll to show it, to the first that is terminal."""
        places = [place for place, status in enumerate(self.seen) if status in TERMINAL]
        return dict(list(self.seen.items())[1 : places[0] + 1 if places else None])

    def poll(self) -> bool:
        """Asks for the status; says whether it is one that no poll has shown before."""
        self._asked = time.monotonic()
        try:
            exchange = self._target.ask(poll(self.transaction, self.credential))
        except RunOver:
            raise
        except Unjudged as error:  # There are other transactions, and this one may be asked for again.
            self.last = str(error)
            return False
        status = given(exchange, "status") if exchange.accepted else None
        self.last = repr(status) if exchange.accepted else exchange.summary()
        if not isinstance(status, str) or status not in RANK or status in self.seen:
            return False
        self.seen[status] = exchange
        return True

    def is_due(self) -> bool:
        """Whether it is time to poll, because of something new on another channel or by the interval.

        While a WebSocket tells of changes, it is only now and then that a poll looks for one that it does not tell;
        one that has told of none yet may tell of none at all.
        """
        interval = self._target.profile.limits.poll_interval_seconds
        if self.channel is not None and self.channel.is_open and not self._told() <= {"pending"}:
            interval *= LISTENING
        new = (self._told() | self.delivered.keys()) - self._heard
        self._heard |= new
        return not self.is_over and (bool(new - self.seen.keys()) or time.monotonic() - self._asked >= interval)

    def take(self, webhook: Exchange) -> bool:
        """Takes a webhook about this transaction; says whether it tells a status that none has told before."""
        status = asked(webhook, "status")
        if not isinstance(status, str) or status not in RANK or status in self.delivered:
            return False
        self.delivered[status] = webhook
        return True

    def count_heard(self) -> int:
        """Gives how many documented statuses the WebSocket has told."""
        return len(self._told() & RANK.keys())

    def awaits(self, *, webhooks: bool) -> bool:
        """Whether the end, or a change that polls saw, has not come over every channel yet."""
        changes = self.changes.keys()
        return (
            not self.is_over
            or (webhooks and bool(changes - self.delivered.keys()))
            or (self.channel is not None and self.channel.is_open and bool(changes - self._told()))
        )

    @property
    def is_lost(self) -> bool:
        """Whether the WebSocket was lost before it told any end."""
        return (
            self.channel is not None
            and not self.channel.is_open
            and TERMINAL.isdisjoint(self._told())
            and not (ended := self.channel.close()).cut
            and is_lost(ended)
        )

    def untold(self) -> Iterator[tuple[str, Exchange]]:
        """Gives each change that the WebSocket has not told: the status, and the poll that shows it."""
        told = self._told()
        return ((status, exchange) for status, exchange in self.changes.items() if status not in told)

    def close(self) -> None:
        """Closes the WebSocket."""
        if self.channel is not None:
            self.channel.close()

    def _told(self) -> set[str]:
        """Gives the statuses that the WebSocket has told; each message is read once, however often this is asked."""
        messages = self.channel.messages[self._read :] if self.channel is not None else ()
        self._read += len(messages)
        for value in (message.json for message in messages):
            if isinstance(value, dict) and isinstance(status := value.get("status"), str):
                self._statuses.add(status)
        return self._statuses


def subscribed(target: Target, request: Request, own: Accepted | None = None) -> Channel | None:
    """Gives the WebSocket, None where it is refused or does not come about.

    A refusal is a finding where the transaction is that of a session of one's `own` that was just created.
    """
    with suppress(Unjudged):
        if own is not None:
            let_pass(own)
        for _ in moments():
            channel = target.subscribe(request)
            if own is None or channel.upgrade.status != 404:
                break
        if channel.accepted:
            return channel
        if own is not None and 400 <= channel.upgrade.status < 500:
            target.confirm(own.request)
            refused, channel = channel.upgrade, target.subscribe(request)
            if channel.accepted:
                target.refused_in_passing(request, refused, channel.upgrade)
                return channel
            where = f"after the session of exchange {own.exchange.number}"
            target.demand(
                channel.upgrade, Demand("proof.ws.connect", Acceptance("an upgrade (101)"), where), own.exchange
            )
    return None
