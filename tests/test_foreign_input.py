"""Whatever a target writes, what reads it raises nothing but the exceptions that are named here."""

from __future__ import annotations

import gzip
import json
import os
import socket
import zlib
from collections.abc import Callable
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.sync.client import ClientConnection
from websockets.uri import parse_uri

from rampcheck.contract import descriptor, register
from rampcheck.contract import profile as profiles
from rampcheck.judging import suite as suites
from rampcheck.judging.doubts import in_passing, signature
from rampcheck.judging.folding import pattern
from rampcheck.judging.invariants import creation_times, is_no_json, query
from rampcheck.judging.schema import SchemaJudge, describe
from rampcheck.judging.suite import partner_of
from rampcheck.judging.whole import judge_history
from rampcheck.mistakes import base_url
from rampcheck.sandbox import builtin_profile
from rampcheck.wire import retries, transport
from rampcheck.wire.channel import Channel, News, Socket
from rampcheck.wire.exchanges import Exchange, Headers, Message, Response, Sent, http_date
from rampcheck.wire.journal import Journal, from_record
from rampcheck.wire.json_text import DEEPEST, NOT_JSON, parse_json
from rampcheck.wire.receiver import Delivery, names
from rampcheck.wire.redaction import Redactor
from rampcheck.wire.room import Room
from suites.proof.invariants.internals import no_internals
from suites.proof.invariants.trail import trails
from suites.proof.invariants.values import equal_amounts, time, times_in_order
from tests import samples

CONTRACTS = descriptor.contracts()

# What a target may write.

NUMBERS = st.sampled_from(
    [
        "0",
        "-1",
        "0.5",
        "1e999999",
        "-1E+400",
        "9" * 20,
        "9" * 400,
        "9" * 5000,
        "+99999999999999",
        "0x10",
        "٣",
        "1_000",
        "NaN",
        "-Infinity",
        "",
    ]
)
ZONES = st.sampled_from(["GMT", "+0000", "-0000", "+99999999999999", "-9999", "EST", "", "z", "+٣٠٠"])
YEARS = st.sampled_from(["0001", "0000", "1", "99", "1970", "2026", "9999", "10000", "9" * 20, "-1"])
DATES = st.one_of(
    st.text(max_size=60),
    st.datetimes().map(format_datetime),
    st.builds("Wed, {} Oct {} {}:{}:60 {}".format, NUMBERS, YEARS, NUMBERS, NUMBERS, ZONES),
    st.builds("Fri, 31 Dec {} 23:59:59 {}".format, YEARS, ZONES),
    st.builds("Mon, 01 Jan {} 00:00:00 {}".format, YEARS, ZONES),
)
TIMES = st.one_of(
    st.text(max_size=40),
    st.from_regex(
        r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}T[0-9]{2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]{0,9})?)?(Z|[+-][0-9:]{2,8})?",
        fullmatch=True,
    ),
    st.sampled_from(
        [
            "0001-01-01T00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:60Z",
            "9999-12-31T23:59Z",
            "2026-02-30T00:00:00Z",
            "0001-01-01T00:00:00+00:00",
            "9999-12-31T23:59:59.999999-00:00",
        ]
    ),
)
TEXTS = st.text(st.characters(), max_size=60)  # lone surrogates are among them
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, TIMES),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
SESSIONS = st.dictionaries(st.sampled_from(sorted(samples.SESSION)), VALUES, max_size=8).map(
    lambda changes: {**samples.SESSION, **changes}
)
UPDATES = st.fixed_dictionaries(
    {},
    optional={
        "event": st.just("tx.update"),
        "merchant_transaction_id": st.just(samples.SESSION["merchant_transaction_id"]),
        "status": st.one_of(st.sampled_from(["pending", "completed", "odd"]), VALUES),
        "occurred_at": st.one_of(TIMES, VALUES),
        "created_at": TIMES,
        "updated_at": TIMES,
        "fiat_amount": st.one_of(NUMBERS, VALUES),
        "sessionId": VALUES,
        "widgetUrl": st.one_of(TEXTS, st.just("https://[x/")),
        "expiresAt": TIMES,
        "message": st.just("see http://[x and //["),
        "code": VALUES,
        "error": VALUES,
    },
)
JSON = st.one_of(
    st.one_of(VALUES, SESSIONS, UPDATES).map(lambda value: json.dumps(value).encode()),
    NUMBERS.map(lambda number: f'{{"amount":{number},"status":{number}}}'.encode()),
    st.integers(1, 3 * DEEPEST).map(lambda depth: b"[" * depth + b"]" * (depth // 2 * 2)),
    st.integers(1, 3 * DEEPEST).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
    st.sampled_from(
        [
            b'{"a":1,"a":2}',
            b'"\\ud800"',
            b'{"\\udfff":1}',
            b"\xef\xbb\xbf{}",
            "\x00{}".encode("utf-16"),
            b"<title>" * 50,
            b"[" * 300 + b'"\\"',
            b"",
            b"nul",
        ]
    ),
    st.binary(max_size=80),
)
HEADERS: st.SearchStrategy[Headers] = st.lists(
    st.one_of(
        st.tuples(st.just("Retry-After"), st.one_of(NUMBERS, DATES)),
        st.tuples(st.just("Date"), DATES),
        st.tuples(
            st.just("Content-Type"),
            st.one_of(
                TEXTS,
                st.sampled_from(
                    ["application/json; charset=utf-7", "text/html", ";;;", 'application/json;charset="', "a/b+json"]
                ),
            ),
        ),
        st.tuples(
            st.sampled_from(["Location", "Set-Cookie", "WWW-Authenticate", "X-Request-Id", "Content-Length"]),
            st.one_of(TEXTS, st.sampled_from(["http://[", "//[x", "a=b; Max-Age=9999999999999999", 'Bearer a="'])),
        ),
    ),
    max_size=4,
).map(tuple)
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 404, 429, 500, 502, 503, 999])
RESPONSES = st.builds(Response, STATUSES, HEADERS, JSON)
KINDS = st.sampled_from(["text", "binary", "close"])
MESSAGES = st.lists(st.builds(Message, st.just("incoming"), st.just(1.8e9), JSON, KINDS), max_size=4).map(tuple)
TARGETS = st.one_of(
    st.text(st.characters(codec="latin-1"), max_size=40),
    st.sampled_from(["//[x", "/?a=%ff&&=;", "/%", "/?" + "=" * 40, "http://[", "/a/../b"]),
)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """An exchange of any kind, with whatever a target may have sent in it."""
    protocol = draw(st.sampled_from(["http", "websocket", "webhook"]))
    id_ = samples.SESSION["merchant_transaction_id"]
    method, path = draw(
        st.sampled_from(
            [
                ("POST", "/widget/session"),
                ("POST", "/v1/widget-sessions"),
                ("GET", f"/widget/transactions/{id_}"),
                ("GET", "/widget/users/user-0042/kyc-status"),
            ]
        )
    )
    if protocol == "websocket":
        method, path = "GET", f"/ws?tx_id={id_}"
    if protocol == "webhook":
        method, path = draw(st.sampled_from(["POST", "GET"])), draw(TARGETS)
    body = draw(JSON) if protocol == "webhook" else samples.REQUEST.encode()
    response = draw(RESPONSES)
    return Exchange(
        number=draw(st.integers(1, 9)),
        scenario="fuzz",
        protocol=protocol,
        direction="incoming" if protocol == "webhook" else "outgoing",
        request=Sent(method, path if protocol == "webhook" else samples.BASE_URL + path, draw(HEADERS), body),
        response=replace(response, status=101) if protocol == "websocket" else response,
        path=path,
        credential=draw(st.sampled_from(["client_token", "second_client_token"])),
        authenticated=True,
        started=1.8e9,
        elapsed=0.1,
        messages=draw(MESSAGES) if protocol == "websocket" else (),
    )


# What reads it.


def profile(name: str) -> profiles.Profile:
    """The reference's profile."""
    return profiles.from_mapping(builtin_profile(name, "http://127.0.0.1:1"), {}, "test")


PROFILES = {name: profile(name) for name in CONTRACTS}
SUITES = {name: suites.load(name) for name in CONTRACTS}
JUDGES = {name: SchemaJudge(register.load(name)) for name in CONTRACTS}


def judged(exchange: Exchange) -> None:
    """All that is done with an exchange as it comes."""
    exchange.summary(), exchange.is_page, exchange.closed, exchange.attempts
    signature(exchange, ["error", "code"]), in_passing(exchange)
    retries.wait_before_next(exchange), retries.throttling(exchange), query(exchange, "tx_id")
    for name, suite in SUITES.items():
        suite.is_doubtful(exchange), suite.is_foreign(exchange)
        JUDGES[name].judge(exchange)
        suite.is_foreign(exchange)
        partner = partner_of(PROFILES[name], exchange.credential)
        for invariant in suite.invariants:
            if invariant.when(exchange, partner):
                invariant.judge(exchange, partner)


def concluded(run: list[Exchange]) -> None:
    """All that is done with a run's exchanges at its end, as the journal has them."""
    for name, suite in SUITES.items():
        judge_history(run, suite, PROFILES[name])
    trails(run)


def dated(told: tuple[str, str]) -> None:
    """A session's `Date`, and what a poll and the session say of their times."""
    date, moment = told
    body = json.dumps(
        {
            **samples.SESSION,
            "created_at": moment,
            "updated_at": moment,
            "expiresAt": moment,
            "widgetUrl": "https://x.example/",
            "sessionId": "x",
        }
    ).encode()
    answer = Response(200, (("Date", date), ("Content-Type", "application/json")), body)
    run = [
        replace(
            ANSWERED,
            number=number,
            path=path,
            started=1.8e9 + number,
            response=answer,
            request=replace(ANSWERED.request, method=method),
        )
        for number, (method, path) in enumerate(ASKED)
    ]
    concluded(run)
    for exchange in run:
        judged(exchange)


def journalled(exchange: Exchange) -> None:
    """An exchange is written and read."""
    journal = Journal(Path(os.devnull), Redactor(b"key"), frozenset({"init_token"}))
    from_record(json.loads(json.dumps(journal.exchange(exchange))))


def received(head: bytes) -> None:
    """A server's bytes are read as a response."""
    way = transport.Transport(transport.Way(), Room())
    way._pool = httpcore.ConnectionPool(network_backend=httpcore.MockBackend([head]))
    way.exchange(httpx.Request("GET", "http://target.example/"), 5.0)


def opened(frames: bytes) -> None:
    """A server's bytes are read as frames of an open WebSocket, and it is closed."""
    ours, theirs = socket.socketpair()
    protocol = ClientProtocol(parse_uri("ws://target.example/"), state=State.OPEN, max_size=1 << 16)
    upgrade = from_record(samples.exchange(1, 101, final=True, protocol="websocket", path="/ws"))
    assert upgrade.response is not None
    with theirs:
        theirs.sendall(frames)
        theirs.shutdown(socket.SHUT_WR)
        connection = ClientConnection(ours, protocol, close_timeout=1)
        connection.pending_legacy_warning = False  # that it is no context manager, as `open_socket` says by `legacy`
        channel = Channel(upgrade, Socket(connection, (), upgrade.response), News(), lambda _: None)
        channel.close()
        judged(channel.close())


def frame(opcode: int, body: bytes) -> bytes:
    """A frame as a server sends it (RFC 6455 section 5.2), final and not masked."""
    return bytes([0x80 | opcode, len(body)]) + body


CLOSE_CODES = st.integers(0, 65535).map(lambda code: code.to_bytes(2, "big"))
FRAMES = st.lists(
    st.one_of(
        st.builds(frame, st.integers(0, 15), st.binary(max_size=125)),
        st.builds(lambda code, reason: frame(8, code + reason), CLOSE_CODES, st.binary(max_size=100)),
        st.builds(frame, st.just(1), JSON.filter(lambda body: len(body) < 126)),
        st.binary(max_size=20),
    ),
    max_size=4,
).map(b"".join)
LINES = st.lists(
    st.one_of(
        st.builds(
            "{}: {}".format,
            st.sampled_from(["Content-Length", "Transfer-Encoding", "Content-Encoding", "Connection"]),
            st.one_of(NUMBERS, st.sampled_from(["chunked", "gzip", "deflate, gzip", "br", "chunked, chunked"])),
        ),
        st.text(st.characters(codec="latin-1"), max_size=30),
    ),
    max_size=4,
).map("\r\n".join)
HEADS = st.builds(
    lambda status, lines, body: f"HTTP/1.1 {status} x\r\n{lines}\r\n\r\n".encode() + body,
    st.one_of(NUMBERS, STATUSES.map(str)),
    LINES,
    st.one_of(st.binary(max_size=60), NUMBERS.map(lambda size: f"{size}\r\nx\r\n0\r\n\r\n".encode())),
)
CODED = st.builds(
    lambda body, coding, cut: (coding(body)[:cut], (("Content-Encoding", "gzip, x-gzip, deflate"[:cut]),)),
    st.binary(max_size=60),
    st.sampled_from([gzip.compress, zlib.compress, bytes]),
    st.integers(0, 60),
)

Named = tuple[type[Exception], ...]
CODINGS: Named = (transport.CodingError, transport.TooLargeError)

# What reads, what it is given, and what it may raise: nothing, unless its documentation says so.
PARSERS: dict[str, tuple[Callable[[Any], Any], st.SearchStrategy[Any], Named]] = {
    "a JSON text": (lambda body: describe(parse_json(body)), JSON, ()),
    "a body that may be no JSON": (is_no_json, JSON, ()),
    "a date of HTTP": (http_date, DATES, ()),
    "a Retry-After": (
        lambda value: retries.asked_wait(replace(ANSWERED, response=Response(429, (("Retry-After", value),), b""))),
        st.one_of(NUMBERS, DATES),
        (),
    ),
    "the clock of a target": (
        lambda value: list(creation_times(replace(ANSWERED, response=Response(200, (("Date", value),), b"")))),
        DATES,
        (),
    ),
    "a time of an API": (time, TIMES, ()),
    "two times of an API": (times_in_order, UPDATES, ()),
    "two amounts": (lambda two: equal_amounts(*two), st.tuples(NUMBERS, NUMBERS), ()),
    "an error that shows too much": (
        lambda answer: no_internals.judge(
            replace(ANSWERED, response=replace(answer, status=502)), partner_of(PROFILES["proof"], None)
        ),
        RESPONSES,
        (),
    ),
    "a text with values": (pattern, TEXTS, ()),
    "a content encoding": (lambda coded: transport.decoded(*coded), CODED, CODINGS),
    "headers": (transport.text_headers, st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9))), ()),
    "a response": (received, HEADS, (transport.NoAnswerError,)),
    "a webhook": (lambda body: names(Delivery("POST", "/", (), body, 0, 0), ["0b0a5d1e"]), JSON, ()),
    "the times of a session": (dated, st.tuples(DATES, TIMES), ()),
    "an exchange": (judged, exchanges(), ()),
    "a run": (concluded, st.lists(exchanges(), max_size=6), ()),
    "the record of an exchange": (journalled, exchanges(), ()),
}
ASKED = [
    ("POST", "/widget/session"),
    ("POST", "/v1/widget-sessions"),
    ("GET", f"/widget/transactions/{samples.SESSION['merchant_transaction_id']}"),
]
ANSWERED = from_record(samples.exchange(1, final=True, path="/widget/session"))


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_foreign_raises(name: str) -> None:
    """A parser gives a value or raises what it names, for anything that a target may write."""
    parse, strategy, named = PARSERS[name]

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def holds(written: Any) -> None:
        try:
            parse(written)
        except named:
            return

    holds()


LAST_SECOND = "Fri, 31 Dec 9999 23:59:59 GMT"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("two times of an API", {"created_at": "0001-01-01T00:00Z", "updated_at": "0001-01-01T00:00:00Z"}),
        ("the times of a session", (LAST_SECOND, "2026-11-21T09:00:00Z")),
        ("the times of a session", (LAST_SECOND, "9999-12-31T23:59:59Z")),
        ("the times of a session", ("Mon, 01 Jan 1 00:00:00 -0000", "0001-01-01T00:00:00Z")),
        ("a Retry-After", "Wed, 21 Oct 2026 07:28:00 +99999999999999"),
        ("a Retry-After", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"),
        ("an error that shows too much", Response(502, (), b'{"message": "see http://[x"}')),
        ("a JSON text", b"9" * 5000),
        ("a JSON text", b"[" * 100_000),
    ],
)
def test_the_ends_of_calendars_and_numbers_raise_nothing(name: str, written: Any) -> None:
    """What is found by chance only now and then is tried always."""
    PARSERS[name][0](written)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@settings(max_examples=40, deadline=None, database=None)
@given(FRAMES)
@example(frame(8, b""))
@example(frame(8, b"\x03"))
@example(frame(8, (1005).to_bytes(2, "big") + b"\xff"))
def test_no_frame_of_a_websocket_raises(frames: bytes) -> None:
    """Whatever frames come, close codes among them, the channel ends and is judged."""
    opened(frames)


def test_what_is_no_json_is_none() -> None:
    """Too deep, no UTF-8, and the numbers that JSON has not are no JSON; what JSON leaves open is read."""
    for body in (b"[" * 201 + b"]" * 201, b"\xff", b"NaN", b"[-Infinity]", b"", b"{"):
        assert parse_json(body) is NOT_JSON
    assert parse_json(b'{"a":1,"a":2}') == {"a": 2}
    assert parse_json(b'"\\ud800"') == "\ud800"
    assert parse_json(b"9" * 5000) == float("inf")


@pytest.mark.parametrize("location", ["http://[", "http://[::1", "//pa℀ss/", "", "http://h:99999999/", "/%zz"])
def test_a_redirect_may_lead_anywhere(location: str) -> None:
    """What is looked at for a wrong `base_url` has an answer, also to an address that is none."""
    sent = Sent("POST", "https://sandbox.example/widget/session", (), b"{}")
    answer = Response(302, (("location", location),), b"")
    told = base_url.named(suites.load("proof"), Exchange(1, "s", sent, answer, 0.0, 0.0, "/widget/session"), str)
    assert told is not None
    assert ("redirects" in told.found) == location.endswith(("9/", "zz"))
