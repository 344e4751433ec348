"""What `rampcheck doctor` asks about a profile: whether the target is as it says, a request for each part."""

from __future__ import annotations

from collections.abc import Iterator

from rampcheck.contract.profile import Profile
from rampcheck.judging.suite import Probe
from rampcheck.wire.exchanges import Exchange


def probes(profile: Profile) -> Iterator[Probe]:
    """Gives what may be asked of this profile, the most telling first."""
    if asset := profile.partner.get("asset"):
        yield Probe(
            "partner.asset",
            f"a session for {asset} is created",
            lambda request, _: request.but(asset=asset),
            _refused,
            "Write an asset that can be bought on the target.",
        )


def _refused(exchange: Exchange) -> str:
    return "" if exchange.accepted else f"refused, {exchange.summary()}"
