"""What `rampcheck doctor` asks about a profile: whether the target is as it says, a request for each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.judging.suite import Probe
from rampcheck.wire.exchanges import Exchange, Request

from .invariants.values import is_in_other_order
from .requests import pairs

ASK = "Ask onboarding which of both is right, and write that into the profile; if the target is wrong, a run shows it."
ONE_OR_THE_OTHER = "Copy it anew, or leave it out; ask the vendor what became of it."


def probes(profile: Profile) -> Iterator[Probe]:
    """Gives what may be asked of this profile, a few of each kind before more of any."""
    yield from _configuration(profile)
    yield from _credentials(profile)
    several = [*_pairs(profile), *_origins(profile)]
    yield from several[:1]
    yield from _offers(profile)
    yield from several[1:]
    yield from _triggers(profile)
    yield from _egress(profile)


def _unchanged(request: Request, _: str) -> Request:
    return request


def _with(**fields: Any) -> Callable[[Request, str], Request]:
    return lambda request, _: request.but(**fields)


def _from(origin: str) -> Callable[[Request, str], Request]:
    return lambda request, _: request.with_header("Origin", origin)


def _refused(exchange: Exchange) -> str:
    return "" if exchange.accepted else f"refused, {exchange.summary()}"


def _accepted(exchange: Exchange) -> str:
    return "accepted" if exchange.accepted else ""


def _configuration(profile: Profile) -> Iterator[Probe]:
    told: Mapping[str, Any] = dict(profile.partner.get("widget_config", {}))
    if widget := profile.partner.get("widget_id"):
        yield Probe("partner.widget_id", "sessions have it", _unchanged, _differs({"widget_id": widget}), ASK)
    if told:
        yield Probe("partner.widget_config", "sessions have these values", _unchanged, _differs(told), ASK)


def _differs(told: Mapping[str, Any]) -> Callable[[Exchange], str]:
    def otherwise(exchange: Exchange) -> str:
        if not exchange.accepted or exchange.response is None or not isinstance(exchange.response.json, dict):
            return _refused(exchange)
        asked, given = exchange.request.json, exchange.response.json
        return "; ".join(
            f"{name} is {given.get(name)!r}, and the profile says {value!r}"
            for name, value in told.items()
            if name not in asked and given.get(name) != value and not is_in_other_order(given.get(name), value)
        )

    return otherwise


# Of a credential besides the default one: what a request with it gives, and what differs from that.
CREDENTIALS: tuple[tuple[str, str, Callable[[Exchange], str]], ...] = (
    ("previous_client_token", "it is accepted", _refused),
    ("inactive_client_token", "it is refused", _accepted),
    ("second_client_token", "it is accepted", _refused),
)


def _credentials(profile: Profile) -> Iterator[Probe]:
    for name, so, otherwise in CREDENTIALS:
        if name in profile.credentials:
            yield Probe(f"credentials.{name}", so, _unchanged, otherwise, ONE_OR_THE_OTHER, credential=name)


def _pairs(profile: Profile) -> Iterator[Probe]:
    if profile.partner.get("pairs"):
        for number, (currency, network) in enumerate(pairs(profile.partner)):
            yield Probe(
                f"partner.pairs[{number}]",
                f"{currency} on {network} is accepted",
                _with(currency=currency, network=network),
                _refused,
                ASK,
            )


def _origins(profile: Profile) -> Iterator[Probe]:
    for number, origin in enumerate(profile.partner.get("origins", ())):
        yield Probe(
            f"partner.origins[{number}]",
            f"{origin} is accepted",
            _from(origin),
            _refused,
            ASK,
        )


def _offers(profile: Profile) -> Iterator[Probe]:
    partner = profile.partner
    if pair := partner.get("unprovisioned_pair"):
        yield Probe(
            "partner.unprovisioned_pair",
            f"{pair[0]} on {pair[1]} is refused",
            _with(currency=pair[0], network=pair[1]),
            _accepted,
            ASK,
        )
    if currency := partner.get("disabled_currency"):
        yield Probe("partner.disabled_currency", f"{currency} is refused", _with(currency=currency), _accepted, ASK)
    if (sells := partner.get("off_ramp")) is not None:
        yield Probe(
            "partner.off_ramp",
            f"a sell is {'accepted' if sells else 'refused'}",
            _with(type="sell"),
            _refused if sells else _accepted,
            ASK,
        )


def _triggers(profile: Profile) -> Iterator[Probe]:
    for name, fields in profile.triggers.items():
        fails = name == "upstream_error_once"
        yield Probe(
            f"triggers.{name}",
            "the first sending fails"
            if fails
            else "its fields are accepted; whether they end a transaction, the run shows",
            _triggering(fields),
            _does_not_fail if fails else _refused,
            "Ask the vendor which fields make this sandbox do so; without it, leave the trigger out.",
            may_fail=fails,
        )


def _triggering(fields: Mapping[str, Any]) -> Callable[[Request, str], Request]:
    return lambda request, unique: request.but(
        **{
            field: value.replace("{unique}", unique) if isinstance(value, str) else value
            for field, value in fields.items()
        }
    )


def _does_not_fail(exchange: Exchange) -> str:
    return "" if exchange.status >= 500 else exchange.summary()


def _egress(profile: Profile) -> Iterator[Probe]:
    if profile.egress.outside_proxy or profile.egress.outside_source_address:
        yield Probe(
            "egress",
            "what comes from there is refused",
            lambda request, _: request.from_outside(),
            _accepted,
            "Name a way out that is not on the target's allowlist, or leave `egress` out.",
        )
