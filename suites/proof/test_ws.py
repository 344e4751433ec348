"""The WebSocket: who may subscribe, and to what. The events are judged where a transaction is followed to its end."""

import uuid
from collections.abc import Callable

import pytest

from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Request

from .asking import demand, transaction_of
from .requests import upgrade
from .tokens import GRACE, INACTIVE, SCHEME, demand_rules_of_tokens
from .upgrades import demand_silent_refusal


@pytest.fixture
def upgraded(accepted: Accepted, token_name: str, once_known: Callable[[Accepted, Request], Accepted]) -> Accepted:
    """A subscription to the partner's own pending transaction that the target has upgraded, as `accepted`."""
    return once_known(accepted, upgrade(transaction_of(accepted.exchange), token_name))


@pytest.mark.verifies("proof.ws.connect")
def test_a_partner_subscribes_to_a_transaction_of_its_own(target: Target) -> None:
    """Either partner's upgrade for the transaction of a session succeeds, a second one, too."""
    for credential in (target.suite.credential, "second_client_token"):
        if credential in target.profile.credentials:
            session = target.control(credential)
            question = upgrade(transaction_of(session.exchange), credential)
            # The second one while the first is open, as after a connection was lost.
            with target.subscribe(question):
                answer = demand(target, target.clause, question, session)
            if answer.accepted:
                target.demand(answer, Demand(target.clause, Acceptance()), session.exchange)


@pytest.mark.verifies("proof.ws.auth", SCHEME, INACTIVE, GRACE)
@parts(11, 1)
def test_an_upgrade_without_a_good_token_is_refused(upgraded: Accepted, target: Target, part: slice) -> None:
    """No token, none that is good, and none in another place open a WebSocket."""
    demand_rules_of_tokens(target, upgraded, "proof.ws.auth", part)


@pytest.mark.verifies("proof.ws.tx-id-required")
def test_an_upgrade_without_a_transaction_brings_nothing(upgraded: Accepted, target: Target, token_name: str) -> None:
    """Without `tx_id` the upgrade is refused, or closed without an event; what an unknown one brings is observed."""
    for what, path in (("no `tx_id`", "/ws"), ("an empty `tx_id`", "/ws?tx_id=")):
        attempt = upgraded.instead(upgraded.request.with_path(path), what)
        demand_silent_refusal(target, attempt, target.profile.limits.timeout_seconds)
    upgraded.changed(
        lambda _: upgrade(str(uuid.uuid4()), token_name), "a `tx_id` that names no transaction"
    ).is_observed()
