"""What Proof's invariants make of a transaction that was followed over all channels, and of one thing wrong with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile
from rampcheck.judging import suite as suites
from rampcheck.judging.suite import Broken
from rampcheck.judging.whole import judge_history
from rampcheck.sandbox import builtin_profile
from rampcheck.wire.exchanges import Exchange, Message, Response, Sent

ID = "7f1b0c5e-2c7a-4a3e-9a55-3d0e6f1c2b4a"
BEGAN = datetime(2026, 11, 21, 9, 0, 0, 250000, UTC)
PATIENCE = 4.0
DOCUMENT = {
    "merchant_transaction_id": ID,
    "partner_user_id": "user-1",
    "type": "buy",
    "currency": "USDT",
    "network": "TRC20",
    "fiat_currency": "EUR",
    "fiat_amount": "92.00",
}


@cache
def profile() -> Profile:
    """The reference's profile."""
    return profiles.from_mapping(builtin_profile("proof", "http://127.0.0.1:1"), {}, "test")


def at(seconds: float, *, form: str = "%Y-%m-%dT%H:%M:%S.%fZ") -> str:
    """A time of the target's, some seconds after the session."""
    return (BEGAN + timedelta(seconds=seconds)).strftime(form)


def shown(status: str, since: float) -> dict[str, Any]:
    """A poll's answer."""
    return {
        **DOCUMENT,
        "status": status,
        "crypto_amount": "" if status == "pending" else "100",
        "created_at": at(0),
        "updated_at": at(since),
    }


def event(status: str, since: float) -> dict[str, Any]:
    """A WebSocket's message."""
    names = ("merchant_transaction_id", "type", "status", "currency", "fiat_currency", "fiat_amount", "crypto_amount")
    return {"event": "tx.update", **{name: shown(status, since)[name] for name in names}, "occurred_at": at(since)}


def webhook(status: str, since: float) -> dict[str, Any]:
    """A webhook's body."""
    return {name: value for name, value in shown(status, since).items() if name != "partner_user_id"}


@dataclass
class Traffic:
    """What a run recorded of one transaction, as a test may change it before it is judged."""

    session: dict[str, Any] = field(
        default_factory=lambda: {
            "merchant_transaction_id": ID,
            "type": "buy",
            "init_token": "[redacted init_token aaaaaaaaaaaa]",
            "signature": "[redacted signature bbbbbbbbbbbb]",
        }
    )
    polls: list[Any] = field(
        default_factory=lambda: [
            shown("pending", 0),
            shown("processing", 3),
            shown("completed", 6),
            shown("completed", 6),
        ]
    )
    events: list[Any] = field(default_factory=lambda: [event("processing", 3), event("completed", 6)])
    kind: str = "text"
    closed: tuple[str, str, float] | None = ("incoming", "1000", 6.5)
    webhooks: list[Any] = field(default_factory=lambda: [webhook("processing", 3), webhook("completed", 6)])
    webhook_type: str = "application/json; charset=utf-8"
    webhook_header: str = "sha256=0123"
    webhook_method: str = "POST"
    date: float = 0.0
    stranger: tuple[int, list[Any]] = (404, [])
    stranger_poll: int = 404
    stranger_told: Mapping[str, Any] = field(default_factory=lambda: {"error": "not_found"})
    more: list[Exchange] = field(default_factory=list)

    def exchanges(self) -> list[Exchange]:
        """The exchanges in the order of their start."""
        closing = [
            Message(direction, stamp(when), reason.encode(), "close")
            for direction, reason, when in ([self.closed] if self.closed else [])
        ]
        events = [
            Message("incoming", stamp(3.1 + 3 * place), encoded(value), self.kind)
            for place, value in enumerate(self.events)
        ]
        path = f"/widget/transactions/{ID}"
        found = [
            *self.more,
            recorded(
                0,
                "POST",
                "/widget/session",
                self.session,
                asked={name: DOCUMENT[name] for name in ("partner_user_id", "currency", "network")},
                headers=(("date", format_datetime(BEGAN + timedelta(seconds=self.date), usegmt=True)),),
            ),
            replace(
                recorded(1, "GET", f"/ws?tx_id={ID}", None, status=101),
                protocol="websocket",
                elapsed=20.0,
                messages=(*events, *closing),
            ),
            replace(
                recorded(
                    1.1, "GET", f"/ws?tx_id={ID}", None, status=self.stranger[0], credential="second_client_token"
                ),
                protocol="websocket",
                elapsed=20.0,
                messages=tuple(Message("incoming", stamp(4), encoded(value)) for value in self.stranger[1]),
            ),
            recorded(
                1.2,
                "GET",
                path,
                self.stranger_told,
                status=self.stranger_poll,
                credential="second_client_token",
            ),
            *(recorded(2 + 2 * place, "GET", path, answer) for place, answer in enumerate(self.polls)),
            *(
                replace(
                    recorded(
                        4.5 + place,
                        self.webhook_method,
                        "/hook",
                        None,
                        asked=body,
                        credential=None,
                        headers=(("content-type", self.webhook_type), ("x-signed", self.webhook_header)),
                    ),
                    protocol="webhook",
                    direction="incoming",
                    response=Response(200, (), b""),
                )
                for place, body in enumerate(self.webhooks)
            ),
        ]
        return [
            replace(exchange, number=number)
            for number, exchange in enumerate(sorted(found, key=lambda exchange: exchange.started), 1)
        ]


def stamp(seconds: float) -> float:
    """Seconds after the session, since the epoch."""
    return BEGAN.timestamp() + seconds


def encoded(value: Any) -> bytes:
    """A JSON text."""
    return json.dumps(value).encode()


def recorded(
    seconds: float,
    method: str,
    path: str,
    answer: Any,
    *,
    asked: Any = None,
    status: int = 200,
    credential: str | None = "client_token",
    headers: tuple[tuple[str, str], ...] = (),
) -> Exchange:
    """One exchange with the target."""
    body = b"" if asked is None else encoded(asked)
    bearer = (("authorization", "Bearer x"),) if credential else ()
    sent = Sent(method, f"http://127.0.0.1:1{path}", (*bearer, *headers), body)
    return Exchange(
        1, "test", sent, Response(status, headers, encoded(answer)), stamp(seconds), 0.01, path, credential=credential
    )


def judged(traffic: Traffic) -> tuple[set[str], Counter[str]]:
    """The clauses broken by the traffic, and how often invariants of the whole run exercised each."""
    exchanges, suite = traffic.exchanges(), suites.load("proof")
    broken = {
        invariant.clause
        for exchange in exchanges
        for invariant in suite.invariants
        if invariant.when(exchange, profile().partner)
        and isinstance(invariant.judge(exchange, profile().partner), Broken)
    }
    findings, exercised = judge_history(exchanges, suite, profile())
    return {
        clause
        for clause in broken | {finding.clause for finding in findings}
        if clause.split(".")[1] in {"transaction", "ws", "webhook"}
    }, exercised


def test_what_agrees_breaks_nothing_and_is_exercised() -> None:
    """The unchanged traffic is found in order, and every invariant of the whole run saw something to judge."""
    broken, exercised = judged(Traffic())
    assert broken == set()
    for clause in (
        "transaction.echo",
        "transaction.times",
        "transaction.terminal",
        "ws.event",
        "ws.times",
        "ws.agrees",
        "ws.isolation",
        "webhook.agrees",
        "webhook.no-token",
    ):
        assert exercised[f"proof.{clause}"] > 0, clause


def changed(part: str, place: int, **members: Any) -> Callable[[Traffic], None]:
    """Changes members of one of the polls, events or webhooks."""
    return lambda traffic: getattr(traffic, part)[place].update(members)


def without(part: str, place: int) -> Callable[[Traffic], None]:
    """Leaves out one of the polls, events or webhooks."""
    return lambda traffic: getattr(traffic, part).pop(place)


def having(**values: Any) -> Callable[[Traffic], None]:
    """Sets whole parts of the traffic."""
    return lambda traffic: [setattr(traffic, name, value) for name, value in values.items()] and None


OTHER_ID = "00000000-0000-4000-8000-000000000000"
ANONYMOUS = recorded(1.5, "GET", f"/widget/transactions/{ID}", shown("pending", 0), credential=None)
ANONYMOUS_UPGRADE = replace(
    recorded(1.5, "GET", f"/ws?tx_id={ID}", None, status=101, credential=None), protocol="websocket"
)


def denied(seconds: float) -> Exchange:
    """A poll of the owner's that is refused as one for what nobody has."""
    path = f"/widget/transactions/{ID}"
    return replace(recorded(seconds, "GET", path, {"error": "not_found"}, status=404), authenticated=True)


ANOTHER = recorded(9.0, "POST", "/widget/session", {"merchant_transaction_id": OTHER_ID, "type": "buy"}, asked=DOCUMENT)
WRONG: Mapping[str, tuple[str, Callable[[Traffic], object]]] = {
    "another id": ("transaction.echo", changed("polls", 0, merchant_transaction_id=OTHER_ID)),
    "another id than asked for": (
        "transaction.echo",
        having(more=[recorded(1.5, "GET", f"/widget/transactions/{OTHER_ID}", shown("pending", 0))]),
    ),
    "a poll without a token": ("transaction.auth", having(more=[ANONYMOUS])),
    "an upgrade without a token": ("ws.auth", having(more=[ANONYMOUS_UPGRADE])),
    "the id in capitals": ("transaction.echo", changed("polls", 0, merchant_transaction_id=ID.upper())),
    "another user": ("transaction.echo", changed("polls", 1, partner_user_id="user-2")),
    "another type": (
        "transaction.echo",
        having(polls=[{**shown("pending", 0), "type": "sell"}], events=[], webhooks=[]),
    ),
    "a moving creation": (
        "transaction.times",
        having(polls=[{**shown("pending", 0), "created_at": at(-1)}, shown("pending", 0)], events=[], webhooks=[]),
    ),
    "an early creation": (
        "transaction.times",
        having(polls=[{**shown("pending", 0), "created_at": at(-200)}], events=[], webhooks=[]),
    ),
    "an update before the creation": ("transaction.times", changed("polls", 1, updated_at=at(-1))),
    "a day that does not exist": ("transaction.times", changed("polls", 1, updated_at="2026-02-30T00:00:00Z")),
    "a transaction that is forgotten": ("transaction.pending", having(more=[denied(5.5), denied(6.5)])),
    "an end that changes": ("transaction.terminal", changed("polls", 3, status="failed")),
    "a stranger's poll": ("transaction.isolation", having(stranger_poll=200, stranger_told=DOCUMENT)),
    "a missing event": ("ws.event", without("events", 0)),
    "an early close": ("ws.event", having(events=[event("processing", 3)], closed=("incoming", "1000", 4.0))),
    "a missing event until the end of patience": (
        "ws.event",
        having(events=[event("processing", 3)], closed=("outgoing", "1000", 6.1 + PATIENCE)),
    ),
    "an event told twice": (
        "ws.event",
        having(events=[event("processing", 3), event("processing", 3), event("completed", 6)]),
    ),
    "a binary event": ("ws.event", having(kind="binary", closed=None)),
    "an event of another transaction": (
        "ws.only-own",
        lambda traffic: traffic.events.append({**event("processing", 3), "merchant_transaction_id": OTHER_ID}),
    ),
    "a stranger's event": ("ws.isolation", having(stranger=(101, [event("processing", 3)]))),
    "a status that goes back": (
        "ws.order",
        lambda traffic: traffic.events.insert(1, {**event("pending", 3), "crypto_amount": "1"}),
    ),
    "an event after the end": ("ws.order", lambda traffic: traffic.events.append(event("processing", 7))),
    "a time that goes back": ("ws.times", changed("events", 1, occurred_at=at(2))),
    "a time far from the poll's": ("ws.times", changed("events", 1, occurred_at=at(17))),
    "a time that does not exist": ("ws.times", changed("events", 1, occurred_at="2026-11-21T25:00:00Z")),
    "another type in an event": ("ws.agrees", changed("events", 0, type="sell")),
    "another amount in an event": ("ws.agrees", changed("events", 0, crypto_amount="100.1")),
    "another fiat currency in an event": ("ws.agrees", changed("events", 0, fiat_currency="PLN")),
    "the fiat currency before the user's choice in an event": (
        "ws.agrees",
        lambda traffic: [
            document.update(fiat_currency="PLN")
            for document in [*traffic.polls[1:], *traffic.events[1:], *traffic.webhooks]
        ],
    ),
    "another end in an event": ("ws.agrees", having(events=[event("processing", 3), event("failed", 6)], closed=None)),
    "a poll that never shows the end of an event": (
        "ws.agrees",
        having(polls=[shown("pending", 0), shown("processing", 3), *[shown("processing", 3)] * 4], webhooks=[]),
    ),
    "a poll that never shows the end of a webhook": (
        "webhook.agrees",
        having(
            polls=[shown("pending", 0), shown("processing", 3), *[shown("processing", 3)] * 4],
            events=[event("processing", 3)],
            closed=None,
        ),
    ),
    "a webhook as text": ("webhook.post-json", having(webhook_type="text/plain")),
    "a webhook as another JSON": ("webhook.post-json", having(webhook_type="application/hal+json")),
    "a webhook that is put": ("webhook.post-json", having(webhook_method="PUT")),
    "a webhook that is a list": ("webhook.post-json", having(webhooks=[[webhook("completed", 6)]])),
    "a webhook updated before its creation": (
        "webhook.complete",
        having(webhooks=[{**webhook("completed", 6), "created_at": at(0), "updated_at": at(-1)}]),
    ),
    "another amount in a webhook": ("webhook.agrees", changed("webhooks", 0, fiat_amount="92.01")),
    "another network in a webhook": ("webhook.agrees", changed("webhooks", 0, network="ERC20")),
    "another creation in a webhook": ("webhook.agrees", changed("webhooks", 0, created_at=at(0.5))),
    "an update far from the poll's": ("webhook.agrees", changed("webhooks", 0, updated_at=at(14))),
    "another end in a webhook": ("webhook.agrees", having(webhooks=[webhook("failed", 6)])),
    "a token in a webhook": ("webhook.no-token", having(webhook_header="[redacted client_token cccccccccccc]")),
    "an init token in a webhook": (
        "webhook.no-token",
        changed("webhooks", 0, note="[redacted init_token aaaaaaaaaaaa]"),
    ),
    "a signature in a webhook": ("webhook.no-token", having(webhook_header="[redacted address bbbbbbbbbbbb]")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_and_nothing_else(name: str) -> None:
    """Each disagreement breaks its own clause only."""
    clause, change = WRONG[name]
    traffic = Traffic()
    change(traffic)
    assert judged(traffic)[0] == {f"proof.{clause}"}


ALLOWED: Mapping[str, Callable[[Traffic], object]] = {
    "a transaction that is known after a while": having(more=[denied(0.2), denied(1.5), denied(1.9)]),
    "a transaction that is unknown once": having(more=[denied(5.5)]),
    "a transaction that is unknown while nothing is accepted": having(more=[denied(6.5), denied(6.7)]),
    "a target that has lost all and goes on": having(more=[denied(8.5), ANOTHER, denied(9.5)]),
    "a transaction that a wrong token does not find": having(
        more=[replace(denied(5.5), authenticated=False), replace(denied(6.5), authenticated=False)]
    ),
    "a snapshot at subscription": lambda traffic: traffic.events.insert(0, event("pending", 0)),
    "a snapshot of what is told again": having(
        polls=[shown("processing", 3), shown("completed", 6)],
        events=[event("processing", 3), event("processing", 3), event("completed", 6)],
    ),
    "a lost connection": having(events=[], closed=None),
    "a restart of the server": having(events=[], closed=("incoming", "1012 restart", 2.0)),
    "patience that ended early": having(events=[event("processing", 3)], closed=("outgoing", "1000", 6.1)),
    "polls that ended before they had to show the end": having(
        polls=[shown("pending", 0), shown("processing", 3), shown("processing", 3)]
    ),
    "a poll that shows the end late": having(
        polls=[shown("pending", 0), *[shown("processing", 3)] * 4, shown("completed", 6)]
    ),
    "whole seconds": lambda traffic: (
        changed("webhooks", 0, created_at=at(0, form="%Y-%m-%dT%H:%M:%SZ"))(traffic),
        changed("events", 1, occurred_at=at(6, form="%Y%m%dT%H%M%S+00"))(traffic),
    ),
    "another notation of an amount": lambda traffic: (
        changed("webhooks", 0, fiat_amount="92")(traffic),
        changed("events", 0, crypto_amount="1e2")(traffic),
    ),
    "a fiat currency that the user chooses": lambda traffic: [
        document.update(fiat_currency="PLN") for document in [*traffic.polls[1:], *traffic.events, *traffic.webhooks]
    ],
    "amounts before processing": lambda traffic: traffic.webhooks.insert(
        0, {**webhook("pending", 0), "fiat_amount": ""}
    ),
    "a clock that is wrong": lambda traffic: (
        setattr(traffic, "date", -3600.0),
        [poll.update(created_at=at(-3600)) for poll in [*traffic.polls, *traffic.webhooks]],
    ),
    "webhooks in any order and twice": lambda traffic: traffic.webhooks.extend(traffic.webhooks[:1] * 2),
    "a webhook that is signed": having(webhook_header="[redacted signature dddddddddddd]"),
    "a webhook of a status no poll saw": having(polls=[shown("pending", 0), shown("completed", 6)]),
    "a silent subscription of a stranger": having(stranger=(101, [])),
    "a notice in place of an answer to a stranger": having(stranger_poll=200, stranger_told={"status": "maintenance"}),
    "a stranger who is told of no transaction": having(stranger=(101, [{"error": "not_found"}])),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_breaks_nothing(name: str) -> None:
    """What the documentation leaves open, and what is the network's affair, is no finding."""
    traffic = Traffic()
    ALLOWED[name](traffic)
    assert judged(traffic)[0] == set()


def test_isolation_is_exercised_only_where_something_could_have_leaked() -> None:
    """Silence tells something only while the transaction changes, a refusal only of a token that is good elsewhere."""
    quiet = Traffic(polls=[shown("pending", 0)], events=[], webhooks=[], stranger=(101, []))
    for traffic, times in (
        (quiet, 0),
        (Traffic(stranger=(101, [])), 1),
        (Traffic(stranger=(404, [])), 1),
        (Traffic(stranger=(401, [])), 0),
    ):
        assert judged(traffic)[1]["proof.ws.isolation"] == times


def test_a_refusal_tells_nothing_where_nobody_may_subscribe() -> None:
    """A target without WebSockets refuses its owner too."""
    nowhere = [exchange for exchange in Traffic().exchanges() if exchange.status != 101]
    assert judge_history(nowhere, suites.load("proof"), profile())[1]["proof.ws.isolation"] == 0


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([ID, "pending", "completed", "2026-11-21T09:00:00Z", "1e999999999", "NaN", "sNaN"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*DOCUMENT, "status", "event", "occurred_at", "created_at", "updated_at", "crypto_amount"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, database=None)
@given(
    part=st.sampled_from(["polls", "events", "webhooks"]),
    place=st.integers(0, 1),
    name=st.sampled_from([*shown("pending", 0), "occurred_at", "event"]),
    value=JSON,
    whole=st.booleans(),
)
def test_no_json_is_too_much(part: str, place: int, name: str, value: Any, whole: bool) -> None:
    """Whatever JSON comes over any channel, it is judged without a fault."""
    traffic = Traffic()
    if whole:
        getattr(traffic, part)[place] = value
    else:
        getattr(traffic, part)[place][name] = value
    judged(traffic)
