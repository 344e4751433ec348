"""What partners' integrations did, made up: calls, webhooks, openings of the widget; and what the rules say of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from rampcheck.contract import profile as profiles
from rampcheck.judging.conduct import WIDGET, Attested, Conduct, Kept, Purchase, Unseen, rules
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange, Message, Response, Sent

BASE = "http://127.0.0.1:8081"
CREDENTIALS = {
    "proof": {"client_token": "a-client-token-of-these-tests"},
    "kryptonim": {"api_key": "an-api-key-of-these-tests", "signature_secret": "a-secret-of-these-tests"},
}
TOLD = {"user_id": "user-1", "user_email": "one@example.com", "client_ip": "203.0.113.7"}
numbers = count(1)


def call(  # noqa: PLR0917 - an exchange has as many sides
    path: str,
    body: Any = None,
    status: int = 200,
    answer: Any = None,
    at: float = 0.0,
    method: str = "",
    headers: Iterable[tuple[str, str]] = (),
    protocol: str = "http",
    elapsed: float = 0.01,
) -> Exchange:
    """A call of the integration; a `body` that is no bytes is sent as JSON; with status 0 nothing was answered."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent_headers = (*headers, *([("content-type", "application/json")] if body is not None else []))
    given = b"" if answer is None else json.dumps(answer).encode()
    return Exchange(
        number=next(numbers),
        scenario="a-step",
        request=Sent(method or ("GET" if body is None else "POST"), BASE + path, tuple(sent_headers), raw),
        response=Response(status, (("content-type", "application/json"),), given) if status else None,
        started=at,
        elapsed=elapsed,
        path=path,
        protocol=protocol,  # type: ignore[arg-type]
        direction="outgoing" if protocol == "webhook" else "incoming",
    )


def webhook(status: int = 204, told: str = "completed", at: float = 0.0, elapsed: float = 0.01) -> Exchange:
    """A webhook of the sandbox, and what the integration answered."""
    body = {"merchant_transaction_id": "t-1", "status": told}
    return call("/webhook", body, status, at=at, protocol="webhook", elapsed=elapsed)


def socket(path: str, *at: float) -> Exchange:
    """A WebSocket with messages at these times."""
    made = call(path, status=101, protocol="websocket")
    messages = tuple(Message("outgoing", time, b"{}") for time in at)
    return Exchange(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"messages": messages})


def opening(values: Mapping[str, Any], at: float = 1.0, status: int = 204, **more: Any) -> Exchange:
    """An opening of the widget."""
    return call(WIDGET, dict(values), status, at=at, **more)


def conduct(contract: str, *exchanges: Exchange, **more: Any) -> Conduct:
    """What an integration did in one step; `more` are members of the purchase, of the profile, or of the conduct."""
    given = {
        "contract": contract,
        "base_url": BASE,
        "environment": more.pop("environment", {"proof": "sandbox", "kryptonim": "testnet"}[contract]),
        "credentials": CREDENTIALS[contract],
        "partner": more.pop("partner", {}),
    }
    rest = {name: more.pop(name) for name in ("time_scale", "observed") if name in more}
    sources = {exchange.number: "127.0.0.1" for exchange in exchanges}
    purchase = Purchase("a-step", TOLD, exchanges, sources=sources, **more)
    return Conduct([purchase], profiles.from_mapping(given, {}), CREDENTIALS[contract], **rest)


def says(clause: str, did: Conduct) -> str:
    """What the rule of a clause says of a conduct: `broken`, `unseen`, `kept`, `attested`, or `nothing`."""
    contract = clause.partition(".")[0]
    (rule,) = [known for known in rules(contract) if known.clause == clause]
    found = list(rule.judge(did))
    for kind, word in ((Broken, "broken"), (Unseen, "unseen"), (Kept, "kept"), (Attested, "attested")):
        if any(isinstance(one, kind) for one in found):
            return word
    return "nothing"
