"""Variants that look like defects of the same kind: limits, headers that may decide, and more in an error."""

# ruff: noqa: D102 - a variant's class says what its methods do otherwise, in signatures they cannot choose.

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from rampcheck.sandbox.variants import variant
from rampcheck.sandbox.wire import Answer, Call

from . import refusals
from .defects_size import depth, digits
from .refusals import Refusal, Refused
from .service import WidgetSessionService

own = partial(variant, "kryptonim")
Fields = dict[str, Any]

# Size, depth and digits: what is too large may be refused.


@own("large-bodies-refused")
class LargeBodiesRefused(WidgetSessionService):
    """A body of more than 64 KiB is refused with 413, before anything else is looked at."""

    def create_session(self, call: Call) -> Answer:
        if len(call.body) > 1 << 16:
            raise Refusal(refusals.SIZE)
        return super().create_session(call)


@own("large-bodies-cut")
class LargeBodiesCut(WidgetSessionService):
    """Of a body no more than 64 KiB and a byte are read, so that no signature fits what is longer: 401."""

    def signed_bytes(self, call: Call) -> bytes:
        return super().signed_bytes(call)[: (1 << 16) + 1]


@own("metadata-within-limits")
class MetadataWithinLimits(WidgetSessionService):
    """Metadata have limits: 10 levels, 100 members, names of 64 and texts of 512 characters."""

    def check_metadata(self, request: Fields) -> None:
        super().check_metadata(request)
        metadata = request.get("metadata", {})
        if depth(metadata) > 10 or len(metadata) > 100 or any(len(name) > 64 for name in metadata):
            self.invalid("metadata is too large")
        if any(isinstance(value, str) and len(value) > 512 for value in metadata.values()):
            self.invalid("metadata is too long")


@own("texts-within-limits")
class TextsWithinLimits(WidgetSessionService):
    """Texts have limits: 64 characters of a wallet, 254 of an e-mail address, 128 of a URL."""

    def check_ip_address(self, request: Fields) -> None:
        super().check_ip_address(request)
        limits = {"destinationAddress": 64, "email": 254, "successUrl": 128, "failureUrl": 128}
        if any(len(request.get(name, "")) > limit for name, limit in limits.items()):
            self.invalid("This is too long")


@own("digits-within-limits")
class DigitsWithinLimits(WidgetSessionService):
    """Amounts have at most 12 digits before the point, and 8 after it."""

    def check_amounts(self, request: Fields) -> None:
        super().check_amounts(request)
        before, after = digits(request)
        if before > 12 or after > 8:
            self.invalid("The amount has too many digits")


@own("limits-by-currency")
class LimitsByCurrency(WidgetSessionService):
    """How much may be bought depends on the currency: of MATIC 50 or more, of the others up to 20."""

    def check_amounts(self, request: Fields) -> None:
        super().check_amounts(request)
        amount = request.get("cryptoAmount")
        if amount is not None and (amount < 50 if request["cryptoCurrency"] == "MATIC" else amount > 20):
            self.invalid("The amount is outside the limits")


@own("small-amounts-only")
class SmallAmountsOnly(WidgetSessionService):
    """A sandbox has little to give: money from 5 to 50, crypto currency from 1 to 10."""

    def check_amounts(self, request: Fields) -> None:
        super().check_amounts(request)
        if not 5 <= request.get("fiatAmount", 5) <= 50 or not 1 <= request.get("cryptoAmount", 1) <= 10:
            self.invalid("The amount is outside the limits")


@own("large-amounts-only")
class LargeAmountsOnly(WidgetSessionService):
    """Little is not sold: money from 150 to 5,000, crypto currency from 120 to 50,000."""

    def check_amounts(self, request: Fields) -> None:
        super().check_amounts(request)
        if not 150 <= request.get("fiatAmount", 150) <= 5000 or not 120 <= request.get("cryptoAmount", 120) <= 50_000:
            self.invalid("The amount is outside the limits")


def _told(profile: dict[str, Any]) -> dict[str, Any]:
    """The same profile, which names an amount of either kind."""
    return {**profile, "partner": {**profile["partner"], "fiat_amount": 18, "crypto_amount": 0.018}}


@own("amounts-as-the-profile-says", profile=_told)
class AmountsAsTheProfileSays(WidgetSessionService):
    """Money from 17 to 19, and crypto currency from 0.017 to 0.019: nobody hits that without being told."""

    def check_amounts(self, request: Fields) -> None:
        super().check_amounts(request)
        if not 17 <= request.get("fiatAmount", 18) <= 19 or not Decimal("0.017") <= Decimal(
            str(request.get("cryptoAmount", 0.018))
        ) <= Decimal("0.019"):
            self.invalid("The amount is outside the limits")


@own("example-domains-refused")
class ExampleDomainsRefused(WidgetSessionService):
    """An e-mail address or URL of a domain that nobody can own (RFC 2606) is refused."""

    def check_ip_address(self, request: Fields) -> None:
        super().check_ip_address(request)
        if any(re.search(r"[@/.]example\b", request.get(name, "")) for name in ("email", "successUrl", "failureUrl")):
            self.invalid("There is no such domain")


# Headers.


@own("messages-in-the-asked-language")
class MessagesInTheAskedLanguage(WidgetSessionService):
    """Messages that are not documented are in the language of Accept-Language."""

    def error_answer(self, refused: Refused, call: Call) -> Answer:
        asked = call.header("accept-language")
        if asked is not None and refused not in (refusals.UNAUTHORIZED, refusals.NETWORK):
            refused = replace(refused, message=f"[{asked[:2]}] Nieprawidłowe żądanie")
        return super().error_answer(refused, call).with_headers(content_language="pl", vary="Accept-Language")


@own("only-what-is-acceptable")
class OnlyWhatIsAcceptable(WidgetSessionService):
    """Who does not accept JSON is refused with 406 (RFC 9110 section 15.5.7)."""

    def create_session(self, call: Call) -> Answer:
        accepted = re.split(r"[,;]\s*", call.header("accept") or "*/*")
        if not {"*/*", "application/*", "application/json"} & set(accepted):
            raise Refusal(Refused(406, "NOT_ACCEPTABLE", "There is JSON only"))
        return super().create_session(call)


@own("https-demanded-of-proxies")
class HttpsDemandedOfProxies(WidgetSessionService):
    """What a proxy says to have been asked over http is redirected to https."""

    def post_session(self, call: Call) -> Answer:
        if call.header("x-forwarded-proto") == "http":
            return Answer(308, b"").with_headers(location="https://api.kryptonim.example/v1/widget-sessions")
        return super().post_session(call)


@own("key-in-authorization-too")
class KeyInAuthorizationToo(WidgetSessionService):
    """The API key is read from Authorization, too, and the answer sets a cookie."""

    def check_key(self, call: Call) -> None:
        bearer = (call.header("authorization") or "").removeprefix("Bearer ")
        if call.header("x-api-key") is not None or bearer != self.api_key:
            super().check_key(call)

    def session_answer(self, session: Fields, call: Call) -> Answer:
        return super().session_answer(session, call).with_headers(set_cookie=f"visit={uuid.uuid4().hex}; Secure")


@own("named-by-the-caller")
class NamedByTheCaller(WidgetSessionService):
    """Every answer repeats the caller's X-Request-Id, and the host of the widget is that of X-Forwarded-Host."""

    def answered(self, call: Call, operation: Any) -> Answer:
        answer = super().answered(call, operation)
        return answer.with_headers(x_request_id=call.header("x-request-id") or uuid.uuid4().hex)

    def widget_url(self, request: Fields, call: Call) -> str:
        host = call.header("x-forwarded-host") or "buy.kryptonim.example"
        return super().widget_url(request, call).replace("buy.kryptonim.example", host, 1)


# Errors.


@own("errors-say-there-is-no-session")
class ErrorsSayThereIsNoSession(WidgetSessionService):
    """Errors name a session's members, without any values, and an id of the incident, as long as a session's."""

    def envelope(self, refused: Refused, call: Call) -> Fields:
        return {
            **super().envelope(refused, call),
            "session": {"sessionId": None, "widgetUrl": ""},
            "incident": {"id": uuid.uuid4().hex, "fields": ["sessionId", "widgetUrl"]},
        }


@own("named-by-the-trace")
class NamedByTheTrace(WidgetSessionService):
    """A session and an error are called as the trace that the caller names."""

    def session(self, request: Fields, call: Call) -> Fields:
        return super().session(request, call) | {"sessionId": self._trace(call)}

    def envelope(self, refused: Refused, call: Call) -> Fields:
        return super().envelope(refused, call) | {"trace": self._trace(call)}

    def _trace(self, call: Call) -> str:
        return (call.header("traceparent") or f"00-{uuid.uuid4().hex}").split("-")[1]


# Numbers.


@own("amounts-rounded")
class AmountsRounded(WidgetSessionService):
    """An amount is rounded to eight places before anything is decided; what becomes zero is refused."""

    def is_amount(self, amount: Decimal | float) -> bool:
        return super().is_amount(amount) and round(float(amount), 8) > 0


# What was signed once is not taken again, of which the documentation says nothing.


class _NoReplays(WidgetSessionService):
    """A signature that was taken is refused when it comes again."""

    replayed = refusals.UNAUTHORIZED

    def __init__(self, environment: str) -> None:
        super().__init__(environment)
        self._taken: set[str] = set()

    def authenticate(self, call: Call) -> None:
        super().authenticate(call)
        signature = call.headers["x-request-signature"]
        if signature in self._taken:
            raise Refusal(self.replayed)
        self._taken.add(signature)


@own("replays-refused")
class ReplaysRefused(_NoReplays):
    """A signature that was taken is refused when it comes again, as a wrong one is."""


@own("replays-are-conflicts")
class ReplaysAreConflicts(_NoReplays):
    """A signature that was taken is refused when it comes again, with 409."""

    replayed = Refused(409, "INVALID_REQUEST", "This request was made before")
