"""Asking for what a session has brought about: its transaction, its user, its WebSocket."""

from __future__ import annotations

from rampcheck.suites.proof.requests import kyc_status

from rampcheck.confirmation import Demand
from rampcheck.errors import Unjudged
from rampcheck.exchanges import Exchange, Request
from rampcheck.invariants import given
from rampcheck.scenario import Accepted, Target
from rampcheck.suite import STATUS, Broken, member


def transaction_of(session: Exchange) -> str:
    """Gives the id of a session's transaction. Raises `Unjudged` where the session names none."""
    transaction = given(session, "merchant_transaction_id")
    if not isinstance(transaction, str) or not transaction:
        raise Unjudged(f"the session of exchange {session.number} has no `merchant_transaction_id`")
    return transaction


def demand(target: Target, clause: str, request: Request, session: Accepted) -> Exchange:
    """Asks what has to be answered after a session; a refusal is a finding if such a session is still created."""
    promised = "an upgrade (101)" if request.protocol == "websocket" else "a 200"

    def judge(exchange: Exchange) -> Broken | None:
        return None if exchange.accepted else Broken(
            f"{promised} after the session of exchange {session.exchange.number}", exchange.summary(), about=(STATUS,))

    return target.send(request, session.request, Demand(clause, judge))


def demand_not_started(target: Target, session: Accepted, what: str) -> None:
    """Asks for the KYC status of a session's user, who has done nothing; `what` says in a phrase who that is."""
    clause = "proof.kyc.not-started"
    answer = demand(target, clause, kyc_status(session.request.json["partner_user_id"], session.request.credential),
                    session)
    if answer.accepted and given(answer, "status") == "not_started":
        target.judge.held(clause, answer)
    elif answer.accepted:
        target.judge.broken(clause, f"`status`: \"not_started\" for {what}", f"`status`: {given(answer, 'status')!r}",
                            answer, about=(member("status"),))
