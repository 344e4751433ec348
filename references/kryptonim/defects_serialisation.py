"""Defects of what is signed: not the bytes that came, but the JSON in them, written again (`kryptonim.auth.*`)."""

# ruff: noqa: D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defect
from rampcheck.sandbox.wire import Call

from .service import WidgetSessionService

BYTES, ENCODING = "kryptonim.auth.signature-bytes", "kryptonim.auth.signature-encoding"


def stringified(value: Any) -> str:
    """A JSON value as JSON.stringify writes it (ECMA-262 §25.5.2): compact, nothing escaped that need not be."""
    match value:
        case dict():
            # Of an object, names that are array indices come first, in their order (§10.1.11.1).
            names = sorted((name for name in value if is_index(name)), key=int)
            names += [name for name in value if not is_index(name)]
            return "{" + ",".join(f"{quoted(name)}:{stringified(value[name])}" for name in names) + "}"
        case list():
            return "[" + ",".join(map(stringified, value)) + "]"
        case str():
            return quoted(value)
        case float():
            return number(value)
    return json.dumps(value)


def is_index(name: str) -> bool:
    """Whether a name is that of an element of an array."""
    return name.isascii() and name.isdigit() and str(int(name[:11])) == name and int(name) < 2**32 - 1


def quoted(text: str) -> str:
    """A string in quotes; only a lone surrogate is escaped that JSON would not ask for (§25.5.2.3)."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\u{ord(letter):04x}" if "\ud800" <= letter <= "\udfff" else letter for letter in written)


def number(value: float) -> str:
    """A number as Number::toString gives it (§6.1.6.1.20); what is none is null."""
    if not math.isfinite(value):
        return "null"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    if value == 0:
        return "0"
    if len(text) <= point <= 21:
        written = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        written = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        written = f"0.{'0' * -point}{text}"
    else:
        fraction = f".{text[1:]}" if text[1:] else ""
        written = f"{text[0]}{fraction}e{point - 1:+d}"
    return f"-{written}" if sign else written


def signed_over(name: str, summary: str, write: Callable[[Any], str]) -> None:
    """Registers a defect: the signature must be over what `write` makes of the JSON value in the body.

    That is good for another spelling of the same value as well.
    """

    @defect(name, breaks=[BYTES], may_break=["kryptonim.auth.signature-body"], summary=summary)
    class SignedOver(WidgetSessionService):
        def signed_bytes(self, call: Call) -> bytes:
            try:
                value = json.loads(call.body.decode("utf-8"), parse_int=float)
                return write(value).encode("utf-8", "surrogatepass")
            except (ValueError, RecursionError):
                return call.body


signed_over(
    "signature-over-stringified-json",
    "The signature is verified over JSON.stringify(JSON.parse(body)).",
    stringified,
)
signed_over(
    "signature-over-sorted-json",
    "The signature is verified over the JSON in the body, written compactly and with its members sorted.",
    lambda value: stringified(in_order(value)),
)


def in_order(value: Any) -> Any:
    """The value with the members of every object sorted."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value


@defect("signature-over-spaced-json", breaks=[BYTES])
class SignatureOverSpacedJson(WidgetSessionService):
    """The signature is verified over json.dumps(json.loads(body)), which puts spaces after the separators."""

    def signed_bytes(self, call: Call) -> bytes:
        try:
            return json.dumps(json.loads(call.body.decode("utf-8"))).encode("ascii")
        except (ValueError, RecursionError):
            return call.body


@defect("signature-in-base64-only", breaks=[BYTES, ENCODING], may_break=["kryptonim.auth"])
class SignatureInBase64Only(WidgetSessionService):
    """A signature is good in base64 only."""

    def expected_signature(self, body: bytes) -> str:
        return base64.b64encode(bytes.fromhex(super().expected_signature(body))).decode("ascii")


@defect("signature-in-capitals-only", breaks=[BYTES])
class SignatureInCapitalsOnly(WidgetSessionService):
    """A signature is good in upper-case hexadecimal only."""

    def expected_signature(self, body: bytes) -> str:
        return super().expected_signature(body).upper()
