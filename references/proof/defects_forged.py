"""Defects of the allowlist (`proof.auth.ip-allowlist`): an address that the caller claims, and endpoints without it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Call

from .base import BaseService
from .partners import Partner

CLAUSE = "proof.auth.ip-allowlist"
SESSION, TRANSACTIONS, USERS, SOCKETS = "/widget/session", "/widget/transactions/", "/widget/users/", "/ws"

# Takes the value of a header; gives the address that it claims, or what is none.
Claim = Callable[[str], str]


def first(value: str) -> str:
    """The first of a list of addresses."""
    return value.split(",", maxsplit=1)[0].strip()


def last(value: str) -> str:
    """The last of a list of addresses."""
    return value.rsplit(",", maxsplit=1)[-1].strip()


def forwarded_for(value: str) -> str:
    """The first `for` of a Forwarded header (RFC 7239 §4)."""
    found = re.search(r'for="?\[?([0-9A-Fa-f.:]+)', value)
    return found[1] if found else ""


def believed(name: str, header: str, claim: Claim, where: tuple[str, ...] = ("/",)) -> None:
    """Registers a defect: on these paths a caller comes from where a header claims."""
    on = "" if where == ("/",) else f" of {' and '.join(where)}"
    summary = f"A call{on} comes from the address that its {header} claims."

    @defect(name, breaks=[CLAUSE], summary=summary)
    class Believed(BaseService):
        def check_address(self, partner: Partner, call: Call) -> None:
            claimed = claim(call.header(header.lower()) or "") if call.path.startswith(where) else ""
            with suppress(ValueError):
                call = replace(call, source=str(ip_address(claimed)))
            super().check_address(partner, call)


believed("forwarded-for-believed", "X-Forwarded-For", first)
believed("forwarded-for-believed-at-its-end", "X-Forwarded-For", last)
believed("real-ip-believed", "X-Real-IP", str)
believed("forwarded-believed", "Forwarded", forwarded_for)
believed("true-client-ip-believed", "True-Client-IP", str)
believed("connecting-ip-believed", "CF-Connecting-IP", str)
believed("client-ip-header-believed", "X-Client-IP", str)
believed("bare-client-ip-believed", "Client-IP", str)
believed("proxy-client-ip-believed", "WL-Proxy-Client-IP", str)
believed("original-forwarded-for-believed", "X-Original-Forwarded-For", first)
believed("vercel-forwarded-for-believed", "X-Vercel-Forwarded-For", first)
believed("netlify-connection-ip-believed", "X-Nf-Client-Connection-Ip", str)
believed("digital-ocean-connecting-ip-believed", "DO-Connecting-IP", str)
believed("connecting-ipv6-believed", "CF-Connecting-IPv6", str)
believed("originating-ip-believed", "X-Originating-IP", str)
believed("remote-ip-believed", "X-Remote-IP", str)
believed("remote-addr-believed-of-users", "X-Remote-Addr", str, (USERS,))
believed("forwarded-for-believed-of-transactions", "X-Forwarded-For", first, (TRANSACTIONS,))
believed("real-ip-believed-of-users", "X-Real-IP", str, (USERS,))
believed("forwarded-believed-of-websockets", "Forwarded", forwarded_for, (SOCKETS,))


# The allowlist is asked on these paths only.
guarded = defects(
    BaseService,
    "check_address",
    lambda where, _, inherited, partner, call: inherited(partner, call) if call.path.startswith(where) else None,
    breaks=[CLAUSE],
)
guarded("allowlist-of-sessions-only", "Only the session endpoint asks for the address of a call.", (SESSION,))
guarded("allowlist-without-websocket", "A WebSocket is opened to any address.", (SESSION, TRANSACTIONS, USERS))
guarded("allowlist-without-users", "A user's status is told to any address.", (SESSION, TRANSACTIONS, SOCKETS))
