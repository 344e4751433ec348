"""Asking for what a session has brought about: its transaction, its user, its WebSocket."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from rampcheck.errors import Unjudged
from rampcheck.judging.demands import Acceptance, Demand, Holds
from rampcheck.judging.invariants import given
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Exchange, Request

from .invariants.values import UNTIL_KNOWN
from .requests import kyc_status, with_headers

PAUSE = 0.2  # seconds before the second question; each pause is twice as long as the one before


def transaction_of(session: Exchange) -> str:
    """Gives the id of a session's transaction. Raises `Unjudged` where the session names none."""
    transaction = given(session, "merchant_transaction_id")
    if not isinstance(transaction, str) or not transaction:
        raise Unjudged(f"the session of exchange {session.number} has no `merchant_transaction_id`")
    return transaction


def until_known(target: Target, request: Request) -> Exchange | None:
    """Asks for what a session has just brought about until it is known, for as long as the target may take for it.

    Gives the first answer that accepts the request; None where there is none, which is then to be asked in earnest.
    Another refusal than one for what is not known is a doubt where the next answer accepts it.
    """
    for asked in moments(max(PAUSE, target.lag)):
        answer = target.once(request)
        if target.suite.is_acceptance(answer):
            target.lag = max(target.lag, asked)
            return answer
        if answer.status != 404:
            again = target.look_again(request, answer)
            return again if target.suite.is_acceptance(again) else None
    return None


def moments(pause: float = PAUSE) -> Iterator[float]:
    """Gives at growing pauses, the first one of so many seconds, how many have passed; ends after `UNTIL_KNOWN`."""
    begun, asked = time.monotonic(), 0.0
    while asked <= UNTIL_KNOWN:
        yield asked
        time.sleep(max(0.0, min(pause, UNTIL_KNOWN - asked)))
        pause *= 2
        asked = time.monotonic() - begun
    yield asked


def let_pass(session: Accepted) -> None:
    """Waits until a session is as old as others had to be before they were known: each question costs a request."""
    time.sleep(max(0.0, min(session.target.lag, session.exchange.ended + session.target.lag - time.time())))


def known(session: Accepted, request: Request) -> Accepted:
    """Asks for what a session has brought about and gives the question as just accepted.

    Raises `Unjudged` where the target refuses it, for longer than it may take to know the session.
    """
    let_pass(session)
    answer = until_known(session.target, request)
    return session.then(request) if answer is None else Accepted(session.target, request, answer)


def demand(target: Target, clause: str, request: Request, session: Accepted) -> Exchange:
    """Asks what has to be answered after a session; a refusal is a finding if such a session is still created.

    It may take the target `UNTIL_KNOWN` seconds to know the session.
    """
    let_pass(session)
    if answer := until_known(target, request):
        return answer
    words = "an upgrade (101)" if request.protocol == "websocket" else "a 200"
    where = f"after the session of exchange {session.exchange.number}"
    return target.send(request, session, Demand(clause, Acceptance(words), where))


def demand_not_started(target: Target, session: Accepted, what: str, headers: Mapping[str, str] | None = None) -> None:
    """Asks for the KYC status of a session's user, who has done nothing; `what` says in a phrase who that is."""
    clause = "proof.kyc.not-started"
    question = kyc_status(session.request.json["partner_user_id"], session.credential)
    answer = demand(target, clause, with_headers(question, headers or {}), session)
    if answer.accepted:
        target.demand(answer, Demand(clause, Holds("status", "not_started"), f"for {what}"), session.exchange)
