"""The embedded Proof reference keeps its contract, and breaks it as its defects say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rampcheck.sandbox.refusal import Refusal
from rampcheck.sandbox.server import RunningReference, start
from rampcheck.sandbox.wire import Call
from references.proof.access import Access
from references.proof.partners import FIRST

Json = dict[str, Any]

SESSION = {
    "partner_user_id": "user-1",
    "user_email": "user@example.com",
    "network": "TRC20",
    "currency": "USDT",
    "amount": "99.50",
    "client_ip": "203.0.113.42",
}


class Proof:
    """A running Proof reference and the calls that tests make to it."""

    def __init__(self, running: RunningReference) -> None:
        self.profile = running.profile()
        self.credentials = self.profile["credentials"]
        self._client = httpx.Client(base_url=running.base_url, trust_env=False)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def call(
        self,
        *,
        without: str = "",
        content: bytes | None = None,
        headers: Json | None = None,
        method: str = "POST",
        path: str = "/widget/session",
        token: str = "client_token",
        **fields: Any,
    ) -> httpx.Response:
        """Sends the request with fields changed, one left out, or a body of its own; None drops a header."""
        body = {name: value for name, value in {**SESSION, **fields}.items() if name != without}
        sent = {
            "Authorization": f"Bearer {self.credentials[token]}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        return self._client.request(
            method,
            path,
            content=json.dumps(body) if content is None else content,
            headers={name: value for name, value in sent.items() if value is not None},
        )


def running_proof(*defects: str) -> Iterator[Proof]:
    """A Proof reference with these defects, stopped in the end."""
    with start("proof", defects) as running:
        proof = Proof(running)
        yield proof
        proof.close()


@pytest.fixture(scope="module")
def proof() -> Iterator[Proof]:
    """A conforming Proof reference."""
    yield from running_proof()


@pytest.fixture
def proof_with(request: pytest.FixtureRequest) -> Iterator[Proof]:
    """A Proof reference with the defects that a test is parametrised with."""
    yield from running_proof(*request.param)


INVALID = (400, "invalid_request", "validation_error")
UNDECODABLE = (400, "invalid_request", "decode_error")
UNAUTHORISED = (401, "unauthorised", "invalid_token")
FORBIDDEN = (403, "forbidden", "forbidden_origin")

PROOF_REFUSALS: dict[str, tuple[Json, tuple[int, str, str]]] = {
    "no Authorization": ({"headers": {"Authorization": None}}, UNAUTHORISED),
    "an unknown token": ({"headers": {"Authorization": "Bearer nobody"}}, UNAUTHORISED),
    "a token that is not ASCII": (
        {"headers": {"Authorization": "Bearer tök".encode("latin-1")}},
        UNAUTHORISED,
    ),
    "a scheme and no token": ({"headers": {"Authorization": "Bearer"}}, UNAUTHORISED),
    "an inactive token": ({"token": "inactive_client_token"}, UNAUTHORISED),
    "an unregistered origin": ({"headers": {"Origin": "https://app.example.com.evil.example"}}, FORBIDDEN),
    "an origin in capitals": ({"headers": {"Origin": "HTTPS://APP.EXAMPLE.COM"}}, FORBIDDEN),
    **{f"no {name}": ({"without": name}, INVALID) for name in SESSION if name != "client_ip"},
    **{f"{name} null": ({name: None}, INVALID) for name in SESSION},
    **{f"{name} a number": ({name: 1}, INVALID) for name in SESSION},
    **{f"{name} empty": ({name: ""}, INVALID) for name in SESSION},
    **{
        f"an amount of {amount!r}": ({"amount": amount}, INVALID)
        for amount in (
            "abc",
            "1,5",
            "1.2.3",
            "0x10",
            "NaN",
            "12abc",
            "1e3",
            ".5",
            "5.",
            "+5",
            " 5",
            "5\n",
            "٣",
            "0.00",
        )
    },
    "a type in capitals": ({"type": "BUY"}, INVALID),
    "a type of null": ({"type": None}, INVALID),
    "a sell without off-ramp": ({"type": "sell"}, INVALID),
    "two at signs": ({"user_email": "a@b@example.com"}, INVALID),
    "a client_ip that is none": ({"client_ip": "203.0.113"}, INVALID),
    "a disabled currency": ({"currency": "DOGE"}, (400, "invalid_request", "currency_not_allowed")),
    "a pair without wallet": ({"network": "BEP20"}, (400, "wallet_not_supported", "WALLET_NOT_SUPPORTED")),
    **{
        f"a body of {body!r}": ({"content": body}, UNDECODABLE)
        for body in (b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff", b"\xef\xbb\xbf{}", b'{"a": NaN}')
    },
    "a body nested without end": ({"content": b"[" * 100_000}, UNDECODABLE),
    "a body of more than 1 MiB": (
        {"content": b" " * ((1 << 20) + 1)},
        (413, "payload_too_large", "payload_too_large"),
    ),
    "no Content-Type": (
        {"headers": {"Content-Type": None}},
        (415, "unsupported_media_type", "unsupported_media_type"),
    ),
    "another method": ({"method": "PUT"}, (405, "method_not_allowed", "method_not_allowed")),
    "another path": ({"path": "/widget/sessions"}, (404, "not_found", "not_found")),
}


@pytest.mark.parametrize(("change", "expected"), PROOF_REFUSALS.values(), ids=PROOF_REFUSALS)
def test_proof_refuses(proof: Proof, change: Json, expected: tuple[int, str, str]) -> None:
    """What the request has wrong decides status, error and code, and nothing but the envelope is returned."""
    response = proof.call(**change)
    envelope = response.json()
    assert (response.status_code, envelope["error"], envelope["code"]) == expected
    assert envelope.keys() == {"error", "code", "message"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-Id"]


PROOF_VARIATIONS: dict[str, Json] = {
    "the documented request": {},
    "the previous token": {"token": "previous_client_token"},
    "a registered origin": {"headers": {"Origin": "https://partner.example:8443"}},
    "a charset": {"headers": {"Content-Type": "Application/JSON; charset=utf-8"}},
    "no client_ip": {"without": "client_ip"},
    "an IPv6 client_ip": {"client_ip": "2001:db8::1"},
    "a plus in the e-mail": {"user_email": "user+tag@example.com"},
    "an address, ignored": {"address": "0x00"},
    "an unknown field": {"colour": "blue"},
    "a number of 5,000 digits in an unknown field": {
        "content": json.dumps(SESSION)[:-1].encode() + b', "x": ' + b"9" * 5_000 + b"}"
    },
    "a key twice": {"content": b'{"amount": "1", ' + json.dumps(SESSION)[1:].encode()},
}


@pytest.mark.parametrize("change", PROOF_VARIATIONS.values(), ids=PROOF_VARIATIONS)
def test_proof_creates_a_session(proof: Proof, change: Json) -> None:
    """A good request, whatever its form, gets the documented session out of request and configuration."""
    response = proof.call(**change)
    assert response.status_code == 200
    session = response.json()
    partner = proof.profile["partner"]
    assert len(session) == 22
    assert partner["widget_config"].items() <= session.items()
    assert session["widget_id"] == partner["widget_id"]
    assert session["amount"] == "99.50"
    assert session["fix_network"] == ["TRC20"]
    assert session["address"].startswith("TQ5N")
    assert (session["fix_currency"], session["fix_amount"], session["fix_fiat_amount"]) == (True, True, True)
    assert session["fix_fiat_currency"] is False
    version, _, digits = session["signature"].partition(":")
    assert version == "v2"
    assert len(bytes.fromhex(digits)) == 64


@pytest.mark.parametrize("url", ["https://shop.example/back?a=1#b", "", "\ud800", "\0", "💶", "ü" * 1000])
def test_proof_returns_a_redirect_url_as_sent(proof: Proof, url: str) -> None:
    """A redirect URL comes back character for character, and the next session has the default again."""
    assert proof.call(redirect_url=url).json()["redirect_url"] == url
    assert proof.call().json()["redirect_url"] == "https://app.example.com/done"


def test_proof_second_partner_differs(proof: Proof) -> None:
    """The second partner sells by default, buys on request and has no redirect URL of its own."""
    pair: Json = {"token": "second_client_token", "currency": "ETH", "network": "ERC20"}
    assert proof.call(**pair).json()["type"] == "sell"
    assert proof.call(**pair, type="buy").json()["type"] == "buy"
    assert "redirect_url" not in proof.call(**pair).json()
    assert proof.call(token="second_client_token").json()["code"] == "currency_not_allowed"


def test_proof_never_repeats_itself(proof: Proof) -> None:
    """Equal requests get different transactions, tokens, signatures and request ids."""
    responses = [proof.call() for _ in range(10)]
    for name in ("merchant_transaction_id", "init_token", "signature"):
        assert len({response.json()[name] for response in responses}) == 10
    assert len({response.headers["X-Request-Id"] for response in responses}) == 10


def test_proof_refuses_another_address(proof: Proof) -> None:
    """A caller whose address is not on the allowlist is refused, whatever it claims in X-Forwarded-For."""
    address = proof.profile["egress"]["outside_source_address"]
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as outside:
        response = outside.post(
            f"{proof.profile['base_url']}/widget/session",
            json=SESSION,
            headers={
                "Authorization": f"Bearer {proof.credentials['client_token']}",
                "X-Forwarded-For": "127.0.0.1",
            },
        )
    assert (response.status_code, response.json()["error"]) == (403, "forbidden")


def test_proof_knows_an_ipv4_address_mapped_into_ipv6() -> None:
    """A socket for both families tells of 127.0.0.1 as ::ffff:127.0.0.1, which is on the allowlist no less."""
    access = Access()
    for source in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        access.check_address(FIRST, Call("GET", "/ws", {}, source, b""))
    for source in ("127.0.0.2", "::2", "::ffff:127.0.0.2"):
        with pytest.raises(Refusal):
            access.check_address(FIRST, Call("GET", "/ws", {}, source, b""))


def test_proof_upstream_fails_once(proof: Proof) -> None:
    """The trigger makes the first request of a user fail, and the same body succeed after that."""
    user = proof.profile["triggers"]["upstream_error_once"]["partner_user_id"].format(unique="7")
    first, second = proof.call(partner_user_id=user), proof.call(partner_user_id=user)
    assert (first.status_code, first.json()["error"], first.json()["code"]) == (
        502,
        "upstream_error",
        "provider_error",
    )
    assert second.status_code == 200


@pytest.mark.parametrize("proof_with", [["nul-crash"]], indirect=True)
def test_proof_hides_its_own_faults(proof_with: Proof) -> None:
    """An exception inside the server is answered with an envelope that does not tell what happened."""
    response = proof_with.call(partner_user_id="a\0b")
    assert (response.status_code, response.json()["error"]) == (500, "internal_error")
    assert "NUL" not in response.text


@pytest.mark.parametrize("proof_with", [["fix-amount-false", "request-id-missing"]], indirect=True)
def test_defects_compose(proof_with: Proof) -> None:
    """Two defects chosen together are both there."""
    assert proof_with.call().json()["fix_amount"] is False
    assert "X-Request-Id" not in proof_with.call(without="amount").headers
