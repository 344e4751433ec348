"""The one way out: every request of a run, whoever composed it, is sent, retried, limited and numbered here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Barrier

import httpx
from websockets.exceptions import WebSocketException

from rampcheck import __version__
from rampcheck.contract.profile import Profile
from rampcheck.contract.wording import worded
from rampcheck.errors import RunOver, Throttled, Unjudged
from rampcheck.wire import retries, tracing, transport
from rampcheck.wire.channel import Channel, News, RefusedUpgradeError, Socket, open_socket
from rampcheck.wire.exchanges import Exchange, Failure, Headers, Message, Request, Sent
from rampcheck.wire.failures import failure_of
from rampcheck.wire.journal import Journal
from rampcheck.wire.limits import Budget
from rampcheck.wire.presence import LOCKED, Presence
from rampcheck.wire.room import Room
from rampcheck.wire.webhooks import Webhooks

# Failures of this machine, or of what this client reads: they say nothing of the target, now or a little later.
OWN = frozenset({"address", "too_large"})


class LongAnswerError(Unjudged):
    """An answer came of which no more is kept than its head, which is that of `exchange`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(f"exchange {exchange.number}: {exchange.summary()}")
        self.exchange = exchange


# Says of an answer that the retry policy would ask for anew whether it should: not where it is known to come again.
Patience = Callable[[Exchange], bool]
# Gives a request its credentials, computed over the very bytes that will be sent.
Authenticate = Callable[[Request, Profile], Request]


# More than one process ever gives: a profile lets a run send a million requests.
ROUND = 10_000_000


@dataclass(frozen=True)
class Lane:
    """Which of a run's processes this is, of as many as it begins with; those that replace killed ones come after.

    Exchange numbers are `index + 1`, then every `of`-th after it. A replacement gives those of a process that was there
    from the beginning, `ROUND` further on. Of several `shards` of a run, each counts for itself, and takes every
    `shards`-th number: no two of the run's exchanges have the same one. `key` is the run's own, of which the names of
    its traces are made.
    """

    run: str
    index: int = 0
    of: int = 1
    shard: int = 1
    shards: int = 1
    key: bytes = field(default=b"", repr=False)

    @property
    def trace_key(self) -> bytes:
        """What the names of traces are made of: the same in all processes of the run, another one in each run."""
        return self.key or self.run.encode()

    def numbers(self) -> Iterator[int]:
        """Gives the numbers of this process's exchanges."""
        rounds, place = divmod(self.index, self.of)
        first = place + rounds * ROUND * self.of
        return count(first * self.shards + self.shard, self.of * self.shards)


class Client:
    """Sends requests to the profile's target and tells `listener` of every exchange.

    `authenticate` gives a request the credentials that it is sent with; `lane` makes exchange numbers unique over the
    run's processes; `budget` holds the limits, `room` what the run keeps; `presence` holds everything back while the
    target is away; `journal` is told at once of what takes its time: open WebSockets, their messages, webhooks. `news`
    tells of messages of its open WebSockets and of `webhooks`. `is_fresh` lets no body be sent twice that the
    authentication signs, where it is JSON: white space after it, which means nothing there, makes each another one.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what all requests of a run share
        self,
        profile: Profile,
        authenticate: Authenticate,
        lane: Lane,
        budget: Budget,
        listener: Callable[[Exchange], object],
        presence: Presence | None = None,
        room: Room | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._profile = profile
        self._authenticate = authenticate
        self._lane = lane
        self._budget = budget
        self._tell = listener
        self._presence = presence or Presence(profile.limits.recovery_seconds)
        self._journal = journal
        self._numbers = lane.numbers()
        self._ways: dict[bool, transport.Transport] = {}
        self._channels: list[Channel] = []
        self._room = room or Room()
        self._through = ""
        self.is_fresh = False
        self.news = News()
        self.webhooks = Webhooks(profile.webhook, self._number, self.news, listener, self._room, journal)

    @property
    def profile(self) -> Profile:
        """The profile of the target."""
        return self._profile

    def towards(self, profile: Profile, listener: Callable[[Exchange], object]) -> Client:
        """Gives a client of another profile, which tells `listener`; what limits and numbers this one is common."""
        other = Client(
            profile,
            self._authenticate,
            self._lane,
            self._budget,
            listener,
            self._presence,
            self._room,
            self._journal,
        )
        other._numbers = self._numbers
        other.is_fresh = self.is_fresh
        return other

    def _number(self) -> int:
        return next(self._numbers)

    def _listener(self, exchange: Exchange) -> None:
        """Remembers what an accepted answer has created, and tells of the exchange."""
        if exchange.accepted and exchange.response is not None and exchange.direction == "outgoing":
            created = exchange.response.member(self._profile.described.named_by)
            if isinstance(created, str) and created:
                self.webhooks.expect(created)
        self._tell(exchange)

    def send(self, request: Request, scenario: str, patience: Patience = lambda _: True) -> Exchange:
        """Sends a request and gives the last exchange of those that the retry policy made of it.

        It may be one without a response: `Exchange.failure` says why. A WebSocket is closed at once. Raises `Unjudged`
        where what came says nothing about the request: 429 to the end, or more than this client reads; `RunOver`
        where nothing more is to be asked in this run.
        """
        if request.protocol == "websocket":
            return self.subscribe(request, scenario, patience).close()
        exchange, _ = self._settled(request, scenario, self._allowed_attempt(request, scenario), patience)
        self._listener(exchange)
        self._demand_answer(exchange)
        return exchange

    def send_together(self, requests: Sequence[Request], scenario: str) -> list[Exchange]:
        """Sends requests, each with a body, at the same time and over connections of their own; gives their exchanges.

        As many go at once as the rate lets through. What the retry policy sends again goes by itself. Raises `Unjudged`
        as `send` does.
        """
        self._presence.wait()
        exchanges: list[Exchange] = []
        waits: list[float | None] = []
        while waiting := requests[len(exchanges) :]:
            self._room.demand()
            burst = self._burst(waiting[: self._allowed(len(waiting))], scenario)
            for exchange in burst:
                self._budget.answered(exchange)
                waits.append(self._wait_before_next(exchange))
                self._listener(replace(exchange, final=waits[-1] is None))
            exchanges += burst
        for place, wait in enumerate(waits):
            if wait is not None:
                again = self._again(requests[place], scenario, exchanges[place], wait)
                exchanges[place], _ = self._settled(requests[place], scenario, again)
                self._listener(exchanges[place])
        for exchange in exchanges:
            self._demand_answer(exchange)
        return exchanges

    def _burst(self, requests: Sequence[Request], scenario: str) -> list[Exchange]:
        """Sends requests, held back until every one of them only lacks its last byte; gives the exchanges."""
        together = Barrier(len(requests))

        def attempt(twin: Client, request: Request) -> Exchange:
            try:
                return twin._attempt(request, scenario, None, together)[0]
            finally:
                together.abort()  # Nobody waits for one that could not connect.

        with ExitStack() as stack, ThreadPoolExecutor(len(requests)) as threads:
            twins = [stack.enter_context(closing(self._twin())) for _ in requests]
            return list(threads.map(attempt, twins, requests))

    def _twin(self) -> Client:
        """Gives a client for one request, with the next number and connections of its own."""
        twin = Client(
            self._profile, self._authenticate, self._lane, self._budget, self._listener, self._presence, self._room
        )
        twin._numbers = iter([self._number()])
        twin.is_fresh = self.is_fresh
        twin._way(outside=False)  # Now, as it takes longer than a request.
        return twin

    def subscribe(self, request: Request, scenario: str, patience: Patience = lambda _: True) -> Channel:
        """Asks for a WebSocket and gives it, open, refused or not answered. Raises as `send` does."""
        upgrade, socket = self._settled(request, scenario, self._allowed_attempt(request, scenario), patience)
        if self._journal is not None and socket is not None:
            self._journal.begun(upgrade)
        channel = Channel(upgrade, socket, self.news, self._listener, self._room, self._heard)
        self._channels.append(channel)
        if socket is None:
            channel.close()
        self._demand_answer(upgrade)
        return channel

    def _heard(self, upgrade: Exchange, message: Message) -> None:
        if self._journal is not None:
            self._journal.message(upgrade.number, message)

    def _settled(
        self,
        request: Request,
        scenario: str,
        attempt: tuple[Exchange, Socket | None],
        patience: Patience = lambda _: True,
    ) -> tuple[Exchange, Socket | None]:
        """Gives the last exchange that the retry policy makes of a request, and the socket of an upgraded one.

        Of those before it, of which `attempt` is the first, the listener is told.
        """
        exchange, socket = attempt
        while patience(exchange) and (wait := self._wait_before_next(exchange)) is not None:
            self._listener(replace(exchange, final=False))
            exchange, socket = self._again(request, scenario, exchange, wait)
        return exchange, socket

    def _again(self, request: Request, scenario: str, before: Exchange, wait: float) -> tuple[Exchange, Socket | None]:
        time.sleep(wait)
        return self._allowed_attempt(request, scenario, before)

    def close(self) -> None:
        """Closes the connections and the receiver; what had come in by then is told like all the rest."""
        for channel in self._channels:
            channel.close()
        self.webhooks.close()
        for way in self._ways.values():
            way.close()
        self._ways.clear()

    def _allowed_attempt(
        self, request: Request, scenario: str, before: Exchange | None = None
    ) -> tuple[Exchange, Socket | None]:
        self._presence.wait()
        self._room.demand()
        self._allowed(1)
        exchange, socket = self._attempt(request, scenario, before)
        self._budget.answered(exchange)
        waited = self._wait_after(before) if before else None
        if exchange.status == 429 and retries.is_locked(exchange):
            self._presence.throttle(LOCKED)
        elif exchange.status == 429 and (waited is not None or self._wait_after(exchange) is None):
            self._presence.throttle(waited or 0.0)
        elif exchange.response is not None and exchange.status != 429:
            self._presence.let_through()
            self._through = f"; the last that it answered otherwise was exchange {exchange.number}"
        return exchange, socket

    def _allowed(self, count: int) -> int:
        """Waits until so many requests may go, or some of them; gives how many. Who may not go at all ends the run."""
        try:
            return self._budget.take(count)
        except RunOver as error:
            self._presence.end(str(error))
            raise

    def _wait_after(self, exchange: Exchange) -> float | None:
        return retries.wait_before_next(exchange, self._profile.described.retries)

    def _wait_before_next(self, exchange: Exchange) -> float | None:
        """Gives the seconds to wait before a request is sent again, None where it is of no use, or no time is left."""
        wait = self._wait_after(exchange)
        if (
            wait is None
            or wait >= self._presence.deadline.left()
            or (exchange.status == 429 and self._presence.is_throttled)
        ):
            return None
        return wait

    def _attempt(
        self,
        request: Request,
        scenario: str,
        before: Exchange | None,
        together: Barrier | None = None,
    ) -> tuple[Exchange, Socket | None]:
        number = self._number()
        request = given = replace(request, at=time.time(), nonce=secrets.token_hex(16))
        request, authenticated = self._authenticated(request)
        if self.is_fresh and authenticated:
            request, authenticated = self._authenticated(given.freshened())
        sent = self._on_the_wire(request, number, scenario)
        url, headers = str(sent.url), transport.text_headers(sent.headers.raw)
        started, clock = time.time(), time.perf_counter()
        response, failure, socket = None, None, None
        try:
            if request.protocol == "websocket":
                url = f"ws{url.removeprefix('http')}"
                socket = self._upgrade(url, headers, outside=request.outside)
                headers, response = socket.sent, socket.response
            else:
                way = self._way(outside=request.outside)
                response = way.exchange(sent, self._profile.limits.timeout_seconds, together)
        except RefusedUpgradeError as error:
            response = error.response
            self._room.take(transport.size_of(response.headers, response.body))
            if response.status == 101:
                failure = Failure("handshake", f"the response is no valid upgrade ({error.handshake})")
        except (transport.NoAnswerError, OSError, WebSocketException) as error:
            response = error.head if isinstance(error, transport.NoAnswerError) else None
            failure = failure_of(error, self._profile, transport.way_of(self._profile, outside=request.outside).proxy)
        return Exchange(
            number=number,
            scenario=scenario,
            attempt=before.attempt + 1 if before else 1,
            retry_of=before,
            protocol=request.protocol,
            outside=self._outside() if request.outside else "",
            credential=request.credential,
            path=request.path,
            authenticated=authenticated,
            request=Sent(sent.method, url, headers, request.body),
            response=response,
            failure=failure,
            started=started,
            elapsed=time.perf_counter() - clock,
        ), socket

    def _authenticated(self, request: Request) -> tuple[Request, bool]:
        """Gives a request with credentials, and whether they are just what the authentication makes of its bytes."""
        bare = self._authenticate(
            Request(
                request.method,
                request.path,
                body=request.body,
                at=request.at,
                nonce=request.nonce,
                credential=request.credential,
            ),
            self._profile,
        )
        request = self._authenticate(request, self._profile)
        return request, bool(bare.headers) and set(bare.headers) <= set(request.headers)

    def _outside(self) -> str:
        egress = self._profile.as_public().get("egress", {})
        return str(egress.get("outside_proxy") or egress.get("outside_source_address", ""))

    def _demand_answer(self, exchange: Exchange) -> None:
        """Raises `Unjudged` where what came says nothing of the target: a failure of one's own, or 429 to the end.

        Where nothing but 429 comes, it ends the run for all its processes and raises `RunOver`.
        """
        if exchange.is_too_long:
            raise LongAnswerError(exchange)
        if exchange.failure is not None and exchange.failure.kind in OWN:
            raise Unjudged(f"exchange {exchange.number}: {exchange.failure.detail}")
        if exchange.status == 429:
            reason = worded(retries.throttling(exchange), self._profile)
            if self._presence.is_throttled:
                self._presence.end(f"the target lets no request through: {reason}{self._through}")
                raise RunOver(self._presence.ended)
            raise Throttled(reason)

    def _upgrade(self, url: str, headers: Headers, *, outside: bool) -> Socket:
        way = transport.way_of(self._profile, outside=outside)
        # The library writes its own Host; another one would stand beside it.
        own = tuple((name, value) for name, value in headers if name.lower() not in {"host", "content-length"})
        return open_socket(url, own, self._profile.limits.timeout_seconds, way)

    def _on_the_wire(self, request: Request, number: int, scenario: str) -> httpx.Request:
        agent = f"rampcheck/{__version__} (run {self._lane.run}; exchange {number})"
        # By its own name, too, it is found in the vendor's logs.
        request = request.with_header("User-Agent", f"{request.header('User-Agent') or ''} {agent}".strip())
        headers = [("Accept-Encoding", "gzip, deflate")]
        if self._profile.traceparent:
            headers.append((tracing.HEADER, tracing.of_exchange(self._lane.trace_key, scenario, number).header))
        headers += [*self._profile.headers, *request.with_default("Accept", "application/json").headers]
        # As bytes, because httpx would refuse the letters outside ASCII that a scenario may want to send.
        raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
        return httpx.Request(request.method, self._profile.base_url + request.path, headers=raw, content=request.body)

    def _way(self, *, outside: bool) -> transport.Transport:
        if outside not in self._ways:
            way = transport.way_of(self._profile, outside=outside)
            secure = self._profile.base_url.lower().startswith("https:")
            self._ways[outside] = transport.Transport(way, self._room, secure=secure)
        return self._ways[outside]
