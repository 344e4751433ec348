"""What may be chosen for a session beside the minimum: pair, amount, user, type, options, headers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

from allpairspy import AllPairs

from rampcheck.contract.profile import Partner
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Request

from .requests import BESIDES, BROWSER, CLIENT_IP, IGNORED_ADDRESS, amount_near, origins, pairs, with_headers

REQUEST = "proof.session.request"
MOST_PAIRS = 3
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


def made(accepted: Accepted, row: Sequence[Choice]) -> Attempt:
    """Makes choices in an accepted request."""
    request = accepted.request
    for choice in row:
        request = choice.made(request)
    return accepted.instead(request, ", ".join(choice.words for choice in row) or "nothing otherwise")


def everything(target: Target, credential: str) -> list[Choice]:
    """Gives the choices of a request that is the minimum in nothing: the last of each kind."""
    usual = with_decimals(target.partner(credential))
    return [usual if kind[-1] is DECIMALS else kind[-1] for kind in choices(target, credential)]


def as_far_as_taken(accepted: Accepted, chosen: Sequence[Choice]) -> Accepted:
    """Gives a request with these choices as accepted; where it is refused, with each that is not.

    The judgement of what is refused is left to others, which ask for each choice by itself.
    """
    attempt, control = made(accepted, chosen), accepted
    if (exchange := attempt.send_again_if_refused()).accepted:
        return Accepted(accepted.target, attempt.request, exchange, accepted.is_shared)
    for choice in chosen:
        attempt = control.changed(choice.made, choice.words)
        if (exchange := attempt.send()).accepted:
            control = Accepted(accepted.target, attempt.request, exchange, accepted.is_shared)
    return control
