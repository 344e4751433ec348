"""Silence, absence and pages of the reference, seen over sockets: each is there for its own requests and no others."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed

from rampcheck.contract import descriptor
from rampcheck.sandbox import all_defects, conditions
from rampcheck.sandbox.conditions import Asked
from rampcheck.sandbox.server import RunningReference
from tests import brief_conditions, references
from tests.following import Target
from tests.following_probes import UPGRADE
from tests.variant_probes import KRYPTONIM, PROOF, REQUESTS, Connection, length

CONTRACTS = descriptor.contracts()
PATIENCE = 0.4  # seconds after which silence is silence
DEADLINE = 20.0
MINIMUM = {"proof": PROOF, "kryptonim": KRYPTONIM}
EMAIL = {"proof": "user_email", "kryptonim": "email"}
ADDRESS = {"proof": "client_ip", "kryptonim": "ipAddress"}
TEXT = {"proof": "partner_user_id", "kryptonim": "destinationAddress"}


@dataclass(frozen=True)
class Heard:
    """What came back for a request, and how it ended: `answered`, `closed`, `reset`, `refused`, or `silent` so far."""

    data: bytes
    end: str


def said(reference: RunningReference, patience: float = PATIENCE, **request: Any) -> Heard:
    """Sends a request over a connection of its own, and gives what came back for it."""
    asked = REQUESTS[reference.contract](reference.profile()["credentials"], **request)
    url = urlsplit(reference.base_url)
    data = b""
    try:
        with socket.create_connection((url.hostname, url.port), timeout=patience) as connection:
            connection.sendall(asked)
            while not is_whole(data):
                piece = connection.recv(65536)
                if not piece:
                    return Heard(data, "closed")
                data += piece
    except ConnectionRefusedError:
        return Heard(data, "refused")
    except ConnectionError:
        return Heard(data, "reset")
    except TimeoutError:
        return Heard(data, "silent")
    return Heard(data, "answered")


def is_whole(data: bytes) -> bool:
    """Whether this is a whole answer with a Content-Length."""
    head, blank, body = data.partition(b"\r\n\r\n")
    return bool(blank) and b"content-length" in head.lower() and len(body) >= length(data)


def well(reference: RunningReference, **request: Any) -> Heard:
    """Gives the answer to a request that has to have one, however long it takes."""
    heard = said(reference, DEADLINE, **request)
    assert heard.end == "answered", heard
    return heard


def back(reference: RunningReference) -> Heard:
    """Gives the first answer of a server that is away."""
    deadline = time.monotonic() + DEADLINE
    while (heard := said(reference, DEADLINE)).end != "answered":
        assert time.monotonic() < deadline, heard
    return heard


def nested(contract: str) -> dict[str, Any]:
    """A body that is nested too deeply for most."""
    return {"body": json.dumps(MINIMUM[contract]).encode()[:-1] + b',"note":' + b"[" * 500 + b"]" * 500 + b"}"}


def saying(text: str) -> Callable[[str], dict[str, Any]]:
    """Makes what a request holds of a text in a member that both contracts take as it is."""
    return lambda contract: {TEXT[contract]: text}


Payload = Callable[[str], dict[str, Any]]

# By the defect: the payload, a pattern of all that is said before the end, and the end.
SILENCES: dict[str, tuple[Payload, bytes, str]] = {
    "hangs-on-long-email": (lambda contract: {EMAIL[contract]: "a" * 5000}, b"", "silent"),
    "drops-deep-nesting": (nested, b"", "closed"),
    "resets-on-nul": (saying("a\0b"), b"", "reset"),
    "cuts-answer-on-query": (saying("'; DROP TABLE sessions; --"), rb"(?s)HTTP/1\.1 200 OK\r\n.*\{.half.:", "closed"),
    "cuts-head-on-format": (saying("%s%n%x"), rb"HTTP/1\.1 200 OK\r\ncontent-ty", "closed"),
    "stalls-on-lookup": (saying("${jndi:ldap://x/x}"), rb"(?s)HTTP/1\.1 200 OK\r\n.*40\r\n\{.half.:", "silent"),
    "speaks-no-http-on-lookup": (saying("${jndi:ldap://x/x}"), rb"panic: runtime error\r\n\r\n", "closed"),
}
ABSENCES: dict[str, tuple[Payload, str]] = {
    "exits-after-ipv6": (lambda contract: {ADDRESS[contract]: "2001:db8::68"}, "answered"),
    "exits-on-surrogate": (saying("\ud800"), "closed"),
    "exits-on-script": (saying("<script>alert(1)</script>"), "closed"),
}


@pytest.fixture(scope="module", params=CONTRACTS)
def plain(request: pytest.FixtureRequest) -> Iterator[RunningReference]:
    """Gives the plain reference of each contract."""
    with references.start(request.param) as reference:
        yield reference


def test_the_plain_reference_answers_all_of_it(plain: RunningReference) -> None:
    """Whatever the defects fall over, a conforming server answers it, and below 500."""
    for payload, *_ in [*SILENCES.values(), *ABSENCES.values()]:
        assert re.match(rb"HTTP/1\.1 [24]", well(plain, **payload(plain.contract)).data)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", SILENCES)
def test_one_payload_is_met_with_silence(name: str, contract: str) -> None:
    """It gets no answer, every time, in the way of its own; what comes before it and after it is answered."""
    payload, pattern, end = SILENCES[name]
    with references.start(contract, [name]) as reference:
        for _ in range(2):
            assert b" 200 " in well(reference).data
            heard = said(reference, **payload(contract))
            assert heard.end == end
            assert re.fullmatch(pattern, heard.data), heard
        assert b" 200 " in well(reference).data


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", ABSENCES)
def test_one_payload_takes_the_server_away(name: str, contract: str) -> None:
    """Nobody can connect after it until it is back, other connections end with it, and what was known is known."""
    payload, end = ABSENCES[name]
    with references.start(contract, [name]) as reference, Connection(reference.base_url) as other:
        assert b" 200 " in other.ask(REQUESTS[contract](reference.profile()["credentials"]))
        heard = said(reference, DEADLINE, **payload(contract))
        assert (heard.end == "answered") == (end == "answered")
        assert other.stream.read() == b""
        assert said(reference).end == "refused"
        assert b" 200 " in back(reference).data


@pytest.mark.parametrize(
    ("contract", "name", "payload"),
    [
        ("kryptonim", "drops-nested-metadata", {"metadata": {"note": {"deep": 1}}}),
        ("proof", "drops-astral", {"partner_user_id": "\U0001f4b8"}),
    ],
)
def test_what_one_contract_drops(contract: str, name: str, payload: dict[str, Any]) -> None:
    """The connection is closed without an answer, and the request without it is answered."""
    with references.start(contract, [name]) as reference:
        assert said(reference, **payload) == Heard(b"", "closed")
        assert b" 200 " in well(reference).data


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_hang_is_for_everybody(contract: str) -> None:
    """After one payload no request is answered any more, though connections are taken; the process ends when told."""
    with references.start(contract, ["hangs-for-ever-on-long-email"]) as reference:
        with Connection(reference.base_url) as other:
            assert other.ask(REQUESTS[contract](reference.profile()["credentials"]))
            assert said(reference, **{EMAIL[contract]: "a" * 5000}) == Heard(b"", "silent")
            assert said(reference) == Heard(b"", "silent")
        assert reference.stop() == 0


# From some request on, or always.

TITLE = rb"(?s)HTTP/1\.1 %s .*\ncontent-type: text/html.*<title>%s"
LOGIN = TITLE % (b"200", b"Sign in")
INSTEAD = {
    "login-page": (1, LOGIN),
    "redirect-to-login": (1, rb"(?s)HTTP/1\.1 302 .*\nlocation: /login\r"),
    "not-this-api": (1, rb'(?s)HTTP/1\.1 200 .*\{"status":"ok"'),
    "bad-gateway": (1, TITLE % (b"502", b"Bad Gateway")),
    "login-page-in-mid-run": (100, LOGIN),
    "bad-gateway-in-mid-run": (100, TITLE % (b"502", b"Bad Gateway")),
    "forbidden-in-mid-run": (100, TITLE % (b"403", b"Access denied")),
    "too-many-in-mid-run": (100, TITLE % (b"429", b"Too Many Requests")),
    "maintenance-in-mid-run": (100, rb'(?s)HTTP/1\.1 200 .*\{"status":"maintenance"\}'),
    "revoked-in-mid-run": (100, rb'(?si)HTTP/1\.1 401 .*"code": "(invalid_token|unauthorized)"'),
    "gone-after-one-answer": (2, b"$"),
    "gone-in-mid-run": (100, b"$"),
    "drops-in-mid-run": (100, b"$"),
}


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", INSTEAD)
def test_something_else_takes_the_servers_place(name: str, contract: str) -> None:
    """Up to a request the server answers, from then on something else does, or nothing, whatever is asked."""
    since, pattern = INSTEAD[name]
    with references.start(contract, [name]) as reference, Connection(reference.base_url) as connection:
        asked = REQUESTS[contract](reference.profile()["credentials"], method="GET", path="/nowhere")
        for _ in range(since - 1):
            assert b" 404 " in connection.ask(asked)
        for path in ("/", "/nowhere"):
            heard = said(reference, DEADLINE, path=path)
            assert re.match(pattern, heard.data), heard
        if name.startswith("gone"):
            assert said(reference).end == "refused"


def test_a_websocket_meets_the_same_page() -> None:
    """Where everything is a login page, an upgrade is answered with it, too."""
    with references.start("proof", ["login-page"]) as reference:
        assert re.match(LOGIN, well(reference, method="GET", path="/ws?tx_id=1", headers=UPGRADE, body=b"").data)


@pytest.mark.parametrize(
    ("name", "told"), [("ws-lost-before-the-end", ["processing"]), ("ws-lost-at-the-first-event", [])]
)
def test_a_websocket_is_lost(name: str, told: list[str]) -> None:
    """It ends without a close after these events; the transaction comes to its end all the same."""
    with references.start("proof", [name]) as reference:
        target = Target(reference)
        with target.client, target.subscribe(f"?tx_id={(transaction_id := target.completing())}") as connection:
            heard: list[str] = []
            with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - it ends the loop
                while True:
                    heard.append(json.loads(connection.recv(timeout=DEADLINE))["status"])
            assert (heard, closed.value.rcvd) == (told, None)
            deadline = time.monotonic() + DEADLINE
            while target.transaction(transaction_id)["status"] != "completed":
                assert time.monotonic() < deadline


# What is answered, and should not be so.


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_twentieth_session_is_refused(contract: str) -> None:
    """Nineteen of twenty good requests are accepted, whatever comes between; the other gets an error of the API."""
    with (
        references.start(contract, ["refuses-every-twentieth"]) as reference,
        Connection(reference.base_url) as connection,
    ):
        credentials = reference.profile()["credentials"]
        good, wrong = REQUESTS[contract](credentials), REQUESTS[contract](credentials, body=b"{")
        answers = [connection.ask(request) for _ in range(40) for request in (good, wrong)][::2]
        refused = [number for number, answer in enumerate(answers, 1) if b" 400 " in answer.partition(b"\r\n")[0]]
        assert refused == [20, 40]
        assert b'"message": "Not now."' in answers[19]


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("validation-fails", rb'(?s)HTTP/1\.1 500 .*"code": '),
        ("validation-drops", b"$"),
        ("validation-queues", rb'(?s)HTTP/1\.1 202 .*\{"queued":true\}'),
    ],
)
def test_a_refused_validation_is_something_worse(name: str, pattern: bytes, contract: str) -> None:
    """What is invalid is answered 500, or not at all; sessions and refused credentials are as ever."""
    with references.start(contract, [name]) as reference:
        for wrong in ({"body": b"{"}, {"network": "nowhere"}):
            assert re.match(pattern, said(reference, **wrong).data)
        assert b" 200 " in well(reference).data
        stranger = {"Authorization": "Bearer nobody", "X-Request-Signature": "0" * 64}
        assert b" 401 " in well(reference, headers=stranger).data


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize(
    ("name", "third"),
    [
        ("third-refusal-a-page", rb"(?s)HTTP/1\.1 400 .*text/html.*\r\n\r\n<h1>"),
        ("third-refusal-empty", rb"(?s)HTTP/1\.1 400 .*\r\n\r\n$"),
    ],
)
def test_each_third_refusal_says_nothing(name: str, third: bytes, contract: str) -> None:
    """Two of three refusals are the API's own, whatever comes between them."""
    with references.start(contract, [name]) as reference:
        refused = []
        for _ in range(6):
            assert b" 200 " in well(reference).data
            refused.append(well(reference, body=b"{").data)
        assert [bool(re.match(third, answer)) for answer in refused] == [False, False, True] * 2


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("firewall-stops-a-payload", TITLE % (b"403", b"Access denied")),
        ("firewall-tells-in-json", rb'(?s)HTTP/1.1 403 .*\{"blocked": true'),
    ],
)
def test_a_firewall_stops_two_payloads(contract: str, name: str, answer: bytes) -> None:
    """A script and SQL get its own answer every time, all else does not."""
    with references.start(contract, [name]) as reference:
        for text in ("<script>alert(1)</script>", "'; DROP TABLE sessions; --") * 2:
            assert re.match(answer, well(reference, **{TEXT[contract]: text}).data)
            assert b" 200 " in well(reference).data


# Conditions that pass, with times that are shorter than the variants'.


@contextmanager
def briefly(contract: str, condition: str) -> Iterator[RunningReference]:
    """Serves a contract under a condition of `brief_conditions`."""
    with references.Copied(contract, brief_conditions.serve, condition=condition) as reference:
        yield reference


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize(("condition", "third"), [("leaves", "closed"), ("answers-and-leaves", "answered")])
def test_the_server_goes_away_once(condition: str, third: str, contract: str) -> None:
    """It is away after one request, with or without its answer, and back on the same port for good."""
    with briefly(contract, condition) as reference, Connection(reference.base_url) as other:
        other.ask(REQUESTS[contract](reference.profile()["credentials"]))
        well(reference)
        heard = said(reference, DEADLINE)
        assert (heard.end == "answered") == (third == "answered")
        assert other.stream.read() == b""
        assert said(reference).end == "refused"
        back(reference)
        for _ in range(5):
            assert b" 200 " in well(reference).data
        assert reference.stop() == 0


def test_a_transaction_outlives_an_absence() -> None:
    """What was created before the server went away is known after it."""
    with briefly("proof", "leaves") as reference:
        session = json.loads(well(reference).data.partition(b"\r\n\r\n")[2])
        path = f"/widget/transactions/{session['merchant_transaction_id']}"
        well(reference, method="GET", path=path, body=b"")
        said(reference)
        back(reference)
        assert b" 200 " in well(reference, method="GET", path=path, body=b"").data


def test_pages_come_for_a_while() -> None:
    """From one request on there is nothing but pages, with their headers, and afterwards none any more."""
    with briefly("kryptonim", "pages") as reference:
        statuses = [well(reference).data[9:12] for _ in range(4)]
        assert statuses == [b"200", b"200", b"502", b"502"]
        assert b"\nretry-after: 1\r" in well(reference).data
        deadline = time.monotonic() + DEADLINE
        while b" 502 " in well(reference).data:
            assert time.monotonic() < deadline
        assert all(b" 200 " in well(reference).data for _ in range(5))


def test_a_delayed_answer_says_so() -> None:
    """Each third answer is late, and is the same answer."""
    with briefly("kryptonim", "delays") as reference:
        late = [b"server-timing: queue;dur=300" in well(reference).data for _ in range(6)]
    assert late == [False, False, True] * 2


# Which requests are meant.


def asked(number: int = 1, body: bytes = b"") -> Asked:
    """A request with this number and body."""
    return Asked({"type": "http"}, body, number)


@pytest.mark.parametrize("number", [20, 50, 100])
def test_what_is_spread_is_not_near_each_other(number: int) -> None:
    """One of each so many is meant, at places without a pattern, and half as many at the least lie between."""
    meant = conditions.spread(number)
    places = [place for place in range(1, 40 * number + 1) if meant(asked(place))]
    apart = [later - earlier for earlier, later in pairwise(places)]
    assert len(places) == 40
    assert min(apart) >= number // 2
    assert len(set(apart)) > 5


def test_what_is_spread_is_the_same_each_time() -> None:
    """So that two runs that send the same requests meet the same."""
    one, other = conditions.spread(20), conditions.spread(20)
    assert [one(asked(place)) for place in range(1, 200)] == [other(asked(place)) for place in range(1, 200)]


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        (b'{"a": "x"}', True),
        (b'{"a": "y"}', False),
        (b'["x"]', False),
        (b'{"a": "x"', False),
        (b"\xff", False),
        (b"", False),
        (b"[" * 100_000, False),
    ],
)
def test_what_no_json_object_says_is_not_meant(body: bytes, meant: bool) -> None:
    """Whatever the body is, it is looked into, and nothing is raised."""
    assert conditions.saying(lambda members: members.get("a") == "x")(asked(body=body)) is meant


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_condition_is_tried_here(contract: str) -> None:
    """No defect of this kind is without a test of what it does."""
    known = {
        *SILENCES,
        *ABSENCES,
        *INSTEAD,
        "drops-nested-metadata",
        "drops-astral",
        "ws-lost-before-the-end",
        "ws-lost-at-the-first-event",
        "hangs-for-ever-on-long-email",
        "hangs-in-mid-run",
        "refuses-every-twentieth",
        "validation-fails",
        "validation-drops",
        "validation-queues",
        "third-refusal-a-page",
        "third-refusal-empty",
        "firewall-stops-a-payload",
        "firewall-tells-in-json",
        "users-mixed-up-at-the-same-time",
        "partners-mixed-up-at-the-same-time",
    }
    assert {defect.name for defect in all_defects(contract) if defect.wrap} <= known
