"""What others write may be of any type: each documented member is given one of each, and nothing raises.

By chance (`test_foreign_input`) few of them meet what looks at them. What has no hash is the type that is forgotten.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.contract import descriptor, register
from rampcheck.contract.profile import ProfileError, from_mapping
from rampcheck.judging.conduct import rules
from rampcheck.recorded import har, lines
from rampcheck.sandbox import builtin_profile
from rampcheck.wire.exchanges import Exchange, Message, Response, Sent
from tests import samples
from tests.conducts import CREDENTIALS, call, conduct, opening
from tests.test_foreign_input import ANSWERED, concluded, judged

DEEP: list[Any] = []
for _ in range(150):
    DEEP = [DEEP]
OF_EACH_TYPE: tuple[Any, ...] = (None, True, -1.5e300, "http://[", "\ud800", [], ["x"], [{}], {"a": ["b"]}, DEEP)
WITHOUT_HASH = ([{}], {"a": ["b"]})
CONTRACTS = descriptor.contracts()
ID = samples.SESSION["merchant_transaction_id"]
TIME = "2026-11-21T07:00:00Z"
TOKEN = "a-token-of-some-length-0123"

# What is documented, and right.

TOLD = {"type": "buy", "status": "completed", "currency": "USDT", "fiat_currency": "EUR", "fiat_amount": "99.5"}
TRANSACTION = {
    "merchant_transaction_id": ID,
    "partner_user_id": "user-0042",
    **TOLD,
    "network": "TRC20",
    "crypto_amount": "99.50",
    "created_at": TIME,
    "updated_at": TIME,
}
EVENT = {"event": "tx.update", "merchant_transaction_id": ID, **TOLD, "crypto_amount": "99.50", "occurred_at": TIME}
KYC = {"partner_user_id": "user-0042", "status": "pending"}
ERROR = {"error": "invalid_request", "code": "validation_error", "message": "No."}
ASKED: dict[str, dict[str, Any]] = {
    "proof": json.loads(samples.REQUEST),
    "kryptonim": {
        "fiatCurrency": "EUR",
        "cryptoCurrency": "USDC",
        "network": "polygon",
        "destinationAddress": "0x1",
        "fiatAmount": 15,
        "email": "one@example.com",
        "metadata": {"_externalPartnerId": "one"},
        "unlockedFields": ["email"],
    },
}
SESSION: dict[str, dict[str, Any]] = {
    "proof": samples.SESSION,
    "kryptonim": {"sessionId": "one", "widgetUrl": "https://widget.example/?a=1", "expiresAt": TIME},
}
PATH = {"proof": "/widget/session", "kryptonim": "/v1/widget-sessions"}
ERRORS = (400, 401, 404, 422, 500, 502)


def documented(node: Any) -> set[str]:
    """Gives the names of all members that an OpenAPI document knows."""
    if isinstance(node, list):
        return set[str]().union(*map(documented, node))
    if not isinstance(node, dict):
        return set()
    own = node.get("properties")
    return set(own if isinstance(own, dict) else ()).union(*map(documented, node.values()))


NAMES = {name: sorted(documented(register.load(name).document)) for name in CONTRACTS}


def exchange(method: str, path: str, asked: Any = None, status: int = 200, told: Any = None, **more: Any) -> Exchange:
    """An exchange with the target in which these values stand."""
    headers = (("Content-Type", "application/json"), ("Authorization", "Bearer x"))
    body = b"" if asked is None else json.dumps(asked).encode()
    return replace(
        ANSWERED,
        request=Sent(method, samples.BASE_URL + path, headers, body),
        response=Response(status, (*headers[:1], ("Date", "Sat, 21 Nov 2026 07:00:00 GMT")), json.dumps(told).encode()),
        path=path,
        authenticated=True,
        **more,
    )


def exchanges(contract: str, name: str, value: Any) -> list[Exchange]:
    """All kinds of exchanges with a target, one member of each with this value, some of them twice."""
    asked, session, path = ASKED[contract], SESSION[contract], PATH[contract]
    changed = {name: value}
    made = [
        exchange("POST", path, asked, told=session),
        *[exchange("POST", path, asked, told={**session, **changed})] * 2,
        *[exchange("POST", path, {**asked, **changed}, told=session)] * 2,
        *(exchange("POST", path, asked, status, {**ERROR, **changed}) for status in ERRORS),
    ]
    if contract == "proof":
        poll = exchange("GET", f"/widget/transactions/{ID}", told=TRANSACTION)
        told = [Message("incoming", 1.8e9, json.dumps(one).encode()) for one in (EVENT, {**EVENT, **changed}, EVENT)]
        sent = exchange("POST", "/hook", {**TRANSACTION, **changed}, 204, protocol="webhook", direction="incoming")
        made += [
            *[poll, exchange("GET", f"/widget/transactions/{ID}", told={**TRANSACTION, **changed})] * 2,
            exchange("GET", "/widget/users/user-0042/kyc-status", told={**KYC, **changed}),
            exchange("GET", f"/ws?tx_id={ID}", None, 101, protocol="websocket", messages=tuple(told)),
            *[sent] * 2,
        ]
    return [replace(one, number=number, started=1.8e9 + number) for number, one in enumerate(made, start=1)]


@pytest.mark.parametrize(("contract", "name"), [(contract, name) for contract in CONTRACTS for name in NAMES[contract]])
def test_a_member_of_any_type_raises_in_no_invariant(contract: str, name: str) -> None:
    """In an answer, an error, a request, a message, a webhook; nor in one that looks at the whole run."""
    for value in OF_EACH_TYPE:
        run = exchanges(contract, name, value)
        for one in run:
            judged(one)
        concluded(run)


# What a partner sends, and what a recorder writes: each place of it in turn.


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Gives each place in a value, that of the whole first."""
    yield path
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(inner, (*path, key))


def changed(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Gives a copy of a value with another one in one place."""
    if not path:
        return value
    copy = node.copy()
    copy[path[0]] = changed(node[path[0]], path[1:], value)
    return copy


def everywhere(node: Any, values: Sequence[Any] = OF_EACH_TYPE) -> Iterator[Any]:
    """Gives a value with each of these in each of its places."""
    for path in places(node):
        for value in values:
            yield changed(node, path, value)


def purchases(contract: str) -> Iterator[tuple[Exchange, ...]]:
    """Gives what integrations do of which one value is of any type: asked, answered, opened, delivered, polled."""
    asked, session, path = ASKED[contract], SESSION[contract], PATH[contract]
    asked = {
        **asked,
        "paymentMethod": "card",
        "successUrl": "https://a.example",
        "client_ip": "203.0.113.7",
        "type": "buy",
    }
    bearer = [("authorization", f"Bearer {token}") for token in CREDENTIALS[contract].values()][:1]

    def asks(body: Any, status: int = 200, told: Any = session, at: float = 0.0) -> Exchange:
        return call(path, body, status, told, at, headers=bearer)

    for body in everywhere(asked):
        yield (*(asks(body, status, at=at) for at, status in enumerate((200, 502, 502, 403, 403, 500, 200))),)
    for told in everywhere(session):
        opened = [opening(told, at=at, status=410) for at in (1, 2)] if isinstance(told, Mapping) else []
        yield (asks(asked, told=told), *opened, opening(session, at=3))
    for told in everywhere({"merchant_transaction_id": ID, "status": "completed"}):
        hooks = [call("/webhook", told, 204, protocol="webhook", at=at) for at in (1, 2)]
        yield (
            asks(asked),
            *hooks,
            *(call(f"/widget/transactions/{ID}", None, 200, told, at, headers=bearer) for at in (6, 12, 18)),
        )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_value_of_any_type_raises_in_no_rule_of_a_partner(contract: str) -> None:
    """What an integration sends, and what it was answered."""
    for did in purchases(contract):
        seen = conduct(contract, *did, observed=True, processed={(ID, "completed"): 1, (ID, ""): 1})
        for rule in rules(contract):
            list(rule.judge(seen))


MESSAGE = {"opcode": 1, "data": "{}", "time": 1.8e9, "type": "send"}
BODY = base64.b64encode(json.dumps(samples.SESSION).encode()).decode()
PAIR = {"name": "Content-Type", "value": "application/json"}
SIDE = {"headers": [PAIR], "cookies": [PAIR], "bodySize": -1, "comment": ""}
CONTENT = {"mimeType": "application/json", "text": BODY, "encoding": "base64", "size": -1, "comment": ""}
ENTRY = {
    "startedDateTime": TIME,
    "time": 30,
    "request": {
        **SIDE,
        "method": "POST",
        "url": f"{samples.BASE_URL}/widget/session",
        "queryString": [PAIR],
        "postData": CONTENT,
    },
    "response": {**SIDE, "status": 200, "content": CONTENT},
    "_webSocketMessages": [MESSAGE],
    "_resourceType": "websocket",
    "_fromCache": "memory",
    "_rampcheck": {
        "number": 1,
        "protocol": "http",
        "direction": "outgoing",
        "path": "/widget/session",
        "credential": "client_token",
        "authenticated": True,
        "held": ["proof.session.json"],
    },
}
LINE = {
    "method": "POST",
    "url": "wss://sandbox.example/ws",
    "request": {"headers": {"accept": ["a"]}, "body": "{}", "encoding": "base64", "truncated": False},
    "response": {"status": 101, "headers": [["a", "b"]], "body": "{}", "encoding": "utf-8"},
    "incoming": False,
    "started": TIME,
    "elapsed_ms": 3,
    "query_left_out": False,
    "messages": [{"direction": "incoming", "at": TIME, "body": "{}", "encoding": "utf-8", "kind": "text"}],
}
RECORD = samples.exchange(
    1, messages=[{"direction": "incoming", "at": TIME, "kind": "text", "body": "{}", "encoding": "utf-8"}]
)
READERS = {
    "an entry of a HAR": (lambda told: har.entry_of(told, "one"), ENTRY),
    "an entry of a run's own HAR": (lambda told: har.entry_of(told, "one", is_own=True), ENTRY),
    "a line of traffic": (lambda told: lines.entry_of(told, "one"), LINE),
    "a record of a journal": (lambda told: lines.of_journal(told, "one"), RECORD),
}


@pytest.mark.parametrize("what", READERS)
def test_what_was_recorded_is_an_entry_or_a_named_mistake(what: str) -> None:
    """A `ValueError` says what is wrong with it; nothing else is raised."""
    read, right = READERS[what]
    read(right)
    for told in everywhere(right):
        with suppress(ValueError):
            read(told)


@pytest.mark.parametrize("creator", ["a proxy", "rampcheck"])
def test_traffic_of_any_type_is_judged_to_the_end(creator: str, tmp_path: Path) -> None:
    """Whatever stands in one of its places: what can be read is judged, the rest is counted."""
    entry = {**ENTRY, "_resourceType": "xhr", "_fromCache": ""}
    log = {"version": "1.2", "creator": {"name": creator}, "entries": [entry, *everywhere(entry)]}
    (tmp_path / "some.har").write_text(json.dumps({"log": log}), encoding="utf-8")
    profile = {"contract": "proof", "base_url": samples.BASE_URL, "credentials": {"client_token": "${A_TOKEN}"}}
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    files = {"--profile": "profile.yaml", "--output": "judged"}
    options = [text for option, name in files.items() for text in (option, str(tmp_path / name))]
    done = CliRunner().invoke(main, ["judge", str(tmp_path / "some.har"), *options], env={"A_TOKEN": TOKEN})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert done.exit_code in {0, 1, 5}, done.output


def test_a_profile_of_any_types_has_mistakes_and_nothing_worse() -> None:
    """Whatever stands in one of its places."""
    waiver = {"clause": "proof.auth.*", "reason": "one", "until": TIME[:10]}
    right = {**builtin_profile("proof", "http://127.0.0.1:1"), "waivers": [waiver]}
    for told in everywhere(right, WITHOUT_HASH):
        if isinstance(told, dict):
            with suppress(ProfileError):
                from_mapping(told, {}, "a test")
