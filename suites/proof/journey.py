"""Transactions that are driven to their end and watched on every channel, all at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from rampcheck.errors import RunOver, Unjudged
from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.judging.invariants import asked, given
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.channel import Channel
from rampcheck.wire.exchanges import Exchange, Request

from .asking import PAUSE, UNTIL_KNOWN, transaction_of
from .invariants.values import RANK, TERMINAL
from .requests import is_second, pairs, poll, upgrade

MOST_PAIRS = 3
LONG_AFTER = 3.0  # seconds after the end of all, when it is seen whether it lasts
MOST_TRIES = 3  # for a transaction that is not at its end before it can be watched


class Journey:
    """One transaction on its way: it is subscribed to and asked for as soon as it is created.

    `seen` holds the first poll that shows each status, `delivered` the first webhook that tells it. `channel` is None
    where the target refuses the WebSocket.
    """

    def __init__(self, target: Target, session: Accepted) -> None:
        self.transaction = transaction_of(session.exchange)
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
        """Whether it is time to poll, because of something new on another channel or by the interval."""
        interval = self._target.profile.limits.poll_interval_seconds
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
        deadline = time.monotonic() + UNTIL_KNOWN
        channel = target.subscribe(request)
        while own is not None and channel.upgrade.status == 404 and time.monotonic() < deadline:
            time.sleep(PAUSE)
            channel = target.subscribe(request)
        if channel.accepted:
            return channel
        if own is not None and 400 <= channel.upgrade.status < 500:
            target.confirm(own.request)
            channel = target.subscribe(request)
            if channel.accepted:
                return channel
            where = f"after the session of exchange {own.exchange.number}"
            target.demand(
                channel.upgrade, Demand("proof.ws.connect", Acceptance("an upgrade (101)"), where), own.exchange
            )
    return None


class Journeys:
    """All the transactions of a run that are driven to their end; a context manager that closes their WebSockets.

    `came` counts the webhooks that were received.
    """

    def __init__(self, target: Target) -> None:
        self._receives = False
        self._target = target
        self._followed: float | None = None
        self.came = 0
        self._all: list[Journey] = []
        self._strangers: list[tuple[Request, Channel | None]] = []

    def __enter__(self) -> Journeys:
        return self

    def __exit__(self, *_: object) -> None:
        self._close(self._all)
        self._take_webhooks()

    def begin(self, *, receives: bool) -> None:
        """Creates the sessions of both partners; the other one listens to the first transaction of each.

        `receives` says whether webhooks, which are the first partner's, are received. Raises `Unjudged` where no
        session could be created.
        """
        self._receives = receives
        credentials = [
            name
            for name in (self._target.suite.credential, f"second_{self._target.suite.credential}")
            if name in self._target.profile.credentials
        ]
        refusal: Unjudged | None = None
        for credential in credentials:
            others = [name for name in credentials if name != credential]
            for fields in self._kinds(credential):
                try:
                    journey = self._started(credential, fields)
                except Unjudged as error:
                    refusal = error
                    continue
                self._all.append(journey)
                while others:
                    self._overhear(journey, others.pop())
                self._look()  # Those that were begun before go on meanwhile.
        if not self._all and refusal is not None:
            raise refusal

    def follow(self) -> None:
        """Watches until everything has come, or nothing new for as long as the profile says to wait."""
        limits = self._target.profile.limits
        deadline = time.monotonic() + limits.event_timeout_seconds
        while self._awaits_anything() and (rest := deadline - time.monotonic()) > 0:
            self._target.news.wait(min(limits.poll_interval_seconds, rest))
            if self._look():
                deadline = time.monotonic() + limits.event_timeout_seconds

    def ask_again(self) -> None:
        """Polls each transaction once more, an interval later, and those that are not one's own as well.

        The WebSockets are closed but the first one, over which something may still come.
        """
        time.sleep(self._target.profile.limits.poll_interval_seconds)
        for journey in self._all:
            journey.poll()
        for question, _ in self._strangers:
            with suppress(Unjudged):
                self._target.ask(question)
        self._close(self._all[1:])
        self._followed = time.monotonic()

    def look_back(self) -> None:
        """Polls the first transaction of each partner once more, some seconds after all came to their end.

        What the run did meanwhile counts as waiting. What is wrong with the answers, and with what came over the other
        channels, is the invariants' to judge.
        """
        if self._followed is None:
            return
        time.sleep(max(0.0, self._followed + LONG_AFTER - time.monotonic()))
        asked: set[str] = set()
        with suppress(RunOver):
            for journey in self._all:
                if journey.is_over and journey.credential not in asked:
                    asked.add(journey.credential)
                    journey.poll()

    def _close(self, journeys: Sequence[Journey]) -> None:
        for channel in [channel for _, channel in self._strangers if channel is not None]:
            channel.close()
        for journey in journeys:
            journey.close()

    @property
    def has_websocket(self) -> bool:
        """Whether the target opened a WebSocket for any of the transactions to its owner."""
        return any(journey.channel is not None for journey in self._all)

    def missing_webhooks(self) -> Iterator[tuple[str, Exchange]]:
        """Gives each change of a first partner's transaction that no webhook told: the status, and who shows it."""
        for journey in self._of_the_first_partner():
            for status, exchange in journey.changes.items():
                if status not in journey.delivered:
                    yield status, exchange

    def delivered(self) -> list[Exchange]:
        """Gives the first webhook of each status."""
        return [webhook for journey in self._of_the_first_partner() for webhook in journey.delivered.values()]

    def demand_ends(self) -> None:
        """Raises `Unjudged` where no transaction came to its end by any channel, or none could be seen to change.

        What became of the others is noted: what the channels say of those that were followed was judged.
        """
        endless = [journey for journey in self._all if not journey.has_ended]
        if endless:
            patience = self._target.profile.limits.event_timeout_seconds
            failed = (
                "the profile's trigger `complete` did not bring the transaction to its end within "
                f"{patience:g} s of its last change; its status is still {endless[0].last}"
            )
            if len(endless) == len(self._all):
                raise Unjudged(failed)
            self._target.judge.note(failed)
        if not any(journey.changes or not journey.is_over for journey in self._all):
            raise Unjudged(
                "the profile's trigger `complete` brought every transaction to its end before it could be watched"
            )

    def _kinds(self, credential: str) -> Iterator[Mapping[str, Any]]:
        """Gives the members of the sessions to be watched: some pairs of the partner, both types."""
        partner = self._target.partner(credential)
        types = ("buy", "sell") if partner.get("off_ramp") else ()
        chosen = pairs(partner)[:MOST_PAIRS]
        for index in range(max(len(chosen), len(types))):
            currency, network = chosen[index % len(chosen)]
            yield {"currency": currency, "network": network, **({"type": types[index % 2]} if types else {})}

    def _started(self, credential: str, fields: Mapping[str, Any]) -> Journey:
        """Gives a journey that can still be watched, if one of a few can."""
        for attempt in range(MOST_TRIES):
            # Amounts that differ, and have decimals, so that one that is rounded or another transaction's is seen.
            amount = {"amount": f"{100 + len(self._all)}.25"}
            session = self._target.accepted(credential, **{**amount, **fields, **self._target.trigger("complete")})
            journey = Journey(self._target, session)
            if not journey.is_over or attempt == MOST_TRIES - 1:
                break
            journey.close()
        return journey

    def _overhear(self, journey: Journey, credential: str) -> None:
        channel = subscribed(self._target, upgrade(journey.transaction, credential))
        self._strangers.append((poll(journey.transaction, credential), channel))

    def _awaits_anything(self) -> bool:
        return any(
            journey.awaits(webhooks=self._receives and not is_second(journey.credential)) for journey in self._all
        )

    def _look(self) -> bool:
        """Takes what came over the other channels, polls where it is due; says whether there was anything new."""
        before = self._known()
        self._take_webhooks()
        for journey in self._all:
            if journey.is_due():
                journey.poll()
        return self._known() > before

    def _known(self) -> int:
        return sum(len(journey.seen) + len(journey.delivered) + journey.count_heard() for journey in self._all)

    def _take_webhooks(self) -> None:
        webhooks = self._target.deliveries()
        self.came += len(webhooks)
        for webhook in webhooks:
            for journey in self._all:
                if journey.transaction == asked(webhook, "merchant_transaction_id"):
                    journey.take(webhook)

    def _of_the_first_partner(self) -> list[Journey]:
        return [journey for journey in self._all if not is_second(journey.credential)]
