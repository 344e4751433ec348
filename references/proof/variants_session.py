"""Variants of the session that is returned, and of the partners: values that the documentation leaves open."""

# ruff: noqa: ARG002, ARG005, D102 - a variant's class says what it does otherwise, in signatures it cannot choose.

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote

from rampcheck.sandbox.variants import Profile, variant, variants

from .partners import FIRST, SECOND, Partner
from .request import SessionRequest
from .service import SessionService

own = partial(variant, "proof")

# Ids and tokens.


# Transaction ids are made by `make`.
_ids = variants("proof", SessionService, "transaction_id", lambda make, *_: make())

_numbers = count(70_000_000)
_ids("id-counts", "merchant_transaction_id is a number in a string, one more each time.", lambda: str(next(_numbers)))
_ids("id-short", "merchant_transaction_id has at most seven characters.", lambda: f"T{next(_numbers) - 70_000_000:x}")
_ids(
    "id-base64",
    "merchant_transaction_id is standard base64, with slashes, plus signs and padding.",
    lambda: f"tx/+{base64.b64encode(secrets.token_bytes(40)).decode()}",
)
_ids(
    "id-reserved",
    "merchant_transaction_id holds reserved characters and letters outside ASCII.",
    lambda: f"urn:tx?a=1&b={secrets.token_hex(8)}#ü % 1;",
)
_ids("id-long", "merchant_transaction_id is a text of 400 characters.", lambda: secrets.token_urlsafe(300))


# Init tokens are made by `make`.
_tokens = variants("proof", SessionService, "init_token", lambda make, *_: make())
_tokens(
    "init-token-jwt",
    "init_token has the form of a JWT.",
    lambda: f"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{secrets.token_urlsafe(300)}.{secrets.token_urlsafe(256)}",
)
_tokens("init-token-short", "init_token has ten digits.", lambda: f"{secrets.randbelow(10**10):010}")


# Values. What changes is one entry of the session.


# Every session gets the values that `change` makes of it.
_values = variants(
    "proof",
    SessionService,
    "session",
    lambda change, _, inherited, *given: (session := inherited(*given)) | change(session),
)
_values(
    "init-token-type-other",
    "init_token_type is not that of the example.",
    lambda session: {"init_token_type": "single-use"},
)
_values(
    "lists-in-another-order",
    "currencies, networks and fiat_currencies stand in another order than onboarding named them.",
    lambda session: {name: session[name][::-1] for name in ("currencies", "networks", "fiat_currencies")},
)
_values(
    "signature-in-capitals",
    "signature has its digits in capitals.",
    lambda session: {"signature": f"v2:{session['signature'][3:].upper()}"},
)


@own("signature-of-the-caller")
class SignatureOfTheCaller(SessionService):
    """signature covers the user, the pair and the user's IP address only: it repeats with them."""

    def signed_values(self, session: dict[str, Any], request: SessionRequest) -> list[Any]:
        return [request.partner_user_id, request.currency, request.network, request.client_ip]


@own("address-per-session")
class AddressPerSession(SessionService):
    """Every session has an address of its own."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        super().wallet(partner, request)
        return f"T{secrets.token_hex(16)}"


# Partners. Their profile says what is configured for them.


def _partners(name: str, summary: str, first: Partner, second: Partner = SECOND, *unverified: str) -> type:
    """Registers a variant with these two partners, and gives its class for what it does besides."""

    def profile(described: Profile) -> Profile:
        return {**described, "partner": first.as_profile(), "second_partner": second.as_profile()}

    @own(name, summary=summary, profile=profile, unverified=unverified)
    class OtherPartners(SessionService):
        partners = (first, second)

    return OtherPartners


def _configured(partner: Partner, **config: Any) -> Partner:
    """A partner whose `widget_config` holds these values; None takes one out."""
    merged = {**partner.widget_config, **config}
    return replace(partner, widget_config={name: value for name, value in merged.items() if value is not None})


NO_REDIRECT = _configured(FIRST, redirect_url=None)
DEFAULT_REDIRECT = "proof.session.config.redirect_url"

_partners(
    "partners-exchanged",
    "The first partner sells by default, the second one buys only.",
    _configured(replace(FIRST, off_ramp=True), type="sell"),
    _configured(replace(SECOND, off_ramp=False), type="buy"),
)
_partners(
    "configured-apart",
    "What is configured does not hold what is asked for, nor only what is usual.",
    _configured(
        FIRST,
        currencies=["BTC"],
        networks=["Lightning", "Ünïcödé"],
        fiat_currency="PLN",
        fiat_currencies=["GBP"],
        lang="zh-Hant-TW",
        theme="brand/acme#ff8800",
    ),
)
_partners(
    "origins-alike",
    "Several origins are registered that look like each other.",
    replace(
        FIRST,
        origins=(
            "https://app.example.com",
            "http://app.example.com",
            "https://sub.app.example.com",
            "https://app.example.com:444",
        ),
    ),
)
_partners(
    "own-machine-registered",
    "Each partner has an origin on their own machine registered.",
    replace(FIRST, origins=("http://localhost:8080", *FIRST.origins)),
    replace(SECOND, origins=("http://localhost:3000", *SECOND.origins)),
)
_partners(
    "redirect-absent",
    "No redirect_url is configured, and none comes back.",
    NO_REDIRECT,
    SECOND,
    DEFAULT_REDIRECT,
)


def _redirects(name: str, summary: str, nothing: str | None) -> None:
    """Registers a variant: without a redirect URL to return, it is `nothing`."""

    def profile(described: Profile) -> Profile:
        return {**described, "partner": NO_REDIRECT.as_profile()}

    @own(name, summary=summary, profile=profile, unverified=[DEFAULT_REDIRECT])
    class OtherRedirects(SessionService):
        partners = (NO_REDIRECT, SECOND)

        def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
            return {"redirect_url": nothing, **super().session(partner, request, address)}


_redirects("redirect-null", "No redirect_url is configured, and null comes back.", None)
_redirects("redirect-empty", "No redirect_url is configured, and an empty string comes back.", "")


@own("redirect-url-in-normal-form")
class RedirectUrlInNormalForm(SessionService):
    """A redirect_url comes back without dot segments, and with what no URL holds percent-encoded."""

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        url = super().redirect_url(partner, request)
        return url and quote(url, safe="-._~:/?#[]@!$&()*+,;=%", errors="replace").replace("/../", "/").replace(
            "/./", "/"
        )
