"""Defects of what is repeated elsewhere: names of users with other letters, long ones, what the second partner has."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from rampcheck.sandbox.defects import defects

from .following_changes import polled, posted, respelled, told, wherever
from .service import SessionService
from .status import StatusService


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


polled(
    "poll-user-in-lower-case",
    ["transaction.echo"],
    "A transaction's user is shown in lower case.",
    respelled(str.lower, "partner_user_id"),
)
polled(
    "poll-user-normalised",
    ["transaction.echo"],
    "Characters of a transaction's user are replaced by those that they are compatible with.",
    respelled(_compatible, "partner_user_id"),
)
polled(
    "poll-user-in-ascii",
    ["transaction.echo"],
    "Every character of a transaction's user that is not ASCII is shown as a question mark.",
    respelled(lambda user: user.encode("ascii", "replace").decode(), "partner_user_id"),
)
polled(
    "poll-user-cut-at-64-characters",
    ["transaction.echo"],
    "Of a transaction's user 64 characters are shown.",
    respelled(lambda user: user[:64], "partner_user_id"),
)
polled(
    "poll-network-polygon-renamed",
    ["transaction.echo"],
    "A transaction on POLYGON is shown on MATIC.",
    respelled(lambda network: "MATIC" if network == "POLYGON" else network, "network"),
)
told(
    "event-type-of-other-side-on-polygon",
    ["ws.agrees"],
    "An event of a transaction on POLYGON tells the other type.",
    wherever(
        lambda transaction: transaction.network == "POLYGON",
        respelled(lambda kind: "sell" if kind == "buy" else "buy", "type"),
    ),
)
told(
    "event-currency-eth-renamed",
    ["ws.agrees"],
    "An event of a transaction in ETH tells WETH.",
    respelled(lambda currency: "WETH" if currency == "ETH" else currency, "currency"),
)
posted(
    "webhook-network-in-lower-case-on-erc20",
    ["webhook.agrees"],
    "A webhook tells ERC20 in lower case.",
    respelled(lambda network: "erc20" if network == "ERC20" else network, "network"),
)

_asked = defects(
    StatusService,
    "kyc_document",
    lambda spell, _, inherited, partner, user: inherited(partner, user) | {"partner_user_id": spell(user)},
    breaks=["proof.kyc.echo"],
)
_asked(
    "kyc-user-normalised", "Characters of a user's id are replaced by those that they are compatible with.", _compatible
)
_asked("kyc-user-cut-at-128-characters", "Of a user's id 128 characters are shown.", lambda user: user[:128])

_known = defects(
    StatusService,
    "check_user",
    lambda same, service, inherited, partner, user: (
        None if same(user) in map(same, service.ledger.users(partner)) else inherited(partner, user)
    ),
    breaks=["proof.kyc.unknown"],
)
_known(
    "users-told-apart-by-64-characters",
    "Users whose names begin with the same 64 characters are one.",
    lambda user: user[:64] if len(user) > 64 else user,
)
_known("users-told-apart-normalised", "Users whose names are compatible are one.", _compatible)
_known(
    "users-told-apart-without-accents",
    "Users whose names differ in accents only are one.",
    lambda user: "".join(letter for letter in unicodedata.normalize("NFD", user) if not unicodedata.combining(letter)),
)

_recorded = defects(
    SessionService,
    "record",
    lambda spell, _, inherited, partner, request, session: inherited(
        partner, replace(request, partner_user_id=spell(request.partner_user_id)), session
    ),
)
_recorded(
    "users-kept-in-255-characters",
    ["proof.kyc.echo", "proof.transaction.echo"],
    "Of a user's name 255 characters are kept: who has more is not found again.",
    lambda user: user[:255],
)
