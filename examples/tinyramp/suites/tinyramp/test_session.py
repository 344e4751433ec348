"""POST /v1/sessions."""

import pytest
from rampcheck.running.cases import HOSTILE_STRINGS, hostile_bodies, not_json, not_object, other_types
from rampcheck.running.scenario import Accepted, Target

from .refusals import INVALID
from .requests import ASSETS, REQUIRED

TYPES = {"asset": "string", "amount": "string", "wallet": "string", "reference": "string", "expires_in": "number"}
WRONG_ASSETS = ("DOGE", "btc", "BTC ", "")
WRONG_AMOUNTS = ("0", "0.00", "-1", "1e3", "0.000000001", "1,5", " 1", "ten", "", "Infinity")


@pytest.mark.verifies("tinyramp.session.required")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_request_without_a_required_member_is_refused(accepted: Accepted, name: str) -> None:
    """Without it, there is no session."""
    accepted.without(name).is_refused(INVALID)


@pytest.mark.verifies("tinyramp.session.types")
@pytest.mark.parametrize("name", TYPES)
def test_a_member_of_another_type_is_refused(accepted: Accepted, name: str) -> None:
    """No value of another JSON type is taken for the right one."""
    for value in [*other_types(TYPES[name]), *([1.5] if name == "expires_in" else [])]:
        accepted.but(**{name: value}).is_refused(INVALID)


@pytest.mark.verifies("tinyramp.session.assets")
def test_an_asset_that_is_not_offered_is_refused(accepted: Accepted) -> None:
    """Assets are written as the page writes them."""
    for asset in WRONG_ASSETS:
        accepted.but(asset=asset).is_refused(INVALID)


@pytest.mark.verifies("tinyramp.session.amount")
def test_an_amount_that_is_none_is_refused(accepted: Accepted) -> None:
    """An amount is above zero, in plain digits, with at most eight decimal places."""
    for amount in WRONG_AMOUNTS:
        accepted.but(amount=amount).is_refused(INVALID)


@pytest.mark.verifies("tinyramp.session.json")
def test_a_body_that_is_no_json_object_is_refused(accepted: Accepted) -> None:
    """Signed or not, what is no JSON object creates no session."""
    body = accepted.request.body
    for what, other in {**not_json(body), **not_object(body)}.items():
        accepted.with_body(other, f"{what} as the body").is_refused(INVALID)


@pytest.mark.verifies(
    "tinyramp.session.no-server-error", "tinyramp.errors.envelope", "tinyramp.errors.gateway-envelope"
)
def test_nothing_breaks_the_target(accepted: Accepted) -> None:
    """Whatever is sent, the answer is below 500."""
    for text in HOSTILE_STRINGS:
        accepted.but(wallet=text).is_survived(clause="tinyramp.session.no-server-error")
    for what, body in hostile_bodies(accepted.request.body).items():
        accepted.with_body(body, what).is_survived(clause="tinyramp.session.no-server-error")


@pytest.mark.creates_sessions
@pytest.mark.verifies("tinyramp.session.complete", "tinyramp.session.echo", "tinyramp.session.expires-at")
def test_good_requests(accepted: Accepted, target: Target) -> None:
    """Each asset, amounts of any form, a reference, a lifetime: schema and invariants judge the sessions."""
    for asset in ASSETS:
        accepted.but(asset=asset).is_accepted(clause="tinyramp.session.complete")
    for amount in ("0.00000001", "12.50", "7", "1000000.00"):
        accepted.but(amount=amount).is_accepted(clause="tinyramp.session.complete")
    for seconds in (1, 60, 3600):
        accepted.but(expires_in=seconds).is_accepted(clause="tinyramp.session.complete")
    accepted.but(reference=f"order {target.unique()} größer 💸").is_accepted(clause="tinyramp.session.complete")


@pytest.mark.creates_sessions
@pytest.mark.verifies("tinyramp.session.id")
def test_the_same_request_again_gives_another_session(accepted: Accepted, target: Target) -> None:
    """One after the other, and at the same time."""
    for _ in range(5):
        accepted.unchanged().send()
    target.send_together([accepted.request] * 5)
