"""A target that repeats every secret it sees or makes, in every encoding, wherever an answer or an event has room."""

from __future__ import annotations

import base64
import gzip
import html
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import httpx
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

SIGNATURE = "v2:" + "5ec7e7" * 21 + "ab"
INIT_TOKEN = "planted/init+tok=5f1c8e2b7a6d-Zz"  # no twelve characters of it stand in another secret
SIGNATURE_SECRET = "planted+signature/secret=9876543210-Qq"
EMAIL = "planted.person@leak.example"


def encodings(secret: str) -> dict[str, str]:
    """Gives the forms in which a secret may be found, by name."""
    raw = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(raw).decode().rstrip("="),
        "base64 after one byte": base64.b64encode(b":" + raw + b":").decode(),
        "base64 after two bytes": base64.b64encode(b"::" + raw + b":").decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "percent": "".join(f"%{byte:02X}" for byte in raw),
        "reserved percent": quote(secret, safe=""),
        "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in secret),
        "JSON slashes": secret.replace("/", "\\/"),
        "hexadecimal": raw.hex(),
        "HTML": html.escape(secret),
        "HTML references": "".join(f"&#{ord(letter)};" for letter in secret),
    }


def fragments(secret: str) -> dict[str, str]:
    """Gives what gives a secret away without being the whole of it, by name."""
    half = len(secret) // 2
    return {
        "without its first letter": secret[1:],
        "without its last letter": secret[:-1],
        "a part": f"x{secret[5:20]}x",
        "one letter altered": f"{secret[:half]}~{secret[half + 1 :]}",
        "cut": f"{secret[:half]}***{secret[half:]}",
        "backwards": secret[::-1],
        "numbers": str([*secret.encode()]),
        "octal": "".join(f"\\{byte:03o}" for byte in secret.encode()),
        "packed": base64.b64encode(gzip.compress(secret.encode())).decode(),
        "base85": base64.b85encode(secret.encode()).decode(),
        "base32": base64.b32encode(secret.encode()).decode(),
    }


def leaks(token: str, email: str = "") -> dict[str, str]:
    """Gives every secret in every form."""
    told = {
        f"{name} {form}": text
        for name, secret in (
            ("token", token),
            ("signature", SIGNATURE),
            ("init_token", INIT_TOKEN),
            ("email", email),
            ("signature secret", SIGNATURE_SECRET),
        )
        for form, text in encodings(secret).items()
        if secret
    }
    parts = fragments(token) if token else {}
    return told | parts | {"another person": EMAIL}


def update(transaction: str, status: str, token: str) -> dict[str, Any]:
    """Gives what is told of a transaction's change, by whatever channel."""
    return {"merchant_transaction_id": transaction, "status": status, "init_token": INIT_TOKEN, "note": leaks(token)}


class Leaky(BaseHTTPRequestHandler):
    """Accepts every other kind of request and tells all in both answers."""

    webhook_url = ""
    asked: dict[str, int]

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet

    def do_POST(self) -> None:
        """Answers with a session, or with an error where there is no good body."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = (self.headers.get("Authorization") or self.headers.get("X-API-Key") or "").rpartition(" ")[2]
        try:
            asked = json.loads(body)
            email = str(asked.get("user_email") or asked.get("email") or "")
        except (ValueError, AttributeError):
            asked, email = {}, ""
        told = leaks(token, email)
        good = isinstance(asked, dict) and (
            "destinationAddress" in asked or str(asked.get("amount", "0")) not in {"0", "abc"}
        )
        answer: dict[str, Any] = {"error": "invalid_request", "code": "validation_error", "message": str(told)}
        if good:
            answer = {
                **asked,
                "signature": SIGNATURE,
                "init_token": INIT_TOKEN,
                "fix_currency": token,
                "note": told,
                "merchant_transaction_id": str(uuid.uuid4()),
                "sessionId": str(uuid.uuid4()),
                "widgetUrl": f"https://widget.example/?gdata={quote(token)}&secret={quote(SIGNATURE_SECRET)}",
            }
        self._send(200 if good else 400, json.dumps(answer).encode(), told["token plain"] if token else "")

    do_PUT = do_PATCH = do_DELETE = do_POST

    def do_GET(self) -> None:
        """Opens a WebSocket, tells of a transaction, which the second question completes, or refuses as a POST."""
        token = (self.headers.get("Authorization") or "").rpartition(" ")[2]
        if self.headers.get("Upgrade"):
            self._talk(token)
        elif self.path.startswith("/widget/transactions/"):
            transaction = self.path.rpartition("/")[2]
            self.asked[transaction] = self.asked.get(transaction, 0) + 1
            status = "pending" if self.asked[transaction] == 1 else "completed"
            if self.asked[transaction] == 2 and self.webhook_url:
                self._tell(update(transaction, status, token), token)
            self._send(200, json.dumps(update(transaction, status, token)).encode(), token)
        else:
            self.do_POST()

    def _tell(self, event: dict[str, Any], token: str) -> None:
        httpx.post(
            f"{self.webhook_url}?token={quote(token)}",
            json=event,
            trust_env=False,
            headers={"X-Api-Token": token, "Authorization": f"Bearer {token}", "Cookie": f"s={INIT_TOKEN}"},
        )

    def _talk(self, token: str) -> None:
        """Upgrades, tells all in a text message, in a binary one, and as the reason of its close."""
        protocol = ServerProtocol()
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        protocol.receive_data(f"GET {self.path} HTTP/1.1\r\n{fields}\r\n".encode())
        response = protocol.accept(next(iter(protocol.events_received())))  # type: ignore[arg-type]
        response.headers["X-Debug"] = token
        protocol.send_response(response)
        told = json.dumps(update(self.path.partition("tx_id=")[2], "processing", token)).encode()
        protocol.send_text(told)
        protocol.send_binary(b"\xff\xfe" + told)
        protocol.send_close(CloseCode.NORMAL_CLOSURE, token)
        for data in protocol.data_to_send():
            self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True
        self.rfile.read1(1)  # type: ignore[attr-defined]  # the peer's close, or its end

    def _send(self, status: int, content: bytes, token: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Request-Id", f"{token}")
        self.send_header("Set-Cookie", f"session={INIT_TOKEN}; user={EMAIL}")
        self.send_header("X-Debug", base64.b64encode(f"user:{token}".encode()).decode())
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def serve(webhook_url: str = "") -> Iterator[str]:
    """Serves on a free port of the loopback interface, with webhooks to `webhook_url`; gives the base URL."""
    handler = type("Handler", (Leaky,), {"webhook_url": webhook_url, "asked": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
