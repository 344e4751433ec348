"""Partners of Proof that are wrong in one thing."""

# ruff: noqa: D102 - a program's class says what its methods do wrong, or otherwise.

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import httpx

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

flaw = PROGRAMS.flaw
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

# The session request.

flaw("no-client-ip", breaks="client-ip", steps=["works"])(asking(client_ip=None))
flaw("client-ip-is-its-own", breaks="client-ip", steps=["works"])(asking(client_ip="127.0.0.1"))
flaw("client-ip-of-a-proxy", breaks="client-ip", steps=["works"])(asking(client_ip="198.51.100.1"))
flaw("sends-a-wallet", breaks="no-address", steps=["works"])(asking(address="TQ5NsellsAndBuysUsdtTrc20WalletXy7"))
flaw("sends-wallets-by-network", breaks="no-address", steps=["works"])(asking(address={"TRC20": "TQ5NWalletXy7"}))
flaw("amount-is-a-float", breaks="amount-string", steps=["works"])(
    asking(amount=float(ENV.get("RAMPCHECK_AMOUNT", "1")))
)
flaw("amount-with-a-comma", breaks="amount-string", steps=["works"])(asking(amount="99,50"))
flaw("amount-with-its-currency", breaks="amount-string", steps=["works"])(asking(amount="99.50 USDT"))


# The token, and whose calls they are.


@flaw("token-in-the-body", breaks="token-placement", steps=["works"])
class TokenInTheBody(Purchase):
    """The session request says the token, too."""

    def session_request(self) -> dict[str, Any]:
        return {**super().session_request(), "client_token": ENV["PROOF_CLIENT_TOKEN"]}


@flaw("token-in-the-query", breaks="token-placement", steps=["works"])
class TokenInTheQuery(Purchase):
    """Every URL ends with the token."""

    def __init__(self) -> None:
        super().__init__()
        self.api.params = {"token": ENV["PROOF_CLIENT_TOKEN"]}


@flaw("token-in-two-headers", breaks="token-placement", steps=["works"])
class TokenInTwoHeaders(Purchase):
    """The token is sent as an API key, too."""

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "X-API-Key": ENV["PROOF_CLIENT_TOKEN"]}


@flaw("token-to-the-widget", breaks="token-placement", steps=["works"])
class TokenToTheWidget(Purchase):
    """The frontend is given the token."""

    def open_widget(self, session: dict[str, Any]) -> None:
        super().open_widget({**session, "client_token": ENV["PROOF_CLIENT_TOKEN"]})


@flaw("polls-without-token", breaks="token-placement", steps=["works"], may_break=["polls"])
class PollsWithoutToken(Purchase):
    """The status is asked for without the token, and asked for again when that is refused."""

    def follow(self, transaction_id: str) -> str:
        for _ in range(2):
            time.sleep(7 * SCALE)
            httpx.get(f"{ENV['RAMPCHECK_BASE_URL']}/widget/transactions/{transaction_id}")
        return "unknown"


flaw("user-agent-of-a-browser", breaks="backend-only", steps=["works"])(calling(User_Agent=CHROME))
flaw("called-by-a-page", breaks="backend-only", steps=["works"])(
    calling(
        Origin="https://app.example.com", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors", Sec_Fetch_Dest="empty"
    )
)


@flaw("asks-before", breaks="backend-only", steps=["works"])
class AsksBefore(Purchase):
    """A preflight comes before the session request, as a browser sends it."""

    def create_session(self) -> dict[str, Any]:
        wanted = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        httpx.options(
            f"{ENV['RAMPCHECK_BASE_URL']}/widget/session", headers={"Origin": "https://app.example.com", **wanted}
        )
        return super().create_session()


# The widget.


flaw("signature-in-small-letters", breaks="verbatim", steps=["unusual-values"])(
    handing(lambda session: {**session, "signature": session["signature"].lower()})
)
flaw("init-token-cut", breaks="verbatim", steps=["unusual-values"])(
    handing(lambda session: {**session, "init_token": session["init_token"][:255]})
)
flaw("amount-as-a-number", breaks="verbatim", steps=["works"])(
    handing(lambda session: {**session, "amount": float(session["amount"])})
)
flaw("redirect-of-its-own", breaks="verbatim", steps=["works"])(
    handing(lambda session: {**session, "redirect_url": "https://partner.example/thanks"})
)
flaw("other-networks-too", breaks="verbatim", steps=["works"])(
    handing(lambda session: {**session, "fix_network": session["networks"]})
)
flaw("without-the-locks", breaks="verbatim", steps=["works"])(handing(without("fix_fiat_currency", "fix_fiat_amount")))


# Following the transaction.


def asking_for(name: str) -> type:
    """A purchase that asks for the status under another id."""

    class AskingFor(Purchase):
        def __init__(self) -> None:
            super().__init__()
            self.times = 0

        def ask(self, transaction_id: str) -> str:
            wrong = {
                "user": ENV["RAMPCHECK_USER_ID"],
                "order": str(uuid.uuid4()),
                "bare": transaction_id.replace("-", ""),
            }
            self.api.get(f"/widget/transactions/{wrong[name]}")
            self.times += 1
            return "completed" if self.times == 4 else "unknown"

    return AskingFor


flaw("asks-for-the-user", breaks="keeps-id", steps=["works"], may_break=["polls"])(asking_for("user"))
flaw("asks-for-its-own-order", breaks="keeps-id", steps=["works"], may_break=["polls"])(asking_for("order"))
flaw("asks-without-hyphens", breaks="keeps-id", steps=["works"], may_break=["polls"])(asking_for("bare"))

flaw("polls-every-second", breaks="polls", steps=["takes-long"])(polling(1))
flaw("polls-every-two-seconds", breaks="polls", steps=["takes-long"])(polling(2))


@flaw("polls-every-half-minute", breaks="polls", steps=["takes-long"])
class PollsEveryHalfMinute(Purchase):
    """The first poll comes at once, the next ones are far between; webhooks go where nobody listens."""

    def __init__(self) -> None:
        super().__init__()
        ENV["RAMPCHECK_WEBHOOK_URL"] = "http://127.0.0.1:0/webhook"

    def follow(self, transaction_id: str) -> str:
        self.api.get(f"/widget/transactions/{transaction_id}")
        conforming.POLL_SECONDS = 30
        status: str = super().follow(transaction_id)
        return status


@flaw("polls-on", breaks="polls", steps=["works"])
class PollsOn(Purchase):
    """The end of a transaction is no reason to stop."""

    def follow(self, transaction_id: str) -> str:
        status = super().follow(transaction_id)
        for _ in range(5):
            time.sleep(7 * SCALE)
            self.api.get(f"/widget/transactions/{transaction_id}")
        return status


@flaw("cancelled-is-no-end", breaks="polls", steps=["is-cancelled"])
class CancelledIsNoEnd(Purchase):
    """Only completed and failed transactions are taken to have ended."""

    def follow(self, transaction_id: str) -> str:
        conforming.TERMINAL = {"completed", "failed"}
        return super().follow(transaction_id)


# Errors.

flaw("gives-up-at-502", breaks="retries-502", steps=["fails-once"])(retrying(502))
flaw("pauses-that-do-not-grow", breaks="retries-502", steps=["fails-always"])(retrying(502, 1, 1, 1, 1, 1))
flaw("tries-for-ever", breaks="retries-502", steps=["fails-always"])(
    retrying(502, *(0.5 + 0.05 * count for count in range(24)))
)


@flaw("another-body-after-502", breaks="retries-502", steps=["fails-twice"])
class AnotherBodyAfter502(Purchase):
    """Every try has a number, in the body."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0
        self.api.event_hooks["request"].append(self.count)

    def count(self, request: httpx.Request) -> None:
        """Puts the number into the body that is about to be sent."""
        if request.method == "POST":
            self.tries += 1
            body = json.dumps({**json.loads(request.content), "attempt": self.tries}).encode()
            request.stream = httpx.ByteStream(body)
            request.headers["Content-Length"] = str(len(body))


flaw("gives-up-at-500", breaks="retries-500-once", steps=["internal-error"])(retrying(500))
flaw("tries-500-again-and-again", breaks="retries-500-once", steps=["internal-error"])(retrying(500, 1, 2, 4))
flaw("tries-403-again", breaks="no-retry-4xx", steps=["forbidden"])(retrying(403, 1, 2))
flaw("tries-400-again", breaks="no-retry-4xx", steps=["invalid"])(retrying(400, 1))


# Webhooks.


@flaw("webhook-answered-late", breaks="webhook-answers", steps=["works"])
class WebhookAnsweredLate(Purchase):
    """The work is done before the answer, and takes its time."""

    def webhook(self, body: bytes) -> tuple[int, str]:
        time.sleep(max(4 * SCALE, 2))
        answered: tuple[int, str] = super().webhook(body)
        return answered

    def follow(self, transaction_id: str) -> str:
        status: str = super().follow(transaction_id)
        time.sleep(max(4 * SCALE, 2))  # a backend goes on
        return status


@flaw("webhook-answered-500", breaks="webhook-answers", steps=["works"])
class WebhookAnswered500(Purchase):
    """The handler fails at something after it has booked."""

    def webhook(self, body: bytes) -> tuple[int, str]:
        return 500, super().webhook(body)[1]


@flaw("duplicate-is-a-conflict", breaks="webhook-answers", steps=["webhook-twice"])
class DuplicateIsAConflict(Purchase):
    """A webhook that has come before is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()

    def webhook(self, body: bytes) -> tuple[int, str]:
        if body in self.seen:
            return 409, ""
        self.seen.add(body)
        answered: tuple[int, str] = super().webhook(body)
        return answered


@flaw("no-step-back", breaks="webhook-answers", steps=["webhook-out-of-order"])
class NoStepBack(Purchase):
    """What comes after `completed` is refused, though it was only late."""

    ended = False

    def webhook(self, body: bytes) -> tuple[int, str]:
        if self.ended:
            return 422, ""
        self.ended = json.loads(body)["status"] == "completed"
        answered: tuple[int, str] = super().webhook(body)
        return answered


@flaw("books-every-webhook", breaks="webhook-idempotent", steps=["webhook-twice"])
class BooksEveryWebhook(Purchase):
    """Whatever comes is booked, as often as it comes."""

    def book(self, transaction_id: str, status: str) -> None:
        with self.books_lock, conforming.BOOKS.open("a") as books:
            books.write(f"{transaction_id} {status}\n")


@flaw("books-the-end-again", breaks="webhook-idempotent", steps=["works"])
class BooksTheEndAgain(Purchase):
    """What the last poll says is booked, whether or not a webhook has told it before."""

    def follow(self, transaction_id: str) -> str:
        status: str = super().follow(transaction_id)
        with conforming.BOOKS.open("a") as books:
            books.write(f"{transaction_id} {status}\n")
        return status
