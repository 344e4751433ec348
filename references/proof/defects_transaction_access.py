"""Defects in which transaction is found, and by whom (`proof.transaction.unknown`, `.isolation`, `.auth`)."""

# ruff: noqa: ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call, json_answer

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
from .transactions import Transaction

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Takes an id of which the partner who asks has no transaction; gives one all the same, or None, or refuses otherwise.
Search = Callable[[StatusService, Partner, str], Transaction | None]


def searched(name: str, clauses: Sequence[str], summary: str, search: Search, may_break: Sequence[str] = ()) -> None:
    """Registers a defect: where a conforming server has no transaction to show, `search` may find one.

    `clauses` and `may_break` are written without `proof.transaction.`.
    """

    @defect(name, breaks=_full(clauses), may_break=_full(may_break), summary=summary)
    class Searched(StatusService):
        def show_transaction(self, call: Call) -> Answer:
            try:
                return super().show_transaction(call)
            except Refusal as refusal:
                if refusal.refused is not refusals.TRANSACTION:
                    raise
                found = search(self, self.authenticate(call), call.parameter)
                if found is None:
                    raise
                return json_answer(200, self.transaction_document(found))


def _full(clauses: Sequence[str]) -> list[str]:
    return [f"proof.transaction.{clause}" for clause in clauses]


def refusing(refused: Refused, applies: Callable[[str], bool] = lambda transaction_id: True) -> Search:
    """Finds nothing, but refuses otherwise the unknown ids to which it applies."""

    def search(service: StatusService, partner: Partner, transaction_id: str) -> Transaction | None:
        if _foreign(service, partner, transaction_id) is None and applies(transaction_id):
            raise Refusal(refused)
        return None

    return search


def refusing_foreign(refused: Refused) -> Search:
    """Finds nothing, but refuses otherwise the ids of another partner's transactions."""

    def search(service: StatusService, partner: Partner, transaction_id: str) -> Transaction | None:
        if _foreign(service, partner, transaction_id) is not None:
            raise Refusal(refused)
        return None

    return search


def matching(matches: Callable[[str, str], bool]) -> Search:
    """Finds the partner's latest transaction whose id matches, given after the one that is asked for."""
    return lambda service, partner, asked: next(
        (found for found in reversed(service.ledger.transactions(partner)) if matches(asked, found.id)), None
    )


def _foreign(service: StatusService, partner: Partner, transaction_id: str) -> Transaction | None:
    others = (other for other in service.partners if other is not partner)
    return next((found for other in others if (found := service.ledger.transaction(other, transaction_id))), None)


def _like(pattern: str, value: str) -> bool:
    """Whether a value is like a pattern of SQL."""
    parts = (".*" if character == "%" else "." if character == "_" else re.escape(character) for character in pattern)
    return re.fullmatch("".join(parts), value) is not None


# Unknown ids.


def _made_up(service: StatusService, partner: Partner, transaction_id: str) -> Transaction:
    """A pending transaction of the partner with any id."""
    return replace(service.ledger.transactions(partner)[-1], id=transaction_id, status="pending", crypto_amount="")


searched(
    "unknown-transaction-pending",
    ["unknown", "isolation"],
    "An unknown id is answered with a transaction that is pending.",
    _made_up,
)
searched(
    "unknown-transaction-as-bad-request",
    ["unknown"],
    "An unknown id is answered with 400.",
    refusing(refusals.VALIDATION),
)
searched(
    "unknown-transaction-as-forbidden",
    ["unknown"],
    "An unknown id is answered with 403.",
    refusing(refusals.ORIGIN),
)
searched(
    "transaction-id-of-other-form-as-server-error",
    ["unknown"],
    "An id that is no UUID is answered with 500.",
    refusing(refusals.INTERNAL, lambda transaction_id: UUID.fullmatch(transaction_id) is None),
)
searched(
    "unknown-transaction-code-of-its-own",
    ["unknown"],
    "An unknown id gets the code transaction_not_found.",
    refusing(replace(refusals.TRANSACTION, code="transaction_not_found")),
)
searched(
    "transaction-found-by-beginning",
    ["unknown"],
    "A transaction is found by any beginning of its id.",
    matching(lambda asked, known: known.startswith(asked)),
    ["echo"],
)
searched(
    "transaction-id-cut-at-36-characters",
    ["unknown"],
    "Of an id no more than 36 characters count.",
    matching(lambda asked, known: asked[:36] == known),
    ["echo"],
)
searched(
    "transaction-id-without-spaces",
    ["unknown"],
    "Spaces in an id do not count.",
    matching(lambda asked, known: asked.replace(" ", "") == known),
    ["echo"],
)
searched(
    "transaction-id-as-pattern",
    ["unknown"],
    "An id is taken for a pattern of SQL.",
    matching(_like),
    ["echo"],
)


@defect(
    "unknown-transaction-with-status-200",
    breaks=["proof.transaction.unknown", "proof.transaction.isolation"],
    may_break=["proof.transaction.complete"],
)
class UnknownTransactionWithStatus200(BaseService):
    """The error for an unknown id comes with the status 200."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        answer = super().error_answer(refused, call)
        return replace(answer, status=200) if refused is refusals.TRANSACTION else answer


@defect(
    "unknown-transaction-without-envelope",
    breaks=["proof.transaction.unknown", "proof.transaction.isolation", "proof.errors.envelope"],
)
class UnknownTransactionWithoutEnvelope(BaseService):
    """The 404 for an unknown id is the framework's own."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {"detail": "Not Found"} if refused is refusals.TRANSACTION else super().envelope(refused, call)


# Another partner's transactions.

searched("transactions-of-all-partners", ["isolation"], "Any partner's transaction is found.", _foreign)
searched(
    "transactions-of-first-partner-for-all",
    ["isolation"],
    "The first partner's transactions are found by all others.",
    lambda service, partner, asked: service.ledger.transaction(service.partners[0], asked),
)
searched(
    "transactions-of-all-for-first-partner",
    ["isolation"],
    "The first partner finds all others' transactions.",
    lambda service, partner, asked: _foreign(service, partner, asked) if partner is service.partners[0] else None,
)
searched(
    "foreign-transaction-as-forbidden",
    ["isolation"],
    "Another partner's transaction is answered with 403.",
    refusing_foreign(refusals.ORIGIN),
)
searched(
    "foreign-transaction-as-unauthorised",
    ["isolation"],
    "Another partner's transaction is answered with 401.",
    refusing_foreign(refusals.TOKEN),
)
searched(
    "foreign-transaction-code-of-its-own",
    ["isolation"],
    "Another partner's transaction gets the code not_your_transaction.",
    refusing_foreign(replace(refusals.TRANSACTION, code="not_your_transaction")),
)
searched(
    "transactions-of-users-in-common",
    ["isolation"],
    "Another partner's transaction is found if its user's name is that of a user of one's own.",
    lambda service, partner, asked: (
        found
        if (found := _foreign(service, partner, asked)) and service.ledger.knows(partner, found.partner_user_id)
        else None
    ),
)


@defect("transaction-remembered-for-everybody", breaks=["proof.transaction.isolation"])
class TransactionRememberedForEverybody(StatusService):
    """A transaction that its owner has asked for is in a cache that does not tell partners apart."""

    def __init__(self) -> None:
        super().__init__()
        self._remembered: dict[str, Answer] = {}

    def show_transaction(self, call: Call) -> Answer:
        try:
            answer = super().show_transaction(call)
        except Refusal as refusal:
            if refusal.refused is refusals.TRANSACTION and call.parameter in self._remembered:
                return self._remembered[call.parameter]
            raise
        self._remembered[call.parameter] = answer
        return answer


# Who may ask.

admitted(
    "poll-without-token",
    "transaction.auth",
    "A transaction is shown to whoever sends no Authorization header.",
    without_header,
)
admitted("poll-with-any-token", "transaction.auth", "A transaction is shown for any token.", with_any_token)
admitted(
    "poll-token-compared-by-beginning",
    "transaction.auth",
    "A transaction is shown for the partner's token with anything after it.",
    with_token_prefix,
)
admitted(
    "poll-without-token-not-found",
    "transaction.auth",
    "Without a good token every transaction is unknown.",
    refused_with(refusals.TRANSACTION),
)
admitted(
    "poll-without-token-forbidden",
    "transaction.auth",
    "Without a good token the answer for a transaction is 403.",
    refused_with(refusals.ORIGIN),
)
admitted(
    "poll-without-token-bad-request",
    "transaction.auth",
    "Without a good token the answer for a transaction is 400.",
    refused_with(refusals.VALIDATION),
)
