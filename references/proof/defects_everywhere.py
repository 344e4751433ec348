"""Defects of rules of access that hold for a session and not for what follows it (`proof.auth.*`, `….auth`)."""

from __future__ import annotations

from rampcheck.sandbox.defects import defects
from rampcheck.sandbox.wire import Call

from . import refusals
from .base import BaseService
from .following_changes import PATHS, admitted
from .partners import Partner
from .refusals import Refusal

SESSION = "/widget/session"
# What the three endpoints beside the session's open, and their paths.
OPENED = {
    "transactions": PATHS["transaction.auth"],
    "users": PATHS["kyc.auth"],
    "websockets": PATHS["ws.auth"],
}


def with_inactive_token(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner who has that partner's deactivated token."""
    token = service.bearer_token(call)
    return next((partner for partner in service.partners if token and token == partner.inactive_client_token), None)


def under_any_scheme(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner who has that partner's token, whatever stands before it."""
    return service.partner_for((call.header("authorization") or "").rpartition(" ")[2])


def with_token_in_any_case(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner who has that partner's token in any letter case."""
    token = (service.bearer_token(call) or "").lower()
    return next((partner for partner in service.partners if token == partner.client_token.lower()), None)


def with_beginning_of_token(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner who has the beginning of that partner's token, 16 characters at least."""
    token = service.bearer_token(call) or ""
    return next(
        (partner for partner in service.partners if len(token) >= 16 and partner.client_token.startswith(token)), None
    )


def with_token_in_query(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner whose token stands in the query, where there is none in the header."""
    token = call.argument("access_token")
    return None if token is None or "authorization" in call.headers else service.partner_for(token)


def with_token_in_another_header(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner whose token stands in X-API-Key."""
    return service.partner_for(call.header("x-api-key") or "")


def with_token_in_cookie(service: BaseService, call: Call) -> Partner | None:
    """Lets in as a partner whose token stands in a cookie."""
    cookies = (cookie.strip().partition("=") for cookie in (call.header("cookie") or "").split(";"))
    return next((service.partner_for(value) for name, _, value in cookies if name == "client_token"), None)


for _what, _path in OPENED.items():
    admitted(
        f"inactive-token-opens-{_what}",
        "auth.inactive-token",
        f"A deactivated token still opens {_what}.",
        with_inactive_token,
        at=_path,
    )
    admitted(
        f"scheme-ignored-of-{_what}",
        "auth.bearer-scheme",
        f"A good token opens {_what} whatever stands before it.",
        under_any_scheme,
        at=_path,
    )

admitted(
    "token-case-ignored-of-transactions",
    "transaction.auth",
    "A token in any letter case opens transactions.",
    with_token_in_any_case,
)
admitted("beginning-of-token-opens-users", "kyc.auth", "The beginning of a token opens users.", with_beginning_of_token)
admitted(
    "beginning-of-token-opens-websockets",
    "ws.auth",
    "The beginning of a token opens WebSockets.",
    with_beginning_of_token,
)
admitted(
    "poll-with-token-in-query",
    "transaction.auth",
    "A good token in the query opens a transaction.",
    with_token_in_query,
)
admitted("kyc-with-token-in-query", "kyc.auth", "A good token in the query opens a user.", with_token_in_query)
admitted(
    "session-with-token-in-another-header",
    "auth.bearer-required",
    "A good token in X-API-Key opens a session.",
    with_token_in_another_header,
    at=SESSION,
)
admitted(
    "session-with-token-in-cookie",
    "auth.bearer-required",
    "A good token in a cookie opens a session.",
    with_token_in_cookie,
    at=SESSION,
)
admitted("kyc-with-token-in-cookie", "kyc.auth", "A good token in a cookie opens a user.", with_token_in_cookie)
admitted(
    "ws-with-token-in-another-header",
    "ws.auth",
    "A good token in X-API-Key opens a WebSocket.",
    with_token_in_another_header,
)

_kept_out = defects(
    BaseService, "authenticate", lambda keep_out, service, inherited, call: keep_out(service, inherited(call), call)
)


def _without_grace(path: str, call: Call, partner: Partner, service: BaseService) -> Partner:
    if call.path.startswith(path) and service.bearer_token(call) == partner.previous_client_token:
        raise Refusal(refusals.TOKEN)
    return partner


for _what, _path in OPENED.items():
    _kept_out(
        f"previous-token-opens-no-{_what}",
        ["proof.auth.rotation-grace"],
        f"Right after a rotation the previous token opens no {_what}.",
        lambda service, partner, call, path=_path: _without_grace(path, call, partner, service),
    )


def _without_origin(path: str, call: Call, partner: Partner) -> Partner:
    if call.path.startswith(path) and "origin" in call.headers:
        raise Refusal(refusals.ORIGIN)
    return partner


for _what, _path in OPENED.items():
    _kept_out(
        f"registered-origin-opens-no-{_what}",
        ["proof.auth.origin-registered"],
        f"Whoever sends an Origin, though it is registered, is refused {_what}.",
        lambda _, partner, call, path=_path: _without_origin(path, call, partner),
    )
