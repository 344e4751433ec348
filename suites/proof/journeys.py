"""Transactions that are driven to their end and watched on every channel, all at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, combinations
from typing import Any

from rampcheck.errors import BudgetSpent, RunOver, Unjudged
from rampcheck.judging.invariants import asked
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.channel import Channel
from rampcheck.wire.exchanges import Exchange, Request

from .journey import Journey, subscribed
from .refusals import NOT_FOUND
from .requests import amount_near, is_second, kyc_status, pairs, poll, upgrade

MOST_PAIRS = 3
LONG_AFTER = 3.0  # seconds after the end of all, when it is seen whether it lasts
MOST_TRIES = 3  # for a transaction that is not at its end before it can be watched
MOST_USERS = 4  # of transactions that are over, who are asked for once more
MOST_LOOKS = 8  # where what has to be known is not found, until that comes again
NOT_THERE = 404
MOST_ROUNDS = 3  # of transactions, where an absence kept from being seen what became of those before


class Journeys:
    """All the transactions of a run that are driven to their end; a context manager that closes their WebSockets.

    `came` counts the webhooks that were received.
    """

    def __init__(self, target: Target) -> None:
        self._receives = False
        self._target = target
        self._followed: float | None = None
        self.came = 0
        self._absences = target.absences
        self._credentials = [
            name
            for name in (target.suite.credential, f"second_{target.suite.credential}")
            if name in target.profile.credentials
        ]
        self._all: list[Journey] = []
        self._round: list[Journey] = []
        self._is_denied = False
        self._beside: Channel | None = None
        self._disturbed: list[Journey] = []
        self._strangers: list[tuple[Request, Channel | None]] = []

    def __enter__(self) -> Journeys:
        return self

    def __exit__(self, *_: object) -> None:
        self._close(self._all)
        if self._beside is not None:
            self._beside.close()
        self._take_webhooks()

    def begin(self, *, receives: bool) -> None:
        """Creates the sessions of both partners; the other one listens to the first transaction of each.

        `receives` says whether webhooks, which are the first partner's, are received. Raises `Unjudged` where no
        session could be created.
        """
        self._receives = receives
        self._absences = self._target.absences
        self._begin([(credential, fields) for credential in self._credentials for fields in self._kinds(credential)])

    def _begin(self, kinds: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        others = {owner: other for owner in self._credentials for other in self._credentials if other != owner}
        refusal: Unjudged | None = None
        self._round = []
        for credential, fields in kinds:
            try:
                journey = self._started(credential, fields)
            except Unjudged as error:
                refusal = error
                continue
            self._all.append(journey)
            self._round.append(journey)
            if len(self._all) == 1:  # Who subscribes twice is told twice.
                self._beside = subscribed(self._target, upgrade(journey.transaction, credential))
            if other := others.pop(credential, ""):
                self._overhear(journey, other)
            self._look()  # Those that were begun before go on meanwhile.
        if not self._all and refusal is not None:
            raise refusal

    def follow(self) -> None:
        """Watches until everything has come, or nothing new for as long as the profile says to wait.

        What an absence of the target, or of a connection, kept from being seen is followed again, as new transactions.
        """
        self._watch()
        for _ in range(MOST_ROUNDS - 1):
            disturbed = [journey for journey in self._round if self._is_disturbed(journey)]
            if not disturbed:
                return
            self._disturbed += disturbed
            self._absences = self._target.absences
            self._begin([(journey.credential, journey.fields) for journey in disturbed])
            self._watch()
        self._demand_connection()

    def _is_disturbed(self, journey: Journey) -> bool:
        """Whether an absence kept from being seen what the channels tell of a transaction."""
        was_away = self._target.absences > self._absences
        return journey.is_lost or (was_away and (journey.channel is None or self._awaits(journey)))

    def _demand_connection(self) -> None:
        """Judges whether the target, which was there all the time at the last, loses each WebSocket of every round."""
        listening = [(journey, journey.channel) for journey in self._all if journey.channel is not None]
        if self._target.absences > self._absences or not all(journey.is_lost for journey, _ in listening):
            return
        for journey, channel in listening:
            for status, exchange in journey.untold():
                self._target.judge.broken(
                    "proof.ws.event",
                    f"an event with the status {status!r}, which exchange {exchange.number} shows",
                    f"the connection was lost before it, as was that of each of the {len(listening)} WebSockets",
                    channel.close(),
                )
                return

    def _watch(self) -> None:
        limits = self._target.profile.limits
        deadline = time.monotonic() + limits.event_timeout_seconds
        while any(map(self._awaits, self._round)) and (rest := deadline - time.monotonic()) > 0:
            self._target.news.wait(min(limits.poll_interval_seconds, rest))
            if self._look():
                deadline = time.monotonic() + limits.event_timeout_seconds

    def ask_again(self) -> None:
        """Polls the first transaction of each partner once more, an interval later, by the other partner as well.

        The first one's user is asked for by both, who is likely to be more than not started by now. The WebSockets are
        closed but the first ones, over which something may still come.
        """
        time.sleep(self._target.profile.limits.poll_interval_seconds)
        seen = self._seen(self._all)
        for journey in {journey.credential: journey for journey in reversed(seen)}.values():
            journey.poll()
        for question, _ in self._strangers:
            with suppress(Unjudged):
                self._target.ask(question)
        try:
            self._ask_for_user_of(seen[0])
        except (BudgetSpent, RunOver):
            pass  # What this means is said of the next request.
        except Unjudged as error:
            self._target.judge.unjudged("proof.kyc.isolation", str(error))
        self._close([journey for journey in self._all if journey is not seen[0]])
        self._followed = time.monotonic()

    def _ask_for_user_of(self, journey: Journey) -> None:
        """Asks for the user of a transaction that is over, and demands that the other partner is told of none."""
        question = kyc_status(journey.user, journey.credential)
        answer = self._target.ask(question)
        others = [name for name in self._credentials if is_second(name) != is_second(journey.credential)]
        # Who has the same name whenever the run is made may be the other partner's user as well.
        is_new = "{unique}" in str(self._target.profile.triggers["complete"].get("partner_user_id", "{unique}"))
        if answer.accepted and others and is_new:
            attempt = Accepted(self._target, question, answer).instead(
                question.with_credential(others[0]), "the token of another partner"
            )
            attempt.is_refused(NOT_FOUND, clause="proof.kyc.isolation")

    def look_back(self) -> None:
        """Polls the transactions once more, some seconds after all came to their end, and asks for some of their users.

        What the run did meanwhile counts as waiting. What is wrong with the answers, and with what came over the other
        channels, is the invariants' to judge.
        """
        if self._followed is None:
            return
        time.sleep(max(0.0, self._followed + LONG_AFTER - time.monotonic()))
        over = [journey for journey in self._all if journey.has_ended]
        users = dict.fromkeys((journey.user, journey.credential) for journey in over)
        with suppress(RunOver):
            for question in (
                *(poll(journey.transaction, journey.credential) for journey in over),
                *(kyc_status(*user) for user in [*users][:MOST_USERS]),
            ):
                with suppress(Unjudged):
                    self._ask_for_known(question)

    def _ask_for_known(self, question: Request) -> None:
        """Asks for what has to be known by now; where it is not, again until that comes twice, some times at the most.

        Between two questions something is accepted. As soon as one was denied twice, no other is asked again.
        """
        if self._target.ask(question).status != NOT_THERE or self._is_denied:
            return
        for _ in range(MOST_LOOKS):
            self._target.accepted()
            if self._target.ask(question).status == NOT_THERE:
                self._is_denied = True
                self._target.ask(question)  # Who tells of it again has not begun anew.
                return

    def _close(self, journeys: Sequence[Journey]) -> None:
        for channel in [channel for _, channel in self._strangers if channel is not None]:
            channel.close()
        for journey in journeys:
            journey.close()

    @property
    def has_websocket(self) -> bool:
        """Whether the target opened a WebSocket for any of the transactions to its owner."""
        return any(journey.channel is not None for journey in self._all)

    @property
    def first_user(self) -> str | None:
        """The user of the first partner's first transaction of which all could be seen, if there is one."""
        return next((journey.user for journey in self._of_the_first_partner()), None)

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
        seen = self._seen(self._all)
        endless = [journey for journey in seen if not journey.has_ended]
        if endless:
            patience = self._target.profile.limits.event_timeout_seconds
            failed = (
                "the profile's trigger `complete` did not bring the transaction to its end within "
                f"{patience:g} s of its last change; its status is still {endless[0].last}"
            )
            if len(endless) == len(seen):
                raise Unjudged(failed)
            self._target.judge.note(failed)
        if not any(journey.changes or not journey.is_over for journey in seen):
            raise Unjudged(
                "the profile's trigger `complete` brought every transaction to its end before it could be watched"
            )

    def _kinds(self, credential: str) -> Iterator[Mapping[str, Any]]:
        """Gives the members of the sessions to be watched: some pairs of the partner, both types.

        Of the second partner's these are the fewest; of the first one's, several have a currency or network in common.
        """
        partner = self._target.partner(credential)
        types = ("buy", "sell") if partner.get("off_ramp") else ()
        chosen: Sequence[tuple[str, str]] = pairs(partner)[:MOST_PAIRS]
        if is_second(credential):
            chosen = varied(chosen)
        for index in range(max(len(chosen), len(types))):
            currency, network = chosen[index % len(chosen)]
            yield {"currency": currency, "network": network, **({"type": types[index % 2]} if types else {})}

    def _started(self, credential: str, fields: Mapping[str, Any]) -> Journey:
        """Gives a journey that can still be watched, if one of a few can."""
        for attempt in range(MOST_TRIES):
            # Amounts that differ, and have decimals, so that one that is rounded or another transaction's is seen.
            amount = {"amount": amount_near(self._target.partner(credential), len(self._all), "25")}
            session = self._triggered(credential, {**amount, **fields})
            journey = Journey(self._target, session, fields)
            if not journey.is_over or attempt == MOST_TRIES - 1:
                break
            journey.close()
        return journey

    def _triggered(self, credential: str, fields: Mapping[str, Any]) -> Accepted:
        """Creates a session that goes to its end: a partner's second one for the user of the first, if that may be.

        So it is seen whether a WebSocket tells of another transaction of the same user.
        """
        begun = [journey for journey in self._round if journey.credential == credential]
        if len(begun) == 1:
            with suppress(Unjudged):
                return self._target.accepted(credential, **{**fields, **begun[0].trigger})
        return self._target.accepted(credential, **{**fields, **self._target.trigger("complete")})

    def _overhear(self, journey: Journey, credential: str) -> None:
        channel = subscribed(self._target, upgrade(journey.transaction, credential))
        self._strangers.append((poll(journey.transaction, credential), channel))

    def _awaits(self, journey: Journey) -> bool:
        return journey.awaits(webhooks=self._receives and not is_second(journey.credential))

    def _look(self) -> bool:
        """Takes what came over the other channels, polls where it is due; says whether there was anything new."""
        before = self._known()
        self._take_webhooks()
        for journey in self._round:
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

    def _of_the_first_partner(self) -> Sequence[Journey]:
        return self._seen([journey for journey in self._all if not is_second(journey.credential)])

    def _seen(self, journeys: Sequence[Journey]) -> Sequence[Journey]:
        """Gives those of which all could be seen; where there is none, each of them."""
        return [journey for journey in journeys if journey not in self._disturbed] or journeys


def varied(some: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Gives the fewest of these pairs in which each of their currencies stands, and each network."""
    every = {*chain(*some)}
    choices = (chosen for size in range(len(some)) for chosen in combinations(some, size) if every == {*chain(*chosen)})
    return next(choices, some)
