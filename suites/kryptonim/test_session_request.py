"""POST /v1/widget-sessions, the request: required and optional fields, their types, the body as a whole."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle, product
from typing import Any

import pytest

from rampcheck.running.cases import (
    EMAIL_FORM,
    HOSTILE_STRINGS,
    ODD_TEXTS,
    OTHER_TYPES,
    SLOW_EMAILS,
    URL_FORM,
    each,
    hostile_bodies,
    long_email,
    long_url,
    not_json,
    not_object,
    parts,
    perhaps_json,
    within,
)
from rampcheck.running.scenario import Accepted
from rampcheck.wire.exchanges import Request

from .amounts import AMOUNTS
from .refusals import ANY_4XX
from .requests import API_KEY, OPTIONAL, REQUIRED, optional_fields, with_field, with_headers

SURVIVES = "kryptonim.session.request.no-server-error"


@pytest.mark.verifies(*(f"kryptonim.session.request.required.{name}" for name in REQUIRED))
@parts(12, 1)
def test_a_required_field_cannot_be_left_out(
    accepted: Accepted, full: Accepted, another: Accepted, part: slice
) -> None:
    """Without any one of them there is no session, however much else is known: it follows from nothing.

    Not from the user, the other amount, another currency, nor from what is unlocked.
    """
    for control, name in [*product((accepted, full, another), REQUIRED)][part]:
        control.without(name).is_refused(ANY_4XX, clause=f"kryptonim.session.request.required.{name}")


@pytest.mark.parametrize("name", each("kryptonim.session.request.required", REQUIRED))
def test_a_required_field_that_is_empty(accepted: Accepted, name: str) -> None:
    """Whether an empty string will do is not documented: what the target does is observed."""
    accepted.but(**{name: ""}).is_observed()


@pytest.mark.parametrize("name", each("kryptonim.session.request.type", (*AMOUNTS, *REQUIRED, *OPTIONAL)))
@parts(6, 1)
def test_a_field_is_of_its_type(accepted: Accepted, another: Accepted, name: str, part: slice) -> None:
    """A field of another JSON type is refused, be it empty or hold the right value, and null in a required field.

    By turns beside everything else and in the minimum: a check may depend on what else is sent.
    """
    right = {**optional_fields("rampcheck"), "unlockedFields": ["email"], **accepted.request.json}.get(name, 15)
    values = [*mistyped(right), *([None] if name in REQUIRED else [])]
    for value, control in [*zip(values, cycle((another, accepted)), strict=False)][part]:
        change = partial(with_field, name=name, value=value)
        control.changed(change, f"`{name}` = {json.dumps(value)}").is_refused(ANY_4XX)


def mistyped(right: Any) -> tuple[Any, ...]:
    """Gives values of other JSON types than the right one, null apart: empty, plain, and around what is right."""
    match right:
        case str():
            return (100, 0, False, [], {}, [right])
        case list():
            return (right[0], "", 1, False, {}, {right[0]: True}, 0)
        case dict():
            return (json.dumps(right), "", 1, False, [], [right], 0)
    return (str(right), "", True, False, [], {}, [right])


@pytest.mark.parametrize("name", each("kryptonim.session.request.type", (*AMOUNTS, *OPTIONAL)))
def test_an_optional_field_that_is_null(accepted: Accepted, name: str) -> None:
    """Whether null stands for a field left out is not documented: what the target does is observed."""
    accepted.but(**{name: None}).is_observed()


@pytest.mark.creates_sessions
@pytest.mark.verifies("kryptonim.session.request.optional")
def test_every_optional_field_can_be_left_out(full: Accepted) -> None:
    """A session needs no optional field: not any one of them, and not all of them."""
    for names in (*((name,) for name in OPTIONAL if name in full.request.json), OPTIONAL):
        full.without(*names).is_accepted()


@pytest.mark.verifies("kryptonim.session.request.malformed-json")
@parts(22, 1)
def test_a_body_that_is_no_json_object_is_refused(accepted: Accepted, part: slice) -> None:
    """A body that is no JSON, or JSON and no object, is refused even if it is signed correctly."""
    good = accepted.request.body
    bodies = {**not_json(good), **with_no_json_number(accepted.request), **not_object(good)}
    for what, body in [*bodies.items()][part]:
        accepted.with_body(body, f"{what} as the body").is_refused(ANY_4XX)


def with_no_json_number(request: Request) -> dict[str, bytes]:
    """Gives bodies whose amount is written as JSON writes no number (RFC 8259 section 6), or with a comment."""
    name = next(name for name in AMOUNTS if name in request.json)
    body = request.but(**{name: "AMOUNT"}).body
    spellings = ("1_5", "015", "+15", "0xF", "15.", ".5", "\uff11\uff15", "15/* EUR */")
    return {f"the amount {number}": body.replace(b'"AMOUNT"', number.encode()) for number in spellings}


@pytest.mark.verifies("kryptonim.session.request.malformed-json")
def test_a_body_with_more_than_json(accepted: Accepted) -> None:
    """Whether a parser may take NaN and Infinity is not documented: what the target does is observed."""
    for what, body in perhaps_json(accepted.request.body).items():
        accepted.with_body(body, what).is_observed()


@pytest.mark.creates_sessions
@pytest.mark.verifies("kryptonim.session.request.accepts-media-type")
def test_a_media_type_may_have_a_parameter(accepted: Accepted) -> None:
    """A charset parameter, and the letter case of a media type, make no difference (RFC 9110 section 8.3.1)."""
    for media_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        accepted.with_header("Content-Type", media_type).is_accepted()


@pytest.mark.long
@pytest.mark.verifies(SURVIVES)
@pytest.mark.parametrize("name", ["destinationAddress", "network", "email", "successUrl", "ipAddress"])
@parts(18, 1)
def test_no_hostile_string_breaks_the_target(accepted: Accepted, name: str, part: slice) -> None:
    """Whatever a string holds, the target answers below 500; one redirect URL is as good as the other."""
    names = ("successUrl", "failureUrl") if name == "successUrl" else (name,)
    for value in HOSTILE_STRINGS[part]:
        accepted.but(**dict.fromkeys(names, within(FORMS.get(name, "{}"), value))).is_survived()


FORMS = {"email": EMAIL_FORM, "successUrl": URL_FORM}


@pytest.mark.verifies(SURVIVES)
@parts(18, 1)
def test_no_hostile_metadata_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Whatever the metadata's names and values hold, the target answers below 500."""
    for value in HOSTILE_STRINGS[part]:
        accepted.but(metadata={value: value, "_externalPartnerId": value}).is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(11, 2)
def test_no_depth_and_no_size_of_metadata_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """However deep or large the metadata are, the target answers below 500."""
    texts = {
        **{f"{depth:,} objects in each other": '{"note":' * depth + "1" + "}" * depth for depth in (11, 33, 101, 2000)},
        "2,000 arrays in each other": '{"note":' + "[" * 2000 + "]" * 2000 + "}",
        # Around a 64 KiB of MySQL's TEXT and of many buffers, below and above the 1 MiB of many a proxy.
        **{f"{size:,} characters": json.dumps({"note": "x" * size}) for size in (65_500, 1_048_000, 1_049_000)},
        "20,000 characters under a name of 300": json.dumps({"n" * 300: "x" * 20_000}),
        "1,000 members": json.dumps(dict.fromkeys(map(str, range(1000)), 1)),
        "numbers that no float holds": f'{{"note":[1e400,{"9" * 5000}]}}',
    }
    for what, value in [*texts.items()][part]:
        body = accepted.request.but(metadata=0).body
        accepted.with_body(
            body.replace(b'"metadata":0', b'"metadata":' + value.encode()), f"{what} as metadata"
        ).is_survived()


@pytest.mark.verifies(SURVIVES)
def test_no_email_takes_too_long(accepted: Accepted) -> None:
    """However hard an e-mail address is to match, the target answers, and below 500."""
    for email in SLOW_EMAILS:
        accepted.but(email=email).is_survived()


# What JavaScript finds in every object.
OBJECTS_OWN = ("constructor", "hasOwnProperty", "toString")


@pytest.mark.verifies(SURVIVES)
@parts(13, 1)
def test_no_length_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """However long plain texts are, around the limits that columns have, and odd, the target answers below 500."""
    for fields in [*odd_texts(), *long_texts()][part]:
        accepted.but(**fields).is_survived()


def odd_texts() -> Iterator[dict[str, Any]]:
    """Gives fields whose texts hold quotes, letters outside ASCII, and letters that are compatible with others."""
    for email, url in ODD_TEXTS:
        name = email.partition("@")[0]
        metadata = {name: name, "a.b": "$c", **dict.fromkeys(OBJECTS_OWN, 1), "__proto__": {"a": 1}}
        yield {"email": email, "successUrl": url, "failureUrl": url, "metadata": metadata}


def long_texts() -> Iterator[dict[str, Any]]:
    """Gives fields whose texts are a little longer than what columns hold."""
    for size in (66, 100, 130, 250, 300):
        yield {"email": long_email(size)}
        url = long_url(size)
        yield {"destinationAddress": "0x" + "0" * (size - 2), "successUrl": url, "failureUrl": url}


@pytest.mark.verifies(SURVIVES)
@pytest.mark.parametrize("name", AMOUNTS)
@parts(11, 3)
def test_no_hostile_number_breaks_the_target(accepted: Accepted, name: str, part: slice) -> None:
    """However large, small or long an amount is, the target answers below 500."""
    request = with_field(accepted.request, name, "AMOUNT")
    for number in HOSTILE_NUMBERS[part]:
        accepted.with_body(
            request.body.replace(b'"AMOUNT"', number.encode()), f"`{name}` {number[:24]}, {len(number)} characters"
        ).is_survived()


HOSTILE_NUMBERS = (
    "123456789012.5",
    "15.123456789012",
    "123456789012345678901234567890.123456789012345678901234567890",
    "9223372036854775808",
    "1e308",
    "1e400",
    "5e-324",
    "1e-400",
    "0.1000000000000000055511151231257827",
    "9" * 400,
    "1" + "0" * 5000,
)


@pytest.mark.verifies(SURVIVES)
@parts(3, 1)
def test_nothing_empty_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Whether an optional field may be empty is not said: the target answers below 500."""
    for name in ("email", "ipAddress", "successUrl")[part]:
        accepted.but(**{name: ""}).is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(19, 1)
def test_no_hostile_body_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Deep nesting, repeated members, other encodings: the target answers below 500."""
    for what, body in [*hostile_bodies(accepted.request.body).items()][part]:
        accepted.with_body(body, what).is_survived()


NOT_COMPRESSED = {
    "text that is not compressed as it says": {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
}


@pytest.mark.verifies(SURVIVES)
@parts(9, 2)
def test_no_other_way_of_asking_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Whatever the method, the media type and the API key, the target answers below 500."""
    methods = [
        accepted.changed(partial(replace, method=method), f"the method {method}")
        for method in ("GET", "PUT", "PATCH", "DELETE")
    ]
    types = [
        accepted.changed(partial(with_headers, headers=headers), kind)
        for kind, headers in {**NOT_COMPRESSED, **OTHER_TYPES}.items()
    ]
    beyond = accepted.with_header(API_KEY, "\u00e9" * 300, "an API key of 300 letters beyond ASCII")
    for attempt in [*methods, *types, beyond][part]:
        attempt.is_survived()
