"""Defects of a gateway in front, and of what an error gives away (`proof.errors.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.gateway_pages import ATTACKS, page
from rampcheck.sandbox.wire import Answer, Call

from .base import BaseService
from .refusals import Refused
from .request import RequestReading
from .service import SessionService

GATEWAY, INTERNALS = "proof.errors.gateway-envelope", "proof.errors.no-internals"


def stopped(name: str, attack: str, status: int) -> None:
    """Registers a defect: a firewall answers what looks like an attack."""

    @defect(name, breaks=[GATEWAY], summary=f"A firewall answers a {attack} in the body with a page, {status}.")
    class Stopped(SessionService):
        def post_session(self, call: Call) -> Answer:
            return page(status) if ATTACKS[attack] in call.body else super().post_session(call)


stopped("firewall-stops-sql", "sql", 403)
stopped("firewall-stops-scripts", "script", 406)
stopped("firewall-stops-paths", "path", 403)


# What an error gives away.


def told_in_header(name: str, summary: str, header: str, value: str) -> None:
    """Registers a defect: every error has a header with this value."""

    @defect(name, breaks=[INTERNALS], summary=summary)
    class ToldInHeader(BaseService):
        def error_answer(self, refused: Refused, call: Call) -> Answer:
            answer = super().error_answer(refused, call)
            return replace(answer, headers={**answer.headers, header: value})


told_in_header(
    "trace-in-header",
    "Every error has a header with the place in the source where it was raised.",
    "x-error-at",
    "/srv/app/proof/session/handler.go:118",
)
told_in_header(
    "query-in-header",
    "Every error has a header with the query that was made for it.",
    "x-debug-sql",
    "SELECT id FROM partner_tokens WHERE token = $1",
)
told_in_header(
    "provider-url-in-header",
    "Every error says in a header which of the hosts behind Proof was asked.",
    "x-upstream-url",
    "http://wallet-service.internal:8080/v1/addresses",
)

HTML = """<!doctype html>
<title>400 Bad Request</title>
<pre>Traceback (most recent call last):
  File "/srv/app/proof/session.py", line 211, in read
</pre>
"""


@defect(
    "trace-on-a-page",
    breaks=["proof.errors.envelope", INTERNALS],
    may_break=["proof.session.request", "proof.errors.media-type", "proof.errors.matrix", GATEWAY],
)
class TraceOnAPage(SessionService):
    """A body that cannot be read is answered with a page of HTML that shows a stack trace."""

    def post_session(self, call: Call) -> Answer:
        answer = super().post_session(call)
        if answer.status != 400 or b"decode_error" not in answer.body:
            return answer
        return replace(answer, body=HTML.encode(), headers={**answer.headers, "content-type": "text/html"})


@defect("provider-url-in-another-member", breaks=[INTERNALS])
class ProviderUrlInAnotherMember(BaseService):
    """Every error has a member `details` with the address of the service behind Proof that was asked."""

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        details = {"upstream": "https://10.20.0.14:9443/internal/sessions"}
        return {**super().envelope(refused, call), "details": details}


# An amount as a programming language reads it.


@defect("amount-with-apostrophes-accepted", breaks=["proof.session.request.amount-decimal"])
class AmountWithApostrophesAccepted(RequestReading):
    """An amount may have apostrophes between its thousands, as in Switzerland."""

    def is_decimal(self, amount: str) -> bool:
        return super().is_decimal(amount.replace("'", ""))


@defect("amount-with-dollar-accepted", breaks=["proof.session.request.amount-decimal"])
class AmountWithDollarAccepted(RequestReading):
    """An amount may begin with the sign of its currency."""

    def is_decimal(self, amount: str) -> bool:
        return super().is_decimal(amount.removeprefix("$"))


@defect("negative-zero-accepted", breaks=["proof.session.request.amount-positive"])
class NegativeZeroAccepted(RequestReading):
    """An amount of -0, which is below no zero and equal to none as a text, is taken."""

    def is_decimal(self, amount: str) -> bool:
        return amount == "-0" or super().is_decimal(amount)


@defect("amount-with-underscores-accepted", breaks=["proof.session.request.amount-decimal"])
class AmountWithUnderscoresAccepted(RequestReading):
    """An amount may have underscores between its digits, as Python's numbers may."""

    def is_decimal(self, amount: str) -> bool:
        return super().is_decimal(amount.replace("_", ""))


@defect("amount-with-group-spaces-accepted", breaks=["proof.session.request.amount-decimal"])
class AmountWithGroupSpacesAccepted(RequestReading):
    """An amount may have spaces between groups of digits."""

    def is_decimal(self, amount: str) -> bool:
        return super().is_decimal(amount.replace(" ", ""))

    def is_positive(self, amount: str) -> bool:
        return super().is_positive(amount.replace(" ", ""))
