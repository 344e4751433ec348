"""The embedded reference conforms, and its defects can be found and combined."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from rampcheck.errors import ReferenceStartError, UsageError
from rampcheck.reference import DEFAULT_ENVIRONMENTS, all_defects, find_defects
from rampcheck.reference.server import RunningReference, start

ROOT = Path(__file__).parents[1]
CONTRACTS = tuple(DEFAULT_ENVIRONMENTS)

Json = dict[str, Any]


def clauses(contract: str, *levels: str) -> set[str]:
    """The ids of a contract's clauses, of these levels or of all."""
    register = yaml.safe_load((ROOT / "openapi" / f"{contract}.clauses.yaml").read_text(encoding="utf-8"))
    return {clause["id"] for clause in register["clauses"] if not levels or clause["level"] in levels}


# Proof.

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
        """Sends the session request with fields changed, one left out, or a body of its own; None drops a header."""
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
    with start("proof", defects) as running:
        proof = Proof(running)
        yield proof
        proof.close()


@pytest.fixture(scope="module")
def proof() -> Iterator[Proof]:
    yield from running_proof()


@pytest.fixture
def proof_with(request: pytest.FixtureRequest) -> Iterator[Proof]:
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
    """The redirect URL of a request comes back character for character, and the next session has the default."""
    assert proof.call(redirect_url=url).json()["redirect_url"] == url
    assert proof.call().json()["redirect_url"] == "https://app.example.com/done"


def test_proof_second_partner_differs(proof: Proof) -> None:
    """The second partner sells by default, buys on request, and has no redirect URL unless it sends one."""
    pair = {"token": "second_client_token", "currency": "ETH", "network": "ERC20"}
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


# Defects.


@pytest.mark.parametrize("proof_with", [["fix-amount-false", "request-id-missing"]], indirect=True)
def test_defects_compose(proof_with: Proof) -> None:
    """Two defects chosen together are both there."""
    assert proof_with.call().json()["fix_amount"] is False
    assert "X-Request-Id" not in proof_with.call(without="amount").headers


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_must_clause_has_a_defect(contract: str) -> None:
    """Each promise that must hold can be broken, so that a suite can be seen to notice."""
    broken = {clause for defect in all_defects(contract) for clause in defect.clauses}
    assert clauses(contract, "must") <= broken


@pytest.mark.parametrize("contract", CONTRACTS)
def test_defects_name_clauses_of_the_register(contract: str) -> None:
    """Each defect says in a sentence what it does, and names promises that exist."""
    known = clauses(contract)
    for defect in all_defects(contract):
        assert defect.summary.endswith("."), defect.name
        assert set(defect.clauses) <= known, defect.name
        for beginning in defect.may_break:
            assert any(clause.startswith(beginning) for clause in known), defect.name


def test_an_unknown_defect_is_refused() -> None:
    """A misspelt defect is refused with the names that come near."""
    with pytest.raises(UsageError, match="request-id-constant"):
        find_defects("proof", ["request-id-konstant"])


def test_an_unknown_contract_is_refused() -> None:
    """A contract without a reference is refused with those that have one."""
    with pytest.raises(UsageError, match="proof, kryptonim"):
        all_defects("prof")


# The process.


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_server_stops_when_its_input_ends(contract: str) -> None:
    """The child ends of itself when its standard input is closed, and nothing listens there any more."""
    running = start(contract)
    base_url = running.base_url
    assert httpx.get(base_url, trust_env=False).status_code == 404
    assert running.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(base_url, trust_env=False)
    assert running.stop() == 0


def test_the_server_stops_on_interrupt() -> None:
    """Ctrl-C ends a server that was started by hand, without a word of complaint."""
    command = [sys.executable, "-m", "rampcheck.reference", "--contract", "proof"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["base_url"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_server_that_does_not_start_is_explained() -> None:
    """What the child said before it died is in the error."""
    with (
        RunningReference("proof", [sys.executable, "-c", "raise SystemExit('no port left')"]) as running,
        pytest.raises(ReferenceStartError, match="no port left"),
    ):
        assert running.base_url
