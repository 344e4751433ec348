"""The one way out: every request of a run, whoever composed it, is sent, retried, limited and numbered here."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying

from rampcheck import __version__
from rampcheck.errors import Unjudged
from rampcheck.exchanges import Exchange, Failure, Request, Response, Sent
from rampcheck.limits import Budget
from rampcheck.profile import Egress, Profile, is_loopback
from rampcheck.suite import Suite

MAX_RESPONSE_BYTES = 8 * 1024 * 1024
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Retry:
    """How often a request is sent again after an answer, and the first wait in seconds, doubled each time."""

    times: int
    wait: float


# Proof's errors page: 502, send the same body again and back off; 500, once. RFC 6585 section 4 and RFC 9110
# section 10.2.3: 429 and 503 may say when. 504 is the same gateway speaking as 502.
RETRIES = {
    429: Retry(3, 1.0),
    500: Retry(1, 0.2),
    502: Retry(3, 0.2),
    503: Retry(3, 0.2),
    504: Retry(3, 0.2),
}
# A kept-alive connection may be closed by the server just as the next request is written (RFC 9112 section 9.3.1).
RESET_RETRY = Retry(1, 0.0)


@dataclass(frozen=True)
class Lane:
    """Which of a run's processes this is: exchange numbers are `index + 1`, then every `of`-th after it."""

    run: str
    index: int = 0
    of: int = 1


class Client:
    """Sends requests to the profile's target and tells `listener` of every exchange.

    `suite` authenticates what it sends; `lane` makes exchange numbers unique over the run's processes; `budget`
    holds the limits.
    """

    def __init__(
        self, profile: Profile, suite: Suite, lane: Lane, budget: Budget, listener: Callable[[Exchange], None],
    ) -> None:
        self._profile = profile
        self._suite = suite
        self._lane = lane
        self._budget = budget
        self._listener = listener
        self._sent = 0
        self._ways: dict[bool, httpx.Client] = {}

    def send(self, request: Request, scenario: str) -> Exchange:
        """Sends a request and gives the last exchange of those that the retry policy made of it.

        Raises `Unjudged` where the answer says nothing about the request: no response, or 429 to the end.
        """
        retrying = Retrying(
            retry=lambda state: _policy(_exchange(state)) is not None, stop=_is_spent, wait=_wait,
            before_sleep=lambda state: self._listener(replace(_exchange(state), final=False)),
            retry_error_callback=_exchange,
        )
        exchange: Exchange | None = None
        for attempt in retrying:
            with attempt:
                exchange = self._attempt(request, scenario, exchange)
            outcome = attempt.retry_state.outcome
            # An exception is an outcome too: Ctrl-C, a budget used up. Asking for its result raises it again.
            if outcome is None or not outcome.failed:
                attempt.retry_state.set_result(exchange)
        assert exchange is not None  # noqa: S101 - there is always a first attempt
        self._listener(exchange)
        if exchange.failure is not None:
            raise Unjudged(f"exchange {exchange.number}: {exchange.failure.detail}")
        if exchange.status == 429:
            raise Unjudged(
                f"exchange {exchange.number}: the target kept answering 429 (too many requests); "
                "lower `limits.requests_per_second` in the profile"
            )
        return exchange

    def close(self) -> None:
        """Closes the connections."""
        for way in self._ways.values():
            way.close()
        self._ways.clear()

    def _attempt(self, request: Request, scenario: str, before: Exchange | None) -> Exchange:
        self._budget.take()
        number = self._lane.index + 1 + self._sent * self._lane.of
        self._sent += 1
        sent = self._on_the_wire(request, number)
        started, clock = time.time(), time.perf_counter()
        response, failure = None, None
        try:
            response = self._exchange(self._way(outside=request.outside), sent)
        except httpx.HTTPError as error:
            failure = failure_of(error, self._profile)
        return Exchange(
            number=number, scenario=scenario, attempt=before.attempt + 1 if before else 1, retry_of=before,
            credential=request.credential, path=request.path,
            request=Sent(sent.method, str(sent.url), _text(sent.headers), request.body),
            response=response, failure=failure, started=started, elapsed=time.perf_counter() - clock,
        )

    def _on_the_wire(self, request: Request, number: int) -> httpx.Request:
        request = self._suite.authenticate(request, self._profile)
        agent = f"rampcheck/{__version__} (run {self._lane.run}; exchange {number})"
        headers = [("User-Agent", agent), ("Accept", "application/json"), ("Accept-Encoding", "gzip, deflate"),
                   *request.headers]
        # As bytes, because httpx would refuse the letters outside ASCII that a scenario may want to send.
        raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
        return httpx.Request(request.method, self._profile.base_url + request.path, headers=raw, content=request.body)

    def _exchange(self, way: httpx.Client, sent: httpx.Request) -> Response:
        deadline = time.monotonic() + self._profile.limits.timeout_seconds
        answer = way.send(sent, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_RESPONSE_BYTES:
                    raise TooLargeError("the response is too large")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the response was not complete in time")
        finally:
            answer.close()
        return Response(answer.status_code, _text(answer.headers), bytes(body))

    def _way(self, *, outside: bool) -> httpx.Client:
        if outside not in self._ways:
            egress = self._profile.egress if outside else Egress()
            local = is_loopback(self._profile.base_url)
            self._ways[outside] = httpx.Client(
                timeout=self._profile.limits.timeout_seconds,
                # A loopback target is never behind the proxy that the environment may name.
                trust_env=not local,
                proxy=egress.outside_proxy,
                transport=_from_address(egress.outside_source_address),
            )
        return self._ways[outside]


class TooLargeError(httpx.TransportError):
    """The response is larger than this client reads."""


def _from_address(address: str | None) -> httpx.HTTPTransport | None:
    return httpx.HTTPTransport(local_address=address) if address else None


def _text(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in headers.raw)


def _exchange(state: RetryCallState) -> Exchange:
    assert state.outcome is not None  # noqa: S101 - tenacity sets it before it asks
    exchange: Exchange = state.outcome.result()
    return exchange


def _policy(exchange: Exchange) -> Retry | None:
    if exchange.failure is not None:
        return RESET_RETRY if exchange.failure.kind == "reset" else None
    if _asked_wait(exchange) > LONGEST_WAIT:
        return None
    return RETRIES.get(exchange.status)


def _is_spent(state: RetryCallState) -> bool:
    policy = _policy(_exchange(state))
    return policy is None or state.attempt_number > policy.times


def _wait(state: RetryCallState) -> float:
    exchange = _exchange(state)
    policy = _policy(exchange) or RESET_RETRY
    backoff: float = policy.wait * 2 ** (state.attempt_number - 1)
    return _asked_wait(exchange) or backoff


def _asked_wait(exchange: Exchange) -> float:
    """Gives the seconds that `Retry-After` asks for, 0 where it does not (RFC 9110 section 10.2.3)."""
    if exchange.response is None or exchange.status not in {429, 503}:
        return 0.0
    value = (exchange.response.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


Causes = Sequence[BaseException]


def _any_is(*classes: type[BaseException]) -> Callable[[Causes], bool]:
    return lambda causes: any(isinstance(cause, classes) for cause in causes)


def _lacks_address(causes: Causes) -> bool:
    return any(isinstance(cause, OSError) and cause.errno == errno.EADDRNOTAVAIL for cause in causes)


# The first that fits says why there is no response: its kind, what it is known by, a sentence without a secret.
FAILURES: tuple[tuple[str, Callable[[Causes], bool], str], ...] = (
    ("too_large", _any_is(TooLargeError), f"the response of {{host}} is larger than {MAX_RESPONSE_BYTES} bytes"),
    ("tls", _any_is(ssl.SSLError), "no TLS connection to {host}: {tls}"),
    ("dns", _any_is(socket.gaierror), "the name of {host} could not be resolved"),
    ("address", _lacks_address, "this machine has no address like the profile's `egress.outside_source_address`"),
    ("timeout", _any_is(httpx.TimeoutException), "no complete answer from {host} within {timeout:g} s"),
    ("proxy", _any_is(httpx.ProxyError), "the proxy on the way to {host} refused the request"),
    ("refused", _any_is(httpx.ConnectError), "{host} refused the connection or could not be reached"),
    ("reset", _any_is(httpx.ReadError, httpx.WriteError, httpx.CloseError), "the connection to {host} was reset"),
    ("truncated", _any_is(httpx.RemoteProtocolError), "{host} closed the connection early, or its answer was not HTTP"),
    ("encoding", _any_is(httpx.DecodingError), "the answer of {host} does not fit its Content-Encoding"),
    ("protocol", lambda _: True, "{host} did not answer in HTTP"),
)


def failure_of(error: httpx.HTTPError, profile: Profile) -> Failure:
    """Says in a word and a sentence why an exchange has no response. No secret is in it: no URL, no header."""
    causes = _causes(error)
    kind, sentence = next((kind, sentence) for kind, fits, sentence in FAILURES if fits(causes))
    tls = next((str(cause) for cause in causes if isinstance(cause, ssl.SSLError)), "")
    host = urlsplit(profile.base_url).netloc
    return Failure(kind, sentence.format(host=host, tls=tls, timeout=profile.limits.timeout_seconds))


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in causes:
        causes.append(current)
        current = current.__cause__ or current.__context__
    return causes
