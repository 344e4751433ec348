"""What the scenarios of Kryptonim share."""

from typing import Any

import pytest
from rampcheck.suites.kryptonim.requests import optional_fields

from rampcheck.scenario import Accepted, Target


@pytest.fixture
def secret(target: Target) -> str:
    """The partner's signature secret."""
    return target.profile.credentials["signature_secret"]


@pytest.fixture
def full(accepted: Accepted, target: Target) -> Accepted:
    """A request with every optional field but `unlockedFields` that the target has just accepted."""
    return _also(accepted, **optional_fields(target.unique()))


def _also(accepted: Accepted, **fields: Any) -> Accepted:
    request = accepted.request.but(**fields)
    return Accepted(accepted.target, request, accepted.target.confirm(request))
