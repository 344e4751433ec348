"""Defects that frameworks, libraries and stores bring along, each in a case of its own."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from .defects_request import REQUEST, refused
from .defects_serialisation import BYTES, in_order
from .service import WidgetSessionService

Fields = dict[str, Any]

# What is signed.


@defect("marshalled-json-signed-too", breaks=["kryptonim.auth.signature-body"])
class MarshalledJsonSignedToo(WidgetSessionService):
    """A signature is good, too, over what Go's json.Marshal makes of the body: sorted, and HTML's marks escaped."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        if super().is_signature(signature, body):
            return True
        try:
            written = json.dumps(in_order(json.loads(body)), ensure_ascii=False, separators=(",", ":"))
            for mark in "<>&":
                written = written.replace(mark, f"\\u{ord(mark):04x}")
            return super().is_signature(signature, written.encode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            return False


@defect("signature-over-unescaped-slashes", breaks=[BYTES])
class SignatureOverUnescapedSlashes(WidgetSessionService):
    r"""What PHP writes as \/ has become / before the signature is verified."""

    def signed_bytes(self, call: Call) -> bytes:
        return super().signed_bytes(call).replace(rb"\/", b"/")


@defect("escaped-slashes-signed-too", breaks=["kryptonim.auth.signature-body"])
class EscapedSlashesSignedToo(WidgetSessionService):
    r"""A signature is good, too, over the body with every / written as \/, as PHP writes it."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        return super().is_signature(signature, body) or (
            b"/" in body and super().is_signature(signature, body.replace(b"/", rb"\/"))
        )


# The fields.


@defect("address-not-needed-where-unlocked", breaks=[f"{REQUEST}.required.destinationAddress"])
class AddressNotNeededWhereUnlocked(WidgetSessionService):
    """A request without destinationAddress is accepted if that is unlocked, for the user will enter it."""

    def required(self, document: Fields, name: str) -> Any:
        unlocked = document.get("unlockedFields")
        if name == "destinationAddress" and name not in document and isinstance(unlocked, list) and name in unlocked:
            return "0x0"
        return super().required(document, name)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value, names left out."""
    match value:
        case dict():
            yield from (text for member in value.values() for text in _texts(member))
        case list():
            yield from (text for item in value for text in _texts(item))
        case str():
            yield value


refused(
    "dotted-metadata-refused",
    ["metadata"],
    "Metadata with a dot in a name are refused, as older versions of MongoDB store none.",
    lambda request: any("." in name for name in request.get("metadata", {})),
)
refused(
    "metadata-with-markup-refused",
    ["metadata"],
    "Metadata with the marks of HTML in a text are refused.",
    lambda request: any({"<", ">"} & set(text) for text in _texts(request.get("metadata", {}))),
)


@defect("no-external-partner-crash", breaks=[f"{REQUEST}.no-server-error"])
class NoExternalPartnerCrash(WidgetSessionService):
    """An `_externalPartnerId` of null gives a 500."""

    def check_metadata(self, request: Fields) -> None:
        if None is request.get("metadata", {}).get("_externalPartnerId", ""):
            raise TypeError("null has no length")
        super().check_metadata(request)


# The widget's URL.

_hosted = defects(
    WidgetSessionService,
    "widget_url",
    lambda host, _, inherited, *given: inherited(*given).replace("buy.kryptonim.example", host),
    breaks=["kryptonim.session.widget-url"],
)
_hosted("widget-url-of-unfilled-template", "The host in the widget's URL is ${WIDGET_HOST}.", "${WIDGET_HOST}")
_hosted(
    "widget-url-of-undefined-host", "The host in the widget's URL is that of a setting that is missing.", "undefined"
)
_hosted(
    "widget-url-with-two-schemes",
    "The host in the widget's URL is that of a setting that is a whole URL.",
    "https://buy.kryptonim.example",
)
