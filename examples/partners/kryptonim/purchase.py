"""A purchase with Kryptonim, as a partner's backend makes it: a starting point for your own. It needs httpx.

The environment says where, as whom and what, as `rampcheck certify` sets it. Yours will differ in `open_widget` (a
redirect of the user's browser) and in `book` (your database).
"""

import hashlib
import hmac
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ENV = os.environ
SCALE = float(ENV.get("RAMPCHECK_TIME_SCALE", "1"))  # for tests that are in a hurry
BOOKS = Path(ENV.get("BOOKS", "purchases.log"))
# After which statuses a session is asked for again, and after what pauses; what else is refused has to be mended first.
RETRIED = {502, 503, 504}
PAUSES = (1.0, 2.0, 4.0)
# What is left of a session's 30 minutes when the user is sent to it.
ENOUGH = timedelta(minutes=5)


class Purchase:
    """One user's purchase, from the session to the widget; what comes of it the webhook tells."""

    def __init__(self) -> None:
        self.api = httpx.Client(base_url=ENV["RAMPCHECK_BASE_URL"], timeout=30)

    def session_request(self) -> dict[str, Any]:
        """What is bought, and by whom."""
        return {
            "cryptoAmount": float(ENV["RAMPCHECK_AMOUNT"]),  # a number, and either this or fiatAmount, never both
            "cryptoCurrency": ENV["RAMPCHECK_CURRENCY"],
            "network": ENV["RAMPCHECK_NETWORK"],
            "destinationAddress": ENV["RAMPCHECK_ADDRESS"],  # known to be the user's own
            "fiatCurrency": ENV["RAMPCHECK_FIAT_CURRENCY"],
            "email": ENV["RAMPCHECK_USER_EMAIL"],
            "ipAddress": ENV["RAMPCHECK_CLIENT_IP"],  # the user's, from the request that your backend got
            "metadata": {"userId": ENV["RAMPCHECK_USER_ID"]},
            "successUrl": "https://partner.example/bought",
            "failureUrl": "https://partner.example/not-bought",
        }

    def serialised(self, document: dict[str, Any]) -> bytes:
        """The bytes that are signed, and that are sent: JSON is written once."""
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def signature(self, body: bytes) -> str:
        """HMAC-SHA256 of the body under the secret, in hexadecimal."""
        return hmac.new(ENV["KRYPTONIM_SIGNATURE_SECRET"].encode(), body, hashlib.sha256).hexdigest()

    def headers(self, body: bytes) -> dict[str, str]:
        """Key and signature stand here and nowhere else; the secret stands nowhere."""
        return {
            "Content-Type": "application/json",
            "X-API-Key": ENV["KRYPTONIM_API_KEY"],
            "X-Request-Signature": self.signature(body),
        }

    def create_session(self) -> dict[str, Any]:
        """A session, after as many tries as make sense; ends the program where there is none."""
        body = self.serialised(self.session_request())
        for pause in (*PAUSES, None):
            answer = self.api.post("/v1/widget-sessions", content=body, headers=self.headers(body))
            if answer.is_success:
                session = dict(answer.json())
                self.book(session)
                return session
            if answer.status_code not in RETRIED or pause is None:
                break
            time.sleep(pause * SCALE)
        sys.exit(f"no session: {answer.status_code} {answer.text}")

    def book(self, session: dict[str, Any]) -> None:
        """Keeps the session's id: it is the transaction's id later on."""
        with BOOKS.open("a") as books:
            books.write(f"{session['sessionId']} {ENV['RAMPCHECK_USER_ID']}\n")

    def has_expired(self, session: dict[str, Any]) -> bool:
        """Whether too little is left of a session to send the user to it."""
        return datetime.fromisoformat(session["expiresAt"]) - datetime.now(UTC) < ENOUGH

    def open_widget(self, session: dict[str, Any]) -> bool:
        """Sends the user to the URL as it came; False where the widget says that the session has expired."""
        return httpx.post(ENV["RAMPCHECK_WIDGET_URL"], json={"widgetUrl": session["widgetUrl"]}).status_code != 410


def main(purchase: Purchase) -> None:
    """Buys; a session that has expired is left, and another made, once."""
    session = purchase.create_session()
    if purchase.has_expired(session) or not purchase.open_widget(session):
        session = purchase.create_session()
        if not purchase.open_widget(session):
            sys.exit("two sessions in a row have expired")
    print(session["sessionId"])


if __name__ == "__main__":
    main(Purchase())
