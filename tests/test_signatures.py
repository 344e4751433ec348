"""How requests to Kryptonim are signed and spelled, and what a defect of the reference makes of their JSON."""

from __future__ import annotations

import base64
import json

import pytest

from rampcheck.contract.profile import Partner, from_mapping
from rampcheck.judging import suite
from rampcheck.judging.invariants import hmac_hex
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange, Response, Sent
from references.kryptonim.defects_serialisation import stringified
from suites.kryptonim.requests import SIGNATURE, authenticate, respelled

SECRET = "secret-of-nobody-98765"
PROFILE = from_mapping(
    {
        "contract": "kryptonim",
        "base_url": "http://127.0.0.1:9",
        "credentials": {"api_key": "key-of-nobody-98765", "signature_secret": SECRET},
    },
    {},
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[15, 15.0, 1e2, 0.10, -0, -0.0]", "[15,15,100,0.1,0,0]"),
        (
            "[0.000001, 1e-7, 1.5e-9, 123456789012345680000, 1e21, 1.25e22]",
            "[0.000001,1e-7,1.5e-9,123456789012345680000,1e+21,1.25e+22]",
        ),
        ("[9007199254740993, 1e400, 0.30000000000000004]", "[9007199254740992,null,0.30000000000000004]"),
        (r'"\u017c\ud83d\udcb8\/\u007f\u2028"', '"ż💸/\x7f\u2028"'),
        (r'"\ud800\u0000\u001f\b\t\""', r'"\ud800\u0000\u001f\b\t\""'),
        ('{"b": 1, "a": 2, "10": 3, "9": 4, "01": 5, "b": 6}', '{"9":4,"10":3,"b":6,"a":2,"01":5}'),
        ("[true, false, null, {}, []]", "[true,false,null,{},[]]"),
    ],
)
def test_json_is_written_as_javascript_writes_it(text: str, written: str) -> None:
    """Numbers in their shortest form, no escape that is not needed, indices first, a repeated name once."""
    assert stringified(json.loads(text, parse_int=float)) == written


def test_other_spellings_stay_what_they_are_when_changed() -> None:
    """A baseline that is spelled otherwise keeps its spelling, each change signed over its own bytes."""
    bodies = set()
    for candidate in respelled(PROFILE):
        (clause, what), *_ = candidate.added
        assert clause == "kryptonim.auth.signature-bytes"
        request = candidate.build(PROFILE, "api_key", "unique").but(email="user@example.com")
        signature = authenticate(request, PROFILE).header(SIGNATURE)
        digest = hmac_hex(request.body, SECRET)
        forms = {
            "a signature in base64": base64.b64encode(bytes.fromhex(digest)).decode(),
            "a signature in upper-case hexadecimal": digest.upper(),
            "a signature in base64url without padding": base64.urlsafe_b64encode(bytes.fromhex(digest)).decode()[:43],
            "a signature with the prefix sha256=": f"sha256={digest}",
            "an HMAC-SHA512": hmac_hex(request.body, SECRET, "sha512"),
            "an HMAC-SHA1": hmac_hex(request.body, SECRET, "sha1"),
        }
        assert signature == forms.get(what, digest)
        assert request.json["email"] == "user@example.com"
        bodies.add(request.body)
    assert len(bodies) == 7  # six spellings, and compact JSON under six other forms


def test_proof_knows_no_other_spelling() -> None:
    """Without a signature there is nothing that a spelling could change."""
    assert list(suite.load("proof").respelled(PROFILE)) == []


REFUSED = Response(
    401, (("content-type", "application/json"),), b'{"code":"UNAUTHORIZED","message":"Unauthorized request"}'
)


def findings(media_type: str, body: bytes, response: Response, *, authenticated: bool) -> list[str]:
    """The clauses of the credentials that an answer breaks."""
    sent = Sent(
        "POST",
        "http://127.0.0.1:9/v1/widget-sessions",
        (("Content-Type", media_type), ("X-Request-Signature", "0" * 64)),
        body,
    )
    exchange = Exchange(1, "test", sent, response, 0.0, 0.0, "/v1/widget-sessions", authenticated=authenticated)
    return [
        invariant.clause
        for invariant in suite.load("kryptonim").invariants
        if invariant.clause == "kryptonim.auth.signature-bytes"
        and invariant.when(exchange, Partner())
        and isinstance(invariant.judge(exchange, Partner()), Broken)
    ]


def test_right_credentials_are_refused_by_their_spelling() -> None:
    """A 401 for JSON that is signed over its very bytes breaks the promise that any serialisation is good."""
    clause = ["kryptonim.auth.signature-bytes"]
    assert findings("application/json; charset=utf-8", b'{"a": 1}', REFUSED, authenticated=True) == clause


@pytest.mark.parametrize(
    ("media_type", "body", "status", "authenticated"),
    [
        ("application/json", b'{"a": 1}', 401, False),
        ("application/json", b'{"a": 1}', 400, True),
        ("text/plain", b'{"a": 1}', 401, True),
        ("application/json", b'{"a": 1', 401, True),
        ("application/json", b'{"a":NaN}', 401, True),
        ("application/json", b"[]", 401, True),
    ],
    ids=str,
)
def test_other_refusals_are_no_matter_of_spelling(
    media_type: str,
    body: bytes,
    status: int,
    authenticated: bool,
) -> None:
    """Wrong credentials, another status, another media type and what is no JSON object may be refused."""
    refused = Response(status, REFUSED.headers, REFUSED.body)
    assert findings(media_type, body, refused, authenticated=authenticated) == []
