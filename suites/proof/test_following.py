"""Transactions followed to their end on every channel: status, WebSocket, webhook. The invariants judge what is seen;
this is the one scenario that makes it happen, so that one process receives the webhooks."""

import pytest

from rampcheck.errors import Unjudged
from rampcheck.running.scenario import Target

from .asking import demand_not_started
from .journeys import Journeys

EVENTS = ("proof.ws.event", "proof.ws.only-own", "proof.ws.order", "proof.ws.times", "proof.ws.agrees")
WEBHOOKS = (
    "proof.webhook.delivered",
    "proof.webhook.post-json",
    "proof.webhook.complete",
    "proof.webhook.agrees",
    "proof.webhook.no-token",
)


@pytest.mark.verifies("proof.transaction.terminal", "proof.ws.isolation", *EVENTS, *WEBHOOKS)
def test_transactions_are_followed_to_their_end_on_every_channel(target: Target, journeys: Journeys) -> None:
    """Transactions of both partners go to their end while their owners, and the other partner, listen and ask."""
    receives = opens_receiver(target)
    journeys.begin(receives=receives)
    journeys.follow()
    journeys.ask_again()
    if receives:
        judge_delivery(target, journeys)
    if not journeys.has_websocket:
        for clause in EVENTS:
            target.judge.unjudged(clause, "the target opened no WebSocket for a transaction of the partner's own")
    session = target.accepted()
    demand_not_started(target, session, "a new user, after others have come to their end")
    # Whether who has come to an end may come again is not documented; a server that fails over them is.
    if user := journeys.first_user:
        session.but(partner_user_id=user).is_survived(clause="proof.session.request.no-server-error")
    journeys.demand_ends()


def opens_receiver(target: Target) -> bool:
    """Opens the receiver of webhooks; says whether there is one."""
    try:
        target.receive_webhooks()
    except Unjudged as error:
        for clause in WEBHOOKS:
            target.judge.unjudged(clause, str(error))
        return False
    return target.profile.webhook is not None


def judge_delivery(target: Target, journeys: Journeys) -> None:
    """Judges that each change brought a webhook; without any, there was nothing to judge them by."""
    patience = f"{target.profile.limits.event_timeout_seconds:g} s"
    for status, exchange in journeys.missing_webhooks():
        if target.turned_away:
            target.judge.unjudged(
                "proof.webhook.delivered",
                f"{target.turned_away:,} webhooks were more, larger or "
                "slower than a run reads: one that is missing may be among them",
            )
            break
        target.judge.broken(
            "proof.webhook.delivered",
            f"a webhook with the status {status!r} within {patience}",
            f"none that can be read as such, though exchange {exchange.number} shows the change",
            exchange,
        )
    delivered = journeys.delivered()
    for webhook in delivered:
        target.judge.held("proof.webhook.delivered", webhook)
    if not delivered:
        # Of what came and told no status, all else is judged.
        for clause in ("proof.webhook.agrees",) if journeys.came else WEBHOOKS:
            target.judge.unjudged(
                clause,
                "no webhook that names a transaction of this run and its status came to the "
                f"profile's `webhook.public_url` within {patience}",
            )
