"""Defects of origins that nobody registered (`proof.auth.origin-unregistered`): what servers let in all the same."""

# ruff: noqa: ARG005 - every condition takes the origin, the partner and the call.

from __future__ import annotations

import re

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Call

from .partners import FIRST, Partner
from .service import SessionService

# Of a call whose origin is let in, whether it is registered or not, the origin is not looked at.
_let_in = defects(
    SessionService,
    "check_origin",
    lambda is_let_in, _, inherited, partner, call: (
        None if is_let_in(call.header("origin") or "", partner, call) else inherited(partner, call)
    ),
    breaks=["proof.auth.origin-unregistered"],
)


def is_own(origin: str, _: Partner, call: Call) -> bool:
    """Whether an origin is that of the server itself, as the call names it."""
    return origin.partition("://")[2] == call.header("host")


_let_in("own-origin-let-in", "The origin of the server itself needs no registration.", is_own)
for _port in (3000, 5173, 8080):
    _let_in(
        f"origin-of-development-on-port-{_port}-let-in",
        f"http://localhost:{_port}, of development, is left in among the origins.",
        lambda origin, partner, call, port=_port: origin == f"http://localhost:{port}",
    )
_let_in(
    "first-partner-on-any-port-of-localhost-let-in",
    "Of the first partner, any port of localhost is registered.",
    lambda origin, partner, call: partner is FIRST and re.fullmatch("http://localhost:[0-9]+", origin),
)
_let_in(
    "origins-of-apps-and-extensions-let-in",
    "An origin whose scheme is that of an app or of a browser's extension needs no registration.",
    lambda origin, partner, call: re.match("(chrome|moz)-extension:|capacitor:|ionic:|file:", origin),
)
