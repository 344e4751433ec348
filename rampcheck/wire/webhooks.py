"""The webhooks of a run: which of the requests that came in to its receiver are its own, each an exchange."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from rampcheck.contract.profile import Webhook
from rampcheck.wire.channel import News
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.journal import Journal
from rampcheck.wire.receiver import Delivery, Receiver, names, newest
from rampcheck.wire.room import Room

MOST_WEBHOOKS = 1000  # of a run


class Webhooks:
    """Takes what comes in to the address that `webhook` describes, where there is one, and tells `listener` of it.

    `number` gives each its exchange's number, `news` is told that something came, `room` what the run keeps; `journal`
    is told at once. `strays` counts, by their method, the requests that are no webhook of this run.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a run shares
        self,
        webhook: Webhook | None,
        number: Callable[[], int],
        news: News,
        listener: Callable[[Exchange], object],
        room: Room,
        journal: Journal | None = None,
    ) -> None:
        self._webhook = webhook
        self._number = number
        self._news = news
        self._tell = listener
        self._room = room
        self._journal = journal
        self._receiver: Receiver | None = None
        self._ids: set[str] = set()
        self._unclaimed: list[Delivery] = []
        self._kept = self._begun = self._not_kept = 0
        self.strays: Counter[str] = Counter()

    def expect(self, created: str) -> None:
        """Takes what names this id for a webhook of this run, from now on."""
        self._ids.add(created)

    def open(self) -> None:
        """Opens the receiver, unless it is open or there is none to be had. Raises `UsageError` where it cannot."""
        if self._receiver is None and self._webhook is not None:
            receiver = Receiver(self._webhook, self._news, self._is_own, self._arrived)
            receiver.start()
            self._receiver = receiver

    def take(self, scenario: str) -> list[Exchange]:
        """Gives the webhooks that came since the last call, each an exchange.

        A webhook of this run names something that it has seen created. To a public address anything may come: what has
        no body is counted in `strays`, and the rest waits, as its id may become known only later. What is more than a
        run keeps is counted in `turned_away`.
        """
        came = [*self._unclaimed, *(self._receiver.drain() if self._receiver else ())]
        own: list[Delivery] = []
        others: list[Delivery] = []
        for delivery in came:
            (own if names(delivery, self._ids) else others).append(delivery)
        others = [delivery for delivery in others if delivery.body]
        self._unclaimed = newest(others)
        self.strays.update(delivery.method for delivery in others[: len(others) - len(self._unclaimed)])
        kept = own[: 0 if self._room.is_spent else MOST_WEBHOOKS - self._kept]
        self._kept += len(kept)
        self._not_kept += len(own) - len(kept)
        self.strays.update(delivery.method for delivery in came if not delivery.body)
        exchanges = [_as_exchange(delivery, scenario) for delivery in kept]
        for exchange in exchanges:
            self._tell(exchange)
        return exchanges

    @property
    def turned_away(self) -> int:
        """How many webhooks came that were not read: where there are any, none can be said to be missing."""
        return self._not_kept + (self._receiver.turned_away if self._receiver else 0)

    def close(self) -> None:
        """Closes the receiver; what had come in by then is told like all the rest."""
        if self._receiver is None:
            return
        self._receiver.stop()
        self._not_kept += self._receiver.turned_away
        self.take("")
        self.strays.update(delivery.method for delivery in self._unclaimed)
        self._unclaimed.clear()
        self._receiver = None

    def _is_own(self, delivery: Delivery) -> bool:
        # A copy: ids come in while the receiver's thread looks.
        return names(delivery, set(self._ids))

    def _arrived(self, delivery: Delivery) -> Delivery:
        """Gives a webhook with its number; that of a session which is known stands in the journal from now on."""
        numbered = replace(delivery, number=self._number())
        if (
            self._journal is not None
            and not self._room.is_spent
            and self._begun < MOST_WEBHOOKS
            and self._is_own(delivery)
        ):
            self._begun += 1
            self._journal.begun(_as_exchange(numbered, ""))
        return numbered


def _as_exchange(delivery: Delivery, scenario: str) -> Exchange:
    return Exchange(
        number=delivery.number,
        scenario=scenario,
        protocol="webhook",
        direction="incoming",
        request=Sent(delivery.method, delivery.target, delivery.headers, delivery.body),
        response=Response(200, (("content-length", "0"),), b""),
        path=delivery.target,
        started=delivery.at,
        elapsed=delivery.answered - delivery.at,
    )
