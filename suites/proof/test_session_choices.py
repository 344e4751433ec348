"""POST /widget/session, what may be chosen together: every two choices stand in some request, by a covering array
(pairwise testing; allpairspy makes it). The schema and the invariants judge the sessions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Request

from .choices import DECIMALS, REQUEST, Choice, choices, covering, made, with_decimals

SECOND = "second_client_token"
MOST = 4  # rows that are looked into: what is refused by itself is so in many of them
# What a session's schema nodes promise, whatever is asked.
SHAPE = (
    "json",
    "complete",
    "merchant-transaction-id",
    "widget-id",
    "address",
    "signature-format",
    "init-token",
    "init-token-type",
    "currency-echo",
    "network-echo",
    "amount-echo",
    "fix-currency",
    "fix-amount",
    "fix-fiat-amount",
    "fix-fiat-currency",
    "fix-network",
    "type",
    "config-stable",
    "success-status",
)
# What an acceptance shows; that a pair or a buy is taken shows nothing of what has to be refused, or is the default.
SHOWN = (
    *(f"{REQUEST}.{name}" for name in ("redirect-override", "client-ip-forms", "address-ignored", "sell-enabled")),
    "proof.auth.origin-registered",
)
# Of choices that are refused only together, the one whose clause stands first here is blamed: what is said to change
# nothing, then what is said to have an effect. A pair, or a buy, is what the others are tried with.
SPEAKING = (
    f"{REQUEST}.address-ignored",
    "proof.auth.origin-registered",
    f"{REQUEST}.redirect-override",
    f"{REQUEST}.sell-enabled",
    f"{REQUEST}.client-ip-forms",
    f"{REQUEST}.type-override",
    f"{REQUEST}.currency-enabled",
)


@pytest.fixture(scope="session")
def too_unusual() -> set[str]:
    """The amounts that the target has refused where it takes a usual one, in the words of their choices."""
    return set()


@pytest.mark.creates_sessions
@pytest.mark.verifies(*(f"proof.session.{name}" for name in SHAPE), *SHOWN)
@pytest.mark.parametrize("credential", ["client_token", SECOND])
@parts(14, 2)
def test_every_two_choices_go_together(target: Target, credential: str, too_unusual: set[str], part: slice) -> None:
    """Sessions of every pair, type, user and header, and of every two of them, have the promised shape."""
    if credential in target.profile.credentials:
        accepted = target.control(credential)
        usual, refused = with_decimals(target.partner(credential)), 0
        for chosen in covering(choices(target, credential))[part]:
            row = [usual if choice.words in too_unusual else choice for choice in chosen]
            attempt = made(accepted, row)
            exchange = attempt.send_again_if_refused()
            amounts = {choice.words for choice in row if "amount" in (choice.members or {})} - {DECIMALS.words}
            if not exchange.accepted and amounts:  # Which ones a target takes is not documented.
                row = [usual if choice.words in amounts else choice for choice in row]
                attempt = made(accepted, row)
                exchange = attempt.send_again_if_refused()
                if exchange.accepted:
                    too_unusual |= amounts
            if exchange.accepted:
                for clause in sorted({choice.clause for choice in row}.intersection(SHOWN)):
                    target.demand(exchange, Demand(clause, Acceptance()), accepted.exchange)
            elif (refused := refused + 1) <= MOST:
                look_into(accepted, row, attempt.request)


def look_into(accepted: Accepted, row: Sequence[Choice], request: Request) -> None:
    """Demands a refused request by one of those promised choices without each of which all the others are accepted.

    They are refused together only: that is one finding, which names them all.
    """
    needed: list[tuple[Choice, Accepted]] = []
    for choice in row:
        if choice.clause:
            others = made(accepted, [other for other in row if other is not choice])
            exchange = others.send()
            if exchange.accepted:
                needed.append((choice, Accepted(accepted.target, others.request, exchange)))
    if needed:
        needed.sort(key=lambda one: SPEAKING.index(one[0].clause))
        blamed, control = needed[0]
        together = [choice for choice, _ in needed]
        rest = ", ".join(choice.words for choice in row if choice not in together)
        shown = " together with ".join(choice.words for choice in together) + (f", besides {rest}" if rest else "")
        control.instead(request, shown).is_accepted(clause=blamed.clause)
