"""Each rule of the partner's side, both ways: what breaks its clause, and what comes near and keeps it."""

from __future__ import annotations

import hmac
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rampcheck import resources
from rampcheck.certification import script
from rampcheck.contract import packs, register
from rampcheck.contract.yaml_file import read_yaml
from rampcheck.judging.conduct import Conduct, rules
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange
from tests.conducts import CREDENTIALS, call, conduct, opening, says, socket, webhook

ROOT = Path(__file__).parents[1]
TOKEN = CREDENTIALS["proof"]["client_token"]
BEARER = (("authorization", f"Bearer {TOKEN}"),)
BODY = {
    "partner_user_id": "user-1",
    "user_email": "one@example.com",
    "network": "TRC20",
    "currency": "USDT",
    "amount": "99.50",
    "client_ip": "203.0.113.7",
}
SESSION = {
    "merchant_transaction_id": "t-1",
    "widget_id": "w",
    "address": "T1",
    "signature": "v2:ABC",
    "init_token": "token-of-the-session",
    "currencies": ["USDT", "USDC"],
    "fix_amount": True,
    "amount": "99.50",
    "redirect_url": None,
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
CONTRACTS = ("proof", "kryptonim")


def named(value: object) -> str:
    """What a case is called."""
    return value if isinstance(value, str) else ""


def session(body: Any = BODY, status: int = 200, at: float = 0.0, answer: Any = SESSION, **more: Any) -> Exchange:
    """A request for a Proof session."""
    return call("/widget/session", body, status, answer if status == 200 else {}, at, headers=BEARER, **more)


def poll(status: str, at: float, named: str = "t-1") -> Exchange:
    """A poll of a transaction's status."""
    return call(f"/widget/transactions/{named}", None, 200, {"status": status}, at, headers=BEARER)


def proof(*exchanges: Exchange, **more: Any) -> Conduct:
    """What an integration with Proof did."""
    return conduct("proof", *exchanges, **more)


def but(**members: Any) -> dict[str, Any]:
    """The body of a session request with other members."""
    return {**BODY, **members}


CAMEL = {
    "widgetId": "w",
    "address": "T1",
    "signature": "v2:ABC",
    "initToken": "token-of-the-session",
    "currencies": ["USDT", "USDC"],
    "fixAmount": True,
    "amount": "99.50",
}
FORM = (
    b"widgetId=w&address=T1&signature=v2%3AABC&initToken=token-of-the-session&currencies=USDT,USDC&fixAmount=true"
    b"&amount=99.50"
)


def opened(values: dict[str, Any]) -> Conduct:
    """A session, and the widget opened with these values."""
    return proof(session(), opening(values))


def marked(name: str, value: str, method: str = "POST") -> Conduct:
    """A request for a session with one more header."""
    return proof(call("/widget/session", BODY, headers=[(name, value)], method=method))


def answered(*statuses_at: tuple[int, float], body: Any = BODY, **more: Any) -> Conduct:
    """Requests for a session, each with its status and its time."""
    return proof(*(session(body, status, at) for status, at in statuses_at), **more)


def tried(*times: float) -> Conduct:
    """Tries at these times, all answered with 502."""
    return answered(*((502, at) for at in times))


PROOF = [
    ("client-ip", "kept", proof(session())),
    ("client-ip", "broken", proof(session({name: value for name, value in BODY.items() if name != "client_ip"}))),
    ("client-ip", "broken", proof(session(but(client_ip="127.0.0.1")))),
    ("client-ip", "broken", proof(session(but(client_ip="198.51.100.9")))),
    ("client-ip", "broken", proof(session(but(client_ip="the user's")))),
    ("client-ip", "kept", proof(session(but(client_ip="::ffff:203.0.113.7")))),
    ("client-ip", "kept", proof(session(but(client_ip="198.51.100.9", partner_user_id="x", user_email="x@y.example")))),
    ("client-ip", "broken", proof(session(but(client_ip="::1", partner_user_id="x", user_email="x@y.example")))),
    ("client-ip", "nothing", proof(session(b"{"))),
    ("no-address", "kept", proof(session())),
    ("no-address", "broken", proof(session(but(address="T1")))),
    ("no-address", "nothing", proof(session(but(address="T1")), partner={"address_mode": "sent", "address": "T1"})),
    ("amount-string", "kept", proof(session())),
    ("amount-string", "broken", proof(session(but(amount=99.5)))),
    ("amount-string", "broken", proof(session(but(amount="99,50")))),
    ("token-placement", "kept", proof(session())),
    ("token-placement", "kept", proof(call("/widget/session", BODY, headers=[("authorization", f"bearer {TOKEN}")]))),
    ("token-placement", "broken", proof(call("/widget/session", BODY))),
    ("token-placement", "broken", proof(call("/widget/session", BODY, headers=[("authorization", TOKEN)]))),
    ("token-placement", "broken", proof(call(f"/ws?tx_id=t-1&token={TOKEN}", headers=BEARER, protocol="websocket"))),
    ("token-placement", "broken", proof(session(but(partner_user_id=TOKEN)))),
    ("token-placement", "broken", proof(call("/widget/session", BODY, headers=[*BEARER, ("x-token", TOKEN)]))),
    ("token-placement", "broken", proof(session(), opening(CAMEL, headers=BEARER))),
    ("token-placement", "kept", proof(session(), call("/favicon.ico", status=404))),
    ("backend-only", "attested", proof(session())),
    ("backend-only", "nothing", proof()),
    ("backend-only", "attested", marked("sec-fetch-mode", "cors")),
    ("backend-only", "attested", marked("origin", "https://app.example.com")),
    ("backend-only", "attested", marked("user-agent", "Mozilla/5.0 (compatible)")),
    ("backend-only", "broken", marked("sec-fetch-site", "cross-site")),
    ("backend-only", "broken", marked("user-agent", BROWSER)),
    ("backend-only", "broken", marked("access-control-request-method", "POST", "OPTIONS")),
    ("verbatim", "kept", opened(SESSION)),
    ("verbatim", "kept", opened(CAMEL)),
    ("verbatim", "kept", opened({**CAMEL, "onLoad": "more"})),
    ("verbatim", "kept", proof(session(), call("/rampcheck/widget", FORM, 204, at=1.0, method="POST"))),
    ("verbatim", "kept", proof(session(), call(f"/rampcheck/widget?{FORM.decode()}", None, 204, at=1.0))),
    ("verbatim", "broken", opened({**CAMEL, "signature": "v2:abc"})),
    ("verbatim", "broken", opened({**CAMEL, "amount": "99.5"})),
    ("verbatim", "broken", opened({**CAMEL, "amount": 99.5})),
    ("verbatim", "broken", opened({**CAMEL, "fixAmount": 1})),
    ("verbatim", "broken", opened({name: value for name, value in CAMEL.items() if name != "address"})),
    ("verbatim", "nothing", proof(session())),
    ("verbatim", "nothing", proof(opening(CAMEL))),
    ("keeps-id", "kept", proof(session(), poll("pending", 5))),
    ("keeps-id", "kept", proof(session(), socket("/ws?tx_id=t-1"))),
    ("keeps-id", "kept", proof(session(), processed={("t-1", "completed"): 1})),
    ("keeps-id", "broken", proof(session(), poll("pending", 5, named="order-7"))),
    ("keeps-id", "kept", proof(session(), poll("pending", 1, named="health-check"), poll("pending", 5))),
    ("keeps-id", "nothing", proof(session())),
    ("retries-502", "kept", answered((502, 0), (200, 1))),
    ("retries-502", "kept", tried(0, 1, 3, 7)),
    ("retries-502", "kept", tried(0, 0.9, 1.2, 4.1, 6)),  # with jitter
    ("retries-502", "kept", tried(0, 0.02, 0.07, 0.17)),  # short, and growing
    ("retries-502", "broken", answered((502, 0))),
    ("retries-502", "nothing", answered((502, 0), cut=True)),
    ("retries-502", "broken", tried(0, 1, 2, 3, 4)),
    ("retries-502", "broken", tried(0, 0.013, 0.025, 0.04)),
    ("retries-502", "broken", tried(*range(30))),
    ("retries-502", "broken", proof(session(BODY, 502), session(but(amount="1"), 200, 1.0))),
    ("retries-502", "kept", proof(session(BODY, 502), session(dict(reversed(BODY.items())), 200, 1.0))),
    ("retries-502", "nothing", proof(session())),
    ("retries-500-once", "kept", answered((500, 0), (500, 1))),
    ("retries-500-once", "kept", answered((500, 0), (200, 1))),
    ("retries-500-once", "broken", answered((500, 0))),
    ("retries-500-once", "broken", answered((500, 0), (500, 1), (500, 3))),
    ("retries-500-once", "nothing", answered((500, 0), cut=True)),
    ("no-retry-4xx", "kept", answered((403, 0))),
    ("no-retry-4xx", "kept", proof(session(BODY, 400), session(but(currency="USDC"), 200, 1.0))),
    ("no-retry-4xx", "broken", answered((403, 0), (403, 1))),
    ("no-retry-4xx", "broken", answered((400, 0), (400, 9))),
    ("polls", "kept", proof(poll("pending", 0), poll("processing", 5), poll("completed", 10))),
    ("polls", "kept", proof(poll("pending", 0), poll("completed", 10.9))),
    ("polls", "kept", proof(poll("pending", 0), poll("pending", 0.1), poll("pending", 5), poll("completed", 10))),
    ("polls", "kept", proof(poll("completed", 3))),
    ("polls", "kept", proof(poll("completed", 3), poll("completed", 8))),
    ("polls", "kept", proof(poll("pending", 0), webhook(at=1.0), poll("completed", 1.1))),
    ("polls", "kept", proof(webhook(at=3.0), poll("processing", 3.1), poll("completed", 5.2))),
    ("polls", "broken", proof(poll("pending", 0), poll("pending", 1), poll("completed", 2))),
    ("polls", "broken", proof(poll("pending", 0), poll("completed", 30))),
    ("polls", "broken", proof(*(poll("completed", at) for at in (0, 5, 10)))),
    ("polls", "kept", proof(poll("pending", 0), poll("completed", 0.5), time_scale=0.1)),
    ("polls", "nothing", proof(session())),
    ("webhook-answers", "kept", proof(webhook())),
    ("webhook-answers", "broken", proof(webhook(500))),
    ("webhook-answers", "broken", proof(webhook(), webhook(409))),
    ("webhook-answers", "broken", proof(webhook(elapsed=2.5))),
    ("webhook-answers", "kept", proof(webhook(elapsed=0.9), time_scale=0.1)),
    ("webhook-answers", "nothing", proof(session())),
    ("webhook-answers", "nothing", proof(webhook(0, at=9.0), left=10.0)),  # its command ended while it was under way
    ("webhook-answers", "broken", proof(webhook(0, at=5.0), left=10.0)),
    ("webhook-idempotent", "kept", proof(webhook(), webhook(), processed={("t-1", "completed"): 1}, observed=True)),
    ("webhook-idempotent", "broken", proof(webhook(), webhook(), processed={("t-1", "completed"): 2}, observed=True)),
    ("webhook-idempotent", "attested", proof(webhook(), webhook())),
    ("webhook-idempotent", "unseen", proof(webhook(), webhook(), observed=True)),
    ("webhook-idempotent", "unseen", proof(webhook(), webhook(), processed={("t-1", "completed"): 0}, observed=True)),
    ("webhook-idempotent", "nothing", proof(webhook(), observed=True)),
    ("webhook-idempotent", "kept", proof(
        webhook(told="processing"), webhook(told="processing"), webhook(), webhook(),
        processed={("t-1", "processing"): 0, ("t-1", "completed"): 1}, observed=True,
    )),
    ("webhook-idempotent", "nothing", proof(webhook(), webhook(told="processing"))),
    ("webhook-idempotent", "nothing", proof(webhook(), processed={("t-1", "completed"): 1}, observed=True)),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "word", "did"), PROOF, ids=named)
def test_a_rule_of_proof(clause: str, word: str, did: Conduct) -> None:
    """What an integration did breaks a clause, keeps it, leaves it to be attested, or says nothing of it."""
    assert says(f"proof.partner.{clause}", did) == word


KEY, SECRET = CREDENTIALS["kryptonim"].values()
ORDER = {
    "fiatAmount": 15.5,
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "network": "polygon",
    "destinationAddress": "0x1",
    "email": "one@example.com",
    "ipAddress": "203.0.113.7",
    "metadata": {"user": "żółć / 用户 \"x\""},
    "successUrl": "https://a.example/ok",
    "unlockedFields": ["fiatAmount", "destinationAddress"],
}  # fmt: skip


def signed(raw: bytes, secret: str = SECRET) -> str:
    """The signature of a body."""
    return hmac.digest(secret.encode(), raw, "sha256").hex()


def order(body: Any = ORDER, signature: str | None = None, headers: Any = (), path: str = "", **more: Any) -> Exchange:
    """A request for a Kryptonim session, raw UTF-8 in its body, signed unless a `signature` is given ("": none)."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    signature = signed(raw) if signature is None else signature
    named = [("x-api-key", KEY), *([("x-request-signature", signature)] if signature else []), *headers]
    answer = {"sessionId": "s-1", "widgetUrl": "https://w.example/1"}
    return call(f"/v1/widget-sessions{path}", raw, 200, answer, headers=named, **more)


def other(**members: Any) -> Exchange:
    """A request with other members; those that are None are left out."""
    return order({name: value for name, value in {**ORDER, **members}.items() if value is not None})


def kryptonim(*exchanges: Exchange, **more: Any) -> Conduct:
    """What an integration with Kryptonim did."""
    return conduct("kryptonim", *exchanges, **more)


def widget(url: str, status: int = 204, at: float = 1.0) -> Exchange:
    """The widget, opened at a URL."""
    return opening({"widgetUrl": url}, at, status)


ASCII = json.dumps(ORDER).encode()
KRYPTONIM = [
    ("signs-bytes", "kept", kryptonim(order())),
    ("signs-bytes", "kept", kryptonim(order(signature=signed(json.dumps(ORDER, ensure_ascii=False).encode()).upper()))),
    ("signs-bytes", "broken", kryptonim(order(signature=signed(ASCII)))),  # the same JSON, written otherwise
    ("signs-bytes", "broken", kryptonim(order(signature=signed(b"", "another")))),
    ("signs-bytes", "broken", kryptonim(order(signature=""))),
    ("secret-placement", "kept", kryptonim(order())),
    ("secret-placement", "broken", kryptonim(order(path=f"?key={KEY}"))),
    ("secret-placement", "broken", kryptonim(order(headers=[("x-secret", SECRET)]))),
    ("secret-placement", "broken", kryptonim(other(metadata={"key": KEY}))),
    ("secret-placement", "broken", kryptonim(order(), widget(f"https://w.example/?k={KEY}"))),
    ("secret-placement", "broken", kryptonim(order(headers=[("user-agent", BROWSER)]))),
    ("secret-placement", "broken", kryptonim(call("/v1/widget-sessions", ORDER))),
    ("keeps-session-id", "kept", kryptonim(order(), processed={("s-1", ""): 1}, observed=True)),
    ("keeps-session-id", "broken", kryptonim(order(), processed={("s-1", ""): 0}, observed=True)),
    ("keeps-session-id", "unseen", kryptonim(order(), observed=True)),
    ("keeps-session-id", "attested", kryptonim(order())),
    ("expired", "nothing", kryptonim(order(), widget("https://w.example/1"))),
    ("expired", "nothing", kryptonim(order(), widget("https://w.example/1", 410))),
    ("expired", "kept", kryptonim(widget("https://w.example/1", 410), widget("https://w.example/2", at=2.0))),
    ("expired", "broken", kryptonim(widget("https://w.example/1", 410), widget("https://w.example/1", 410, at=2.0))),
    ("https-redirects", "kept", kryptonim(order())),
    ("https-redirects", "broken", kryptonim(other(failureUrl="http://a.example/no"))),
    ("https-redirects", "nothing", kryptonim(other(successUrl=None))),
    ("minimal-unlocked", "kept", kryptonim(order())),
    ("minimal-unlocked", "broken", kryptonim(other(unlockedFields=["cryptoCurrency"]))),
    ("minimal-unlocked", "nothing", kryptonim(other(unlockedFields=[]))),
    ("one-amount", "kept", kryptonim(order())),
    ("one-amount", "kept", kryptonim(other(fiatAmount=None, cryptoAmount=1))),
    ("one-amount", "broken", kryptonim(other(cryptoAmount=1))),
    ("one-amount", "broken", kryptonim(other(fiatAmount=None))),
    ("testnet-values", "kept", kryptonim(order())),
    ("testnet-values", "broken", kryptonim(other(paymentMethod="google_pay"))),
    ("testnet-values", "broken", kryptonim(other(network="ethereum"))),
    ("testnet-values", "nothing", kryptonim(other(network="ethereum"), environment="production")),
    ("client-ip", "kept", kryptonim(order())),
    ("client-ip", "broken", kryptonim(other(ipAddress=None))),
    ("client-ip", "broken", kryptonim(other(ipAddress="127.0.0.1"))),
    ("client-ip", "broken", kryptonim(other(ipAddress="198.51.100.9"))),
    ("client-ip", "kept", kryptonim(other(ipAddress="198.51.100.9", email="x@y.example"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("clause", "word", "did"), KRYPTONIM, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_rule_of_kryptonim(clause: str, word: str, did: Conduct) -> None:
    """What an integration did breaks a clause, keeps it, leaves it to be attested, or says nothing of it."""
    assert says(f"kryptonim.partner.{clause}", did) == word


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_clause_is_tried_both_ways(contract: str) -> None:
    """Here, and none is left out; what nobody outside can see need not be kept."""
    cases = {"proof": PROOF, "kryptonim": KRYPTONIM}[contract]
    for clause in register.partner_side(contract).clauses:
        words = {word for name, word, _ in cases if clause == f"{contract}.partner.{name}"}
        assert "broken" in words
        assert words & {"kept", "attested"}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_handbook_tells_of_each_clause_and_step(contract: str) -> None:
    """With its level, and in the order of the script."""
    text = (ROOT / "docs" / "certify.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| `({contract}\.partner\.[\w-]+)` \| (\w+) \|", text, re.MULTILINE)
    assert dict(rows) == {clause.id: clause.level for clause in register.partner_side(contract).clauses.values()}
    table = text.partition(f"\n{contract.capitalize()}:\n")[2].lstrip().partition("\n\n")[0]
    steps = re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)
    assert steps == [step.name for step in script.built_in(contract).steps]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_register_rules_and_script_fit_together(contract: str) -> None:
    """A rule and a step for each clause; the register has the format of the target's, and shares no id with it."""
    side = register.partner_side(contract)
    provoked = {f"{contract}.partner.{name}" for step in script.built_in(contract).steps for name in step.provokes}
    assert [known.clause for known in rules(contract)] == list(side.clauses)
    assert provoked == set(side.clauses)
    schema = json.loads(resources.schema("clauses").read_text(encoding="utf-8"))
    jsonschema.validate(read_yaml(packs.of(contract).document(contract, "partner")), schema)
    assert not side.clauses.keys() & register.load(contract).clauses.keys()
    assert {ambiguity for clause in side.clauses.values() for ambiguity in clause.ambiguities}


def test_a_finding_over_two_exchanges_names_the_other_one() -> None:
    """The answer in which a value was handed out, the first try, the end that was told: each stands beside it."""
    changed = opened({**CAMEL, "signature": "v2:abc"})
    made = changed.purchases[0].exchanges[0]
    assert _told("proof.partner.verbatim", changed) == [f"`signature` as exchange {made.number} returned it"]
    tries = [session(status=403, at=at) for at in (0.0, 5.0)]
    (again,) = _told("proof.partner.no-retry-4xx", conduct("proof", *tries))
    assert f"exchange {tries[0].number}" in again
    polls = [poll("completed", at) for at in (6.0, 12.0, 18.0)]
    (after,) = _told("proof.partner.polls", conduct("proof", session(), *polls))
    assert f"exchange {polls[0].number}" in after


def _told(clause: str, did: Conduct) -> list[str]:
    """What the rule of a clause says it expected."""
    (rule,) = [known for known in rules("proof") if known.clause == clause]
    return [one.expected for one in rule.judge(did) if isinstance(one, Broken)]
