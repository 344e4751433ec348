"""POST /v1/sessions."""

import pytest
from rampcheck.judging.demands import Rejection
from rampcheck.running.scenario import Accepted

from .requests import API_KEY

UNAUTHORIZED = Rejection([401], {"code": ["UNAUTHORIZED"]})


@pytest.mark.verifies("vendorname.auth.api-key")
def test_a_request_without_the_api_key_is_refused(accepted: Accepted) -> None:
    """Without the key, or with another one, there is no session."""
    for key in (None, "", "rampcheck-no-such-key"):
        accepted.with_header(API_KEY, key).is_refused(UNAUTHORIZED)


@pytest.mark.creates_sessions
@pytest.mark.verifies("vendorname.session.complete", "vendorname.session.id")
def test_sessions(accepted: Accepted) -> None:
    """The same request again gives another session: what holds for all of them, schema and invariants judge."""
    for _ in range(3):
        accepted.unchanged().send()


@pytest.mark.verifies("vendorname.session.no-server-error")
@pytest.mark.verifies("vendorname.errors.gateway-envelope")
def test_what_is_wrong_is_refused(accepted: Accepted) -> None:
    """Whatever is sent, the answer is below 500."""
    survived = "vendorname.session.no-server-error"
    for what, body in {"no JSON": b"{", "an array": b"[]", "an empty object": b"{}"}.items():
        accepted.with_body(body, f"{what} as the body").is_survived(clause=survived)
