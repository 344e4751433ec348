"""POST /v1/widget-sessions, the response. What holds for every session is judged by the schema and the
invariants; these scenarios provoke the sessions in which it could break."""

import pytest

from rampcheck.running.scenario import Accepted, Target

from .requests import UNLOCKABLE, optional_fields

pytestmark = pytest.mark.creates_sessions


@pytest.mark.verifies(*(f"kryptonim.session.{name}" for name in ("json", "complete", "widget-url", "expires-at")))
def test_sessions_of_small_and_large_requests(full: Accepted) -> None:
    """A session has its three fields whether the request holds the minimum or all there is."""
    full.unchanged().send()
    full.without("metadata").send()
    full.but(fiatCurrency="USD").send()
    full.but(paymentMethod="bank_transfer").send()


@pytest.mark.verifies("kryptonim.session.session-id")
def test_the_same_request_again_gives_another_session(full: Accepted) -> None:
    """Nothing that repeats in a request makes a session id repeat, nor does chance in a dozen sessions."""
    for _ in range(12):
        full.unchanged().send()
    full.but(fiatCurrency="USD").send()


@pytest.mark.verifies("kryptonim.session.session-id")
def test_requests_at_the_same_time_give_sessions_of_their_own(full: Accepted, target: Target) -> None:
    """A dozen users who ask at the same time get a dozen sessions, and so do the dozen after them."""
    for _ in range(2):
        target.send_together([full.request.but(email=f"rampcheck-{target.unique()}@example.com") for _ in range(12)])


@pytest.mark.verifies("kryptonim.session.widget-url-private")
def test_the_widget_url_hides_what_is_not_unlocked(full: Accepted, target: Target) -> None:
    """E-mail address, metadata and redirect URLs cannot be read in it, whatever else is unlocked."""
    for name in UNLOCKABLE:
        full.but(**{**optional_fields(target.unique()), "unlockedFields": [name]}).send()
    nested = {"customer": {"name": f"Zażółć gęślą {target.unique()}", "lines": [f"line/1+{target.unique()}"]}}
    full.but(metadata=nested, successUrl=f"https://rampcheck.example/ok?a=1&b={target.unique()}#done").send()
    full.but(metadata={"_externalPartnerId": f"partner-{target.unique()}"}).send()
