"""Credentials that a request has besides the profile's own, or in their place: others, and cookies; real sockets."""

from __future__ import annotations

import json

import pytest

from rampcheck.wire.exchanges import Response
from tests.answering import SESSION, answer
from tests.believed import SUSPECT, Open, on, records
from tests.scripted import scripted

ACCEPTS = "proof.session.request.client-ip-optional"
GRACE = "proof.auth.rotation-grace"
ENVELOPE = json.dumps({"error": "unauthorised", "code": "invalid_token", "message": ""})
TOKEN_REFUSED = answer(401, "Content-Type: application/json", "X-Request-Id: r", body=ENVELOPE)


@pytest.mark.parametrize(
    ("header", "clause", "doubts"),
    [
        (None, "", {ACCEPTS}),
        ("Bearer another-token-of-some-length", "", set()),
        ("Bearer another-token-of-some-length", GRACE, {GRACE}),
    ],
    ids=["the profile's own", "another", "another, with a clause"],
)
def test_a_token_that_is_refused_in_passing_says_nothing_of_the_request(
    opened: Open, header: str | None, clause: str, doubts: set[str]
) -> None:
    """A refusal of the profile's own credentials is one of the request, one of others is of these alone."""
    with scripted(on(SUSPECT, TOKEN_REFUSED)) as (base_url, _):
        target = opened(base_url)
        control = target.accepted()
        request = control.request.but(partner_user_id=SUSPECT)
        request = request if header is None else request.with_header("Authorization", header)
        control.instead(request, "another user").send_again_if_refused(clause=clause)
    assert {record["clause"] for record in records(target, "doubt")} == doubts


def test_cookies_come_back_as_a_browser_sends_them() -> None:
    """Names and values only, of however many headers (RFC 6265 section 4.2)."""
    headers = (("Set-Cookie", "a=1; Path=/; HttpOnly"), ("X-Other", "c=3"), ("set-cookie", "b=2"), ("Set-Cookie", "x"))
    assert Response(200, headers, b"").cookies == "a=1; b=2"
    assert Response(200, (), b"").cookies == ""


@pytest.mark.parametrize("cookie", ["", "visit=1; Path=/"])
def test_what_is_left_out_is_replaced_by_cookies_that_were_set(opened: Open, cookie: str) -> None:
    """An acceptance without cookies is only asked for without the header."""
    head, _, body = SESSION.partition(b"\r\n\r\n")
    session = head + (f"\r\nSet-Cookie: {cookie}".encode() if cookie else b"") + b"\r\n\r\n" + body
    with scripted(lambda _: session) as (base_url, _):
        attempt = opened(base_url).accepted().with_cookies_only("Authorization")
    assert attempt.request.header("Authorization") is None
    assert attempt.request.header("Cookie") == (cookie.partition(";")[0] or None)
    assert ("cookies" in attempt.change) == bool(cookie)
