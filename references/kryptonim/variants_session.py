"""Variants of the session that is returned: ids, URLs and times that the documentation leaves open."""

# ruff: noqa: ARG005, D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from rampcheck.sandbox.variants import variant, variants
from rampcheck.sandbox.variants_server import dated
from rampcheck.sandbox.wire import Call

from .service import LIFETIME, WidgetSessionService

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def crockford(length: int) -> str:
    """Random text in Crockford's base 32, as in a ULID."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(length))


# Ids.


# Session ids are made by `make`.
_ids = variants("kryptonim", WidgetSessionService, "session_id", lambda make, *_: make())

_numbers = count(40_000_000)
_ids("session-id-counts", "sessionId is a number in a string, one more for each session.", lambda: str(next(_numbers)))
_ids("session-id-ulid", "sessionId is a ULID.", lambda: f"01{crockford(24)}")
_ids("session-id-long", "sessionId is a text of 900 characters.", lambda: secrets.token_urlsafe(675))
_ids(
    "session-id-base64",
    "sessionId is standard base64 with slashes, plus signs and padding.",
    lambda: f"ses/+{secrets.token_hex(16)}/+==",
)
_ids("session-id-unicode", "sessionId holds letters outside ASCII.", lambda: f"sesión:{secrets.token_hex(8)}")


# Times: RFC 3339 §5.6 leaves the fraction, the letter case, and the spelling of UTC open.


# Times are written by `text`.
_times = variants("kryptonim", WidgetSessionService, "time_text", lambda text, _service, _inherited, time: text(time))
_times("expires-at-in-seconds", "expiresAt has no fraction.", lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}")
_times(
    "expires-at-in-nanoseconds",
    "expiresAt has nine decimal places.",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S.%f}123Z",
)
_times("expires-at-in-tenths", "expiresAt has one decimal place.", lambda time: f"{time:%Y-%m-%dT%H:%M:%S}.5Z")
_times("expires-at-with-offset", "expiresAt ends in +00:00.", lambda time: f"{time:%Y-%m-%dT%H:%M:%S.%f}+00:00")
_times(
    "expires-at-with-negative-offset",
    "expiresAt ends in -00:00, UTC of a place that is not told.",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S}-00:00",
)
_times("expires-at-in-lower-case", "expiresAt has a small t and z.", lambda time: f"{time:%Y-%m-%dt%H:%M:%S.%fz}")
_times("expires-at-with-space", "expiresAt has a space for the T.", lambda time: f"{time:%Y-%m-%d %H:%M:%S.%fZ}")


def _clock(name: str, summary: str, ahead: timedelta) -> None:
    """Registers a variant: the server's clock is this much ahead."""

    @variant("kryptonim", name, summary=summary, wrap=dated(ahead), serving={"date_header": False})
    class OtherClock(WidgetSessionService):
        def expires_at(self) -> str:
            return self.time_text(datetime.now(UTC) + ahead + LIFETIME)


_clock("clock-ahead", "The server's clock, in the Date header too, is 10 minutes ahead.", timedelta(minutes=10))
_clock("clock-behind", "The server's clock, in the Date header too, is 10 minutes behind.", timedelta(minutes=-10))


@variant("kryptonim", "expires-at-rounded")
class RoundedUp(WidgetSessionService):
    """expiresAt is rounded up to ten seconds."""

    def expires_at(self) -> str:
        end = datetime.now(UTC) + LIFETIME
        return self.time_text(end.replace(microsecond=0) + timedelta(seconds=-end.second % 10))


# The widget's URL: its form is not documented, beyond https and what it hides.


# Widget URLs are made by `make`, of the service, the request and the call.
_urls = variants(
    "kryptonim",
    WidgetSessionService,
    "widget_url",
    lambda make, service, _inherited, request, call: make(service, request, call),
)
_urls(
    "widget-url-of-an-id",
    "widgetUrl holds nothing but an id in its path.",
    lambda service, request, call: f"https://pay.example/s/{secrets.token_urlsafe(12)}",
)
_urls(
    "widget-url-in-fragment",
    "widgetUrl has a port, and what is encrypted in its fragment.",
    lambda service, request, call: f"https://pay.example:8443/#/buy?gdata={service.encrypted(call.body)}",
)
_urls(
    "widget-url-in-capitals",
    "widgetUrl has scheme and host in capitals, and what is encrypted in hexadecimal.",
    lambda service, request, call: f"HTTPS://WIDGET.EXAMPLE/?d={service.encrypted(call.body).encode().hex().upper()}",
)
_urls(
    "widget-url-of-an-address",
    "widgetUrl has an IPv6 address for its host.",
    lambda service, request, call: f"https://[2001:db8::68]/exchange?t={secrets.token_hex(40)}",
)
_urls(
    "widget-url-long",
    "widgetUrl has 20,000 characters.",
    lambda service, request, call: f"https://pay.example/exchange?gdata={secrets.token_urlsafe(15_000)}",
)
_urls(
    "widget-url-of-all-that-was-sent",
    "widgetUrl is longer than the request, however long that is.",
    lambda service, request, call: f"https://pay.example/exchange?gdata={secrets.token_urlsafe(len(call.body))}",
)


@variant("kryptonim", "unlocked-in-clear")
class UnlockedInClear(WidgetSessionService):
    """Fields that are unlocked stand in clear text in widgetUrl."""

    def widget_url(self, request: dict[str, Any], call: Call) -> str:
        names = [name for name in request.get("unlockedFields", ()) if isinstance(name, str) and name in request]
        shown = urlencode({name: request[name] for name in names}, quote_via=quote, errors="surrogatepass")
        return f"{super().widget_url(request, call)}&{shown}" if shown else super().widget_url(request, call)
