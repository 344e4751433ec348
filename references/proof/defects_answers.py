"""More defects in a session's values: for some requests only, in the wrong JSON type, or left from others."""

# ruff: noqa: ARG002, ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from itertools import count
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.late_numbers import LateNumbers
from rampcheck.sandbox.wire import Answer, Call

from .partners import Partner
from .refusals import Refused
from .request import SessionRequest
from .service import SessionService
from .session_changes import FOLLOWING, SESSION, always, changed

# What is sent back for some requests only.


def _sells(**values: Any) -> Callable[[Mapping[str, Any], SessionRequest], Mapping[str, Any]]:
    """The change that sets these fields in the sessions of a sell."""
    return lambda session, request: values if session["type"] == "sell" else {}


changed("address-empty-for-sell", ["address"], "address is empty in a sell.", _sells(address=""))
changed(
    "init-token-type-empty-for-sell",
    ["init-token-type"],
    "init_token_type is empty in a sell.",
    _sells(init_token_type=""),
)
changed(
    "init-token-type-empty-on-erc20",
    ["init-token-type"],
    "init_token_type is empty on ERC20.",
    lambda session, request: {"init_token_type": ""} if request.network == "ERC20" else {},
)
changed(
    "init-token-type-in-array",
    ["init-token-type"],
    "init_token_type is an array of one string.",
    always(init_token_type=["sdk_partner_authorization"]),
    may_break=["complete"],
)
changed("fix-currency-false-for-sell", ["fix-currency"], "fix_currency is false in a sell.", _sells(fix_currency=False))
changed("fix-currency-as-number", ["fix-currency"], "fix_currency is the number 1.", always(fix_currency=1))
changed(
    "fix-amount-false-for-large-amount",
    ["fix-amount"],
    "fix_amount is false for an amount of 1000 or more.",
    lambda session, request: {"fix_amount": len(request.amount.partition(".")[0]) < 4},
)
changed(
    "fix-fiat-amount-false-for-sell",
    ["fix-fiat-amount"],
    "fix_fiat_amount is false in a sell.",
    _sells(fix_fiat_amount=False),
)
changed(
    "fix-fiat-amount-as-string",
    ["fix-fiat-amount"],
    "fix_fiat_amount is a string.",
    always(fix_fiat_amount="true"),
)
changed(
    "fix-fiat-currency-as-string",
    ["fix-fiat-currency"],
    "fix_fiat_currency is a string.",
    always(fix_fiat_currency="false"),
)
changed(
    "fix-fiat-currency-as-number",
    ["fix-fiat-currency"],
    "fix_fiat_currency is the number 0.",
    always(fix_fiat_currency=0),
)
changed(
    "fix-fiat-currency-true-for-sell",
    ["fix-fiat-currency"],
    "fix_fiat_currency is true in a sell.",
    _sells(fix_fiat_currency=True),
)
changed(
    "type-offramp",
    ["type"],
    "The type of a sell is offramp.",
    lambda session, request: {"type": session["type"].replace("sell", "offramp")},
    may_break=["request.type-default", "request.type-override", "request.sell-enabled", *FOLLOWING],
)
changed(
    "type-with-space",
    ["type"],
    "The type of a request that names none ends with a space.",
    lambda session, request: {} if request.type else {"type": f"{session['type']} "},
    may_break=["request.type-default", *FOLLOWING],
)
changed(
    "currency-with-network-on-erc20",
    ["currency-echo"],
    "On ERC20 the currency comes back with its network.",
    lambda session, request: {"currency": f"{request.currency}_ERC20"} if request.network == "ERC20" else {},
    may_break=FOLLOWING,
)
changed(
    "network-of-second-partner-renamed",
    ["network-echo"],
    "A session on POLYGON says MATIC.",
    lambda session, request: {"network": request.network.replace("POLYGON", "MATIC")},
    may_break=FOLLOWING,
)


@defect("sell-session-as-text", breaks=[f"{SESSION}.json"])
class SellSessionAsText(SessionService):
    """A sell session's Content-Type is text/html."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        answer = super().session_answer(session, call)
        return answer.with_headers(content_type="text/html") if session["type"] == "sell" else answer


# What is left from other requests.


def _left(name: str, field: str, clause: str, summary: str, key: Callable[[SessionRequest], str], *may: str) -> None:
    """Registers a defect: among requests with the same key, a field keeps the value that it had first."""

    @defect(
        name,
        breaks=[f"{SESSION}.{clause}"],
        may_break=may,
        summary=summary,
    )
    class Left(SessionService):
        def __init__(self) -> None:
            super().__init__()
            self._first: dict[str, Any] = {}

        def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
            session = super().session(partner, request, address)
            return {**session, field: self._first.setdefault(key(request), session[field])}


_left(
    "currency-of-users-first-session",
    "currency",
    "currency-echo",
    "A user's sessions all have the currency of the first one.",
    lambda request: request.partner_user_id,
    "proof.transaction.echo",
)
_left(
    "network-of-users-first-session",
    "network",
    "network-echo",
    "A user's sessions all have the network of the first one.",
    lambda request: request.partner_user_id,
    "proof.transaction.echo",
)
_left(
    "amount-of-users-first-session",
    "amount",
    "amount-echo",
    "A user's sessions all have the amount of the first one.",
    lambda request: request.partner_user_id,
)
_left(
    "widget-id-of-first-caller",
    "widget_id",
    "widget-id",
    "The widget_id is that of the partner who called first with the currency.",
    lambda request: request.currency,
)


@defect("address-empty-when-repeated", breaks=[f"{SESSION}.address"], may_break=[f"{SESSION}.request.address-ignored"])
class AddressEmptyWhenRepeated(SessionService):
    """Only the first session of a user has an address."""

    def __init__(self) -> None:
        super().__init__()
        self._users: set[str] = set()

    def session(self, partner: Partner, request: SessionRequest, address: str) -> dict[str, Any]:
        is_known = request.partner_user_id in self._users
        self._users.add(request.partner_user_id)
        return super().session(partner, request, "" if is_known else address)


@defect("widget-id-in-capitals-from-tenth-session", breaks=[f"{SESSION}.widget-id"])
class WidgetIdInCapitalsFromTenthSession(SessionService):
    """From the tenth session on the widget_id is in upper case."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions = count(1)

    def widget_id(self, partner: Partner) -> str:
        own = super().widget_id(partner)
        return own if next(self._sessions) < 10 else own.upper()


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


@defect("transaction-id-from-clock", breaks=[f"{SESSION}.merchant-transaction-id"], may_break=FOLLOWING)
class TransactionIdFromClock(SessionService):
    """The merchant_transaction_id is the time in milliseconds: sessions asked for at the same time share it."""

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        return f"{_milliseconds():x}"


@defect("init-token-from-clock", breaks=[f"{SESSION}.init-token"])
class InitTokenFromClock(SessionService):
    """The init_token is made of the time in milliseconds: sessions asked for at the same time share it."""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        return self.mac(["init", _milliseconds()])


@defect("transaction-id-written-late", breaks=[f"{SESSION}.merchant-transaction-id"], may_break=FOLLOWING)
class TransactionIdWrittenLate(SessionService):
    """merchant_transaction_ids are numbered, the last number is written 5 ms late: sessions meanwhile share it."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = LateNumbers()

    def transaction_id(self, partner: Partner, request: SessionRequest) -> str:
        return self.mac(["transaction", self._numbers.take()])


@defect("init-token-written-late", breaks=[f"{SESSION}.init-token"])
class InitTokenWrittenLate(SessionService):
    """init_tokens are numbered, the last number is written 5 ms late: sessions meanwhile share it."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = LateNumbers()

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        return self.mac(["init", self._numbers.take()])


@defect("init-token-out-of-pool", breaks=[f"{SESSION}.init-token"])
class InitTokenOutOfPool(SessionService):
    """There are twenty init_tokens, which are handed out in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions = 0

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        self._sessions += 1
        return self.mac(["pool", self._sessions % 20])


@defect("last-init-token-in-error", breaks=["proof.errors.no-session"])
class LastInitTokenInError(SessionService):
    """An error carries the init_token of the last session, whoever's it is."""

    _last = ""

    def init_token(self, partner: Partner, request: SessionRequest) -> str:
        self._last = super().init_token(partner, request)
        return self._last

    def envelope(self, refused: Refused, call: Call) -> dict[str, Any]:
        return super().envelope(refused, call) | {"init_token": self._last}


# The signature and the IP address.


# A signature covers the user and what `mixed` makes of client_ip.
_signed_ip = defects(
    SessionService,
    "signed_values",
    lambda mixed, _service, _inherited, _session, request: [request.partner_user_id, mixed(request)],
    breaks=[f"{SESSION}.signature-mixes-ip"],
)


def _as_float(request: SessionRequest) -> Any:
    if request.client_ip is None:
        return None
    return struct.unpack("f", struct.pack("f", int(ip_address(request.client_ip)) % (1 << 100)))[0]


_signed_ip("signature-with-ip-as-float", "client_ip is mixed in as a number with 24 significant bits.", _as_float)
_signed_ip(
    "signature-without-ipv6",
    "An IPv6 address is not mixed in.",
    lambda request: None if ":" in (request.client_ip or "") else request.client_ip,
)
