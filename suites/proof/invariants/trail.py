"""What a run saw of one transaction over all channels, put together from its recorded exchanges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.judging.invariants import asked, given, query
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import Broken, Held, HistoryInvariant
from rampcheck.wire.exchanges import Exchange

from ..endpoints import EVENTS, SESSION, TRANSACTION, is_webhook
from ..requests import is_second
from .values import is_status, is_terminal

# How much earlier than `limits.event_timeout_seconds` a scenario may have stopped to wait.
PATIENCE = 0.95


class Trail:
    """One transaction: its session, and whatever else was seen of it, in the order of its start.

    `polls` and `sockets` are the owner's that were accepted, a poll only where it names the transaction: another may be
    anybody's; `denials` are those of the right credentials by which nothing is known of it. `strangers` is all that
    another partner asked about it, `webhooks` what the target sent about it.
    """

    def __init__(self, session: Exchange, others: Iterable[Exchange] = ()) -> None:
        self.session = session
        found: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in others:
            found[_kind(exchange, session)].append(exchange)
        self.polls: Sequence[Exchange] = found.get("poll", ())
        self.sockets: Sequence[Exchange] = found.get("socket", ())
        self.denials: Sequence[Exchange] = found.get("denial", ())
        self.strangers: Sequence[Exchange] = found.get("stranger", ())
        self.webhooks: Sequence[Exchange] = found.get("webhook", ())

    @property
    def end(self) -> Exchange | None:
        """The first poll that shows a terminal status."""
        last = self._to_the_end[-1] if self.polls else None
        return last if last is not None and is_terminal(given(last, "status")) else None

    @property
    def ends_told(self) -> Iterator[float]:
        """When WebSockets told of a terminal status, in seconds since the epoch."""
        own = given(self.session, "merchant_transaction_id")
        for message in (message for socket in self.sockets for message in socket.events):
            told = message.json if isinstance(message.json, dict) else {}
            if is_terminal(told.get("status")) and told.get("merchant_transaction_id") == own:
                yield message.at

    def denial(self, told: float, profile: Profile) -> Exchange | None:
        """Gives the last poll, if none shows any end although another channel told of one long before it.

        `told` is when, in seconds since the epoch. Polls may be late, but not by more than the profile says to wait.
        """
        last = self.polls[-1] if self.polls and self.end is None else None
        patience = PATIENCE * profile.limits.event_timeout_seconds
        return last if last is not None and last.started >= told + patience else None

    def polls_with(self, status: Any) -> Sequence[Exchange]:
        """Gives the polls that show a status, whatever value that is."""
        return self._by_status.get(describe(status), ())

    @cached_property
    def _by_status(self) -> Mapping[str, Sequence[Exchange]]:
        found: dict[str, list[Exchange]] = defaultdict(list)
        for poll in self.polls:
            found[describe(given(poll, "status"))].append(poll)
        return found

    @cached_property
    def _to_the_end(self) -> Sequence[Exchange]:
        """The polls up to the first that shows a terminal status, all of them where none does."""
        last = next((place for place, poll in enumerate(self.polls) if is_terminal(given(poll, "status"))), None)
        return self.polls if last is None else self.polls[: last + 1]

    def changes(self, socket: Exchange) -> list[tuple[Exchange, str]]:
        """Gives each change that polls saw while a WebSocket was open: the first poll to show it, and the status.

        The first of these polls shows the state at the time of the subscription, which is no change, and what comes
        after a terminal status is another clause's affair.
        """
        seen: set[str] = set()
        found: list[tuple[Exchange, str]] = []
        for poll in self._to_the_end:
            status = given(poll, "status")
            # What is no documented status is the schema's to judge.
            if not socket.started < poll.started < socket.ended or not is_status(status) or status in seen:
                continue
            if seen:
                found.append((poll, status))
            seen.add(status)
        return found

    def state_at(self, socket: Exchange) -> Any:
        """Gives the status at the time of a subscription: that of the first poll after it, None without one."""
        return next((given(poll, "status") for poll in self.polls if poll.started > socket.started), None)


def _kind(exchange: Exchange, session: Exchange) -> str:
    """Says what an exchange is to a session's transaction; "" for what tells nothing of it."""
    if is_webhook(exchange):
        return "webhook"
    if is_second(exchange.credential) != is_second(session.credential):
        return "stranger"
    if EVENTS.asked(exchange) and exchange.accepted:
        return "socket"
    if TRANSACTION.asked(exchange) and exchange.authenticated and is_denial(exchange):
        return "denial"
    return "poll" if exchange.accepted and given(exchange, "merchant_transaction_id") is not None else ""


def is_denial(exchange: Exchange) -> bool:
    """Whether the API itself says that it knows nothing of what is asked for."""
    return bool(given(exchange, "error") == "not_found")


def is_of_a_transaction(exchange: Exchange) -> bool:
    """Whether an exchange creates a transaction or is about one."""
    return SESSION.answered(exchange) or TRANSACTION.asked(exchange) or EVENTS.asked(exchange) or is_webhook(exchange)


def trails(exchanges: Iterable[Exchange]) -> list[Trail]:
    """Sorts exchanges by the transaction that they are about; what is about none of the run's is left out."""
    sessions: dict[str, Exchange] = {}
    others: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        transaction = _transaction(exchange)
        if not isinstance(transaction, str):
            continue
        if SESSION.asked(exchange):
            sessions.setdefault(transaction, exchange)
        elif transaction in sessions:
            others[transaction].append(exchange)
    return [Trail(session, others.get(transaction, ())) for transaction, session in sessions.items()]


def _transaction(exchange: Exchange) -> Any:
    if is_webhook(exchange):
        return asked(exchange, "merchant_transaction_id")
    if SESSION.asked(exchange):
        return given(exchange, "merchant_transaction_id")
    return query(exchange, "tx_id") if EVENTS.asked(exchange) else TRANSACTION.parameter(exchange)


class _Sorted:
    """The trails of the exchanges that were sorted last: one invariant after the other is asked of the same ones."""

    def __init__(self) -> None:
        self._last: tuple[Sequence[Exchange], list[Trail]] = ((), [])

    def of(self, exchanges: Sequence[Exchange]) -> list[Trail]:
        """Gives their trails, which are not to be changed."""
        if self._last[0] is not exchanges:
            self._last = exchanges, trails(exchanges)
        return self._last[1]


_SORTED = _Sorted()
Judgement = Callable[[Trail, Profile], Iterator[Broken | Held]]


def of_each_transaction(clause: str) -> Callable[[Judgement], HistoryInvariant]:
    """Makes an invariant of the whole run of a function that judges one transaction's trail."""

    def made(judgement: Judgement) -> HistoryInvariant:
        def judge(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken | Held]:
            for trail in _SORTED.of(exchanges):
                yield from judgement(trail, profile)

        return HistoryInvariant(clause, is_of_a_transaction, judge, at_least=None)

    return made
