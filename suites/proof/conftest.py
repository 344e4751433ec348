"""What the scenarios of Proof share."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from rampcheck.errors import Unjudged
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Request

from .asking import known
from .choices import as_far_as_taken, everything
from .journeys import Journeys
from .requests import origins

SECOND = "second_client_token"


@pytest.fixture(scope="session")
def journeys(target: Target) -> Iterator[Journeys]:
    """The transactions that are followed to their end, and looked at again when all other scenarios are over."""
    followed_by = target.judge.scenario
    with Journeys(target) as followed:
        yield followed
        # An interruption ends the session in no test's teardown: then nothing is waited for, and nothing asked.
        if os.environ.get("PYTEST_CURRENT_TEST", "").endswith("(teardown)"):
            with target.judge.on_behalf(followed_by):
                followed.look_back()


@pytest.fixture(scope="session")
def once_known() -> Callable[[Accepted, Request], Accepted]:
    """Gives what asks for what a session has brought about, as `known`, and once only for each session and question.

    Its answer is a control for as long as the session is one.
    """
    answered: dict[tuple[int, str], Accepted] = {}

    def ask(session: Accepted, request: Request) -> Accepted:
        key = session.exchange.number, request.path
        if key not in answered:
            answered[key] = replace(known(session, request), is_shared=session.is_shared)
        return answered[key]

    return ask


@pytest.fixture(scope="session")
def dressed() -> dict[int, Accepted]:
    """What is the minimum in nothing, as accepted, by the number of the minimum's exchange."""
    return {}


@pytest.fixture
def another(accepted: Accepted, target: Target, dressed: dict[int, Accepted]) -> Accepted:
    """A request that the target has accepted, as `accepted`, and that is the minimum in nothing: choices, headers.

    It is a sell, and so of whichever partner may sell. What the target refuses of it is as in the minimum.
    """
    control = accepted
    sells = [target.partner(credential).get("off_ramp") is True for credential in (accepted.credential, SECOND)]
    if sells == [False, True] and SECOND in target.profile.credentials:
        with suppress(Unjudged):
            control = target.control(SECOND)
    number = control.exchange.number
    if number not in dressed:
        dressed[number] = as_far_as_taken(control, everything(target, control.credential))
    return dressed[number]


@pytest.fixture
def token(target: Target) -> str:
    """The first partner's client token."""
    return target.profile.credentials["client_token"]


@pytest.fixture
def token_name(target: Target) -> str:
    """The name of the first partner's credential."""
    return target.suite.credential


@pytest.fixture
def seller(target: Target) -> str:
    """The credential of the first partner who may sell."""
    for credential in (target.suite.credential, f"second_{target.suite.credential}"):
        if credential in target.profile.credentials and target.partner(credential).get("off_ramp"):
            return credential
    pytest.skip("the profile has no partner with `off_ramp: true`")


@pytest.fixture
def registered_origin(target: Target) -> str:
    """An origin that the profile says is registered."""
    if not origins(target.partner()):
        pytest.skip("the profile lacks `partner.origins`")
    return origins(target.partner())[0]
