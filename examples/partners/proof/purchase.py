"""A purchase with Proof, as a partner's backend makes it: a starting point for your own. It needs httpx.
The environment says where, as whom and what, as `rampcheck certify` sets it. Yours will differ in `open_widget` (your
frontend), `book` (your database), and in that one process serves all users."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx

ENV = os.environ
SCALE = float(ENV.get("RAMPCHECK_TIME_SCALE", "1"))  # for tests that are in a hurry
BOOKS = Path(ENV.get("BOOKS", "purchases.log"))
TERMINAL = {"completed", "failed", "cancelled"}
# After which status the same body is sent again, and after what pauses; what else is refused has to be mended first.
RETRIES: dict[int, tuple[float, ...]] = {502: (1, 2, 4, 8), 500: (1,)}
POLL_SECONDS = 7.0  # 5 to 10 are recommended


class Purchase:
    """One user's purchase, from the session to the end of its transaction."""

    def __init__(self) -> None:
        self.api = httpx.Client(base_url=ENV["RAMPCHECK_BASE_URL"], headers=self.headers(), timeout=30)
        self.books_lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        """The token is the backend's secret: it stands here and nowhere else."""
        return {"Authorization": f"Bearer {ENV['PROOF_CLIENT_TOKEN']}", "Content-Type": "application/json"}

    def session_request(self) -> dict[str, object]:
        """What is bought, and by whom. There is no address: Proof knows where it goes."""
        return {
            "partner_user_id": ENV["RAMPCHECK_USER_ID"],
            "user_email": ENV["RAMPCHECK_USER_EMAIL"],
            "currency": ENV["RAMPCHECK_CURRENCY"],
            "network": ENV["RAMPCHECK_NETWORK"],
            "amount": ENV["RAMPCHECK_AMOUNT"],  # a decimal string, never a float
            "client_ip": ENV["RAMPCHECK_CLIENT_IP"],  # the user's, from the request that your backend got
        }

    def create_session(self) -> dict[str, object]:
        """The session, after as many tries as make sense; ends the program where there is none."""
        body = json.dumps(self.session_request()).encode()
        pauses = {status: iter(seconds) for status, seconds in RETRIES.items()}
        while not (answer := self.api.post("/widget/session", content=body)).is_success:
            pause = next(pauses.get(answer.status_code, iter(())), None)
            if pause is None:
                raise SystemExit(f"{answer.status_code} {answer.text}, {answer.headers.get('X-Request-Id')}")
            time.sleep(pause * SCALE)
        return dict(answer.json())

    def open_widget(self, session: dict[str, object]) -> None:
        """Hands every value on as it came; a frontend calls proofWidget.run with them."""
        httpx.post(ENV["RAMPCHECK_WIDGET_URL"], json=session)

    def follow(self, transaction_id: str) -> str:
        """Asks until the status can change no more; webhooks may be lost, and only make it quicker."""
        for _ in range(1000):
            time.sleep(POLL_SECONDS * SCALE)
            if (status := self.ask(transaction_id)) in TERMINAL:
                return status
        raise SystemExit(f"{transaction_id} has come to no end")

    def ask(self, transaction_id: str) -> str:
        """The status as Proof itself tells it, which is booked; nothing where Proof fails."""
        answer = self.api.get(f"/widget/transactions/{quote(transaction_id, safe='')}")
        if answer.is_server_error:
            return ""
        status = str(answer.raise_for_status().json()["status"])
        self.book(transaction_id, status)
        return status

    def book(self, transaction_id: str, status: str) -> None:
        """Does once what a new status calls for, however often it is told; here it writes a line."""
        with self.books_lock, BOOKS.open("a+") as books:
            books.seek(0)
            books.writelines({f"{transaction_id} {status}\n"} - set(books))

    def webhook(self, body: bytes) -> tuple[int, str]:
        """The status to answer a webhook with, a duplicate like the first, and of which transaction it tells."""
        try:
            return 204, str(json.loads(body)["merchant_transaction_id"])
        except (ValueError, TypeError, KeyError):
            return 400, ""


def receiver(purchase: Purchase) -> ThreadingHTTPServer:
    """The server that webhooks come to; in earnest a route of your web framework."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, transaction_id = purchase.webhook(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(status)
            self.end_headers()
            if transaction_id:  # it is not signed, so Proof is asked; after the answer, for which nobody should wait
                purchase.ask(transaction_id)

    url = httpx.URL(ENV["RAMPCHECK_WEBHOOK_URL"])
    return ThreadingHTTPServer((url.host, url.port or 80), Handler)


def main(purchase: Purchase) -> None:
    """Buys, and says how it ended."""
    threading.Thread(target=receiver(purchase).serve_forever, daemon=True).start()
    session = purchase.create_session()
    transaction_id = str(session["merchant_transaction_id"])
    purchase.book(transaction_id, "created")  # before the user can pay
    purchase.open_widget(session)
    print(purchase.follow(transaction_id))
    time.sleep(3 * SCALE)  # a backend goes on listening; a webhook may still be under way


if __name__ == "__main__":
    main(Purchase())
