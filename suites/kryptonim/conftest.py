"""What the scenarios of Kryptonim share."""

from functools import partial

import pytest

from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Exchange, Request

from .amounts import Sizes
from .requests import COOKIE, DRESSED, PROXY, contrary, optional_fields, with_field, with_headers


@pytest.fixture
def secret(target: Target) -> str:
    """The partner's signature secret."""
    return target.profile.credentials["signature_secret"]


@pytest.fixture(scope="session")
def known() -> dict[tuple[str, int], Accepted]:
    """What was made of each control, by what it is called and the number of the control's exchange."""
    return {}


@pytest.fixture(scope="session")
def kept_sizes() -> dict[str, Sizes]:
    """What is known of the amounts that the target takes, under one name."""
    return {}


@pytest.fixture
def sizes(target: Target, kept_sizes: dict[str, Sizes]) -> Sizes:
    """What is known of the amounts that the target takes."""
    return kept_sizes.setdefault("sizes", Sizes(target.profile.partner))


@pytest.fixture
def full(accepted: Accepted, target: Target, known: dict[tuple[str, int], Accepted]) -> Accepted:
    """A request with every optional field but `unlockedFields` that the target has accepted, as `accepted`.

    A value that the target refuses is left out: which ones it takes is not documented.
    """
    key = "full", accepted.exchange.number
    if key not in known:
        every = accepted.request.but(**optional_fields(target.unique()))
        known[key] = as_far_as_taken(accepted, every, "every optional field")
    return known[key]


@pytest.fixture
def another(accepted: Accepted, target: Target, known: dict[tuple[str, int], Accepted]) -> Accepted:
    """A request that the target has accepted, as `accepted`, and that is the minimum in nothing: choices, headers.

    What the target refuses of it is as in the minimum.
    """
    key = "another", accepted.exchange.number
    if key not in known:
        known[key] = dressed_otherwise(accepted, target)
    return known[key]


def dressed_otherwise(accepted: Accepted, target: Target) -> Accepted:
    """Gives a request that is the minimum in nothing, accepted."""
    profile = target.profile
    request = contrary(accepted.request, target.unique(), profile.partner, on_testnet=profile.environment == "testnet")
    dressed = with_headers(request, {**DRESSED, **COOKIE, **PROXY})
    if (exchange := sent(accepted, dressed, "everything otherwise, and headers of a browser")).accepted:
        return Accepted(target, dressed, exchange, accepted.is_shared)
    return as_far_as_taken(accepted, request, "everything otherwise")


def as_far_as_taken(accepted: Accepted, request: Request, what: str) -> Accepted:
    """Gives a request as accepted; where it is refused, the accepted one with each of its members that is not."""
    if (exchange := sent(accepted, request, what)).accepted:
        return Accepted(accepted.target, request, exchange, accepted.is_shared)
    control = accepted
    for name, value in request.json.items():
        if control.request.json.get(name) != value:
            attempt = control.changed(partial(with_field, name=name, value=value), f"`{name}`")
            if (exchange := attempt.send()).accepted:
                control = Accepted(accepted.target, attempt.request, exchange, accepted.is_shared)
    return control


def sent(accepted: Accepted, request: Request, what: str) -> Exchange:
    """Sends a request in place of the accepted one, and leaves the judgement to the invariants."""
    return accepted.instead(request, what).send_again_if_refused()
