"""Defects in which user is found, and by whom (`proof.kyc.unknown`, `.isolation`, `.auth`)."""

# ruff: noqa: ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .base import BaseService
from .following_changes import (
    admitted,
    refused_with,
    with_any_token,
    with_token_prefix,
    without_header,
)
from .partners import Partner
from .refusals import Refusal, Refused
from .status import StatusService

# Takes a user whom the partner who asks has no session for; says whether they are known all the same, or refuses
# otherwise.
Acquaintance = Callable[[StatusService, Partner, str], bool]


# A user who is unknown to a conforming server may be known, if `knows` says so.
acquainted = defects(
    StatusService,
    "check_user",
    lambda knows, service, inherited, partner, user: (
        inherited(partner, user) if service.ledger.knows(partner, user) or not knows(service, partner, user) else None
    ),
    section="proof.kyc",
)


def _full(clauses: Sequence[str]) -> list[str]:
    return [f"proof.kyc.{clause}" for clause in clauses]


def refusing(refused: Refused) -> Acquaintance:
    """Knows nobody, but refuses otherwise who is unknown to all partners."""

    def knows(service: StatusService, partner: Partner, user: str) -> bool:
        if not _known_elsewhere(service, partner, user):
            raise Refusal(refused)
        return False

    return knows


def refusing_foreign(refused: Refused) -> Acquaintance:
    """Knows nobody, but refuses otherwise who is known to another partner only."""

    def knows(service: StatusService, partner: Partner, user: str) -> bool:
        if _known_elsewhere(service, partner, user):
            raise Refusal(refused)
        return False

    return knows


def matching(matches: Callable[[str, str], bool]) -> Acquaintance:
    """Knows a user if one of the partner's matches, given after the one who is asked for."""
    return lambda service, partner, user: any(
        matches(user, opened.partner_user_id) for opened in service.ledger.transactions(partner)
    )


def _known_elsewhere(service: StatusService, partner: Partner, user: str) -> bool:
    return any(service.ledger.knows(other, user) for other in service.partners if other is not partner)


# Unknown users. A stranger who is not refused as promised remains no stranger.

acquainted(
    "unknown-user-not-started",
    ["unknown", "isolation"],
    "An unknown user is answered with not_started.",
    lambda service, partner, user: True,
)
acquainted(
    "unknown-user-as-bad-request",
    ["unknown"],
    "An unknown user is answered with 400.",
    refusing(refusals.VALIDATION),
    may_break=["stable"],
)
acquainted(
    "unknown-user-as-forbidden",
    ["unknown"],
    "An unknown user is answered with 403.",
    refusing(refusals.ORIGIN),
    may_break=["stable"],
)
acquainted(
    "unknown-user-as-server-error",
    ["unknown"],
    "An unknown user is answered with 500.",
    refusing(refusals.INTERNAL),
    may_break=["stable"],
)
acquainted(
    "unknown-user-code-of-its-own",
    ["unknown"],
    "An unknown user gets the code user_not_found.",
    refusing(replace(refusals.USER, code="user_not_found")),
    may_break=["stable"],
)
acquainted(
    "user-found-by-beginning",
    ["unknown"],
    "A user is found by any beginning of their name.",
    matching(lambda asked, known: known.startswith(asked)),
)
acquainted(
    "user-found-in-any-case",
    ["unknown"],
    "A user is found whatever the letter case.",
    matching(lambda asked, known: asked.casefold() == known.casefold()),
)
acquainted(
    "user-found-without-spaces",
    ["unknown"],
    "Spaces around a user's name do not count.",
    matching(lambda asked, known: asked.strip() == known),
)
acquainted(
    "user-found-without-slash",
    ["unknown"],
    "A slash after a user's name does not count.",
    matching(lambda asked, known: asked.rstrip("/") == known),
)
acquainted(
    "user-found-with-plus-for-space",
    ["unknown"],
    "A user with a plus sign is found with a space in its place.",
    matching(lambda asked, known: asked == known.replace("+", " ")),
)


@defect(
    "unknown-user-with-status-200",
    breaks=["proof.kyc.unknown", "proof.kyc.isolation"],
    may_break=["proof.kyc.complete"],
)
class UnknownUserWithStatus200(BaseService):
    """The error for an unknown user comes with the status 200."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        answer = super().error_answer(refused, call)
        return replace(answer, status=200) if refused is refusals.USER else answer


# Another partner's users.

acquainted("users-of-all-partners", ["isolation"], "A user is known to all partners alike.", _known_elsewhere)
acquainted(
    "users-of-first-partner-for-all",
    ["isolation"],
    "The first partner's users are known to all others.",
    lambda service, partner, user: service.ledger.knows(service.partners[0], user),
)
acquainted(
    "users-of-all-for-first-partner",
    ["isolation"],
    "All others' users are known to the first partner.",
    lambda service, partner, user: partner is service.partners[0] and _known_elsewhere(service, partner, user),
)
acquainted(
    "foreign-user-as-forbidden",
    ["isolation"],
    "Another partner's user is answered with 403.",
    refusing_foreign(refusals.ORIGIN),
)
acquainted(
    "foreign-user-code-of-its-own",
    ["isolation"],
    "Another partner's user gets the code not_your_user.",
    refusing_foreign(replace(refusals.USER, code="not_your_user")),
)


@defect("user-remembered-for-everybody", breaks=["proof.kyc.isolation"])
class UserRememberedForEverybody(StatusService):
    """A user whom their partner has asked for is in a cache that does not tell partners apart."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: set[str] = set()

    def check_user(self, partner: Partner, user: str) -> None:
        if user not in self._remembered:
            super().check_user(partner, user)
            self._remembered.add(user)


# Who may ask.

admitted(
    "kyc-without-token",
    "kyc.auth",
    "A user's status is told to whoever sends no Authorization header.",
    without_header,
)
admitted("kyc-with-any-token", "kyc.auth", "A user's status is told for any token.", with_any_token)
admitted(
    "kyc-token-compared-by-beginning",
    "kyc.auth",
    "A user's status is told for the partner's token with anything after it.",
    with_token_prefix,
)
admitted(
    "kyc-without-token-not-found",
    "kyc.auth",
    "Without a good token every user is unknown.",
    refused_with(refusals.USER),
)
admitted(
    "kyc-without-token-forbidden",
    "kyc.auth",
    "Without a good token the answer for a user is 403.",
    refused_with(refusals.ORIGIN),
)
