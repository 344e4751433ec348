"""The embedded Proof reference follows a transaction to its end, and tells its subscribers and its webhook."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from rampcheck import cli
from rampcheck.errors import UsageError
from rampcheck.sandbox import builtin_profile, server
from rampcheck.sandbox.webhooks import listening_address
from rampcheck.sandbox.wire import Answer, Call
from references.proof.app import ProofService, create_app
from references.proof.partners import FIRST, SECOND, Partner
from references.proof.service import SessionService
from references.proof.status import StatusService
from references.proof.transactions import Transaction, fiat_amount
from references.proof.updates import UpdateService
from tests.following import OF_SECOND, Json, Receiver, Target, events, hear
from tests.test_reference_proof import SESSION


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A webhook receiver that listens."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=[0.05], daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def target(receiver: Receiver) -> Iterator[Target]:
    """A conforming Proof reference whose webhooks go to the receiver."""
    with server.start("proof", webhook_url=receiver.url) as running:
        target = Target(running)
        with target.client:
            yield target


# A transaction, in all its states.


def test_a_session_opens_a_pending_transaction(target: Target) -> None:
    """The transaction says what the session says, is pending, and is as old as the session."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    session = target.session(partner_user_id="somebody", amount="100.005", network="ERC20", currency="USDC")
    after = datetime.now(UTC)
    transaction = target.transaction(session["merchant_transaction_id"])
    created_at = transaction.pop("created_at")
    assert created_at.endswith("Z")
    assert before <= datetime.fromisoformat(created_at) <= after
    assert transaction == {
        "merchant_transaction_id": session["merchant_transaction_id"],
        "partner_user_id": "somebody",
        "type": "buy",
        "status": "pending",
        "currency": "USDC",
        "network": "ERC20",
        "crypto_amount": "",
        "fiat_currency": "EUR",
        "fiat_amount": "92.00",
        "updated_at": created_at,
    }


def test_the_trigger_completes_a_transaction_on_all_channels(target: Target, receiver: Receiver) -> None:
    """Both changes come over the WebSocket, which is then closed, and to the webhook; both agree with the poll."""
    transaction_id = target.completing(amount="12.50")
    with target.subscribe(f"?tx_id={transaction_id}") as connection:
        messages, code = events(connection)
    assert code == 1000
    final = target.transaction(transaction_id)
    same = ("merchant_transaction_id", "type", "currency", "fiat_currency", "fiat_amount")
    assert messages == [
        {
            "event": "tx.update",
            **{name: final[name] for name in same},
            "status": status,
            "crypto_amount": "12.50",
            "occurred_at": message["occurred_at"],
            "payment_method": "card",
        }
        for status, message in zip(("processing", "completed"), messages, strict=True)
    ]
    assert final["created_at"] < messages[0]["occurred_at"] < messages[1]["occurred_at"] == final["updated_at"]
    del final["partner_user_id"]
    assert receiver.of(transaction_id, 2) == [
        ("/webhooks", "application/json", {**final, "status": "processing", "updated_at": messages[0]["occurred_at"]}),
        ("/webhooks", "application/json", final),
    ]


class Stepped(ProofService):
    """A service whose steps are taken by the test, and whose webhooks are only noted."""

    def __init__(self) -> None:
        super().__init__()
        self.unseen_seconds = 0.0
        self.steps: list[Any] = []
        self.noted: list[tuple[str, Json]] = []

    def schedule(self, step: Any, transaction: Transaction) -> None:
        """Leaves the step to the test."""
        self.steps.append(lambda: step(transaction))

    def publish_webhook(self, transaction: Transaction) -> None:
        """Notes who would be told, and what."""
        if self.has_webhook(transaction.partner):
            self.noted.append((transaction.id, self.webhook(transaction)))

    def asked(self, partner: Partner, operation: Any, parameter: str) -> Any:
        """What an operation answers the partner."""
        headers = {"authorization": f"Bearer {partner.client_token}"}
        answer: Answer = operation(Call("GET", "", headers, "127.0.0.1", b"", parameter))
        return json.loads(answer.body)

    def open(self, partner: Partner, user: str, **fields: str) -> str:
        """Creates a session; gives its transaction."""
        headers = {"authorization": f"Bearer {partner.client_token}", "content-type": "application/json"}
        body = json.dumps({**SESSION, "partner_user_id": user, **fields}).encode()
        answer = self.post_session(Call("POST", "", headers, "127.0.0.1", body))
        return str(json.loads(answer.body)["merchant_transaction_id"])


def test_each_step_is_seen_by_the_poll() -> None:
    """Pending, processing, completed; the user is verified with the last and not before, and asking changes nothing."""
    service = Stepped()
    transaction_id = service.open(FIRST, "auto-complete-1")

    def look() -> tuple[str, str, str]:
        polls = [service.asked(FIRST, service.get_transaction, transaction_id) for _ in range(3)]
        assert polls[0] == polls[1] == polls[2]
        user = service.asked(FIRST, service.get_kyc_status, "auto-complete-1")
        return polls[0]["status"], polls[0]["crypto_amount"], user["status"]

    seen = [look()]
    while service.steps:
        service.steps.pop()()
        seen.append(look())
    assert seen == [
        ("pending", "", "not_started"),
        ("processing", "99.50", "not_started"),
        ("completed", "99.50", "verified"),
    ]


def test_what_nobody_has_polled_is_pending_for_a_while() -> None:
    """However late the first poll comes, it shows where the transaction began; without one it goes on all the same."""
    service = Stepped()
    service.unseen_seconds = 1_000_000.0
    polled, _ = service.open(FIRST, "auto-complete-1"), service.open(FIRST, "auto-complete-2")

    def step() -> tuple[str, str]:
        for taken in [service.steps.pop(0) for _ in range(2)]:
            taken()
        return statuses()

    def statuses() -> tuple[str, str]:
        first, second = (transaction.status for transaction in service.ledger.transactions(FIRST))
        return first, second

    assert (step(), step()) == (("pending", "pending"), ("pending", "pending"))
    assert service.asked(FIRST, service.get_transaction, polled)["status"] == statuses()[0] == "pending"
    assert step() == ("processing", "pending")
    service.unseen[next(iter(service.unseen))] = 0.0
    assert step() == ("completed", "processing")
    assert service.unseen == {}


def test_time_does_not_run_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back leaves `updated_at` where it was."""
    service = Stepped()
    transaction_id = service.open(FIRST, "auto-complete-1")
    created_at = service.asked(FIRST, service.get_transaction, transaction_id)["created_at"]
    monkeypatch.setattr(service, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    service.steps.pop()()
    assert service.asked(FIRST, service.get_transaction, transaction_id)["updated_at"] == created_at


def test_only_the_trigger_completes() -> None:
    """A user whose name merely holds the trigger's prefix stays pending."""
    service = Stepped()
    service.open(FIRST, "an-auto-complete-1")
    assert service.steps == []


def test_only_the_first_partner_has_a_webhook() -> None:
    """The second partner's changes are told to no one else."""
    service = Stepped()
    first = service.open(FIRST, "auto-complete-1")
    service.open(SECOND, "auto-complete-1", **OF_SECOND)
    while service.steps:
        service.steps.pop(0)()
    assert [(noted_id, webhook["status"]) for noted_id, webhook in service.noted] == [
        (first, "processing"),
        (first, "completed"),
    ]


FIAT = {
    ("USDT", "99.50"): "91.54",
    ("USDC", "0.005"): "0.00",
    ("ETH", "0.000005"): "0.01",
    ("DOGE", "1.125"): "1.13",
    ("USDT", "9" * 5000): "91" + "9" * 4998 + ".08",
    ("USDT", "0." + "0" * 5000 + "1"): "0.00",
    ("USDT", "a lot"): "0.00",
}


@pytest.mark.parametrize(("exchanged", "expected"), FIAT.items(), ids=[f"{pair[0]} {pair[1][:12]}" for pair in FIAT])
def test_the_fiat_amount_is_exact(exchanged: tuple[str, str], expected: str) -> None:
    """The price is rounded to cents half up, and to nothing else."""
    assert fiat_amount(*exchanged) == expected


# Subscribers.


def test_subscribers_hear_of_their_own_transaction_only(target: Target) -> None:
    """Of two partners' transactions that go on at once, each subscriber gets what is theirs."""
    both = {"client_token": {}, "second_client_token": OF_SECOND}
    ids = {token: target.completing(token, **fields) for token, fields in both.items()}
    with ThreadPoolExecutor() as pool:
        heard = list(pool.map(lambda token: hear(target, ids[token], token), ids))
    for transaction_id, messages in zip(ids.values(), heard, strict=True):
        assert [message["merchant_transaction_id"] for message in messages] == [transaction_id] * 2


def test_a_subscriber_who_leaves_disturbs_no_other(target: Target) -> None:
    """Whoever stays gets every change, though another has closed and a third one's connection is cut."""
    transaction_id = target.completing()
    query = f"?tx_id={transaction_id}"
    with target.subscribe(query) as staying, target.subscribe(query) as cut:
        with target.subscribe(query):
            pass
        cut.socket.close()
        staying.send("nobody asked")
        staying.send(b"for this")
        messages, code = events(staying)
    assert [message["status"] for message in messages] == ["processing", "completed"]
    assert code == 1000


def test_a_terminal_transaction_has_no_more_to_say(target: Target) -> None:
    """Who subscribes too late is let in, and sent away without an event."""
    transaction_id = target.completing()
    assert len(hear(target, transaction_id)) == 2
    with target.subscribe(f"?tx_id={transaction_id}") as connection:
        assert events(connection) == ([], 1000)


def test_the_server_stops_while_somebody_listens() -> None:
    """An open WebSocket is closed as a service that restarts closes it, and the server ends in good order."""
    with server.start("proof") as running:
        target = Target(running)
        with target.client, target.subscribe(f"?tx_id={target.session()['merchant_transaction_id']}") as connection:
            assert running.stop() == 0
            assert events(connection) == ([], 1012)


def test_latency_leaves_time_to_subscribe() -> None:
    """However long answers take, who subscribes at once misses nothing."""
    with server.start("proof", latency=0.2) as running:
        target = Target(running)
        with target.client:
            assert len(hear(target, target.completing())) == 2


# Webhooks.


def test_a_webhook_that_is_not_taken_stops_nothing(target: Target, receiver: Receiver) -> None:
    """The next change is delivered though the receiver failed on the one before."""
    receiver.status = 500
    try:
        transaction_id = target.completing()
        statuses = [body["status"] for _, _, body in receiver.of(transaction_id, 2)]
    finally:
        receiver.status = 200
    assert statuses == ["processing", "completed"]
    assert target.transaction(transaction_id)["status"] == "completed"


def test_a_receiver_that_is_not_there_stops_nothing() -> None:
    """Nothing listens where webhooks go: WebSocket and poll do not notice."""
    with server.start("proof", webhook_url="http://127.0.0.1:9/") as running:
        target = Target(running)
        with target.client:
            transaction_id = target.completing()
            assert len(hear(target, transaction_id)) == 2
            assert target.transaction(transaction_id)["status"] == "completed"


ADDRESSES = {
    "http://127.0.0.1:8099/webhooks": "127.0.0.1:8099",
    "https://partner.example/x": "partner.example:443",
    "http://[::1]/": "[::1]:80",
}


@pytest.mark.parametrize(("url", "address"), ADDRESSES.items())
def test_the_profile_says_where_webhooks_arrive(url: str, address: str) -> None:
    """A run is told to listen where the server posts to; Kryptonim has no webhooks."""
    assert builtin_profile("proof", "http://x", None, url)["webhook"] == {"listen": address, "public_url": url}
    assert "webhook" not in builtin_profile("proof", "http://x")
    assert "webhook" not in builtin_profile("kryptonim", "http://x", None, url)


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://a/", "http://", "http://:80/", "http://a:99999/", "http://[/"])
def test_a_webhook_url_that_is_none_is_refused(url: str) -> None:
    """What cannot be posted to is refused before anything listens."""
    with pytest.raises(UsageError, match="cannot take webhooks"):
        listening_address(url)
    with pytest.raises(UsageError, match="cannot take webhooks"):
        server.serve("proof", webhook_url=url)


def test_the_sandbox_writes_its_webhook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`rampcheck serve` sends webhooks where the profile it writes says that they arrive."""
    given: Json = {}

    def serve(contract: str, **options: Any) -> None:
        given.update(options)
        options["announce"]("http://127.0.0.1:1")

    monkeypatch.setattr(server, "serve", serve)
    for number, (options, url) in enumerate(
        (
            ([], "http://127.0.0.1:8099/webhooks/proof"),
            (["--webhook-url", "http://h:1/"], "http://h:1/"),
        )
    ):
        file = tmp_path / f"profile-{number}.yaml"
        with pytest.raises(SystemExit) as ended:
            cli.main(["serve", "--write-profile", str(file), *options])
        assert not ended.value.code
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["webhook"]["public_url"] == given["webhook_url"] == url
    # A file that is there is told of before anything is served.
    given.clear()
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", "--write-profile", str(file)])
    assert (ended.value.code, given) == (4, {})


# Defects.


def test_defects_of_all_services_compose() -> None:
    """A subclass of each part of the server may be given, and all take effect."""

    class Loose(SessionService):
        def amount(self, request: Any) -> str:
            return "1"

    class Suspicious(StatusService):
        def kyc_status(self, partner: Partner, user: str) -> str:
            return "failed"

    class Hasty(UpdateService):
        def created(self, transaction: Transaction) -> None:
            self.complete(transaction)

    async def ask() -> tuple[str, str, str]:
        transport = httpx.ASGITransport(create_app([Loose, Suspicious, Hasty], "sandbox", 0.0))
        headers = {"Authorization": f"Bearer {FIRST.client_token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://proof", headers=headers) as client:
            session = (await client.post("/widget/session", json=SESSION)).json()
            transaction = await client.get(f"/widget/transactions/{session['merchant_transaction_id']}")
            user = await client.get(f"/widget/users/{SESSION['partner_user_id']}/kyc-status")
            return session["amount"], transaction.json()["status"], user.json()["status"]

    assert asyncio.run(ask()) == ("1", "completed", "failed")
