"""Defects in reading a body, and crashes (`kryptonim.session.request.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.strict_json import NotJsonError
from rampcheck.sandbox.wire import Call

from .service import WidgetSessionService

REQUEST = "kryptonim.session.request"
MALFORMED = [f"{REQUEST}.malformed-json"]
CRASH = [f"{REQUEST}.no-server-error"]


@defect("malformed-json-crash", breaks=MALFORMED, may_break=CRASH)
class MalformedJsonCrash(WidgetSessionService):
    """A body that is not JSON gives a 500."""

    def refuse_malformed(self, body: bytes, error: NotJsonError) -> dict[str, Any]:
        raise LookupError("no parser") from error


@defect("json-followed-by-anything-accepted", breaks=MALFORMED)
class JsonFollowedByAnythingAccepted(WidgetSessionService):
    """What follows a JSON object in the body is not looked at."""

    def refuse_malformed(self, body: bytes, error: NotJsonError) -> dict[str, Any]:
        cause = error.__cause__
        if isinstance(cause, json.JSONDecodeError) and cause.msg == "Extra data":
            return self.decode(body.decode("utf-8")[: cause.pos].encode())
        return super().refuse_malformed(body, error)


@defect("non-object-crash", breaks=MALFORMED, may_break=CRASH)
class NonObjectCrash(WidgetSessionService):
    """JSON that is no object gives a 500."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        return dict(document.items())


@defect("array-unwrapped", breaks=MALFORMED)
class ArrayUnwrapped(WidgetSessionService):
    """An array around a request is accepted."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        if isinstance(document, list) and document and isinstance(document[0], dict):
            return document[0]
        return super().refuse_non_object(document)


@defect("deep-nesting-crash", breaks=CRASH, may_break=MALFORMED)
class DeepNestingCrash(WidgetSessionService):
    """A body that is nested too deeply gives a 500."""

    def refuse_malformed(self, body: bytes, error: NotJsonError) -> dict[str, Any]:
        if isinstance(error.__cause__, RecursionError):
            raise RecursionError("stack") from error
        return super().refuse_malformed(body, error)


def _crash(name: str, summary: str, cannot: Callable[[dict[str, Any]], object]) -> None:
    """Registers a defect: a 500 for each request of which `cannot` is true, or at which it raises."""

    @defect(name, breaks=CRASH, summary=summary)
    class Crash(WidgetSessionService):
        def read(self, call: Call) -> dict[str, Any]:
            request = super().read(call)
            if cannot(request):
                raise RuntimeError(summary)
            return request


def _text(request: dict[str, Any]) -> str:
    return "".join(value for value in request.values() if isinstance(value, str))


_crash("nul-crash", "A NUL in any string gives a 500.", lambda request: "\0" in _text(request))
_crash("astral-crash", "A character beyond U+FFFF gives a 500.", lambda request: max(_text(request)) > "\uffff")
_crash("surrogate-crash", "A lone surrogate gives a 500.", lambda request: not _text(request).encode())
_crash(
    "long-string-crash",
    "A string of more than 255 characters gives a 500.",
    lambda request: any(len(value) > 255 for value in request.values() if isinstance(value, str)),
)
_crash(
    "large-amount-crash",
    "An amount of 2 to the power of 63 or more gives a 500.",
    lambda request: max(request.get("fiatAmount", 0), request.get("cryptoAmount", 0)) >= 1 << 63,
)


_crash(
    "failure-url-that-is-none-crash",
    "A failureUrl that is no URL gives a 500.",
    lambda request: not urlsplit(request.get("failureUrl") or ""),
)
_crash("empty-email-crash", "An empty email gives a 500.", lambda request: request.get("email") == "")
_crash("empty-success-url-crash", "An empty successUrl gives a 500.", lambda request: request.get("successUrl") == "")


@defect("empty-ip-address-crash", breaks=CRASH)
class EmptyIpAddressCrash(WidgetSessionService):
    """What reads the ipAddress falls over an empty one."""

    def check_ip_address(self, request: dict[str, Any]) -> None:
        if request.get("ipAddress") == "":
            raise RuntimeError(self.__doc__)
        super().check_ip_address(request)


@defect("empty-object-crash", breaks=CRASH)
class EmptyObjectCrash(WidgetSessionService):
    """An object without members gives a 500."""

    def read(self, call: Call) -> dict[str, Any]:
        if call.body == b"{}":
            raise RuntimeError(self.__doc__)
        return super().read(call)


@defect("unknown-field-crash", breaks=CRASH)
class UnknownFieldCrash(WidgetSessionService):
    """A field that is not documented gives a 500."""

    def fields_of(self, document: dict[str, Any]) -> dict[str, Any]:
        fields = super().fields_of(document)
        if any(name not in fields and value is not None for name, value in document.items()):
            raise LookupError("unknown field")
        return fields
