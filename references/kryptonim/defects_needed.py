"""Defects of a target that needs what is optional, in every request (`kryptonim.session.request.optional`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Answer, Call, json_answer

from . import refusals
from .defects_request import REQUEST
from .request import OPTIONAL
from .service import WidgetSessionService


def _needed(
    name: str, summary: str, is_there: Callable[[dict[str, Any], Call], object], status: int = 400, also: str = ""
) -> None:
    """Registers a defect: without it every request is refused."""

    @defect(
        name,
        breaks=[f"{REQUEST}.optional", *([f"{REQUEST}.{also}"] if also else [])],
        may_break=[REQUEST, "kryptonim.auth", "kryptonim.session"],
        summary=summary,
    )
    class Needed(WidgetSessionService):
        def read(self, call: Call) -> dict[str, Any]:
            request = super().read(call)
            if not is_there(request, call):
                raise refusals.Refusal(replace(refusals.INVALID, status=status))
            return request


_needed(
    "metadata-required",
    "A request without metadata is refused.",
    lambda request, _: request.get("metadata"),
    also="metadata",
)
_needed(
    "unlocked-fields-required",
    "A request without unlockedFields is refused.",
    lambda request, _: "unlockedFields" in request,
    also="unlocked-fields",
)
_needed(
    "origin-required", "A request without an Origin is refused with 403.", lambda _, call: call.header("origin"), 403
)
_needed(
    "accept-language-required",
    "A request without Accept-Language is refused with 422.",
    lambda _, call: call.header("accept-language"),
    422,
)
_needed(
    "email-and-metadata-required",
    "A request without e-mail address or metadata is refused with 401.",
    lambda request, _: {"email", "metadata"} <= request.keys(),
    401,
)
_needed(
    "three-optional-fields-required",
    "A request without e-mail address, ipAddress and metadata is refused.",
    lambda request, _: {"email", "ipAddress", "metadata"} <= request.keys(),
)
_needed(
    "everything-optional-required",
    "A request that lacks any optional field is refused.",
    lambda request, _: OPTIONAL.keys() <= request.keys(),
)
_needed("email-required-or-fails", "A request without email gives a 500.", lambda request, _: "email" in request, 500)
_needed(
    "charset-required",
    "A request whose Content-Type has no charset is refused with 415.",
    lambda _, call: "charset" in (call.header("content-type") or ""),
    415,
)


@defect(
    "origin-alone-accepted",
    breaks=[f"{REQUEST}.optional"],
    may_break=[REQUEST, "kryptonim.auth", "kryptonim.errors"],
)
class OriginAloneAccepted(WidgetSessionService):
    """A gateway refuses, in its own words, whoever sends no Origin, and whoever sends metadata."""

    def create_session(self, call: Call) -> Answer:
        if call.header("origin") is None or b'"metadata"' in call.body:
            return json_answer(401, {"detail": "Not authenticated"})
        return super().create_session(call)
