"""Proof's document judges what follows a session on all channels alike: poll, KYC status, message and webhook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rampcheck.contract import register
from rampcheck.contract.register import Contract, resolve
from rampcheck.judging.schema import SchemaJudge
from rampcheck.wire.exchanges import Exchange, Message, Response, Sent

URL = "https://sandbox.example"
JSON = (("Content-Type", "application/json"),)
OTHER_TYPES = (1, 1.5, True, None, ["EUR"], {"value": "EUR"})
PROOF: Contract = register.load("proof")
JUDGE = SchemaJudge(PROOF)


def answered(path: str, value: object, status: int = 200) -> Exchange:
    """An exchange in which the target answers a question with this JSON."""
    response = Response(status, (*JSON, ("X-Request-Id", "r-1")), json.dumps(value).encode())
    return Exchange(1, "", Sent("GET", URL + path, (), b""), response, 0, 0, path)


def told(value: object) -> Exchange:
    """A WebSocket over which one message came, this JSON."""
    path = "/ws?tx_id=550e8400"
    message = Message("incoming", 0, json.dumps(value).encode())
    return Exchange(
        1,
        "",
        Sent("GET", URL + path, (), b""),
        Response(101, (), b""),
        0,
        0,
        path,
        protocol="websocket",
        messages=(message,),
    )


def delivered(value: object) -> Exchange:
    """A webhook with this JSON."""
    sent = Sent("POST", "http://127.0.0.1:8099/webhook", JSON, json.dumps(value).encode())
    return Exchange(1, "", sent, Response(200, (), b""), 0, 0, "/webhook", protocol="webhook", direction="incoming")


# By channel: how a value comes, the component that describes it ("" where that stands at the channel itself), the
# clause of its fields and types, the clause of its times' form.
CHANNELS: dict[str, tuple[Callable[[object], Exchange], str, str, str]] = {
    "poll": (
        lambda value: answered("/widget/transactions/550e8400", value),
        "Transaction",
        "proof.transaction.complete",
        "proof.transaction.times",
    ),
    "kyc": (lambda value: answered("/widget/users/user-123/kyc-status", value), "KycStatus", "proof.kyc.complete", ""),
    "message": (told, "", "proof.ws.event", "proof.ws.times"),
    "webhook": (delivered, "TransactionUpdate", "proof.webhook.complete", "proof.webhook.complete"),
}
FIELDS = {
    "poll": "merchant_transaction_id partner_user_id type status currency network crypto_amount fiat_currency "
    "fiat_amount created_at updated_at",
    "kyc": "partner_user_id status",
    "message": "event merchant_transaction_id type status currency fiat_currency fiat_amount crypto_amount occurred_at",
    "webhook": "merchant_transaction_id type status currency network crypto_amount fiat_currency fiat_amount "
    "created_at updated_at",
}
FIELDS_OF_CHANNELS = [(channel, field) for channel, fields in FIELDS.items() for field in fields.split()]
TIMES = [(channel, field) for channel, field in FIELDS_OF_CHANNELS if field.endswith("_at")]
AMOUNTS = [(channel, field) for channel, field in FIELDS_OF_CHANNELS if field.endswith("_amount")]
TRANSACTIONS = [channel for channel in CHANNELS if channel != "kyc"]

# Nodes of the document that every channel with such a field has to share.
SHARED = {
    "type": "Direction",
    "status": "TransactionStatus",
    "crypto_amount": "Amount",
    "fiat_amount": "Amount",
    "created_at": "Time",
    "updated_at": "Time",
    "occurred_at": "Time",
}


def broken(channel: str, value: object) -> set[str]:
    """The clauses that a value breaks on a channel, as the engine judges it."""
    exchange_of = CHANNELS[channel][0]
    return {violation.clause for violation in JUDGE.judge(exchange_of(value))[1]}


def schema_of(channel: str) -> dict[str, Any]:
    """The schema of what comes on a channel."""
    name = CHANNELS[channel][1]
    described: dict[str, Any] = (
        PROOF.document["components"]["schemas"][name]
        if name
        else (PROOF.document["paths"]["/ws"]["get"]["x-messages"]["schema"])
    )
    return described


def documented(channel: str) -> dict[str, Any]:
    """The last example that the document gives of what comes on a channel."""
    paths = PROOF.document["paths"]
    holders = {
        "poll": lambda: paths["/widget/transactions/{merchant_transaction_id}"]["get"]["responses"]["200"]["content"],
        "kyc": lambda: paths["/widget/users/{partner_user_id}/kyc-status"]["get"]["responses"]["200"]["content"],
        "message": lambda: {"application/json": paths["/ws"]["get"]["x-messages"]},
        "webhook": lambda: PROOF.document["webhooks"]["transactionUpdate"]["post"]["requestBody"]["content"],
    }
    examples = holders[channel]()["application/json"]["examples"]
    return dict(list(examples.values())[-1]["value"])


def references(node: Any) -> Iterator[str]:
    """Every reference at or below a node."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


@pytest.mark.parametrize("channel", CHANNELS)
def test_documented_example_breaks_nothing(channel: str) -> None:
    """What the document gives as an example exercises the clauses of its channel and breaks none."""
    exchange_of, _, complete, times = CHANNELS[channel]
    held, violations = JUDGE.judge(exchange_of(documented(channel)))
    assert violations == []
    assert held == {complete, times} - {""}


@pytest.mark.parametrize("channel", CHANNELS)
def test_exactly_the_documented_fields_are_required(channel: str) -> None:
    """The document demands the fields that the documentation lists, and describes each."""
    schema = schema_of(channel)
    assert schema["required"] == FIELDS[channel].split()
    optional = {"payment_method"} if channel == "message" else set()
    assert set(schema["properties"]) - set(schema["required"]) == optional


@pytest.mark.parametrize(("channel", "field"), FIELDS_OF_CHANNELS)
def test_absent_field_is_incomplete(channel: str, field: str) -> None:
    """A value that leaves out any one field breaks the clause that promises it, and no other."""
    value = {name: kept for name, kept in documented(channel).items() if name != field}
    assert broken(channel, value) == {CHANNELS[channel][2]}


@pytest.mark.parametrize(("channel", "field"), [*FIELDS_OF_CHANNELS, ("message", "payment_method")])
def test_field_of_another_type_is_incomplete(channel: str, field: str) -> None:
    """A field that is no string breaks the clause that promises the field, and no other."""
    for other in OTHER_TYPES:
        assert broken(channel, documented(channel) | {field: other}) == {CHANNELS[channel][2]}, other


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("value", [[], "pending", 1, None], ids=str)
def test_anything_but_an_object_is_incomplete(channel: str, value: object) -> None:
    """A JSON value that is no object breaks the clause that promises the fields."""
    assert broken(channel, value) == {CHANNELS[channel][2]}


@pytest.mark.parametrize(
    ("channel", "field", "value"),
    [
        *((channel, "type", "BUY") for channel in TRANSACTIONS),
        *((channel, "status", "canceled") for channel in TRANSACTIONS),
        *((channel, "status", "") for channel in CHANNELS),
        ("kyc", "status", "processing"),
        ("message", "event", "tx.updated"),
        ("message", "payment_method", ""),
    ],
)
def test_undocumented_value_is_broken(channel: str, field: str, value: str) -> None:
    """A value outside the documented ones breaks the clause that promises the field."""
    assert broken(channel, documented(channel) | {field: value}) == {CHANNELS[channel][2]}


@pytest.mark.parametrize(("channel", "field"), TIMES)
@pytest.mark.parametrize(
    ("form", "valid"),
    [
        ("2026-11-13T08:18:47Z", True),
        ("2026-11-13T08:18Z", True),
        ("20261113T0818+00", True),
        ("2026-11-13T08:18:47.123456789Z", True),
        ("2026-11-13T08:18:47,5Z", True),
        ("2026-11-13T08:18:47+00:00", True),
        ("2026-11-13T08:18:47+0000", True),
        ("2026-11-13T08:18:47+00", True),
        ("20261113T081847Z", True),
        ("20261113T081847.5+0000", True),
        ("2026-11-13t08:18:47z", True),
        ("2026-11-13T08:18:47", False),
        ("2026-11-13T08:18:47.5", False),
        ("2026-11-13T08:18:47+01:00", False),
        ("2026-11-13T08:18:47-00:30", False),
        ("2026-11-13T08:18:47 UTC", False),
        ("2026-11-13 08:18:47Z", False),
        ("2026-11-13", False),
        ("13.11.2026 08:18:47", False),
        ("Fri, 13 Nov 2026 08:18:47 GMT", False),
        ("1794557927", False),
        ("2026-11-13T08:18:47.Z", False),
        ("2026-11-13T08:18:47Z\n", False),
        ("", False),
    ],
)
def test_form_of_a_time(channel: str, field: str, form: str, valid: bool) -> None:
    """Every form of ISO 8601 in UTC fits, and any other text breaks the clause of times, and no other."""
    assert broken(channel, documented(channel) | {field: form}) == (set() if valid else {CHANNELS[channel][3]})


@pytest.mark.parametrize(("channel", "field"), AMOUNTS)
@pytest.mark.parametrize(
    ("amount", "valid"),
    [
        ("100", True),
        ("99.50", True),
        ("0.000000000000000001", True),
        ("1e-18", True),
        ("1E+3", True),
        (".5", True),
        ("abc", False),
        ("1,5", False),
        ("1.2.3", False),
        ("12 USDT", False),
        ("NaN", False),
        ("0x10", False),
        (" ", False),
        ("5\n", False),
        ("e5", False),
    ],
)
def test_form_of_an_amount(channel: str, field: str, amount: str, valid: bool) -> None:
    """Every decimal fits, and any other text breaks the clause that promises the field."""
    assert broken(channel, documented(channel) | {field: amount}) == (set() if valid else {CHANNELS[channel][2]})


@pytest.mark.parametrize(("channel", "field"), AMOUNTS)
@pytest.mark.parametrize(
    ("status", "valid"),
    [("pending", True), ("processing", False), ("completed", False), ("failed", True), ("cancelled", True)],
)
def test_amount_is_empty_only_where_that_may_be(channel: str, field: str, status: str, valid: bool) -> None:
    """An empty amount breaks a promise once a transaction is processing or completed, and nowhere else."""
    value = documented(channel) | {"status": status, field: ""}
    assert broken(channel, value) == (set() if valid else {CHANNELS[channel][2]})


@pytest.mark.parametrize(
    ("channel", "field"), [pair for pair in FIELDS_OF_CHANNELS if pair[0] != "kyc" and pair[1] in SHARED]
)
def test_channels_share_their_nodes(channel: str, field: str) -> None:
    """What all channels tell of a transaction is described once, and each refers to it."""
    schema = schema_of(channel)
    assert list(references(schema["properties"][field])) == [f"#/components/schemas/{SHARED[field]}"]
    assert list(references(schema["allOf"])) == ["#/components/schemas/SettledAmounts"]


@pytest.mark.parametrize("name", sorted({*SHARED.values(), "SettledAmounts"}))
def test_shared_nodes_name_no_clause(name: str) -> None:
    """A shared node leaves it to those who refer to it which clause a violation breaks."""
    assert list(register.clause_ids(resolve(PROOF.document, PROOF.document["components"]["schemas"][name]))) == []


def test_a_message_of_another_kind_is_passed_over() -> None:
    """A greeting is no event; what tells a status under another name is a broken one."""
    assert JUDGE.judge(told({"event": "connection.opened"})) == (set(), [])
    for value in ({"event": "tx.updated", "status": "pending"}, {"event": 1}, {}, ["tx.update"]):
        assert {violation.clause for violation in JUDGE.judge(told(value))[1]} == {"proof.ws.event"}


def test_error_about_a_transaction_may_name_it() -> None:
    """An error that names the transaction that was asked for breaks nothing; one with a session's token does."""
    error = {"error": "not_found", "code": "not_found", "message": "no", "merchant_transaction_id": "550e8400"}
    held, violations = JUDGE.judge(answered("/widget/transactions/550e8400", error, 404))
    assert violations == []
    assert "proof.errors.envelope" in held
    leaking = answered("/widget/transactions/550e8400", error | {"init_token": "a-token"}, 404)
    assert [violation.clause for violation in JUDGE.judge(leaking)[1]] == ["proof.errors.no-session"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refused_upgrade_needs_no_body(status: int) -> None:
    """A gateway may refuse an upgrade in whatever words; the document judges nothing of it."""
    response = Response(status, (("Content-Type", "text/html"),), b"<h1>no</h1>")
    exchange = Exchange(1, "", Sent("GET", URL + "/ws", (), b""), response, 0, 0, "/ws", protocol="websocket")
    assert JUDGE.judge(exchange) == (set(), [])
