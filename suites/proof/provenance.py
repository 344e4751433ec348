"""What a call may say of the address it comes from, and what is no proof of it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from rampcheck.contract.profile import Profile
from rampcheck.contract.urls import is_loopback

# What proxies tell of whom they speak for: de facto names, and the one of RFC 7239.
BARE = (
    "X-Forwarded-For",
    "X-Real-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-External-Address",
    "Fastly-Client-IP",
    # What a hosting platform, the ingress of a cluster, and the code that is copied most in PHP and Java go by.
    "Fly-Client-IP",
    "X-Azure-ClientIP",
    "X-AppEngine-User-IP",
    "X-Original-Forwarded-For",
    "Client-IP",
    "X-Forwarded",
    "Forwarded-For",
    "Proxy-Client-IP",
    "WL-Proxy-Client-IP",
    # Further platforms, and other spellings of the same.
    "DO-Connecting-IP",
    "X-Vercel-Forwarded-For",
    "X-Nf-Client-Connection-Ip",
    "CF-Connecting-IPv6",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
)


def forged(profile: Profile) -> Mapping[str, str]:
    """Gives the headers by which a call may claim to come from an address on the allowlist."""
    address = allowed_address(profile)
    # RFC 7239 section 6: an IPv6 address stands in brackets and quotes.
    node = f'"[{address}]"' if ":" in address else address
    return {**dict.fromkeys(BARE, address), "Forwarded": f"for={node}"}


def allowed_address(profile: Profile) -> str:
    """Gives an address on the allowlist: the profile's `egress.allowed_address`, or else this machine's own.

    Its own is the one from which it reaches the target; behind a router the target may see another.
    """
    if profile.egress.allowed_address:
        return profile.egress.allowed_address
    url = urlsplit(profile.base_url)
    host = url.hostname or ""
    if is_loopback(profile.base_url):
        return host if _is_address(host) else "127.0.0.1"
    with suppress(OSError):
        family, _, _, _, address = socket.getaddrinfo(host, url.port or 443, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect(address)  # Of a datagram socket, this sends nothing (udp(7)).
            return str(way.getsockname()[0])
    return "127.0.0.1"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
