"""Defects of types: what is empty in some language, or holds the right string, passes for a string or for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rampcheck.sandbox.defects import defects

from .service import SessionService
from .session_changes import SESSION

TYPE = f"{SESSION}.request.type"


def _of(kind: type, value: Any) -> bool:
    return type(value) is kind and not value


_required = defects(
    SessionService,
    "mistyped",
    lambda field, kind, taken, _, inherited, name, value: (
        taken if name == field and _of(kind, value) else inherited(name, value)
    ),
)
for _name, _kind, _taken, _words in (
    ("partner_user_id", bool, "false", "false"),
    ("partner_user_id", list, "none", "an empty array"),
    ("user_email", dict, "nobody@example.com", "an empty object"),
    ("user_email", Decimal, "nobody@example.com", "the number 0"),
    ("amount", list, "1", "an empty array"),
    ("network", dict, "TRC20", "an empty object"),
    ("currency", bool, "USDT", "false"),
):
    _required(
        f"{_words.split()[-1]}-as-{_name.replace('_', '-')}-accepted",
        [f"{TYPE}.{_name}"],
        f"{_words.capitalize()} as {_name} is taken for a default.",
        _name,
        _kind,
        _taken,
    )

_optional = defects(
    SessionService,
    "mistyped_optional",
    lambda field, made, _, inherited, name, value: (
        made(value) if field in {name, ""} and made(value) is not value else inherited(name, value)
    ),
    breaks=[f"{TYPE}.optional"],
)


def _falsy_is_absent(value: Any) -> Any:
    return value if value or value is None else None


def _unwrapped(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


_optional(
    "falsy-options-taken-for-absent", "What is empty, zero or false is taken for no option.", "", _falsy_is_absent
)
_optional("falsy-type-taken-for-absent", "What is empty, zero or false is taken for no type.", "type", _falsy_is_absent)
_optional("type-in-array-unwrapped", "A type in an array is taken for a type.", "type", _unwrapped)
_optional("client-ip-in-array-unwrapped", "An address in an array is taken for client_ip.", "client_ip", _unwrapped)
