"""Requests generated from the OpenAPI document: the invariants judge them like all others."""

import json

import pytest

from rampcheck.contract.profile import Partner
from rampcheck.judging.invariants import is_no_json
from rampcheck.running.properties import SHARES, Generator
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import NOT_JSON, parse_json

from .refusals import INVALID_REQUEST
from .requests import PATH, REQUIRED, pairs

pytestmark = [pytest.mark.long, pytest.mark.verifies("proof.session.request.no-server-error")]


@pytest.mark.creates_sessions
@pytest.mark.parametrize("share", range(SHARES))
def test_generated_valid_requests(accepted: Accepted, target: Target, generator: Generator, share: int) -> None:
    """Whatever valid request is sent, the answer is below 500, and a session keeps every promise."""

    def send(body: bytes) -> Exchange:
        own = tamed(parse_json(body), accepted.request.json, target.partner())
        return accepted.with_body(json.dumps(own), "a generated valid body").is_survived()

    generator.share(share).valid("POST", PATH, send)


def tamed(generated: dict[str, object], accepted: dict[str, object], partner: Partner) -> dict[str, object]:
    """Gives a generated body with what only this target can say: a pair that works, test data known as such.

    Which e-mail addresses, amounts and lengths a target takes beyond the examples is its own affair, so the e-mail is
    the accepted one, and a refusal of the rest is no finding.
    """
    choices = pairs(partner)
    currency, network = choices[len(json.dumps(generated)) % len(choices)]
    kept = {name: value for name, value in generated.items() if name not in ("address", "type")}
    if partner.get("off_ramp") and "type" in generated:
        kept["type"] = generated["type"]
    return {
        **kept,
        "currency": currency,
        "network": network,
        "user_email": accepted["user_email"],
        "partner_user_id": f"{accepted['partner_user_id']}-{generated['partner_user_id']}",
    }


@pytest.mark.parametrize("share", range(SHARES))
def test_generated_invalid_requests(accepted: Accepted, generator: Generator, share: int) -> None:
    """Whatever invalid request is sent, the answer is below 500; without its required strings it is refused."""

    def send(body: bytes) -> Exchange:
        attempt = accepted.with_body(body, "a generated invalid body")
        clause = promised_refusal(body)
        if clause is None:
            return attempt.is_survived()
        return attempt.is_refused(INVALID_REQUEST, clause=clause)

    generator.share(share).invalid("POST", PATH, send)


def promised_refusal(sent: bytes) -> str | None:
    """Gives the clause by which a body must be refused as an invalid request, None where that is not promised.

    Not promised: extra fields, optional fields of other types, empty strings, other spellings of values, and what only
    some parsers take for JSON.
    """
    body = parse_json(sent)
    if body is NOT_JSON:
        return "proof.session.request.malformed-json" if is_no_json(sent) else None
    if not isinstance(body, dict):
        return "proof.session.request.non-object"
    for name in REQUIRED:
        if name not in body:
            return f"proof.session.request.required.{name}"
        if not isinstance(body[name], str):
            return f"proof.session.request.type.{name}"
    return None
