"""What an exchange says in a phrase of what the target did."""

from __future__ import annotations

import pytest

from rampcheck.wire.exchanges import Exchange, Response, Sent

SENT = Sent("POST", "https://sandbox.example/widget/session", (), b"{}")


def summary(status: int, body: bytes = b"", **headers: str) -> str:
    """The phrase for an answer."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(1, "test", SENT, Response(status, named, body), 0.0, 0.0, "/widget/session").summary()


@pytest.mark.parametrize(
    ("expected", "status", "body", "headers"),
    [
        ("200, accepted", 200, b"{}", {"content_type": "application/json"}),
        ('200, a page "Log in" (text/html)', 200, b"<html><title>\n Log in </title>", {"content_type": "text/html"}),
        (
            '403, a page "Access denied" (text/html)',
            403,
            b"<TITLE lang=en>Access denied</TITLE>",
            {"content_type": "text/html; charset=utf-8"},
        ),
        ('403, a page "a & b"', 403, b"<title>a &amp; b</title>", {}),
        ("502, a body that is no JSON (text/plain)", 502, b"upstream", {"content_type": "text/plain"}),
        ("400, a body that is no JSON object (application/json)", 400, b"[]", {"content_type": "application/json"}),
        ("302, a redirect to https://login.example/?to=x", 302, b"", {"location": "https://login.example/?to=x"}),
        ("401, error 'unauthorised', code 'x'", 401, b'{"error":"unauthorised","code":"x","message":1}', {}),
    ],
)
def test_a_summary_tells_what_an_answer_is(expected: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    """The envelope by its members, a page by its title and type, a redirect by where it leads."""
    assert summary(status, body, **headers) == expected


def test_a_title_is_cut() -> None:
    """However long a title is, the phrase stays one."""
    assert len(summary(403, b"<title>" + b"x" * 900 + b"</title>")) < 120
