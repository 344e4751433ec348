"""The calls of a partner's integration to the Proof API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from rampcheck.judging.conduct import Conduct, Purchase
from rampcheck.wire.exchanges import Exchange

SESSION = "/widget/session"
TRANSACTION = "/widget/transactions/{id}"
ID = "merchant_transaction_id"


def sessions(purchase: Purchase) -> tuple[Exchange, ...]:
    """Gives the requests for a session."""
    return purchase.calls("POST", SESSION)


def created(purchase: Purchase) -> list[Exchange]:
    """Gives those that made one."""
    return [call for call in sessions(purchase) if call.accepted]


def bodies(conduct: Conduct) -> Iterator[tuple[Purchase, Exchange, Mapping[str, Any]]]:
    """Gives the requests for a session whose body is a JSON object, with it."""
    for purchase in conduct.purchases:
        for call in sessions(purchase):
            if isinstance(call.request.json, dict):
                yield purchase, call, call.request.json


def to_api(conduct: Conduct) -> Iterator[Exchange]:
    """Gives the calls to `/widget/*` and `/ws`, which have to carry the token; a browser's preflight is one, too."""
    for call in conduct.exchanges:
        path = call.path.partition("?")[0]
        if call.direction == "incoming" and (path.startswith("/widget/") or path == "/ws"):
            yield call


def asked_for(call: Exchange) -> str:
    """Gives the id whose status a call asks for, "" where it asks for none."""
    path = call.path.partition("?")[0]
    if call.protocol == "websocket" and path == "/ws":
        return parse_qs(call.query).get("tx_id", [""])[0]
    start, _, named = path.rpartition("/")
    return unquote(named) if call.request.method == "GET" and start == "/widget/transactions" else ""
