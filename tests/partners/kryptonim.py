"""Partners of Kryptonim that are wrong in one thing, and some that do it otherwise and are right."""

# ruff: noqa: D102 - a program's class says what its methods do wrong, or otherwise.

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx

from tests.partners.programs import Programs, example

conforming = example("kryptonim")
ENV = conforming.ENV
Purchase: Any = conforming.Purchase
PROGRAMS = Programs("kryptonim")
flaw, variant = PROGRAMS.flaw, PROGRAMS.variant
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


def asking(**changes: Any) -> type:
    """A purchase whose session request has these members too, or instead; None takes one out."""

    class Asking(Purchase):
        def session_request(self) -> dict[str, Any]:
            asked = {**super().session_request(), **changes}
            return {name: value for name, value in asked.items() if value is not None}

    return Asking


def calling(**headers: str) -> type:
    """A purchase all of whose calls have these headers too; `_` is `-`."""

    class Calling(Purchase):
        def headers(self, body: bytes) -> dict[str, str]:
            return {**super().headers(body), **{name.replace("_", "-"): value for name, value in headers.items()}}

    return Calling


def signing(signature: Any) -> type:
    """A purchase whose signatures are what `signature` makes of secret and body."""

    class Signing(Purchase):
        def signature(self, body: bytes) -> str:
            made: str = signature(ENV["KRYPTONIM_SIGNATURE_SECRET"].encode(), body)
            return made

    return Signing


def serialising(**options: Any) -> type:
    """A purchase that writes JSON with these options."""

    class Serialising(Purchase):
        def serialised(self, document: dict[str, Any]) -> bytes:
            return json.dumps(document, **options).encode()

    return Serialising


def digest(key: bytes, body: bytes) -> bytes:
    """The right HMAC."""
    return hmac.new(key, body, hashlib.sha256).digest()


def again(body: bytes, **options: Any) -> bytes:
    """The body, read and written anew."""
    return json.dumps(json.loads(body), **options).encode()


# Signatures.

flaw("signs-other-spaces", breaks="signs-bytes", steps=["works"])(
    signing(lambda key, body: digest(key, again(body)).hex())
)
flaw("signs-other-escapes", breaks="signs-bytes", steps=["unusual-purchase"])(
    signing(lambda key, body: digest(key, again(body, separators=(",", ":"))).hex())
)
flaw("signs-in-base64", breaks="signs-bytes", steps=["works"])(
    signing(lambda key, body: base64.b64encode(digest(key, body)).decode())
)
flaw("signs-with-sha-512", breaks="signs-bytes", steps=["works"])(
    signing(lambda key, body: hmac.new(key, body, hashlib.sha512).hexdigest())
)
flaw("signs-without-key", breaks="signs-bytes", steps=["works"])(
    signing(lambda key, body: hashlib.sha256(key + body).hexdigest())
)
flaw("signs-a-line-more", breaks="signs-bytes", steps=["works"])(
    signing(lambda key, body: digest(key, body + b"\n").hex())
)


@flaw("signs-once", breaks="signs-bytes", steps=["fails-once"])
class SignsOnce(Purchase):
    """The second try has another body, and the first one's signature."""

    def __init__(self) -> None:
        super().__init__()
        self.api.event_hooks["request"].append(self.count)
        self.tries = 0

    def count(self, request: httpx.Request) -> None:
        """Puts a number into the body that is about to be sent again."""
        self.tries += 1
        if self.tries > 1:
            body = json.dumps({**json.loads(request.content), "metadata": {"attempt": self.tries}}).encode()
            request.stream = httpx.ByteStream(body)
            request.headers["Content-Length"] = str(len(body))


@flaw("does-not-sign", breaks="signs-bytes", steps=["works"])
class DoesNotSign(Purchase):
    """There is no signature."""

    def headers(self, body: bytes) -> dict[str, str]:
        return {name: value for name, value in super().headers(body).items() if name != "X-Request-Signature"}


# Key and secret, and whose calls they are.


@flaw("key-in-the-query", breaks="secret-placement", steps=["works"])
class KeyInTheQuery(Purchase):
    """The URL ends with the key."""

    def __init__(self) -> None:
        super().__init__()
        self.api.params = {"apiKey": ENV["KRYPTONIM_API_KEY"]}


@flaw("secret-in-a-header", breaks="secret-placement", steps=["works"])
class SecretInAHeader(Purchase):
    """The secret is sent beside what it signs."""

    def headers(self, body: bytes) -> dict[str, str]:
        return {**super().headers(body), "X-Signature-Secret": ENV["KRYPTONIM_SIGNATURE_SECRET"]}


@flaw("key-in-the-metadata", breaks="secret-placement", steps=["works"])
class KeyInTheMetadata(Purchase):
    """The metadata say who asks, by the key."""

    def session_request(self) -> dict[str, Any]:
        return {**super().session_request(), "metadata": {"partner": ENV["KRYPTONIM_API_KEY"]}}


@flaw("key-to-the-widget", breaks="secret-placement", steps=["works"])
class KeyToTheWidget(Purchase):
    """The frontend is given the key."""

    def open_widget(self, session: dict[str, Any]) -> bool:
        document = {"widgetUrl": session["widgetUrl"], "apiKey": ENV["KRYPTONIM_API_KEY"]}
        return httpx.post(ENV["RAMPCHECK_WIDGET_URL"], json=document).status_code != 410


flaw("user-agent-of-a-browser", breaks="secret-placement", steps=["works"])(calling(User_Agent=CHROME))
flaw("called-by-a-page", breaks="secret-placement", steps=["works"])(
    calling(
        Origin="https://app.example.com", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty"
    )
)


# The session.


@flaw("keeps-nothing", breaks="keeps-session-id", steps=["works"])
class KeepsNothing(Purchase):
    """The user is sent to the widget, and the session forgotten."""

    def book(self, session: dict[str, Any]) -> None:
        conforming.BOOKS.touch()


@flaw("keeps-thirty-two-characters", breaks="keeps-session-id", steps=["unusual-values"])
class KeepsThirtyTwoCharacters(Purchase):
    """The column is as wide as the documentation's example."""

    def book(self, session: dict[str, Any]) -> None:
        super().book({"sessionId": session["sessionId"][:32]})


@flaw("opens-it-again", breaks="expired", steps=["expired"])
class OpensItAgain(Purchase):
    """A widget that does not open is opened again, at the same URL."""

    def open_widget(self, session: dict[str, Any]) -> bool:
        return any(super(OpensItAgain, self).open_widget(session) for _ in range(3))


@flaw("keeps-the-first-url", breaks="expired", steps=["expired"])
class KeepsTheFirstUrl(Purchase):
    """A new session is made, and the user sent to the URL of the old one."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Any] = {}

    def open_widget(self, session: dict[str, Any]) -> bool:
        self.first = self.first or session
        opened: bool = super().open_widget(self.first)
        return opened


# The session request.

flaw("success-by-http", breaks="https-redirects", steps=["works"])(asking(successUrl="http://partner.example/bought"))
flaw("failure-in-the-app", breaks="https-redirects", steps=["works"])(asking(failureUrl="partnerapp://not-bought"))
flaw("unlocks-the-currency", breaks="minimal-unlocked", steps=["works"])(
    asking(unlockedFields=["email", "cryptoCurrency"])
)
flaw("unlocks-everything", breaks="minimal-unlocked", steps=["works"])(asking(unlockedFields=["*"]))
flaw("both-amounts", breaks="one-amount", steps=["works"])(asking(fiatAmount=15))
flaw("no-amount", breaks="one-amount", steps=["works"])(asking(cryptoAmount=None))
flaw("wallet-of-production", breaks="testnet-values", steps=["works"])(asking(paymentMethod="google_pay"))
flaw("currency-of-production", breaks="testnet-values", steps=["works"])(asking(cryptoCurrency="BTC"))
flaw("network-of-production", breaks="testnet-values", steps=["works"])(asking(network="ethereum"))
flaw("no-address-of-the-user", breaks="client-ip", steps=["works"])(asking(ipAddress=None))
flaw("address-of-its-own", breaks="client-ip", steps=["works"])(asking(ipAddress="127.0.0.1"))
flaw("address-of-a-proxy", breaks="client-ip", steps=["works"])(asking(ipAddress="198.51.100.1"))

# What is otherwise, and right.

variant("json-with-spaces", steps=["works", "unusual-purchase"])(serialising(indent=2, sort_keys=True))
variant("json-with-escapes", steps=["works", "unusual-purchase"])(serialising(ensure_ascii=True))
variant("signature-in-capitals", steps=["works"])(signing(lambda key, body: digest(key, body).hex().upper()))
variant("spends-an-amount", steps=["works"])(asking(cryptoAmount=None, fiatAmount=15.5))
variant("unlocks-what-may-be", steps=["works"])(asking(unlockedFields=["email", "fiatAmount"]))
variant("unlocks-the-example", steps=["works"])(asking(unlockedFields=["fiatAmount", "destinationAddress"]))
variant("pays-by-card", steps=["works"])(asking(paymentMethod="card"))
variant("without-what-is-optional", steps=["works", "unusual-values"])(
    asking(email=None, metadata=None, successUrl=None, failureUrl=None)
)
variant("media-type-with-charset", steps=["works"])(calling(Content_Type="application/json; charset=utf-8"))


@variant("address-mapped-to-ipv6", steps=["works"])
class AddressMappedToIpv6(Purchase):
    """The server listens on IPv6, so that the user's address comes in IPv4-mapped form."""

    def session_request(self) -> dict[str, Any]:
        return {**super().session_request(), "ipAddress": f"::ffff:{ENV['RAMPCHECK_CLIENT_IP']}"}


@variant("widget-by-redirect", steps=["works", "unusual-values"])
class WidgetByRedirect(Purchase):
    """The widget's URL is handed over in a query."""

    def open_widget(self, session: dict[str, Any]) -> bool:
        return httpx.get(ENV["RAMPCHECK_WIDGET_URL"], params={"widgetUrl": session["widgetUrl"]}).status_code != 410


@variant("widget-by-form", steps=["works", "unusual-values"])
class WidgetByForm(Purchase):
    """The widget's URL is handed over in a form."""

    def open_widget(self, session: dict[str, Any]) -> bool:
        return httpx.post(ENV["RAMPCHECK_WIDGET_URL"], data={"widgetUrl": session["widgetUrl"]}).status_code != 410
