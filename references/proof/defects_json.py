"""Defects in taking in a request: method, media type, JSON, and crashes (`proof.session.request.*`)."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.strict_json import NotJsonError
from rampcheck.sandbox.wire import Call

from . import refusals
from .refusals import Refusal
from .request import SessionRequest
from .service import SessionService

REQUEST = "proof.session.request"
FORM = "application/x-www-form-urlencoded"

# The media type and the method.


@defect("media-type-ignored", breaks=[f"{REQUEST}.media-type"])
class MediaTypeIgnored(SessionService):
    """Any Content-Type is accepted."""

    def check_media_type(self, call: Call) -> None:
        """Nothing is checked."""


@defect("media-type-by-its-beginning", breaks=[f"{REQUEST}.media-type"])
class MediaTypeByItsBeginning(SessionService):
    """Any Content-Type is accepted whose name begins as that of JSON does."""

    def check_media_type(self, call: Call) -> None:
        """Only the beginning is looked at."""
        if not call.media_type.startswith("application/json"):
            super().check_media_type(call)


@defect("form-accepted", breaks=[f"{REQUEST}.media-type"])
class FormAccepted(SessionService):
    """A form is as good as JSON, if it says that it is one."""

    def check_media_type(self, call: Call) -> None:
        """A form passes, too."""
        if call.media_type != FORM:
            super().check_media_type(call)

    def read(self, call: Call) -> SessionRequest:
        """A form's fields are the members of an object."""
        fields = dict(parse_qsl(call.body.decode("latin-1"))) if call.media_type == FORM else {}
        return super().read(replace(call, body=json.dumps(fields).encode()) if fields else call)


@defect("content-encoding-believed", breaks=[f"{REQUEST}.no-server-error"])
class ContentEncodingBelieved(SessionService):
    """A body that is said to be compressed with gzip, and is not, gives a 500."""

    def check_media_type(self, call: Call) -> None:
        """What is inside is of no interest here."""
        if call.header("content-encoding") == "gzip":
            gzip.decompress(call.body)
        super().check_media_type(call)


@defect("media-type-parameters-refused", breaks=[f"{REQUEST}.accepts-media-type"])
class MediaTypeParametersRefused(SessionService):
    """A Content-Type with a charset is refused."""

    def check_media_type(self, call: Call) -> None:
        if call.header("content-type") != "application/json":
            raise Refusal(refusals.MEDIA_TYPE)


@defect("any-method-served", breaks=[f"{REQUEST}.method"])
class AnyMethodServed(SessionService):
    """A session is created by whatever method."""

    def check_method(self, call: Call) -> None:
        """Nothing is checked."""


@defect("other-methods-crash", breaks=[f"{REQUEST}.method"], may_break=[f"{REQUEST}.no-server-error"])
class OtherMethodsCrash(SessionService):
    """Another method than POST gives a 500."""

    def check_method(self, call: Call) -> None:
        if call.method != "POST":
            raise NotImplementedError(call.method)


# JSON.


@defect("malformed-json-unprocessable", breaks=[f"{REQUEST}.malformed-json"], may_break=["proof.errors.matrix"])
class MalformedJsonUnprocessable(SessionService):
    """A body that is no JSON gets 422 in place of 400."""

    def parse(self, body: bytes) -> Any:
        try:
            return super().parse(body)
        except NotJsonError as error:
            raise Refusal(replace(refusals.DECODE, status=422)) from error


@defect("malformed-json-crash", breaks=[f"{REQUEST}.malformed-json"], may_break=[f"{REQUEST}.no-server-error"])
class MalformedJsonCrash(SessionService):
    """A body that is no JSON gives a 500."""

    def parse(self, body: bytes) -> Any:
        try:
            return super().parse(body)
        except NotJsonError as error:
            raise LookupError("no parser") from error


@defect("json-followed-by-anything-accepted", breaks=[f"{REQUEST}.malformed-json"])
class JsonFollowedByAnythingAccepted(SessionService):
    """What follows a JSON object in the body is not looked at."""

    def parse(self, body: bytes) -> Any:
        try:
            return super().parse(body)
        except NotJsonError as error:
            if not isinstance(error.__cause__, json.JSONDecodeError):
                raise
            return super().parse(body.decode("utf-8")[: error.__cause__.pos].encode())


@defect("trailing-comma-accepted", breaks=[f"{REQUEST}.malformed-json"])
class TrailingCommaAccepted(SessionService):
    """A comma before a closing brace is accepted, as JavaScript would."""

    def parse(self, body: bytes) -> Any:
        try:
            return super().parse(body)
        except NotJsonError:
            return super().parse(re.sub(rb",\s*}", b"}", body))


@defect("non-object-unprocessable", breaks=[f"{REQUEST}.non-object"], may_break=["proof.errors.matrix"])
class NonObjectUnprocessable(SessionService):
    """JSON that is no object gets 422 in place of 400."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        raise Refusal(replace(refusals.DECODE, status=422))


@defect("non-object-crash", breaks=[f"{REQUEST}.non-object"], may_break=[f"{REQUEST}.no-server-error"])
class NonObjectCrash(SessionService):
    """JSON that is no object gives a 500."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        return dict(document.items())


@defect("array-unwrapped", breaks=[f"{REQUEST}.non-object"])
class ArrayUnwrapped(SessionService):
    """An array around a request is accepted."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        if isinstance(document, list) and document and isinstance(document[0], dict):
            return document[0]
        return super().refuse_non_object(document)


@defect("string-decoded-again", breaks=[f"{REQUEST}.non-object"])
class StringDecodedAgain(SessionService):
    """A request inside a JSON string is accepted."""

    def refuse_non_object(self, document: Any) -> dict[str, Any]:
        if isinstance(document, str) and document.startswith("{"):
            return self.decode(document.encode("utf-8", "surrogatepass"))
        return super().refuse_non_object(document)


@defect("white-space-refused", breaks=[f"{REQUEST}.accepts"])
class WhiteSpaceRefused(SessionService):
    """A body with a line break or a tab between its tokens is refused."""

    def parse(self, body: bytes) -> Any:
        if re.search(rb"[\n\r\t]", body):
            raise NotJsonError("full of white space")
        return super().parse(body)


@defect("escapes-refused", breaks=[f"{REQUEST}.accepts"])
class EscapesRefused(SessionService):
    """A body that spells a letter or a digit as an escape is refused."""

    def parse(self, body: bytes) -> Any:
        if re.search(rb"\\u00[3-7]", body):
            raise NotJsonError("full of escapes")
        return super().parse(body)


@defect("key-order-matters", breaks=[f"{REQUEST}.accepts"])
class KeyOrderMatters(SessionService):
    """A request whose amount comes before its network is refused."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        names = list(document)
        if {"amount", "network"} <= document.keys() and names.index("amount") < names.index("network"):
            self.invalid("Fields are out of order.")
        return super().request_from(document)


# What the server cannot stomach.


def _crash(name: str, summary: str, cannot: Callable[[SessionRequest], object]) -> None:
    """Registers a defect: a 500 for each request of which `cannot` is true, or at which it raises."""

    @defect(name, breaks=[f"{REQUEST}.no-server-error"], summary=summary)
    class Crash(SessionService):
        def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
            request = super().request_from(document)
            if cannot(request):
                raise RuntimeError(summary)
            return request


def _text(request: SessionRequest) -> str:
    return "".join(value for value in astuple(request) if value is not None)


_crash("nul-crash", "A NUL in any field gives a 500.", lambda request: "\0" in _text(request))
_crash(
    "astral-crash",
    "A character beyond U+FFFF gives a 500.",
    lambda request: max(_text(request), default="") > "\uffff",
)
_crash("surrogate-crash", "A lone surrogate gives a 500.", lambda request: not _text(request).encode())
_crash(
    "long-user-crash",
    "A partner_user_id of more than 255 characters gives a 500.",
    lambda request: len(request.partner_user_id) > 255,
)
_crash(
    "long-amount-crash",
    "An amount of more than 40 characters gives a 500.",
    lambda request: len(request.amount) > 40,
)


@defect("deep-nesting-crash", breaks=[f"{REQUEST}.no-server-error"], may_break=[f"{REQUEST}.malformed-json"])
class DeepNestingCrash(SessionService):
    """A body that is nested too deeply gives a 500."""

    def parse(self, body: bytes) -> Any:
        try:
            return super().parse(body)
        except NotJsonError as error:
            crashed = isinstance(error.__cause__, RecursionError)
            raise (RecursionError("stack") if crashed else error) from error.__cause__


@defect("duplicate-key-crash", breaks=[f"{REQUEST}.no-server-error"])
class DuplicateKeyCrash(SessionService):
    """A body with the same key twice gives a 500."""

    def parse(self, body: bytes) -> Any:
        document = super().parse(body)
        json.loads(body, object_pairs_hook=_without_duplicates, parse_int=Decimal)
        return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise LookupError("duplicate key")
    return document


@defect("unknown-field-crash", breaks=[f"{REQUEST}.no-server-error"])
class UnknownFieldCrash(SessionService):
    """A field that is not documented gives a 500."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, **{name: getattr(request, name) for name in document})


_crash("huge-exponent-crash", "An exponent of nine digits gives a 500.", lambda request: "e99999999" in request.amount)
_crash(
    "redirect-url-that-is-none-crash",
    "A redirect_url that is no URL gives a 500.",
    lambda request: not urlsplit(request.redirect_url or ""),
)
_crash("empty-client-ip-crash", "An empty client_ip gives a 500.", lambda request: request.client_ip == "")
_crash("empty-redirect-url-crash", "An empty redirect_url gives a 500.", lambda request: request.redirect_url == "")


@defect("null-type-crash", breaks=[f"{REQUEST}.no-server-error"])
class NullTypeCrash(SessionService):
    """A type that is null gives a 500."""

    def mistyped_optional(self, name: str, value: Any) -> str | None:
        if name == "type" and value is None:
            raise RuntimeError(self.__doc__)
        return super().mistyped_optional(name, value)


@defect("empty-object-crash", breaks=[f"{REQUEST}.no-server-error"])
class EmptyObjectCrash(SessionService):
    """An object without members gives a 500."""

    def request_from(self, document: Mapping[str, Any]) -> SessionRequest:
        if not document:
            raise RuntimeError(self.__doc__)
        return super().request_from(document)
