"""The WebSocket: who may subscribe, and to what. The events are judged where a transaction is followed to its end."""

import time
import uuid

import pytest
from rampcheck.suites.proof.asking import demand, transaction_of
from rampcheck.suites.proof.refusals import ANY_4XX
from rampcheck.suites.proof.requests import upgrade

from rampcheck.channel import Channel
from rampcheck.exchanges import Exchange, Request
from rampcheck.scenario import Accepted, Target


@pytest.fixture
def upgraded(accepted: Accepted, token_name: str) -> Accepted:
    """A subscription to the partner's own pending transaction that the target has just upgraded."""
    return accepted.then(upgrade(transaction_of(accepted.exchange), token_name))


@pytest.mark.verifies("proof.ws.connect")
def test_a_partner_subscribes_to_a_transaction_of_its_own(target: Target) -> None:
    """Either partner's upgrade for the transaction of a session just created succeeds, a second one, too."""
    clause = "proof.ws.connect"
    for credential in (target.suite.credential, "second_client_token"):
        if credential in target.profile.credentials:
            session = target.accepted(credential)
            question = upgrade(transaction_of(session.exchange), credential)
            # The second one while the first is open, as after a connection was lost.
            with target.subscribe(question):
                answer = demand(target, clause, question, session)
            if answer.accepted:
                target.judge.held(clause, answer)


@pytest.mark.verifies("proof.ws.auth")
def test_an_upgrade_without_a_good_token_is_refused(upgraded: Accepted, target: Target, token: str) -> None:
    """No token, a token nobody issued, and a good one anywhere but in the header open no WebSocket."""
    clause = "proof.ws.auth"
    stranger = f"rampcheck-{target.unique()}-no-such-token"
    target.hide("made_up_token", stranger)
    upgraded.with_header("Authorization", None).is_refused(clause, ANY_4XX)
    for what, unknown in (("a made-up token", stranger), ("the token and one more character", f"{token}x")):
        upgraded.with_header("Authorization", f"Bearer {unknown}", what).is_refused(clause, ANY_4XX)
    for name in ("access_token", "client_token"):
        upgraded.changed(
            lambda request, name=name: request.with_header("Authorization", None).with_path(
                f"{request.path}&{name}={token}"),
            f"the token as {name} in the query only",
        ).is_refused(clause, ANY_4XX)


@pytest.mark.verifies("proof.ws.tx-id-required")
def test_an_upgrade_without_a_transaction_brings_nothing(upgraded: Accepted, target: Target, token_name: str) -> None:
    """Without `tx_id` the upgrade is refused, or closed without an event; what an unknown one brings is observed."""
    clause = "proof.ws.tx-id-required"
    for what, path in (("no `tx_id`", "/ws"), ("an empty `tx_id`", "/ws?tx_id=")):
        exchange = unsubscribed(target, upgraded.request.with_path(path))
        if not (exchange.accepted or is_silent_refusal(exchange)):
            target.confirm(upgraded.request)
            exchange = unsubscribed(target, upgraded.request.with_path(path))
        if is_silent_refusal(exchange):
            target.judge.held(clause, exchange)
            continue
        seen = f"{exchange.summary()}, {len(exchange.events)} messages, " + (
            "then closed" if exchange.closed else "still open") if exchange.accepted else exchange.summary()
        target.judge.broken(clause, f"a 4xx, or a close without any event, for an upgrade with {what}", seen, exchange)
    upgraded.changed(lambda _: upgrade(str(uuid.uuid4()), token_name), "a `tx_id` that names no transaction"
                     ).is_observed(clause)


def unsubscribed(target: Target, request: Request) -> Exchange:
    """Asks for a WebSocket and waits for what comes over it, the close at the latest."""
    with target.subscribe(request) as channel:
        if channel.accepted:
            wait_for_close(target, channel)
    return channel.close()


def is_silent_refusal(exchange: Exchange) -> bool:
    """Whether a WebSocket was refused, or closed by the target before any event."""
    return 400 <= exchange.status < 500 or (exchange.accepted and bool(exchange.closed) and not exchange.events)


def wait_for_close(target: Target, channel: Channel) -> None:
    """Waits until the target has closed a WebSocket or sent something over it, as long as for an answer."""
    deadline = time.monotonic() + target.profile.limits.timeout_seconds
    while channel.is_open and not channel.messages and (rest := deadline - time.monotonic()) > 0:
        target.news.wait(rest)
