"""POST /v1/widget-sessions, the response. What holds for every session is judged by the schema and the
invariants; these scenarios provoke the sessions in which it could break."""

from functools import partial

import pytest

from rampcheck.judging.invariants import given
from rampcheck.judging.suite import member
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target

from .amounts import Sizes, with_amount
from .privacy import disclosed
from .requests import AXIOS, BROWSER, COOKIE, UNLOCKABLE, optional_fields, with_headers

pytestmark = pytest.mark.creates_sessions


@pytest.mark.verifies(*(f"kryptonim.session.{name}" for name in ("json", "complete", "widget-url", "expires-at")))
def test_sessions_of_small_and_large_requests(full: Accepted) -> None:
    """A session has its three fields whether the request holds the minimum or all there is, whatever its headers."""
    full.unchanged().send_again_if_refused()
    for what, change in {
        "a cookie": lambda request: with_headers(request.without("metadata"), COOKIE),
        "the same cookie": lambda request: with_headers(request.but(fiatCurrency="USD"), COOKIE),
        "a proxy that was asked over http": lambda request: with_headers(
            request.but(paymentMethod="bank_transfer"), {"X-Forwarded-Proto": "http"}
        ),
    }.items():
        full.changed(change, what).send_again_if_refused()


@pytest.mark.verifies("kryptonim.session.request.fiat-amount")
def test_no_other_header_decides(accepted: Accepted, sizes: Sizes) -> None:
    """Whatever language, program and cookies a caller has, and whatever it accepts besides JSON, there is a session."""
    if "fiatAmount" not in accepted.request.json:
        accepted = accepted.then(with_amount(accepted.request, "fiatAmount", sizes.of("fiatAmount")[0]))
    for what, headers in {"a browser": BROWSER, "axios": AXIOS, "a cookie": COOKIE}.items():
        accepted.changed(partial(with_headers, headers=headers), f"the headers of {what}").is_accepted()


@pytest.mark.verifies("kryptonim.session.session-id")
@parts(12, 4)
def test_the_same_request_again_gives_another_session(full: Accepted, part: slice) -> None:
    """Nothing that repeats in a request makes a session id repeat, nor does chance in a dozen sessions."""
    for _ in range(12)[part]:
        full.unchanged().send_again_if_refused()
    full.but(fiatCurrency="USD").send_again_if_refused()


@pytest.mark.verifies("kryptonim.session.session-id")
@parts(24, 8)
def test_requests_at_the_same_time_give_sessions_of_their_own(full: Accepted, target: Target, part: slice) -> None:
    """Eight users who ask at the same time get eight sessions, and so do those after them."""
    addresses = [f"rampcheck-{target.unique()}@example.com" for _ in range(24)[part]]
    target.send_together([full.request.but(email=address) for address in addresses])


@pytest.mark.verifies("kryptonim.session.widget-url-private")
def test_the_widget_url_hides_what_is_not_unlocked(full: Accepted, target: Target) -> None:
    """E-mail address, metadata and redirect URLs cannot be read in it, whatever else is unlocked, of whichever user."""
    before = ""
    for name in UNLOCKABLE:
        fields = {**optional_fields(target.unique()), "unlockedFields": [name]}
        exchange = full.but(**fields).send_again_if_refused()
        url = given(exchange, "widgetUrl")
        if before and isinstance(url, str) and disclosed(url, [("email", before)]):
            target.judge.broken(
                target.clause,
                "a `widgetUrl` in which nothing of another user can be read",
                "the `email` of the request before can be read in it",
                exchange,
                about=(member("widgetUrl"),),
            )
        before = fields["email"]


@pytest.mark.verifies("kryptonim.session.widget-url-private")
def test_the_widget_url_hides_metadata_of_any_shape(full: Accepted, target: Target) -> None:
    """Metadata cannot be read in it, be they nested, long numbers, other alphabets, or reserved."""
    nested = {
        "customer": {"name": f"Zażółć gęślą {target.unique()}", "lines": [f"line/1+{target.unique()}"]},
        "number": int.from_bytes(target.unique().encode(), "big") % 10**12 + 10**12,
    }
    full.but(
        metadata=nested, successUrl=f"https://rampcheck.example/ok?a=1&b={target.unique()}#done"
    ).send_again_if_refused()
    full.but(metadata={"_externalPartnerId": f"partner-{target.unique()}"}).send_again_if_refused()
