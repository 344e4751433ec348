"""What a partner's integration has to do, judged by all that it did towards a sandbox."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rampcheck.judging.conduct import (
    Attested,
    Conduct,
    Judgement,
    Kept,
    Purchase,
    Unseen,
    address_problem,
    browser_mark,
    places,
    rule,
)
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

SESSION = "/v1/widget-sessions"
AMOUNTS = ("fiatAmount", "cryptoAmount")
REDIRECTS = ("successUrl", "failureUrl")
# The page lists all but the last, which its own example has (see the register's ambiguities).
UNLOCKABLE = (
    "fiatAmount",
    "cryptoAmount",
    "fiatCurrency",
    "email",
    "network",
    "paymentMethod",
    "successUrl",
    "failureUrl",
    "destinationAddress",
)
ON_TESTNET = {
    "cryptoCurrency": ("MATIC", "USDC", "USDT"),
    "network": ("polygon",),
    "paymentMethod": ("bank_transfer", "card"),
}


def sessions(conduct: Conduct) -> Iterator[tuple[Purchase, Exchange]]:
    """Gives the requests for a session."""
    return ((purchase, call) for purchase in conduct.purchases for call in purchase.calls("POST", SESSION))


def bodies(conduct: Conduct) -> Iterator[tuple[Purchase, Exchange, Mapping[str, Any]]]:
    """Gives those whose body is a JSON object, with it."""
    for purchase, call in sessions(conduct):
        if isinstance(call.request.json, dict):
            yield purchase, call, call.request.json


@rule("kryptonim.partner.signs-bytes", "no session was asked for")
def signs_bytes(conduct: Conduct) -> Iterator[Judgement]:
    """Every request carries the HMAC-SHA256 of its very bytes."""
    secret = conduct.credentials["signature_secret"].encode()
    for _, call in sessions(conduct):
        signature = call.request.header("x-request-signature")
        if signature is None:
            yield Broken("X-Request-Signature", "none", call)
        elif hmac.compare_digest(
            signature.strip().lower().encode(), hmac.digest(secret, call.request.body, "sha256").hex().encode()
        ):
            yield Kept(call)
        else:
            yield Broken("the HMAC-SHA256 of the bytes that were sent, in hexadecimal", "another value", call)


@rule("kryptonim.partner.secret-placement", "no session was asked for")
def secret_placement(conduct: Conduct) -> Iterator[Judgement]:
    """The key stands in its header and nowhere else, the secret nowhere, and no browser calls."""
    key, secret = conduct.credentials["api_key"], conduct.credentials["signature_secret"]
    for call in conduct.exchanges:
        if call.direction != "incoming":
            continue
        problem = _misplaced(key, "X-API-Key", "the API key", call) or _misplaced(secret, "", "the secret", call)
        is_session = call.path.partition("?")[0] == SESSION
        if is_session and call.request.method == "POST" and call.request.header("x-api-key") != key:
            problem = problem or "no X-API-Key, or another key than this run's"
        problem = problem or (browser_mark(call) if is_session else "")
        if problem:
            yield Broken("the API key in X-API-Key only, the secret nowhere, no browser's call", problem, call)
        elif is_session:
            yield Kept(call)


def _misplaced(value: str, header: str, what: str, call: Exchange) -> str:
    found = places(value, call, but=header if call.path.startswith(SESSION) else "")
    return f"{what} in {found[0]}" if found else ""


@rule("kryptonim.partner.keeps-session-id", "no session was made")
def keeps_session_id(conduct: Conduct) -> Iterator[Judgement]:
    """The session's id is in the partner's books."""
    made = [
        (purchase, call, str(call.response.member("sessionId")))
        for purchase, call in sessions(conduct)
        if call.accepted and call.response
    ]
    for purchase, call, session in made:
        times = purchase.processed.get((session, ""))
        if times is not None:
            yield Kept(call) if times else Broken("the observer knows the sessionId", "it does not", call)
    if made and not conduct.observed:
        yield Attested("no observer says which sessions are known: the partner stands for it")
    elif any((session, "") not in purchase.processed for purchase, _, session in made):
        yield Unseen("the observer did not say whether it knows a session")


@rule("kryptonim.partner.expired", "no session that had expired was opened")
def expired(conduct: Conduct) -> Iterator[Judgement]:
    """A session of which the widget said that it has expired is not opened again; a new one is."""
    for purchase in conduct.purchases:
        over: dict[str, Exchange] = {}
        for opening in purchase.openings:
            url = str(opening.values.get("widgetUrl"))
            if url in over:
                was = f"the one was opened again of which exchange {over[url].number} said that it has expired"
                yield Broken("a new session", was, opening.exchange)
            elif over:
                yield Kept(opening.exchange)
            if opening.exchange.status == 410:
                over[url] = opening.exchange


@rule("kryptonim.partner.https-redirects", "no session with a redirect URL was asked for")
def https_redirects(conduct: Conduct) -> Iterator[Judgement]:
    """The redirect URLs are https."""
    for _, call, body in bodies(conduct):
        for name in REDIRECTS:
            url = body.get(name)
            if isinstance(url, str) and url:
                scheme = _scheme(url.strip())
                yield Kept(call) if scheme == "https" else Broken(f"{name} is https", f"{scheme or 'no scheme'}", call)


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:  # Brackets that hold no IPv6 address.
        return ""


@rule("kryptonim.partner.minimal-unlocked", "no session with unlockedFields was asked for")
def minimal_unlocked(conduct: Conduct) -> Iterator[Judgement]:
    """Only documented fields are unlocked."""
    for _, call, body in bodies(conduct):
        fields = body.get("unlockedFields")
        if isinstance(fields, list) and fields:
            others = [str(name) for name in fields if name not in UNLOCKABLE]
            yield Broken("only documented fields", ", ".join(others)[:200], call) if others else Kept(call)


@rule("kryptonim.partner.one-amount", "no session was asked for")
def one_amount(conduct: Conduct) -> Iterator[Judgement]:
    """There is one amount."""
    for _, call, body in bodies(conduct):
        there = [name for name in AMOUNTS if body.get(name) is not None]
        if len(there) == 1:
            yield Kept(call)
        else:
            yield Broken("either fiatAmount or cryptoAmount", "both" if there else "neither", call)


@rule("kryptonim.partner.testnet-values", "no session was asked for on testnet")
def testnet_values(conduct: Conduct) -> Iterator[Judgement]:
    """On testnet only what it supports is asked for."""
    if conduct.profile.environment not in (None, "testnet"):
        return
    for _, call, body in bodies(conduct):
        wrong = [name for name, known in ON_TESTNET.items() if body.get(name) is not None and body[name] not in known]
        if wrong:
            name = wrong[0]
            yield Broken(f"{name} is one of {', '.join(ON_TESTNET[name])}", str(body[name])[:80], call)
        else:
            yield Kept(call)


@rule("kryptonim.partner.client-ip", "no session was asked for")
def client_ip(conduct: Conduct) -> Iterator[Judgement]:
    """`ipAddress` is the end user's address, and there."""
    for purchase, call, body in bodies(conduct):
        told = purchase.told
        is_told = body.get("email") == told.get("user_email") or told.get("user_id") in _texts(body.get("metadata"))
        expected = told.get("client_ip") if is_told else None
        problem = address_problem(body.get("ipAddress"), expected, purchase.sources.get(call.number, ""))
        yield Broken("ipAddress is the end user's address", problem, call) if problem else Kept(call)


def _texts(value: Any) -> list[str]:
    return [text for text in value.values() if isinstance(text, str)] if isinstance(value, dict) else []


RULES = (
    signs_bytes,
    secret_placement,
    keeps_session_id,
    expired,
    https_redirects,
    minimal_unlocked,
    one_amount,
    testnet_values,
    client_ip,
)
