"""The origins that no partner has registered and that servers let in all the same."""

from __future__ import annotations

import pytest

from rampcheck.contract.urls import origin_of
from suites.proof.test_auth import built_in


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.example.com/v1", "https://api.example.com"),
        ("https://API.example.com:443", "https://api.example.com"),
        ("http://api.example.com:443", "http://api.example.com:443"),
        ("http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(url: str, origin: str) -> None:
    """Scheme and host in lower case, and no port that is the scheme's own (RFC 6454 section 6.2)."""
    assert origin_of(url) == origin


def test_the_target_s_own_origin_is_one_of_them() -> None:
    """Each is another one, and the parts of the scenario are as many."""
    origins = built_in("https://api.example.com/v1")
    assert origins[0] == "https://api.example.com"
    assert len({*origins}) == 5
