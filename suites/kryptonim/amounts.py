"""The two amounts, and the sizes in which they are sent: a target's limits are documented nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from rampcheck.contract.profile import Partner
from rampcheck.running.scenario import Accepted
from rampcheck.wire.exchanges import Request

AMOUNTS = ("fiatAmount", "cryptoAmount")
# By what a profile calls a size that works.
TOLD: Mapping[str, str] = {"fiatAmount": "fiat_amount", "cryptoAmount": "crypto_amount"}
# Sizes of which some should be within a target's limits; the usual first.
USUAL: Mapping[str, tuple[float, ...]] = {
    "fiatAmount": (15, 100, 1001, 30, 300),
    "cryptoAmount": (15, 100, 0.1, 0.001, 5, 50),
}
# What is tried besides, where none of these is: no step is by more than ten, and nobody's limits are closer together.
# A bitcoin is the dearest thing that is sold, and of the cheapest a cent buys thousands.
UNUSUAL: Mapping[str, tuple[float, ...]] = {
    "fiatAmount": (60, 8, 500, 5000, 25_000, 1),
    "cryptoAmount": (1, 10, 25, 500, 0.01, 3000, 0.0001, 20_000, 0.00001, 150_000, 1_500_000, 15_000_000),
}


def own_size(partner: Partner, name: str) -> tuple[float, ...]:
    """Gives the size of an amount that the profile says works, if any."""
    size = partner.get(TOLD[name])
    return () if size is None else (size,)


def usual_size(partner: Partner, name: str) -> float:
    """Gives the size of an amount to try first."""
    return (*own_size(partner, name), *USUAL[name])[0]


def with_amount(request: Request, name: str, size: float) -> Request:
    """Gives the request with one amount set, in place of the other one."""
    return request.without(*AMOUNTS).but(**{name: size})


class Sizes:
    """In which sizes an amount may be sent to this target, as far as a process of a run knows."""

    def __init__(self, partner: Partner) -> None:
        self._known = {name: (*own_size(partner, name), *USUAL[name]) for name in AMOUNTS}
        self._told = {name for name in AMOUNTS if own_size(partner, name)}
        self._looked_for: set[str] = set(self._told)

    def of(self, name: str) -> tuple[float, ...]:
        """Gives the sizes of an amount to try, in this order."""
        return self._known[name]

    def are_found(self, accepted: Accepted, name: str) -> bool:
        """Looks, once, for a size that is taken alone, where none of the known ones was; gives whether one is new.

        Nothing is looked for where the profile names one.
        """
        if name in self._looked_for:
            return False
        self._looked_for.add(name)
        for size in (*USUAL[name], *UNUSUAL[name]):
            request = with_amount(accepted.request, name, size)
            if accepted.instead(request, f"`{name}` = {size:g}, in search of the limits").send().accepted:
                self._known[name] = (size, *(other for other in self._known[name] if other != size))
                return size in UNUSUAL[name]
        return False

    def tried(self, name: str) -> str:
        """Says what was tried of an amount, none of which was taken, and how a profile names another size."""
        known = self._known[name] if name in self._told else (*USUAL[name], *UNUSUAL[name])
        return f"as of {len(known)} sizes from {min(known):g} to {max(known):g} (`partner.{TOLD[name]}` names another)"
