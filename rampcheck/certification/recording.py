"""What an integration sent to the sandbox, and what it was answered: each call an exchange, in the journal at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.sandbox.asgi import headers_of
from rampcheck.wire.exchanges import Direction, Exchange, Failure, Response, Sent
from rampcheck.wire.exchanges import Message as SocketMessage
from rampcheck.wire.journal import Journal
from rampcheck.wire.journal_records import ExchangeRecord

MOST = 1000  # exchanges of one step that are kept; more are counted
MOST_BYTES = 1 << 20  # of a body; a call with more is counted
MOST_MESSAGES = 256  # of a WebSocket


@dataclass
class Recorder:
    """Keeps exchanges, and writes them to the journal; several threads may ask for them.

    `step` is the one in which they come, `base_url` that of the sandbox. `sources` is from where each call came, by its
    number, `dropped` how many exchanges of each step were not kept, `faults` what went wrong in the sandbox itself,
    `over` when the command of each step had ended, `written` the journal's record of each exchange, by its number.
    """

    journal: Journal
    base_url: str = ""
    step: str = ""
    sources: dict[int, str] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    over: dict[str, float] = field(default_factory=dict)
    written: dict[int, ExchangeRecord] = field(default_factory=dict)
    _kept: list[Exchange] = field(default_factory=list)
    _begun: Counter[str] = field(default_factory=Counter)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _zero: float = field(default_factory=lambda: time.time() - time.monotonic())

    def now(self) -> float:
        """Gives the time in seconds since the epoch, by a clock that nobody sets back."""
        return self._zero + time.monotonic()

    def number(self, step: str, source: str = "") -> int | None:
        """Gives the number of an exchange that begins; None where no more of the step are kept."""
        with self._lock:
            self._begun[step] += 1
            if self._begun[step] > MOST or self.journal.room.is_spent:
                self.dropped[step] += 1
                return None
            self._number += 1
            if source:
                self.sources[self._number] = source
            return self._number

    def keep(self, exchange: Exchange) -> None:
        """Keeps an exchange that is over."""
        record = self.journal.exchange(exchange)
        with self._lock:
            self._kept.append(exchange)
            self.written[exchange.number] = record

    def of(self, step: str) -> tuple[Exchange, ...]:
        """Gives the exchanges of a step that are over, in the order of their start."""
        with self._lock:
            found = [one for one in self._kept if one.scenario == step]
        return tuple(sorted(found, key=lambda one: (one.started, one.number)))

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Gives an application that answers as `app` does, while what goes to and fro is kept."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            step = self.step
            number = self.number(step, scope["client"][0] if scope.get("client") else "")
            if number is None:
                await app(scope, receive, send)
                return
            call = _Call(self, scope, number, step)
            try:
                await app(scope, call.receiving(receive), call.sending(send))
            except OSError:  # whoever had called is gone (ASGI 3)
                pass
            except Exception as error:
                self.faults.append(f"the sandbox failed in step {step}: {type(error).__name__}")
                raise
            finally:
                if call.is_too_long:
                    self.dropped[step] += 1
                else:
                    self.keep(call.exchange())

        return recorded


class _Call:
    """One call as it goes on."""

    def __init__(self, recorder: Recorder, scope: Scope, number: int, step: str) -> None:
        self._recorder = recorder
        self._scope = scope
        self._number = number
        self._step = step
        self._started = recorder.now()
        self._answered = 0.0
        self._body = bytearray()
        self._response: tuple[int, tuple[tuple[str, str], ...]] | None = None
        self._answer = bytearray()
        self._messages: list[SocketMessage] = []

    @property
    def is_too_long(self) -> bool:
        """Whether its body is longer than is kept."""
        return len(self._body) > MOST_BYTES

    def receiving(self, receive: Receive) -> Receive:
        """Keeps what comes in."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                room = MOST_BYTES + 1 - len(self._body)
                self._body += message.get("body", b"")[:room]
            elif message["type"] == "websocket.receive":
                self._note("incoming", message)
            return message

        return received

    def sending(self, send: Send) -> Send:
        """Keeps what goes out."""

        async def sent(message: Message) -> None:
            match message["type"]:
                case "http.response.start" | "websocket.http.response.start":
                    self._response = message["status"], headers_of(message)
                case "http.response.body" | "websocket.http.response.body":
                    self._answer += message.get("body", b"")
                    self._answered = self._recorder.now()
                case "websocket.accept":
                    self._response = 101, ()
                case "websocket.send":
                    self._note("outgoing", message)
            await send(message)

        return sent

    def _note(self, direction: Direction, message: Message) -> None:
        if len(self._messages) >= MOST_MESSAGES:
            return
        text = message.get("text")
        body = text.encode("utf-8", "surrogatepass") if text is not None else message.get("bytes", b"")[:MOST_BYTES]
        now = self._recorder.now()
        self._messages.append(SocketMessage(direction, now, body, "binary" if text is None else "text"))

    def exchange(self) -> Exchange:
        """Gives the exchange that it is."""
        scope = self._scope
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope.get("query_string", b"").decode("latin-1")
        path = raw.decode("latin-1") + (f"?{query}" if query else "")
        is_socket = scope["type"] == "websocket"
        ended = self._answered if self._answered and not is_socket else self._recorder.now()
        return Exchange(
            number=self._number,
            scenario=self._step,
            request=Sent(
                scope.get("method", "GET"), f"{self._recorder.base_url}{path}", headers_of(scope), bytes(self._body)
            ),
            response=self._response and Response(*self._response, bytes(self._answer)),
            failure=None if self._response else Failure("reset", "the caller left before there was an answer"),
            started=self._started,
            elapsed=max(0.0, ended - self._started),
            path=path,
            protocol="websocket" if is_socket else "http",
            direction="incoming",
            messages=tuple(self._messages),
        )
