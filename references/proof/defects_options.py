"""More defects of the optional fields, most in what is kept for the next request (`proof.session.request.*`)."""

# ruff: noqa: ARG005, D102 - a defect's class says what its methods do wrong, in signatures they cannot choose.

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from rampcheck.sandbox.defects import defect, defects
from rampcheck.sandbox.strict_json import NotJsonError

from .partners import Partner
from .request import SessionRequest
from .service import SessionService

REQUEST = "proof.session.request"
ADDRESS = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}|0x[0-9a-fA-F]{40}")

# The JSON.


@defect("white-space-before-body-refused", breaks=[f"{REQUEST}.accepts"])
class WhiteSpaceBeforeBodyRefused(SessionService):
    """A body is refused unless it begins with a brace."""

    def parse(self, body: bytes) -> Any:
        if body[:1].isspace():
            raise NotJsonError("preceded by white space")
        return super().parse(body)


# The type.


@defect("type-trimmed", breaks=[f"{REQUEST}.type-enum"])
class TypeTrimmed(SessionService):
    """A type with white space around it is taken for the type."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type and (request.type.strip() or request.type))


_TYPE_BY_NUMBER = {"0": "sell", "1": "buy"}


@defect("type-by-its-number", breaks=[f"{REQUEST}.type-enum"])
class TypeByItsNumber(SessionService):
    """A type is read as a member of an enumeration, whose number is as good as its name."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=_TYPE_BY_NUMBER.get(request.type or "", request.type))


@defect("type-by-its-initial", breaks=[f"{REQUEST}.type-enum"])
class TypeByItsInitial(SessionService):
    """A type is known by its first letter, when there is no more of it."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type={"b": "buy", "s": "sell"}.get(request.type or "", request.type))


@defect("types-in-a-list", breaks=[f"{REQUEST}.type-enum"])
class TypesInAList(SessionService):
    """Of types in a list the first one counts."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type and (request.type.split(",")[0] or request.type))


@defect("type-by-prefix", breaks=[f"{REQUEST}.type-enum"])
class TypeByPrefix(SessionService):
    """A type that begins with buy or sell is taken for that."""

    def request_from(self, document: Any) -> SessionRequest:
        request = super().request_from(document)
        return replace(request, type=request.type and re.sub("^(buy|sell).*", r"\1", request.type, flags=re.DOTALL))


def _types(
    name: str,
    clause: str,
    summary: str,
    chosen: Callable[[dict[str, str], Partner, SessionRequest], str | None],
    *may_break: str,
) -> None:
    """Registers a defect: a session has the type that `chosen` gives, unless that is None.

    It is given what was chosen before, to read and to change.
    """

    @defect(
        name,
        breaks=[f"{REQUEST}.{clause}"],
        may_break=[f"{REQUEST}.{other}" for other in may_break],
        summary=summary,
    )
    class Types(SessionService):
        def __init__(self) -> None:
            super().__init__()
            self._before: dict[str, str] = {}

        def session_type(self, partner: Partner, request: SessionRequest) -> str:
            return chosen(self._before, partner, request) or super().session_type(partner, request)


def _default(partner: Partner) -> str:
    return str(partner.widget_config["type"])


def _sticking(key: Callable[[Partner, SessionRequest], str]) -> Callable[..., str | None]:
    def chosen(before: dict[str, str], partner: Partner, request: SessionRequest) -> str | None:
        if request.type is not None:
            before[key(partner, request)] = request.type
        return before.get(key(partner, request))

    return chosen


_types(
    "first-type-of-user-sticks",
    "type-override",
    "The first type that a user asks for is that of all his sessions.",
    lambda before, partner, request: (
        before.setdefault(request.partner_user_id, request.type) if request.type is not None else None
    ),
    "sell-enabled",
)
_types(
    "buy-ignored-where-sell-is-default",
    "type-override",
    "A partner whose default is sell gets a sell for a buy.",
    lambda before, partner, request: "sell" if _default(partner) == "sell" else None,
)
_types(
    "type-override-on-first-pair-only",
    "type-override",
    "A type in the request prevails on the partner's first pair only.",
    lambda before, partner, request: (
        None if (request.currency, request.network) == next(iter(partner.wallets)) else _default(partner)
    ),
    "sell-enabled",
)
_types(
    "type-of-partner-sticks",
    "type-default",
    "A type in the request is the partner's default from then on.",
    _sticking(lambda partner, request: partner.widget_id),
)
_types(
    "type-of-user-sticks",
    "type-default",
    "A type in the request is that user's default from then on.",
    _sticking(lambda partner, request: request.partner_user_id),
)


@defect("disabled-sell-served-when-repeated", breaks=[f"{REQUEST}.sell-disabled"])
class DisabledSellServedWhenRepeated(SessionService):
    """A user's sell is refused once: the second time it counts as checked."""

    def __init__(self) -> None:
        super().__init__()
        self._checked: set[str] = set()

    def check_sell(self, partner: Partner, request: SessionRequest) -> None:
        if request.type == "sell" and request.partner_user_id in self._checked:
            return
        if request.type == "sell":
            self._checked.add(request.partner_user_id)
        super().check_sell(partner, request)


def _sell_refused(name: str, summary: str, applies: Callable[[Partner, SessionRequest], bool]) -> None:
    """Registers a defect: with off-ramp enabled, the sells to which it applies are refused all the same."""

    @defect(name, breaks=[f"{REQUEST}.sell-enabled"], may_break=[f"{REQUEST}.type-override"], summary=summary)
    class SellRefused(SessionService):
        def check_sell(self, partner: Partner, request: SessionRequest) -> None:
            super().check_sell(partner, request)
            if request.type == "sell" and applies(partner, request):
                self.invalid("This sell is not possible.")


_sell_refused(
    "sell-refused-without-address",
    "A sell is refused unless the request names the address to send to.",
    lambda partner, request: request.address is None,
)
_sell_refused(
    "sell-refused-off-first-pair",
    "A sell is refused on any pair but the partner's first.",
    lambda partner, request: (request.currency, request.network) != next(iter(partner.wallets)),
)
_sell_refused(
    "sell-refused-without-redirect-url",
    "A sell is refused unless the request says where to go after it.",
    lambda partner, request: request.redirect_url is None,
)

# The redirect URL.


# A redirect URL from a request comes back changed.
_redirect_changed = defects(
    SessionService,
    "redirect_url",
    lambda change, _, inherited, partner, request: (
        change(url) if (url := inherited(partner, request)) and request.redirect_url is not None else url
    ),
    breaks=[f"{REQUEST}.redirect-override"],
    may_break=[f"{REQUEST}.redirect-once"],
)
_redirect_changed(
    "redirect-fragment-dropped",
    "A redirect URL from a request comes back without its fragment.",
    lambda url: url.partition("#")[0],
)
_redirect_changed(
    "redirect-percent-decoded",
    "A redirect URL from a request comes back with its percent-encoding undone.",
    unquote,
)
_redirect_changed(
    "redirect-in-lower-case",
    "A redirect URL from a request comes back in lower case.",
    str.lower,
)


def _redirect_sticks(name: str, summary: str, key: Callable[[Partner, SessionRequest], Any], *, once: bool) -> None:
    """Registers a defect: a redirect URL is kept for other requests with the same key, for one of them or for all."""

    @defect(
        name,
        breaks=[f"{REQUEST}.redirect-once"],
        may_break=["proof.session.config.redirect_url", "proof.session.config-stable"],
        summary=summary,
    )
    class RedirectSticks(SessionService):
        def __init__(self) -> None:
            super().__init__()
            self._kept: dict[Any, str] = {}

        def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
            own = super().redirect_url(partner, request)
            if request.redirect_url is not None:
                self._kept[key(partner, request)] = request.redirect_url
                return own
            kept = self._kept.get(key(partner, request), own)
            if once:
                self._kept.pop(key(partner, request), None)
            return kept


_redirect_sticks(
    "redirect-url-sticks-for-one-session",
    "A redirect URL holds for the user's next session as well, and no longer.",
    lambda partner, request: (partner.widget_id, request.partner_user_id),
    once=True,
)
_redirect_sticks(
    "redirect-url-sticks-to-pair",
    "A redirect URL is the default for its currency and network from then on.",
    lambda partner, request: (partner.widget_id, request.currency, request.network),
    once=False,
)


@defect("redirect-url-of-other-partner", breaks=[f"{REQUEST}.redirect-once"])
class RedirectUrlOfOtherPartner(SessionService):
    """A partner without a default gets the redirect URL that any partner sent last."""

    _last: str | None = None

    def redirect_url(self, partner: Partner, request: SessionRequest) -> str | None:
        own = super().redirect_url(partner, request)
        self._last = request.redirect_url or self._last
        return own or self._last


# The user's IP address.


@defect("client-ip-required-once-sent", breaks=[f"{REQUEST}.client-ip-optional"])
class ClientIpRequiredOnceSent(SessionService):
    """A user for whom a client_ip was sent is refused without one."""

    def __init__(self) -> None:
        super().__init__()
        self._located: set[str] = set()

    def check_currency(self, partner: Partner, request: SessionRequest) -> None:
        super().check_currency(partner, request)
        if request.client_ip is not None:
            self._located.add(request.partner_user_id)
        elif request.partner_user_id in self._located:
            self.invalid("client_ip is required.")


def _client_ip_required(
    name: str, summary: str, applies: Callable[[Partner, SessionRequest], bool], *may_break: str
) -> None:
    """Registers a defect: without client_ip, requests to which it applies are refused."""

    @defect(
        name,
        breaks=[f"{REQUEST}.client-ip-optional"],
        may_break=[f"{REQUEST}.{other}" for other in may_break],
        summary=summary,
    )
    class Required(SessionService):
        def check_currency(self, partner: Partner, request: SessionRequest) -> None:
            super().check_currency(partner, request)
            if request.client_ip is None and applies(partner, request):
                self.invalid("client_ip is required.")


_client_ip_required(
    "client-ip-required-for-sell",
    "A sell without client_ip is refused.",
    lambda partner, request: request.type == "sell",
    "sell-enabled",
    "type-override",
)
_client_ip_required(
    "client-ip-required-off-first-pair",
    "A request without client_ip is refused on any pair but the partner's first.",
    lambda partner, request: (request.currency, request.network) != next(iter(partner.wallets)),
    "currency-enabled",
    "wallet-provisioned",
    "sell-enabled",
    "type-override",
)

# The address.


@defect("sent-address-checked", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressChecked(SessionService):
    """An address in the request is refused if it is none of the requested network."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        own = super().wallet(partner, request)
        if request.address is not None and request.address[:1] != own[:1]:
            self.invalid("address does not fit the network.")
        return own


@defect("sent-address-used-if-valid", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressUsedIfValid(SessionService):
    """An address in the request is used if it has the form of one."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        own = super().wallet(partner, request)
        return request.address if request.address and ADDRESS.fullmatch(request.address) else own


@defect("sent-address-used-off-first-pair", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressUsedOffFirstPair(SessionService):
    """An address in the request is used on any pair but the partner's first."""

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        own = super().wallet(partner, request)
        is_first = own == next(iter(partner.wallets.values()))
        return own if is_first or request.address is None else request.address


@defect("sent-address-used-next-time", breaks=[f"{REQUEST}.address-ignored"])
class SentAddressUsedNextTime(SessionService):
    """An address in the request changes nothing, but the user's next session has it."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, str] = {}

    def wallet(self, partner: Partner, request: SessionRequest) -> str:
        own = self._sent.pop(request.partner_user_id, super().wallet(partner, request))
        if request.address is not None:
            self._sent[request.partner_user_id] = request.address
        return own
