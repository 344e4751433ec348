"""The one way out: every request of a run, whoever composed it, is sent, retried, limited and numbered here."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from threading import Barrier

import httpx
from websockets.exceptions import WebSocketException

from rampcheck import __version__, retries, transport
from rampcheck.channel import Channel, News, Proxy, RefusedUpgradeError, Socket, open_socket
from rampcheck.errors import Unjudged
from rampcheck.exchanges import Exchange, Failure, Headers, Request, Response, Sent
from rampcheck.failures import failure_of
from rampcheck.limits import Budget
from rampcheck.presence import Presence
from rampcheck.profile import Egress, Profile, is_loopback
from rampcheck.receiver import Delivery, Receiver, names
from rampcheck.suite import Suite

# Failures of this machine, or of what this client reads: they say nothing of the target, now or a little later.
OWN = frozenset({"address", "too_large"})

# Says of an answer that the retry policy would ask for anew whether it should: not where it is known to come again.
Patience = Callable[[Exchange], bool]


@dataclass(frozen=True)
class Lane:
    """Which of a run's processes this is: exchange numbers are `index + 1`, then every `of`-th after it."""

    run: str
    index: int = 0
    of: int = 1


class Client:
    """Sends requests to the profile's target and tells `listener` of every exchange.

    `suite` authenticates what it sends; `lane` makes exchange numbers unique over the run's processes; `budget`
    holds the limits; `presence` holds everything back while the target is away. `news` tells of messages of its open
    WebSockets and of webhooks; `strays` counts, by their method, the requests to the webhook's address that are none.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what all requests of a run share
        self, profile: Profile, suite: Suite, lane: Lane, budget: Budget, listener: Callable[[Exchange], None],
        presence: Presence | None = None,
    ) -> None:
        self._profile = profile
        self._suite = suite
        self._lane = lane
        self._budget = budget
        self._tell = listener
        self._ids: set[str] = set()
        self._unclaimed: list[Delivery] = []
        self._presence = presence or Presence(profile.limits.recovery_seconds)
        self._sent = 0
        self._ways: dict[bool, transport.Transport] = {}
        self._channels: list[Channel] = []
        self._receiver: Receiver | None = None
        self.news = News()
        self.strays: Counter[str] = Counter()

    def _listener(self, exchange: Exchange) -> None:
        """Remembers what an accepted answer has created, and tells of the exchange."""
        if exchange.accepted and exchange.response is not None and exchange.direction == "outgoing":
            created = exchange.response.member(self._suite.named_by)
            if isinstance(created, str) and created:
                self._ids.add(created)
        self._tell(exchange)

    def send(self, request: Request, scenario: str, patience: Patience = lambda _: True) -> Exchange:
        """Sends a request and gives the last exchange of those that the retry policy made of it.

        It may be one without a response: `Exchange.failure` says why. A WebSocket is closed at once. Raises `Unjudged`
        where what came says nothing about the request: 429 to the end, or more than this client reads; `TargetGone`
        where the target is known not to come back.
        """
        if request.protocol == "websocket":
            return self.subscribe(request, scenario, patience).close()
        exchange, _ = self._settled(request, scenario, patience)
        self._listener(exchange)
        _demand_answer(exchange)
        return exchange

    def send_together(self, requests: Sequence[Request], scenario: str) -> list[Exchange]:
        """Sends requests, each with a body, at the same time and over connections of their own; gives their exchanges.

        As many go at once as the rate lets through. What the retry policy sends again goes by itself. Raises `Unjudged`
        as `send` does.
        """
        self._presence.wait()
        exchanges: list[Exchange] = []
        while waiting := requests[len(exchanges):]:
            burst = self._burst(waiting[:self._budget.take(len(waiting))], scenario)
            for exchange in burst:
                self._listener(replace(exchange, final=retries.wait_before_next(exchange) is None))
            exchanges += burst
        for place, exchange in enumerate(exchanges):
            if retries.wait_before_next(exchange) is not None:
                last, _ = self._settled(requests[place], scenario, first=exchange)
                self._listener(last)
                exchanges[place] = last
        for exchange in exchanges:
            _demand_answer(exchange)
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
        twin = Client(self._profile, self._suite, self._lane, self._budget, self._listener, self._presence)
        twin._sent, self._sent = self._sent, self._sent + 1
        twin._way(outside=False)  # Now, as it takes longer than a request.
        return twin

    def subscribe(self, request: Request, scenario: str, patience: Patience = lambda _: True) -> Channel:
        """Asks for a WebSocket and gives it, open, refused or not answered. Raises as `send` does."""
        upgrade, socket = self._settled(request, scenario, patience)
        channel = Channel(upgrade, socket, self.news, self._listener)
        self._channels.append(channel)
        if socket is None:
            channel.close()
        _demand_answer(upgrade)
        return channel

    def receive_webhooks(self) -> None:
        """Opens the receiver of the profile's `webhook`, unless it is open. Raises `UsageError` where it cannot."""
        if self._receiver is None and self._profile.webhook is not None:
            receiver = Receiver(self._profile.webhook, self.news)
            receiver.start()
            self._receiver = receiver

    def deliveries(self, scenario: str) -> list[Exchange]:
        """Gives the webhooks that came since the last call, each an exchange.

        A webhook of this run names something that this client has seen created. To a public address anything may come:
        what has no body is counted in `strays`, and the rest waits, as its id may become known only later.
        """
        came = [*self._unclaimed, *(self._receiver.drain() if self._receiver else ())]
        own: list[Delivery] = []
        others: list[Delivery] = []
        for delivery in came:
            (own if names(delivery, self._ids) else others).append(delivery)
        self._unclaimed = [delivery for delivery in others if delivery.body]
        self.strays.update(delivery.method for delivery in came if not delivery.body)
        exchanges = [
            Exchange(
                number=self._next_number(), scenario=scenario, protocol="webhook", direction="incoming",
                request=Sent(delivery.method, delivery.target, delivery.headers, delivery.body),
                response=Response(200, (("content-length", "0"),), b""), path=delivery.target,
                started=delivery.at, elapsed=delivery.answered - delivery.at,
            )
            for delivery in own
        ]
        for exchange in exchanges:
            self._listener(exchange)
        return exchanges

    def _settled(
        self, request: Request, scenario: str, patience: Patience = lambda _: True, first: Exchange | None = None,
    ) -> tuple[Exchange, Socket | None]:
        """Gives the last exchange that the retry policy makes of a request, and the socket of an upgraded one.

        `first` is the first attempt, where it was made and told of already.
        """
        exchange, socket = (first, None) if first else self._allowed_attempt(request, scenario, None)
        while patience(exchange) and (wait := retries.wait_before_next(exchange)) is not None:
            if exchange is not first:
                self._listener(replace(exchange, final=False))
            time.sleep(wait)
            exchange, socket = self._allowed_attempt(request, scenario, exchange)
        return exchange, socket

    def close(self) -> None:
        """Closes the connections and the receiver; what had come in by then is told like all the rest."""
        for channel in self._channels:
            channel.close()
        if self._receiver is not None:
            self._receiver.stop()
            self.deliveries("")
            self.strays.update(delivery.method for delivery in self._unclaimed)
            self._unclaimed.clear()
            self._receiver = None
        for way in self._ways.values():
            way.close()
        self._ways.clear()

    def _next_number(self) -> int:
        self._sent += 1
        return self._lane.index + 1 + (self._sent - 1) * self._lane.of

    def _allowed_attempt(
        self, request: Request, scenario: str, before: Exchange | None,
    ) -> tuple[Exchange, Socket | None]:
        self._presence.wait()
        self._budget.take()
        return self._attempt(request, scenario, before)

    def _attempt(
        self, request: Request, scenario: str, before: Exchange | None, together: Barrier | None = None,
    ) -> tuple[Exchange, Socket | None]:
        number = self._next_number()
        bare = self._suite.authenticate(
            Request(request.method, request.path, body=request.body, credential=request.credential), self._profile)
        request = self._suite.authenticate(request, self._profile)
        sent = self._on_the_wire(request, number)
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
            if response.status == 101:
                failure = Failure("handshake", f"the response is no valid upgrade ({error.handshake})")
        except (transport.NoAnswerError, OSError, WebSocketException) as error:
            failure = failure_of(error, self._profile)
        return Exchange(
            number=number, scenario=scenario, attempt=before.attempt + 1 if before else 1, retry_of=before,
            protocol=request.protocol, credential=request.credential, path=request.path,
            authenticated=bool(bare.headers) and set(bare.headers) <= set(request.headers),
            request=Sent(sent.method, url, headers, request.body),
            response=response, failure=failure, started=started, elapsed=time.perf_counter() - clock,
        ), socket

    def _upgrade(self, url: str, headers: Headers, *, outside: bool) -> Socket:
        egress = self._profile.egress if outside else Egress()
        from_environment: Proxy = None if is_loopback(self._profile.base_url) else True
        # The library writes its own Host; another one would stand beside it.
        own = tuple((name, value) for name, value in headers if name.lower() not in {"host", "content-length"})
        return open_socket(url, own, self._profile.limits.timeout_seconds, egress.outside_proxy or from_environment,
                           egress.outside_source_address)

    def _on_the_wire(self, request: Request, number: int) -> httpx.Request:
        agent = f"rampcheck/{__version__} (run {self._lane.run}; exchange {number})"
        headers = [("User-Agent", agent), ("Accept", "application/json"), ("Accept-Encoding", "gzip, deflate"),
                   *request.headers]
        # As bytes, because httpx would refuse the letters outside ASCII that a scenario may want to send.
        raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
        return httpx.Request(request.method, self._profile.base_url + request.path, headers=raw, content=request.body)

    def _way(self, *, outside: bool) -> transport.Transport:
        if outside not in self._ways:
            egress = self._profile.egress if outside else Egress()
            # A loopback target is never behind the proxy that the environment may name.
            local = is_loopback(self._profile.base_url)
            proxy = egress.outside_proxy or (None if local else transport.environment_proxy(self._profile.base_url))
            room = transport.MEAN_RESPONSE_BYTES * self._profile.limits.max_requests // self._lane.of
            self._ways[outside] = transport.Transport(transport.Way(proxy, egress.outside_source_address), room)
        return self._ways[outside]


def _demand_answer(exchange: Exchange) -> None:
    """Raises `Unjudged` where what came says nothing of the target: a failure of one's own, or 429 to the end."""
    if exchange.failure is not None and exchange.failure.kind in OWN:
        raise Unjudged(f"exchange {exchange.number}: {exchange.failure.detail}")
    if exchange.status == 429:
        raise Unjudged(
            f"exchange {exchange.number}: the target kept answering 429 (too many requests); "
            "lower `limits.requests_per_second` in the profile"
        )
