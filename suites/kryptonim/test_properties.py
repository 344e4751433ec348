"""Requests generated from the OpenAPI document: the invariants judge them like all others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rampcheck.judging.invariants import is_no_json
from rampcheck.running.properties import SHARES, Generator
from rampcheck.running.scenario import Accepted
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import NOT_JSON, parse_json

from .amounts import AMOUNTS
from .refusals import ANY_4XX
from .requests import OPTIONAL, PATH, REQUIRED, TYPES, optional_fields

REQUEST = "kryptonim.session.request"
pytestmark = [pytest.mark.long, pytest.mark.verifies(f"{REQUEST}.no-server-error")]
is_type = Draft202012Validator.TYPE_CHECKER.is_type


@pytest.mark.creates_sessions
@pytest.mark.parametrize("share", range(SHARES))
def test_generated_valid_requests(accepted: Accepted, generator: Generator, share: int) -> None:
    """Whatever valid request is sent, the answer is below 500, and a session keeps every promise."""

    def send(body: bytes) -> Exchange:
        own = tamed(parse_json(body), accepted.request.json)
        return accepted.changed(lambda request: request.with_json(own), "a generated valid body").is_survived()

    generator.share(share).valid("POST", PATH, send)


def tamed(generated: dict[str, Any], accepted: dict[str, Any]) -> dict[str, Any]:
    """Gives a generated body with what only this target can say, and with test data known as such.

    Currencies, network and wallet are the accepted ones; so is the amount of about every other body, because
    a target's limits are not documented. A refusal of the rest is no finding.
    """
    known = {
        name: value for name, value in optional_fields("generated").items() if name in generated and name != "metadata"
    }
    if len(json.dumps(generated)) % 2:
        amount = {name: generated[name] for name in AMOUNTS if name in generated}
    else:
        amount = {name: accepted[name] for name in AMOUNTS if name in accepted}
    others = {name: value for name, value in generated.items() if name not in AMOUNTS}
    return {**others, **known, **amount, **{name: accepted[name] for name in REQUIRED}}


@pytest.mark.parametrize("share", range(SHARES))
def test_generated_invalid_requests(accepted: Accepted, generator: Generator, share: int) -> None:
    """Whatever invalid request is sent, the answer is below 500; without what is required it is refused."""

    def send(body: bytes) -> Exchange:
        attempt = accepted.with_body(body, "a generated invalid body")
        clause = next(promised_refusals(body), None)
        if clause is None:
            return attempt.is_survived()
        return attempt.is_refused(ANY_4XX, clause=clause)

    generator.share(share).invalid("POST", PATH, send)


def promised_refusals(body: bytes) -> Iterator[str]:
    """Gives the clauses by which a body must be refused, none where that is not promised.

    Not promised: extra fields, null or zero, empty strings, unknown values.
    """
    request = parse_json(body)
    if not isinstance(request, dict):
        if request is not NOT_JSON or is_no_json(body):
            yield f"{REQUEST}.malformed-json"
        return
    yield from (f"{REQUEST}.required.{name}" for name in REQUIRED if name not in request)
    if not any(name in request for name in AMOUNTS):
        yield f"{REQUEST}.amount-one-of"
    if all(request.get(name) for name in AMOUNTS):
        yield f"{REQUEST}.amount-exclusive"
    for name in (*REQUIRED, *AMOUNTS, *OPTIONAL):
        value = request.get(name)
        if value is not None and not is_type(value, TYPES.get(name, "string")):
            yield f"{REQUEST}.type.{name}"
