"""What the scenarios of Kryptonim share."""

import pytest

from rampcheck.running.scenario import Accepted, Target

from .requests import optional_fields


@pytest.fixture
def secret(target: Target) -> str:
    """The partner's signature secret."""
    return target.profile.credentials["signature_secret"]


@pytest.fixture
def full(accepted: Accepted, target: Target) -> Accepted:
    """A request with every optional field but `unlockedFields` that the target has just accepted.

    A value that the target refuses is left out: which ones it takes is not documented.
    """
    fields = optional_fields(target.unique())
    exchange = accepted.changed(lambda request: request.but(**fields), "every optional field").send()
    if exchange.accepted:
        return Accepted(target, accepted.request.but(**fields), exchange)
    control = accepted
    for name, value in fields.items():
        attempt = control.but(**{name: value})
        if (exchange := attempt.send()).accepted:
            control = Accepted(target, attempt.request, exchange)
    return control
