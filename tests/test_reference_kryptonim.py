"""The embedded Kryptonim reference keeps its contract."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from rampcheck.sandbox.server import RunningReference, start

Json = dict[str, Any]

WIDGET_SESSION = {
    "fiatAmount": 15,
    "fiatCurrency": "EUR",
    "cryptoCurrency": "USDC",
    "network": "polygon",
    "destinationAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
}


class Kryptonim:
    """A running Kryptonim reference and the calls that tests make to it."""

    def __init__(self, running: RunningReference) -> None:
        self.profile = running.profile()
        self.secret = self.profile["credentials"]["signature_secret"].encode()
        self._client = httpx.Client(base_url=running.base_url, trust_env=False)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def call(
        self,
        *,
        without: str = "",
        content: bytes | None = None,
        sign: Callable[[bytes, bytes], str | None] | None = None,
        api_key: str | None = "",
        **fields: Any,
    ) -> httpx.Response:
        """Sends a signed request with fields changed, one left out, or a body of its own.

        `sign` makes another signature of secret and body, or None for none; an `api_key` of None is left out.
        """
        body = {name: value for name, value in {**WIDGET_SESSION, **fields}.items() if name != without}
        payload = json.dumps(body).encode() if content is None else content
        headers = {
            "Content-Type": "application/json",
            "X-API-Key": self.profile["credentials"]["api_key"] if api_key == "" else api_key,
            "X-Request-Signature": (sign or signature)(self.secret, payload),
        }
        return self._client.post(
            "/v1/widget-sessions",
            content=payload,
            headers={name: value for name, value in headers.items() if value is not None},
        )


def signature(secret: bytes, body: bytes) -> str:
    """The signature that the documentation describes."""
    return hmac.digest(secret, body, "sha256").hex()


@pytest.fixture(scope="module")
def kryptonim() -> Iterator[Kryptonim]:
    """A conforming Kryptonim reference on testnet."""
    with start("kryptonim") as running:
        kryptonim = Kryptonim(running)
        yield kryptonim
        kryptonim.close()


OPTIONAL = ("email", "paymentMethod", "successUrl", "failureUrl", "ipAddress", "unlockedFields", "metadata")

UNAUTHORIZED = (401, "UNAUTHORIZED", "Unauthorized request")
UNSUPPORTED_NETWORK = (400, "INVALID_REQUEST", "Unsupported network")
INVALID_REQUEST = (400, "INVALID_REQUEST", None)

KRYPTONIM_REFUSALS: dict[str, tuple[Json, tuple[int, str, str | None]]] = {
    "no signature": ({"sign": lambda secret, body: None}, UNAUTHORIZED),
    "an empty signature": ({"sign": lambda secret, body: ""}, UNAUTHORIZED),
    "another secret": ({"sign": lambda secret, body: signature(b"other", body)}, UNAUTHORIZED),
    "another body": ({"sign": lambda secret, body: signature(secret, body + b" ")}, UNAUTHORIZED),
    "HMAC-SHA1": ({"sign": lambda secret, body: hmac.digest(secret, body, "sha1").hex()}, UNAUTHORIZED),
    "SHA-256 without a key": ({"sign": lambda secret, body: hashlib.sha256(body).hexdigest()}, UNAUTHORIZED),
    "half a signature": ({"sign": lambda secret, body: signature(secret, body)[:32]}, UNAUTHORIZED),
    "upper-case hex": ({"sign": lambda secret, body: signature(secret, body).upper()}, UNAUTHORIZED),
    "base64": (
        {"sign": lambda secret, body: base64.b64encode(hmac.digest(secret, body, "sha256")).decode()},
        UNAUTHORIZED,
    ),
    "no API key": ({"api_key": None}, UNAUTHORIZED),
    "an unknown API key": ({"api_key": "nobody"}, UNAUTHORIZED),
    **{f"no {name}": ({"without": name}, INVALID_REQUEST) for name in WIDGET_SESSION},
    **{f"{name} null": ({name: None}, INVALID_REQUEST) for name in WIDGET_SESSION},
    **{f"{name} a boolean": ({name: True}, INVALID_REQUEST) for name in WIDGET_SESSION},
    **{
        f"{name} a number": ({name: 1}, INVALID_REQUEST)
        for name in (
            "email",
            "paymentMethod",
            "successUrl",
            "failureUrl",
            "ipAddress",
            "unlockedFields",
            "metadata",
        )
    },
    "both amounts": ({"cryptoAmount": 1}, INVALID_REQUEST),
    "an amount as a string": ({"fiatAmount": "15"}, INVALID_REQUEST),
    "an amount of zero": ({"fiatAmount": 0}, INVALID_REQUEST),
    "a negative amount": ({"fiatAmount": -0.5}, INVALID_REQUEST),
    "an amount without end": ({"fiatAmount": 10**400}, INVALID_REQUEST),
    "an unknown network": ({"network": "atlantis"}, UNSUPPORTED_NETWORK),
    "a network of production": ({"network": "ethereum"}, UNSUPPORTED_NETWORK),
    "a currency of production": ({"cryptoCurrency": "ETH"}, INVALID_REQUEST),
    "a payment method of production": ({"paymentMethod": "blik"}, INVALID_REQUEST),
    "an unknown fiat currency": ({"fiatCurrency": "XXX"}, INVALID_REQUEST),
    "an unlocked field that is none": ({"unlockedFields": ["fiatAmount", []]}, INVALID_REQUEST),
    "a reserved value of a wrong type": ({"metadata": {"_externalPartnerId": 1}}, INVALID_REQUEST),
    "an IP address that is none": ({"ipAddress": "localhost"}, INVALID_REQUEST),
    **{f"a body of {body!r}": ({"content": body}, INVALID_REQUEST) for body in (b"", b"{", b"[]", b"null", b"\xff")},
}


@pytest.mark.parametrize(("change", "expected"), KRYPTONIM_REFUSALS.values(), ids=KRYPTONIM_REFUSALS)
def test_kryptonim_refuses(kryptonim: Kryptonim, change: Json, expected: tuple[int, str, str | None]) -> None:
    """What the request has wrong decides status and code, and nothing but the envelope is returned."""
    response = kryptonim.call(**change)
    envelope = response.json()
    status, code, message = expected
    assert (response.status_code, envelope["code"]) == (status, code)
    assert message in (None, envelope["message"])
    assert envelope.keys() == {"code", "message"}


KRYPTONIM_VARIATIONS: dict[str, Json] = {
    "the documented request": {
        "email": "user@example.com",
        "paymentMethod": "card",
        "unlockedFields": ["fiatAmount", "destinationAddress"],
        "metadata": {"order": "loremipsum", "count": 1234, "_externalPartnerId": "partner"},
        "successUrl": "https://shop.example/success",
        "failureUrl": "https://shop.example/failure",
        "ipAddress": "127.0.0.1",
    },
    "an amount of crypto": {"without": "fiatAmount", "cryptoAmount": 0.1},
    "an amount of null beside the other": {"cryptoAmount": None},
    "optional fields of null": dict.fromkeys(("email", "metadata", "unlockedFields", "ipAddress")),
    "line breaks": {"content": json.dumps(WIDGET_SESSION, indent=2).encode()},
    "raw UTF-8": {"content": json.dumps(WIDGET_SESSION | {"email": "żółć@example.com"}, ensure_ascii=False).encode()},
    "a lone surrogate": {"destinationAddress": "\ud800"},
    "IPv4 in IPv6": {"ipAddress": "::ffff:192.0.2.1"},
    "an unknown field": {"colour": "blue"},
}


@pytest.mark.parametrize("change", KRYPTONIM_VARIATIONS.values(), ids=KRYPTONIM_VARIATIONS)
def test_kryptonim_creates_a_session(kryptonim: Kryptonim, change: Json) -> None:
    """A good request, whatever its form, gets a session for 30 minutes behind an https URL."""
    response = kryptonim.call(**change)
    assert response.status_code == 200
    session = response.json()
    assert session.keys() == {"sessionId", "widgetUrl", "expiresAt"}
    assert session["widgetUrl"].startswith("https://")
    lifetime = datetime.fromisoformat(session["expiresAt"]) - parsedate_to_datetime(response.headers["Date"])
    assert session["expiresAt"].endswith("Z")
    assert abs(lifetime - timedelta(minutes=30)) < timedelta(minutes=1)


def test_kryptonim_keeps_the_request_to_itself(kryptonim: Kryptonim) -> None:
    """Only the wallet's address can be read in the widget's URL, and equal requests differ in the rest."""
    first, second = (kryptonim.call(email="someone@example.com").json()["widgetUrl"] for _ in range(2))
    query = parse_qs(urlsplit(first).query)
    assert query["address"] == [WIDGET_SESSION["destinationAddress"]]
    opaque = base64.b64decode(query["gdata"][0])
    assert b"someone" not in opaque
    assert query["gdata"] != parse_qs(urlsplit(second).query)["gdata"]


def test_kryptonim_offers_more_in_production() -> None:
    """In production there are networks, currencies and payment methods that testnet does not have."""
    with start("kryptonim", environment="production") as running:
        kryptonim = Kryptonim(running)
        assert kryptonim.profile["environment"] == "production"
        response = kryptonim.call(network="ethereum", cryptoCurrency="ETH", paymentMethod="blik")
        kryptonim.close()
    assert response.status_code == 200
