"""Defects in the session that is returned (`kryptonim.session.*`)."""

# ruff: noqa: ARG002, ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.wire import Answer, Call, json_answer

from .service import WidgetSessionService

SESSION = "kryptonim.session"

# The fields.


# Every session gets the values that `change` makes of it.
_changed = defects(
    WidgetSessionService,
    "session",
    lambda change, _, inherited, *given: (session := inherited(*given)) | change(session),
    section=SESSION,
)


@defect("session-wrapped", breaks=[f"{SESSION}.complete"], may_break=[SESSION])
class SessionWrapped(WidgetSessionService):
    """A session comes inside a member `data`."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        return json_answer(200, {"data": session})


@defect("session-in-snake-case", breaks=[f"{SESSION}.complete"], may_break=[SESSION])
class SessionInSnakeCase(WidgetSessionService):
    """The members of a session are named in snake case."""

    def session_answer(self, session: dict[str, Any], call: Call) -> Answer:
        names = {"sessionId": "session_id", "widgetUrl": "widget_url", "expiresAt": "expires_at"}
        return json_answer(200, {names[name]: value for name, value in session.items()})


def _without(field: str, clause: str) -> None:
    """Registers a defect: sessions lack a field, to which a clause of its own applies."""

    @defect(
        f"{clause}-missing",
        breaks=[f"{SESSION}.complete"],
        may_break=[f"{SESSION}.{clause}"],
        summary=f"{field} is missing.",
    )
    class Without(WidgetSessionService):
        def session(self, request: dict[str, Any], call: Call) -> dict[str, Any]:
            session = super().session(request, call)
            del session[field]
            return session


_without("sessionId", "session-id")
_without("widgetUrl", "widget-url")
_without("expiresAt", "expires-at")
_changed(
    "session-id-as-number",
    ["complete"],
    "sessionId is a JSON number.",
    lambda session: {"sessionId": int(session["sessionId"][:12], 16)},
    may_break=["session-id"],
)
_changed(
    "session-id-empty", ["complete"], "sessionId is empty.", lambda session: {"sessionId": ""}, may_break=["session-id"]
)
_changed(
    "expires-at-as-number",
    ["complete"],
    "expiresAt is a Unix time.",
    lambda session: {"expiresAt": int(datetime.fromisoformat(session["expiresAt"]).timestamp())},
    may_break=["expires-at"],
)
_changed(
    "session-id-short",
    ["session-id"],
    "sessionId is one of sixteen values.",
    lambda session: {"sessionId": session["sessionId"][0]},
)


@defect("session-id-from-request", breaks=[f"{SESSION}.session-id"])
class SessionIdFromRequest(WidgetSessionService):
    """The same request gives the same sessionId."""

    def session_id(self, request: dict[str, Any]) -> str:
        return hashlib.sha256(repr(request).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@defect("session-id-per-wallet", breaks=[f"{SESSION}.session-id"])
class SessionIdPerWallet(WidgetSessionService):
    """All sessions for a wallet have the same sessionId."""

    def session_id(self, request: dict[str, Any]) -> str:
        address = request["destinationAddress"]
        return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# The widget's URL.

_changed(
    "widget-url-over-http",
    ["widget-url"],
    "The widget's URL begins with http.",
    lambda session: {"widgetUrl": session["widgetUrl"].replace("https://", "http://", 1)},
)
_changed(
    "widget-url-without-scheme",
    ["widget-url"],
    "The widget's URL begins with its host.",
    lambda session: {"widgetUrl": session["widgetUrl"].removeprefix("https://")},
)
_changed(
    "widget-url-relative",
    ["widget-url"],
    "The widget's URL is a path.",
    lambda session: {"widgetUrl": "/exchange?" + session["widgetUrl"].partition("?")[2]},
)
_changed(
    "widget-url-with-impossible-port",
    ["widget-url"],
    "The widget's URL has a port that there is not.",
    lambda session: {"widgetUrl": session["widgetUrl"].replace(".example/", ".example:84430/", 1)},
)


# The widget's URL ends in what `reveal` makes of the request.
_revealed = defects(
    WidgetSessionService,
    "widget_url",
    lambda reveal, _, inherited, request, call: f"{inherited(request, call)}&x={reveal(request)}",
    breaks=[f"{SESSION}.widget-url-private"],
)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _base64(text: str) -> str:
    return _quoted(base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii"))


_revealed(
    "email-in-widget-url",
    "The e-mail address stands in the widget's URL.",
    lambda request: _quoted(request.get("email", "")).replace("%40", "@"),
)
_revealed(
    "success-url-in-widget-url",
    "The successUrl stands in the widget's URL, percent-encoded.",
    lambda request: _quoted(request.get("successUrl", "")),
)
_revealed(
    "metadata-in-widget-url",
    "The metadata stand in the widget's URL in base64.",
    lambda request: _base64(" ".join(str(value) for value in request.get("metadata", {}).values())),
)


@defect("request-in-base64-in-widget-url", breaks=[f"{SESSION}.widget-url-private"])
class RequestInBase64InWidgetUrl(WidgetSessionService):
    """The opaque part of the widget's URL is the request in base64."""

    def encrypted(self, body: bytes) -> str:
        return base64.b64encode(body).decode("ascii")


# The expiry.


# A session expires at another time.
_expires = defects(
    WidgetSessionService,
    "expires_at",
    lambda lifetime, service, _inherited: service.time_text(datetime.now(UTC) + lifetime),
    breaks=[f"{SESSION}.expires-at"],
)
# The time of expiry is written otherwise.
_written = defects(
    WidgetSessionService,
    "time_text",
    lambda write, _service, _inherited, time: write(time),
    breaks=[f"{SESSION}.expires-at"],
)
_expires("expires-in-an-hour", "A session expires after 60 minutes.", timedelta(hours=1))
_expires("expires-in-three-minutes", "A session expires after 3 minutes.", timedelta(minutes=3))
_expires("expires-at-creation", "expiresAt is the time of creation.", timedelta())
_expires(
    "expires-in-local-time",
    "expiresAt is two hours late, as if local time were UTC.",
    timedelta(hours=2, minutes=30),
)
_written("expires-at-without-zone", "expiresAt has no time zone.", lambda time: f"{time:%Y-%m-%dT%H:%M:%S.%f}")
_written(
    "expires-at-with-offset",
    "expiresAt is in another zone than UTC.",
    lambda time: time.astimezone(timezone(timedelta(hours=2))).isoformat(),
)
_written(
    "expires-at-in-http-form",
    "expiresAt is written as in HTTP.",
    lambda time: f"{time:%a, %d %b %Y %H:%M:%S GMT}",
)
