"""What `rampcheck doctor` asks about a profile: whether the target is as it says, a request for each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rampcheck.contract.profile import Profile
from rampcheck.judging.invariants import hmac_hex
from rampcheck.judging.suite import Probe
from rampcheck.wire.exchanges import Exchange, Request

from .requests import SIGNATURE

PARTNER = ("crypto_currency", "network", "destination_address")
COPY = "Copy both of the second partner's credentials anew, or leave them out; if the target is wrong, a run shows it."


def probes(profile: Profile) -> Iterator[Probe]:
    """Gives what may be asked of this profile."""
    if told := [f"partner.{name}" for name in PARTNER if profile.partner.get(name)]:
        yield Probe(", ".join(told), "accepted in a request", _unchanged, _refused, "Write what works on the target.")
    yield from _second_partner(profile)


def _second_partner(profile: Profile) -> Iterator[Probe]:
    """Of another partner's key and secret: they belong together, and neither to what is the first partner's."""
    key, secret = (name in profile.credentials for name in ("second_api_key", "second_signature_secret"))
    if key and secret:
        yield Probe(
            "credentials.second_api_key",
            "it is accepted, with credentials.second_signature_secret",
            _signed_with(profile.credentials["second_signature_secret"]),
            _refused,
            COPY,
            credential="second_api_key",
        )
    if key:
        yield Probe(
            "credentials.second_api_key",
            "it is refused with the first partner's signature",
            _unchanged,
            _accepted,
            COPY,
            credential="second_api_key",
        )
    if secret:
        yield Probe(
            "credentials.second_signature_secret",
            "what is signed under it is refused with the first partner's key",
            _signed_with(profile.credentials["second_signature_secret"]),
            _accepted,
            COPY,
        )


def _unchanged(request: Request, _: str) -> Request:
    return request


def _signed_with(secret: str) -> Callable[[Request, str], Request]:
    return lambda request, _: request.with_header(SIGNATURE, hmac_hex(request.body, secret))


def _refused(exchange: Exchange) -> str:
    return "" if exchange.accepted else f"refused, {exchange.summary()}"


def _accepted(exchange: Exchange) -> str:
    return "accepted" if exchange.accepted else ""
