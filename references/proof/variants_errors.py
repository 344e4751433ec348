"""Variants of how a request is refused: codes, words and bodies that the documentation leaves open."""

# ruff: noqa: ARG002, D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from rampcheck.sandbox.variants import variant, variants
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .partners import Partner
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService

own = partial(variant, "proof")

# Of the statuses that the errors page lists; a refusal with any other may have any body.
LISTED = frozenset({400, 401, 403, 404, 500, 502})

# Codes.


@own("code-missing-token")
class MissingToken(SessionService):
    """A call without a token is refused as missing_token."""

    def token_refusal(self, token: str | None) -> Refusal:
        return super().token_refusal(token) if token else Refusal(replace(refusals.TOKEN, code="missing_token"))


@own("code-missing-param")
class MissingParam(SessionService):
    """A request without a required field is refused as missing_param."""

    def missing(self, name: str) -> str:
        raise Refusal(replace(refusals.VALIDATION, code="missing_param", message=f"{name} is required."))


@own("code-decode-error")
class TypesAreDecoded(SessionService):
    """A field of another JSON type is refused as decode_error."""

    def mistyped(self, name: str, value: Any) -> str:
        raise refusals.DECODE.because(f"{name} must be a string.")

    def mistyped_optional(self, name: str, value: Any) -> str | None:
        raise refusals.DECODE.because(f"{name} must be a string.")


@own("code-validation-error")
class BodiesAreValidated(SessionService):
    """A body that is no JSON object is refused as validation_error."""

    def decode(self, body: bytes) -> dict[str, Any]:
        with _refused_as("validation_error"):
            return super().decode(body)


@contextmanager
def _refused_as(code: str) -> Iterator[None]:
    """Gives every refusal inside another code."""
    try:
        yield
    except Refusal as refusal:
        raise Refusal(replace(refusal.refused, code=code)) from refusal


@own("codes-of-its-own")
class OwnCodes(SessionService):
    """Where no code is promised for a cause, it is one that is not documented."""

    def decode(self, body: bytes) -> dict[str, Any]:
        with _refused_as("malformed_json"):
            return super().decode(body)

    def empty(self, name: str) -> str:
        raise Refusal(replace(refusals.VALIDATION, code="empty_field", message=f"{name} is empty."))

    def check_amount(self, amount: str) -> None:
        with _refused_as("invalid_amount"):
            super().check_amount(amount)

    def check_email(self, email: str) -> None:
        with _refused_as("invalid_email"):
            super().check_email(email)

    def check_type(self, requested: str | None) -> None:
        with _refused_as("invalid_type"):
            super().check_type(requested)

    def check_address(self, partner: Partner, call: Call) -> None:
        with _refused_as("forbidden_address"):
            super().check_address(partner, call)


# What to do about a sell, a method, a media type, a size: no refusal is documented.


@own("sell-forbidden")
class SellForbidden(SessionService):
    """A sell without off-ramp is forbidden: 403."""

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        try:
            super().check_sell(partner, request)
        except Refusal as refusal:
            raise Refusal(Refused(403, "forbidden", "off_ramp_disabled", "Off-ramp is not enabled.")) from refusal


# Errors are what `change` makes of them.
_refusals = variants(
    "proof",
    SessionService,
    "error_answer",
    lambda change, _, inherited, refused, call: inherited(change(refused), call),
)


def _as_invalid(refused: Refused) -> Refused:
    return refused if refused.status in LISTED else replace(refusals.VALIDATION, message=refused.message)


_refusals("unlisted-as-invalid", "A wrong method, media type or size is an invalid request: 400.", _as_invalid)
_refusals(
    "method-as-unknown",
    "Another method finds nothing: 404.",
    lambda refused: refusals.PATH if refused.status == 405 else refused,
)
_refusals(
    "media-type-unprocessable",
    "Another media type is refused with 422, in words that are not documented.",
    lambda refused: Refused(422, "unprocessable", "media_type", "Send JSON.") if refused.status == 415 else refused,
)


def _bodies(name: str, summary: str, body: bytes, **headers: str) -> None:
    """Registers a variant: refusals whose status is not listed have this body."""

    @own(name, summary=summary)
    class OtherBodies(SessionService):
        def error_answer(self, refused: Refused, call: Call) -> Answer:
            if refused.status in LISTED:
                return super().error_answer(refused, call)
            return Answer(refused.status, body).with_headers(**headers)


_bodies(
    "unlisted-as-page",
    "A wrong method, media type or size is refused with a page of HTML.",
    b"<!doctype html>\n<title>Sorry</title>\n<h1>Sorry</h1>\n",
    content_type="text/html; charset=utf-8",
)
_bodies("unlisted-without-body", "A wrong method, media type or size is refused without a body.", b"")


@own("database-fails")
class DatabaseFails(SessionService):
    """Every 30th request ends in 500, to be retried once."""

    def __init__(self) -> None:
        super().__init__()
        self._requests = count(1)

    def answered(self, call: Call, operation: Callable[[Call], Answer]) -> Answer:
        if next(self._requests) % 30:
            return super().answered(call, operation)
        return self.identified(self.error_answer(refusals.INTERNAL, call), call)


# Words, and what stands beside them.

_refusals(
    "messages-localised",
    "Messages are Polish.",
    lambda refused: replace(refused, message="Nieprawidłowe żądanie. Spróbuj później 💸"),
)
_refusals("messages-empty", "Messages are empty.", lambda refused: replace(refused, message=""))
_refusals(
    "messages-long",
    "Messages have 20,000 characters.",
    lambda refused: replace(refused, message="The request is not valid. " * 770),
)


@own("errors-explained")
class ErrorsExplained(SessionService):
    """Errors say more than is documented."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {
            "status": refused.status,
            "trace": {"id": uuid.uuid4().hex, "parent": None},
            **super().envelope(refused, call),
            "details": [{"path": ["amount"], "params": {"expected": ["a", 1, True]}}],
        }


# Request ids are made by `make`.
_request_ids = variants("proof", SessionService, "request_id", lambda make, *_: make())

_numbers = count(1)
_request_ids("request-id-counts", "X-Request-Id is a number, one more each time.", lambda: str(next(_numbers)))
_request_ids(
    "request-id-of-a-trace",
    "X-Request-Id is a list of trace ids.",
    lambda: f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=1, edge",
)


@own("request-id-on-errors-only")
class OnErrorsOnly(SessionService):
    """Only errors carry an X-Request-Id."""

    def identified(self, answer: Answer, call: Call) -> Answer:
        return super().identified(answer, call) if answer.status >= 400 else answer
