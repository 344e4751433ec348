"""More defects in what a session or an error holds, most of them in what is kept between requests."""

# ruff: noqa: ARG002, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.late_numbers import LateNumbers
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .refusals import Refused
from .service import LIFETIME, WidgetSessionService

SESSION = "kryptonim.session"
NO_SESSION = ["kryptonim.errors.no-session"]
Fields = dict[str, Any]

# The session's id.


@defect("session-id-from-clock", breaks=[f"{SESSION}.session-id"])
class SessionIdFromClock(WidgetSessionService):
    """The sessionId is the time in milliseconds, so that sessions asked for at the same time share it."""

    def session_id(self, request: Fields) -> str:
        return f"{time.time_ns() // 1_000_000:x}"


@defect("session-id-written-late", breaks=[f"{SESSION}.session-id"])
class SessionIdWrittenLate(WidgetSessionService):
    """sessionIds are numbered, the last number is written 5 ms late: sessions meanwhile share it."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._numbers = LateNumbers()

    def session_id(self, request: Fields) -> str:
        return f"session-{self._numbers.take():08}"


@defect("session-id-repeated-at-end-of-batch", breaks=[f"{SESSION}.session-id"])
class SessionIdRepeatedAtEndOfBatch(WidgetSessionService):
    """Ids are reserved by the dozen, and the first of a batch is the last of the one before."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._sessions = 0

    def session_id(self, request: Fields) -> str:
        self._sessions += 1
        return f"session-{self._sessions - self._sessions // 12:08}"


@defect("session-id-per-user", breaks=[f"{SESSION}.session-id"])
class SessionIdPerUser(WidgetSessionService):
    """An e-mail address gets its first session's id again, in place of a new one."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._ids: dict[str, str] = {}

    def session_id(self, request: Fields) -> str:
        new = super().session_id(request)
        return self._ids.setdefault(request["email"], new) if "email" in request else new


# The widget's URL.


# The widget's URL is otherwise for requests to which it applies.
_other_url = defects(
    WidgetSessionService,
    "widget_url",
    lambda applies, change, _, inherited, request, call: (change if applies(request) else str)(
        inherited(request, call)
    ),
    breaks=[f"{SESSION}.widget-url"],
)
_other_url(
    "widget-url-relative-in-dollars",
    "The widget's URL for US dollars is a path.",
    lambda request: request["fiatCurrency"] == "USD",
    lambda url: url[url.index("/", len("https://")) :],
)
_other_url(
    "widget-url-without-host-for-bank-transfer",
    "The widget's URL for bank_transfer has no host.",
    lambda request: request.get("paymentMethod") == "bank_transfer",
    lambda url: "https://" + url[url.index("/", len("https://")) :],
)
_other_url(
    "widget-url-with-line-break",
    "The widget's URL of a request with metadata ends with a line break.",
    lambda request: bool(request.get("metadata")),
    lambda url: f"{url}\n",
)

# The expiry.


@defect("expires-a-minute-early", breaks=[f"{SESSION}.expires-at"])
class ExpiresAMinuteEarly(WidgetSessionService):
    """A session expires after 29 minutes: the limit is off by one."""

    def expires_at(self) -> str:
        return self.time_text(datetime.now(UTC) + LIFETIME - timedelta(minutes=1))


@defect("every-tenth-session-aged", breaks=[f"{SESSION}.expires-at"])
class EveryTenthSessionAged(WidgetSessionService):
    """Every tenth session comes out of a pool, and its half hour began when it was put there."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._sessions = 0

    def expires_at(self) -> str:
        self._sessions += 1
        age = timedelta(minutes=10 if self._sessions % 10 == 0 else 0)
        return self.time_text(datetime.now(UTC) + LIFETIME - age)


# What is left over in an error.


@defect("last-session-id-in-error", breaks=NO_SESSION)
class LastSessionIdInError(WidgetSessionService):
    """An error carries the sessionId of the last session that was created, whoever's it is."""

    _last = ""

    def session_id(self, request: Fields) -> str:
        self._last = super().session_id(request)
        return self._last

    def envelope(self, refused: Refused, call: Call) -> Fields:
        return super().envelope(refused, call) | {"sessionId": self._last}


@defect("widget-url-in-network-error", breaks=NO_SESSION)
class WidgetUrlInNetworkError(WidgetSessionService):
    """The error for an unknown network carries a widgetUrl in which another one can be chosen."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        found = {"widgetUrl": "https://buy.kryptonim.example/networks"} if refused == refusals.NETWORK else {}
        return super().envelope(refused, call) | found


@defect("session-id-in-repeated-error", breaks=NO_SESSION)
class SessionIdInRepeatedError(WidgetSessionService):
    """A body that is refused a second time gets a sessionId with the error."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._refused: set[bytes] = set()

    def envelope(self, refused: Refused, call: Call) -> Fields:
        found = {"sessionId": self.session_id({})} if call.body in self._refused else {}
        self._refused.add(call.body)
        return super().envelope(refused, call) | found


@defect("cookie-in-place-of-signature", breaks=["kryptonim.auth.signature-required"])
class CookieInPlaceOfSignature(WidgetSessionService):
    """Every session sets a cookie, which is as good as a signature from then on."""

    def check_signature(self, call: Call) -> None:
        is_known = call.header("x-request-signature") is None and "visit=known" in (call.header("cookie") or "")
        if not is_known:
            super().check_signature(call)

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return super().session_answer(session, call).with_headers(set_cookie="visit=known; Path=/; HttpOnly")


# What is signed.


@defect("ip-address-not-signed", breaks=["kryptonim.auth.signature-body"])
class IpAddressNotSigned(WidgetSessionService):
    """The ipAddress may be changed, or added, after signing: it is left out of what is verified."""

    def is_signature(self, signature: str, body: bytes) -> bool:
        inherited = super().is_signature
        return inherited(signature, body) or inherited(signature, self._known.get(_rest(body), b""))

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._known: dict[str, bytes] = {}

    def check_signature(self, call: Call) -> None:
        super().check_signature(call)
        self._known.setdefault(_rest(call.body), call.body)


def _rest(body: bytes) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    return json.dumps({name: value for name, value in document.items() if name != "ipAddress"})


@defect("first-session-of-user-lasts-a-day", breaks=[f"{SESSION}.expires-at"])
class FirstSessionOfUserLastsADay(WidgetSessionService):
    """The first session of an e-mail address lasts a day, any other half an hour."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._users: set[str] = set()

    def session(self, request: Fields, call: Call) -> Fields:
        session = super().session(request, call)
        user = request.get("email", "")
        if user and user not in self._users:
            self._users.add(user)
            session["expiresAt"] = self.time_text(datetime.now(UTC) + timedelta(days=1))
        return session
