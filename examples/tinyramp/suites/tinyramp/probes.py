"""What `rampcheck doctor` asks about a profile: whether the target takes what it says of the partner."""

from __future__ import annotations

from collections.abc import Iterator

from rampcheck.contract.profile import Profile
from rampcheck.judging.suite import Probe
from rampcheck.wire.exchanges import Exchange, Request

from .requests import ASSETS

CURE = "Write what works on the target; if the documentation says that it does, a run shows it."


def probes(profile: Profile) -> Iterator[Probe]:
    """Gives what may be asked of this profile."""
    partner = profile.partner
    if asset := partner.get("asset"):
        yield Probe("partner.asset", f"a session for {asset} is created", _unchanged, _refused, CURE)
    if wallet := partner.get("wallet"):
        yield Probe("partner.wallet", "it takes BTC", lambda request, _: _to(request, wallet), _refused, CURE)


def _unchanged(request: Request, _: str) -> Request:
    return request


def _to(request: Request, wallet: str) -> Request:
    return request.but(asset=ASSETS[0], wallet=wallet)


def _refused(exchange: Exchange) -> str:
    return "" if exchange.accepted else f"refused, {exchange.summary()}"
