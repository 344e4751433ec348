"""A running Proof reference, what tests ask it, and where its webhooks arrive."""

from __future__ import annotations

import json
import queue
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from rampcheck.sandbox import server
from tests.test_reference_proof import SESSION

Json = dict[str, Any]

DEADLINE = 10.0
# A pair that the second partner has.
OF_SECOND: Json = {"currency": "ETH", "network": "ERC20"}


class Receiver(ThreadingHTTPServer):
    """A partner's webhook: what came is in `deliveries`; it answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Delivery)
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks"
        self.deliveries: queue.Queue[tuple[str, str, Json]] = queue.Queue()
        self.status = 200

    def of(self, transaction_id: str, count: int) -> list[tuple[str, str, Json]]:
        """Waits for so many deliveries about a transaction; those of others are dropped."""
        found: list[tuple[str, str, Json]] = []
        while len(found) < count:
            delivery = self.deliveries.get(timeout=DEADLINE)
            found += [delivery] if delivery[2]["merchant_transaction_id"] == transaction_id else []
        return found


class Delivery(BaseHTTPRequestHandler):
    """One POST to the receiver."""

    server: Receiver

    def do_POST(self) -> None:
        """Takes the document."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.deliveries.put((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


class Target:
    """A running Proof reference and what tests ask it."""

    def __init__(self, running: server.RunningReference) -> None:
        self.base_url = running.base_url
        self.profile = running.profile()
        self._users = iter(range(1_000_000))
        self.client = httpx.Client(base_url=self.base_url, trust_env=False, timeout=DEADLINE)

    def headers(self, token: str | None = "client_token") -> dict[str, str]:
        """The Authorization header with one of the profile's tokens, with `token` itself, or none."""
        return {} if token is None else {"Authorization": f"Bearer {self.profile['credentials'].get(token, token)}"}

    def session(self, token: str = "client_token", **fields: Any) -> Json:
        """Creates a session."""
        response = self.client.post("/widget/session", json={**SESSION, **fields}, headers=self.headers(token))
        assert response.status_code == 200, response.text
        return dict(response.json())

    def completing(self, token: str = "client_token", **fields: Any) -> str:
        """Creates a session that completes by itself, of a user of its own; gives its transaction."""
        trigger = self.profile["triggers"]["complete"]["partner_user_id"]
        user = trigger.format(unique=next(self._users))
        return str(self.session(token, partner_user_id=user, **fields)["merchant_transaction_id"])

    def get(self, path: str, token: str | None = "client_token") -> httpx.Response:
        """Asks for a path, with a token."""
        return self.client.get(path, headers=self.headers(token))

    def transaction(self, transaction_id: str) -> Json:
        """A transaction as it is now."""
        return dict(self.get(f"/widget/transactions/{transaction_id}").json())

    def subscribe(
        self, query: str, token: str | None = "client_token", path: str = "/ws"
    ) -> AbstractContextManager[ClientConnection]:
        """Asks for a WebSocket; leaving the context closes it."""
        url = f"{self.base_url.replace('http', 'ws', 1)}{path}{query}"
        return connect(url, additional_headers=self.headers(token), proxy=None, open_timeout=DEADLINE)


def events(connection: ClientConnection) -> tuple[list[Json], int]:
    """All messages until the server closes, and the code it closes with."""
    messages: list[str | bytes] = []
    with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - it ends the loop
        while True:
            messages.append(connection.recv(timeout=DEADLINE))
    assert all(isinstance(message, str) for message in messages)
    assert closed.value.rcvd is not None
    return [json.loads(message) for message in messages], closed.value.rcvd.code


def outcome(status: int, body: bytes | bytearray) -> tuple[int, str, str]:
    """Status, error and code of a refusal, which is nothing but the envelope."""
    envelope = json.loads(bytes(body))
    assert envelope.keys() == {"error", "code", "message"}
    return status, envelope["error"], envelope["code"]


def hear(target: Target, transaction_id: str, token: str = "client_token") -> list[Json]:
    """Everything that one subscriber is told."""
    with target.subscribe(f"?tx_id={transaction_id}", token) as connection:
        return events(connection)[0]
