"""Which address a call from outside claims, and how."""

from __future__ import annotations

from typing import Any

import pytest

from rampcheck.contract.profile import Profile, from_mapping
from rampcheck.errors import ProfileError
from suites.proof.provenance import BARE, allowed_address, forged


def profile(base_url: str, **egress: Any) -> Profile:
    """A profile of a target at `base_url`."""
    return from_mapping(
        {
            "contract": "proof",
            "base_url": base_url,
            "credentials": {"client_token": "${T}"},
            **({"egress": egress} if egress else {}),
        },
        {"T": "token-of-nobody-1"},
    )


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://localhost:8080", "127.0.0.1"),
        ("http://[::1]:8080", "::1"),
        ("http://127.0.0.9/api", "127.0.0.9"),
        ("https://name.invalid", "127.0.0.1"),
    ],
)
def test_the_own_way_to_a_target_is_claimed(base_url: str, address: str) -> None:
    """Of a target on this machine it is its own address; where no way is known, the nearest that there is."""
    assert allowed_address(profile(base_url)) == address


def test_the_profile_may_say_what_to_claim() -> None:
    """Behind a router a machine does not know the address that the target sees."""
    told = profile("https://name.invalid", outside_proxy="http://proxy.example:3128", allowed_address="203.0.113.10")
    assert set(forged(told).values()) == {"203.0.113.10", "for=203.0.113.10"}
    assert forged(told).keys() == {*BARE, "Forwarded"}
    assert {"X-Forwarded-For", "Client-IP", "WL-Proxy-Client-IP", "X-Original-Forwarded-For"} < set(BARE)
    assert {"DO-Connecting-IP", "X-Vercel-Forwarded-For", "X-Nf-Client-Connection-Ip", "X-Remote-IP"} < set(BARE)


def test_an_ipv6_address_is_quoted_where_it_has_to_be() -> None:
    """The header Forwarded takes an IPv6 address in brackets and quotes (RFC 7239 section 6)."""
    headers = forged(profile("http://[::1]:8080"))
    assert headers["Forwarded"] == 'for="[::1]"'
    assert headers["X-Forwarded-For"] == "::1"


def test_an_address_that_is_none_is_refused() -> None:
    """The profile's `egress.allowed_address` is an IP address."""
    with pytest.raises(ProfileError, match=r"egress\.allowed_address"):
        profile("http://127.0.0.1:1", outside_source_address="127.0.0.2", allowed_address="here")
