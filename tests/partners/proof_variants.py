"""Partners of Proof that do it otherwise, and are right."""

# ruff: noqa: D102 - a program's class says what its methods do wrong, or otherwise.

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.partners.proof import (
    ENV,
    PROGRAMS,
    SCALE,
    Purchase,
    asking,
    calling,
    conforming,
    handing,
    polling,
    retrying,
    without,
)

variant = PROGRAMS.variant


@variant("camel-case", steps=["works", "unusual-values"])
class CamelCase(Purchase):
    """The widget's own names."""

    def open_widget(self, session: dict[str, Any]) -> None:
        def camel(name: str) -> str:
            first, *others = name.split("_")
            return first + "".join(other.capitalize() for other in others)

        super().open_widget({camel(name): value for name, value in session.items()})


variant("documented-parameters-only", steps=["works", "unusual-values"])(
    handing(without("merchant_transaction_id", "risk_level", "experiments"))
)
variant("polls-every-five-seconds", steps=["works", "takes-long"])(polling(5.2))
variant("polls-every-ten-seconds", steps=["works", "takes-long"])(polling(9.5))
variant("retries-502-with-jitter", steps=["fails-twice", "fails-always"])(retrying(502, 0.7, 2.9, 2.4, 9.1))
variant("retries-500-at-once", steps=["internal-error"])(retrying(500, 0))
variant("retries-502-patiently", steps=["fails-once", "fails-twice", "fails-always"])(retrying(502, 1, 3, 9, 20))
variant("retries-502-twice", steps=["fails-once", "fails-always"])(retrying(502, 0.5, 1))
variant("registered-origin", steps=["works"])(calling(Origin="https://app.example.com"))
variant("media-type-with-charset", steps=["works", "fails-once"])(
    calling(Content_Type="application/json; charset=utf-8")
)
variant("bearer-in-small-letters", steps=["works"])(
    calling(Authorization=f"bearer {ENV.get('PROOF_CLIENT_TOKEN', '')}")
)
variant("user-of-its-own", steps=["works"])(
    asking(partner_user_id="u-17", user_email="u17@partner.example", client_ip="2001:db8::17")
)
variant("asks-to-buy", steps=["works"])(asking(type="buy", redirect_url="https://partner.example/done"))


@variant("believes-webhooks", steps=["works", "takes-long", "webhook-twice", "webhook-out-of-order", "webhook-late"])
class BelievesWebhooks(Purchase):
    """What a webhook says is booked, without asking."""

    def webhook(self, body: bytes) -> tuple[int, str]:
        event = json.loads(body)
        self.book(event["merchant_transaction_id"], event["status"])
        return 200, ""


@variant("webhooks-alone", steps=["works", "webhook-twice", "webhook-late"])
class WebhooksAlone(Purchase):
    """Nothing is polled while webhooks come."""

    def follow(self, transaction_id: str) -> str:
        deadline = time.monotonic() + 20 * SCALE
        while f"{transaction_id} completed" not in conforming.BOOKS.read_text() and time.monotonic() < deadline:
            time.sleep(0.5 * SCALE)
        return "completed"


@variant("polls-at-once", steps=["works", "takes-long"])
class PollsAtOnce(Purchase):
    """The first poll comes right after the session, the others as ever."""

    def follow(self, transaction_id: str) -> str:
        self.api.get(f"/widget/transactions/{transaction_id}")
        status: str = super().follow(transaction_id)
        return status


@variant("follows-by-websocket", steps=["works", "takes-long", "is-cancelled", "socket-drops"])
class FollowsByWebSocket(Purchase):
    """A WebSocket tells of changes; when it drops, the status is asked for, and another one opened."""

    def follow(self, transaction_id: str) -> str:
        url = f"{ENV['RAMPCHECK_BASE_URL'].replace('http', 'ws', 1)}/ws?tx_id={transaction_id}"
        for pause in (1, 2, 4, 8, 16):
            with (
                contextlib.suppress(OSError, WebSocketException),
                connect(url, additional_headers={"Authorization": self.headers()["Authorization"]}) as socket,
            ):
                for text in socket:
                    if self.ends(transaction_id, json.loads(text)["status"]):
                        return "told by the WebSocket"
            time.sleep(pause * SCALE)
            if self.ends(transaction_id, self.api.get(f"/widget/transactions/{transaction_id}").json()["status"]):
                return "told by the poll"
        return "unknown"

    def ends(self, transaction_id: str, status: str) -> bool:
        """Books a status, and says whether it is the last."""
        self.book(transaction_id, status)
        return status in conforming.TERMINAL


@variant("writes-json-anew", steps=["fails-once", "fails-twice"])
class WritesJsonAnew(Purchase):
    """Every try is the same JSON, in another order of its members."""

    def __init__(self) -> None:
        super().__init__()
        self.api.event_hooks["request"].append(self.turn)

    def turn(self, request: httpx.Request) -> None:
        """Turns the members of the body around, every other time."""
        self.turned = not getattr(self, "turned", True)
        if request.method == "POST" and self.turned:
            body = json.dumps(dict(reversed(json.loads(request.content).items()))).encode()
            request.stream = httpx.ByteStream(body)
            request.headers["Content-Length"] = str(len(body))


@variant("widget-by-query", steps=["works", "unusual-values"])
class WidgetByQuery(Purchase):
    """The session's values stand in a query, lists in JSON."""

    def open_widget(self, session: dict[str, Any]) -> None:
        httpx.get(ENV["RAMPCHECK_WIDGET_URL"], params=as_texts(session))


@variant("widget-by-form", steps=["works", "unusual-values"])
class WidgetByForm(Purchase):
    """The session's values stand in a form, lists in JSON."""

    def open_widget(self, session: dict[str, Any]) -> None:
        httpx.post(ENV["RAMPCHECK_WIDGET_URL"], data=as_texts(session))


def as_texts(session: dict[str, Any]) -> dict[str, str]:
    """The values as texts."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in session.items()}


@variant("asks-for-kyc-first", steps=["works"])
class AsksForKycFirst(Purchase):
    """The user's identity check is looked up before the purchase; a new user's is unknown."""

    def create_session(self) -> dict[str, Any]:
        self.api.get(f"/widget/users/{ENV['RAMPCHECK_USER_ID']}/kyc-status")
        session: dict[str, Any] = super().create_session()
        return session


@variant("mends-after-400", steps=["invalid"])
class MendsAfter400(Purchase):
    """What was refused is asked for otherwise: in another currency."""

    def create_session(self) -> dict[str, Any]:
        refused = self.api.post("/widget/session", json=self.session_request())
        if refused.status_code != 400:
            return dict(refused.json())
        mended = self.api.post("/widget/session", json={**self.session_request(), "currency": "USDC"})
        return dict(mended.raise_for_status().json())


@variant("two-purchases", steps=["works", "fails-once"])
class TwoPurchases(Purchase):
    """Another user buys at the same time."""

    def create_session(self) -> dict[str, Any]:
        others = {
            "partner_user_id": "another-user",
            "user_email": "another@partner.example",
            "client_ip": "203.0.113.200",
        }
        session: dict[str, Any] = super().create_session()
        other = self.api.post("/widget/session", json={**self.session_request(), **others}).json()
        self.book(other["merchant_transaction_id"], "created")
        return session
