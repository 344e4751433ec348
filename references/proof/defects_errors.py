"""Defects of errors (`proof.errors.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .partners import Partner
from .refusals import Refusal, Refused
from .request import SessionRequest
from .service import SessionService

ERRORS = "proof.errors"
TOKEN_CLAUSES = (
    "proof.auth.bearer-required",
    "proof.auth.unknown-token",
    "proof.auth.bearer-scheme",
    "proof.auth.inactive-token",
)
ORIGIN_CLAUSES = ("proof.auth.origin-unregistered", "proof.auth.ip-allowlist")
# Where a refusal is promised, so is what it says.
REFUSALS = ("proof.auth", "proof.session.request", ERRORS, "proof.transaction", "proof.kyc")

# The envelope. An error that does not say which it is may break every promise about an error.


@defect("message-missing", breaks=[f"{ERRORS}.envelope"])
class MessageMissing(SessionService):
    """Errors have no message."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {"error": refused.error, "code": refused.code}


@defect("message-null-on-validation", breaks=[f"{ERRORS}.envelope"])
class MessageNullOnValidation(SessionService):
    """The message of a validation error is null."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        message = None if refused.code == "validation_error" else refused.message
        return super().envelope(refused, call) | {"message": message}


@defect("code-missing-on-unauthorised", breaks=[f"{ERRORS}.envelope"], may_break=TOKEN_CLAUSES)
class CodeMissingOnUnauthorised(SessionService):
    """A 401 has no code."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        if refused.status == 401:
            del envelope["code"]
        return envelope


@defect("code-as-number-on-forbidden", breaks=[f"{ERRORS}.envelope"], may_break=ORIGIN_CLAUSES)
class CodeAsNumberOnForbidden(SessionService):
    """The code of a 403 is the number 403."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return super().envelope(refused, call) | ({"code": 403} if refused.status == 403 else {})


@defect("envelope-nested", breaks=[f"{ERRORS}.envelope"], may_break=REFUSALS)
class EnvelopeNested(SessionService):
    """The envelope stands one level down, under error."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return {"error": super().envelope(refused, call)}


@defect("envelope-in-array", breaks=[f"{ERRORS}.envelope"], may_break=REFUSALS)
class EnvelopeInArray(SessionService):
    """Errors come as an array of envelopes."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        return json_answer(refused.status, [self.envelope(refused, call)])


@defect(
    "wallet-error-as-page",
    breaks=[f"{ERRORS}.envelope"],
    may_break=[ERRORS, "proof.session.request.wallet-provisioned"],
)
class WalletErrorAsPage(SessionService):
    """The error for a pair without a wallet is an HTML page."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        if refused is not refusals.WALLET:
            return super().error_answer(refused, call)
        return Answer(refused.status, b"<h1>400 Bad Request</h1>", {"content-type": "text/html"})


@defect("errors-as-text", breaks=[f"{ERRORS}.media-type"])
class ErrorsAsText(SessionService):
    """An error's Content-Type is text/plain."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        return super().error_answer(refused, call).with_headers(content_type="text/plain")


# Status and error.


def _renamed(
    name: str,
    summary: str,
    changes: Mapping[Refused, Mapping[str, Any]],
    breaks: Sequence[str],
    may_break: Sequence[str] = (),
) -> None:
    """Registers a defect: refusals of these kinds, whatever their message, get these values."""
    by_kind = {(kind.status, kind.code): values for kind, values in changes.items()}

    @defect(name, breaks=breaks, may_break=may_break, summary=summary)
    class Renamed(SessionService):
        def error_answer(self, refused: Refused, call: Call) -> Answer:
            values = by_kind.get((refused.status, refused.code), {})
            return super().error_answer(replace(refused, **values) if values else refused, call)


_renamed(
    "unauthorised-in-american",
    'The error of a 401 is spelt "unauthorized".',
    {refusals.TOKEN: {"error": "unauthorized"}},
    breaks=[f"{ERRORS}.matrix", *TOKEN_CLAUSES],
)
_renamed(
    "forbidden-named-access-denied",
    "The error of a 403 is access_denied.",
    {refusals.ORIGIN: {"error": "access_denied"}},
    breaks=[f"{ERRORS}.matrix", *ORIGIN_CLAUSES],
)
_renamed(
    "validation-named-bad-request",
    "The error of a 400 for a field that is not valid is bad_request.",
    {refusals.VALIDATION: {"error": "bad_request"}},
    breaks=[f"{ERRORS}.matrix"],
    may_break=["proof.session.request"],
)
_renamed(
    "decode-error-in-capitals",
    "The error of a body that is no JSON object is INVALID_REQUEST.",
    {refusals.DECODE: {"error": "INVALID_REQUEST"}},
    breaks=[f"{ERRORS}.matrix", "proof.session.request.malformed-json", "proof.session.request.non-object"],
)
_renamed(
    "currency-refused-as-not-found",
    "A currency that is not enabled gets 404 with the error of a 400.",
    {refusals.CURRENCY: {"status": 404}},
    breaks=[f"{ERRORS}.matrix", "proof.session.request.currency-enabled"],
)

# The request id.


@defect("request-id-missing", breaks=[f"{ERRORS}.request-id"])
class RequestIdMissing(SessionService):
    """Errors have no X-Request-Id."""

    def identified(self, answer: Answer, call: Call) -> Answer:
        return answer if answer.status >= 400 else super().identified(answer, call)


@defect("request-id-missing-on-unauthorised", breaks=[f"{ERRORS}.request-id"])
class RequestIdMissingOnUnauthorised(SessionService):
    """A 401 has no X-Request-Id."""

    def identified(self, answer: Answer, call: Call) -> Answer:
        return answer if answer.status == 401 else super().identified(answer, call)


@defect("request-id-empty", breaks=[f"{ERRORS}.request-id"])
class RequestIdEmpty(SessionService):
    """The X-Request-Id is empty."""

    def request_id(self, answer: Answer, call: Call) -> str:
        return ""


@defect("request-id-constant", breaks=[f"{ERRORS}.request-id"])
class RequestIdConstant(SessionService):
    """The X-Request-Id is always the same."""

    def request_id(self, answer: Answer, call: Call) -> str:
        return "00000000000000000000000000000000"


@defect("request-id-from-request", breaks=[f"{ERRORS}.request-id"])
class RequestIdFromRequest(SessionService):
    """Two requests with the same body have the same X-Request-Id."""

    def request_id(self, answer: Answer, call: Call) -> str:
        return hashlib.sha256(call.body).hexdigest()[:32]


# What an error must not carry.


@defect("wallet-error-with-transaction-id", breaks=[f"{ERRORS}.no-session"])
class WalletErrorWithTransactionId(SessionService):
    """The error for a pair without a wallet carries a merchant_transaction_id."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        if refused is refusals.WALLET:
            envelope["merchant_transaction_id"] = self.transaction_id(self.partners[0], _NOBODY)
        return envelope


@defect("errors-with-init-token", breaks=[f"{ERRORS}.no-session"])
class ErrorsWithInitToken(SessionService):
    """Errors carry an init_token."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return super().envelope(refused, call) | {"init_token": self.init_token(self.partners[0], _NOBODY)}


@defect("token-of-the-session-before-in-a-hint", breaks=[f"{ERRORS}.no-session"])
class TokenOfTheSessionBeforeInAHint(SessionService):
    """An error for a field hints at the init_token of the session before, whoever asked for it."""

    _before = ""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        self._before = super().init_token(partner, request)
        return self._before

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        if refused.code == refusals.VALIDATION.code and self._before:
            envelope["hint"] = self._before
        return envelope


@defect("validation-error-with-signature", breaks=[f"{ERRORS}.no-session"])
class ValidationErrorWithSignature(SessionService):
    """A validation error carries a signature."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        envelope = super().envelope(refused, call)
        if refused.code == "validation_error":
            envelope["signature"] = self.signature({}, _NOBODY)
        return envelope


_NOBODY = SessionRequest(partner_user_id="", user_email="", network="", currency="", amount="")


# The message of errors with this code ends in what nobody outside should read.
_revealing = defects(
    SessionService,
    "envelope",
    lambda code, secret, _, inherited, refused, call: (
        inherited(refused, call)
        | {"message": f"{refused.message} {secret}" if refused.code == code else refused.message}
    ),
    breaks=[f"{ERRORS}.no-internals"],
)
_revealing(
    "stack-trace-in-message",
    "The message of a decode error holds a stack trace.",
    "decode_error",
    'Traceback (most recent call last):\n  File "/srv/proof/api/session.py", line 88, in create\nValueError',
)
_revealing(
    "go-stack-trace-in-message",
    "The message of a validation error holds a Go stack trace.",
    "validation_error",
    "goroutine 41 [running]:\nmain.(*Server).session(0xc000126000)\n\t/go/src/proof/session.go:88 +0x1a5",
)
_revealing(
    "sql-in-message",
    "The message for a pair without a wallet holds the SQL statement.",
    "WALLET_NOT_SUPPORTED",
    "SELECT address FROM wallets WHERE partner_id = 7 AND currency = 'USDT': sql: no rows in result set",
)

# The provider.

UPSTREAM = [f"{ERRORS}.upstream"]


@defect("upstream-fault-lasts", breaks=UPSTREAM)
class UpstreamFaultLasts(SessionService):
    """After the provider has failed, the same body fails again."""

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        super().check_provider(partner, request)
        if (partner.widget_id, request.partner_user_id) in self._failed_once:
            raise Refusal(refusals.UPSTREAM)


@defect("upstream-retry-refused", breaks=UPSTREAM)
class UpstreamRetryRefused(SessionService):
    """After the provider has failed, the same body is refused as a duplicate."""

    def check_provider(self, partner: Partner, request: SessionRequest) -> None:
        super().check_provider(partner, request)
        if (partner.widget_id, request.partner_user_id) in self._failed_once:
            self.invalid("This request was sent before.")


@defect("upstream-retry-without-transaction", breaks=UPSTREAM)
class UpstreamRetryWithoutTransaction(SessionService):
    """After the provider has failed, the same body gives a session that has no transaction."""

    def record(self, partner: Partner, request: SessionRequest, session: dict[str, Any]) -> None:
        if (partner.widget_id, request.partner_user_id) not in self._failed_once:
            super().record(partner, request, session)


_renamed(
    "upstream-named-unavailable",
    "A failure of the provider is named upstream_unavailable.",
    {refusals.UPSTREAM: {"error": "upstream_unavailable", "code": "upstream_unavailable"}},
    breaks=UPSTREAM,
)
_renamed(
    "upstream-code-undocumented",
    "A failure of the provider has the code PROVIDER_ERROR.",
    {refusals.UPSTREAM: {"code": "PROVIDER_ERROR"}},
    breaks=UPSTREAM,
)
_renamed(
    "upstream-as-internal-error",
    "A failure of the provider gives 500 internal_error.",
    {refusals.UPSTREAM: {"status": 500, "error": "internal_error", "code": "db_error"}},
    breaks=UPSTREAM,
)
_renamed(
    "upstream-as-bad-request",
    "A failure of the provider gives 400 invalid_request.",
    {refusals.UPSTREAM: {"status": 400, "error": "invalid_request", "code": "validation_error"}},
    breaks=UPSTREAM,
)
