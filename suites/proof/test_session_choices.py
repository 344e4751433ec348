"""POST /widget/session, what may be chosen together: every two choices stand in some request, by a covering array
(pairwise testing; allpairspy makes it). The schema and the invariants judge the sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import pytest
from allpairspy import AllPairs

from rampcheck.contract.profile import Partner
from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Request

from .requests import BESIDES, BROWSER, CLIENT_IP, IGNORED_ADDRESS, amount_near, origins, pairs, with_headers

SECOND = "second_client_token"
# Each stands in some row. The last two are beyond what a 64-bit integer holds, and beyond most decimals of databases.
AMOUNTS = (
    "99.50",
    "0.000000010",
    "100.000000000000000001",
    "100.0",
    "12345678.12345678",
    "12345678901234567890.5",
    "123456789012345678901234567890.123456789012345678901234567890",
)
REQUEST = "proof.session.request"
MOST_PAIRS = 3
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


@dataclass(frozen=True)
class Choice:
    """Members of the body, or headers, and the clause by which they have to be accepted, "" where none says so."""

    words: str
    members: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    clause: str = ""

    def made(self, request: Request) -> Request:
        """Gives the request with this choice made."""
        return with_headers(request.but(**(self.members or {})), self.headers or {})


DECIMALS = Choice("an amount with decimals", {"amount": AMOUNTS[0]})


def choices(target: Target, credential: str) -> list[list[Choice]]:
    """Gives what may be chosen of each kind, for one partner; the first of each is what the accepted request has."""
    partner, unique = target.partner(credential), target.unique()
    plain = Choice("")
    kinds = [
        [
            Choice(
                f"{currency} on {network}",
                {"currency": currency, "network": network},
                clause=f"{REQUEST}.currency-enabled",
            )
            for currency, network in pairs(partner)[:MOST_PAIRS]
        ],
        [plain, DECIMALS],
        [
            plain,
            Choice(
                "another user",
                {
                    "partner_user_id": f"rampcheck-{unique}-other",
                    "user_email": f"rampcheck-user-{unique}-other@example.com",
                },
            ),
        ],
        [plain, Choice("a buy", {"type": "buy"}, clause=f"{REQUEST}.type-override")],
        [
            plain,
            Choice(
                "a `redirect_url`",
                {"redirect_url": f"https://rampcheck.example?run={unique}"},
                clause=f"{REQUEST}.redirect-override",
            ),
        ],
        [
            plain,
            Choice("an IPv4 `client_ip`", {"client_ip": CLIENT_IP}, clause=f"{REQUEST}.client-ip-forms"),
            Choice("an IPv6 `client_ip`", {"client_ip": "2001:db8::68"}, clause=f"{REQUEST}.client-ip-forms"),
        ],
        [plain, Choice("headers of a browser", headers=BROWSER), Choice("a cookie and headers", headers=BESIDES)],
    ]
    if partner.get("off_ramp"):
        kinds[3].append(Choice("a sell", {"type": "sell"}, clause=f"{REQUEST}.sell-enabled"))
    if partner.get("address_mode") == "resolved":
        kinds.append([plain, Choice("an `address`", {"address": IGNORED_ADDRESS}, clause=f"{REQUEST}.address-ignored")])
    if origins(partner):
        origin = {"Origin": origins(partner)[-1]}
        kinds.append([plain, Choice("a registered `Origin`", headers=origin, clause="proof.auth.origin-registered")])
    return kinds


def with_decimals(partner: Partner) -> Choice:
    """Gives the choice of an amount with decimals that works for a partner."""
    return replace(DECIMALS, members={"amount": amount_near(partner, 1, "50")}) if partner.get("amount") else DECIMALS


def covering(kinds: Sequence[Sequence[Choice]]) -> list[list[Choice]]:
    """Gives as few rows as the library finds in which every two choices of two kinds stand together.

    The last one has the last choice of each kind. In each row stands another amount with decimals.
    """
    rows = [*AllPairs([range(len(kind)) for kind in kinds]), [-1] * len(kinds)]
    amounts = cycle(Choice(f"the amount {amount}", {"amount": amount}) for amount in AMOUNTS)
    return [
        [
            next(amounts) if kind[number] is DECIMALS else kind[number]
            for kind, number in zip(kinds, row, strict=True)
            if kind[number].words
        ]
        for row in rows
    ]


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


def made(accepted: Accepted, row: Sequence[Choice]) -> Attempt:
    """Makes choices in an accepted request."""
    request = accepted.request
    for choice in row:
        request = choice.made(request)
    return accepted.instead(request, ", ".join(choice.words for choice in row) or "nothing otherwise")


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
