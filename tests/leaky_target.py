"""A target that repeats every secret it sees or makes, in every encoding, wherever a response has room."""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

SIGNATURE = "v2:" + "5ec7e7" * 21 + "ab"
INIT_TOKEN = "planted/init+token=0123456789-Zz"
SIGNATURE_SECRET = "planted+signature/secret=9876543210-Qq"
EMAIL = "planted.person@leak.example"


def encodings(secret: str) -> dict[str, str]:
    """Gives the forms in which a secret may be found, by name."""
    raw = secret.encode()
    return {
        "plain": secret, "base64": base64.b64encode(raw).decode().rstrip("="),
        "base64 after one byte": base64.b64encode(b":" + raw + b":").decode(),
        "base64 after two bytes": base64.b64encode(b"::" + raw + b":").decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "percent": "".join(f"%{byte:02X}" for byte in raw), "reserved percent": quote(secret, safe=""),
        "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in secret),
        "JSON slashes": secret.replace("/", "\\/"), "hexadecimal": raw.hex(), "HTML": html.escape(secret),
        "HTML references": "".join(f"&#{ord(letter)};" for letter in secret),
    }


class Leaky(BaseHTTPRequestHandler):
    """Accepts every other kind of request and tells all in both answers."""

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
        leaks = {f"{name} {form}": text for name, secret in (
            ("token", token), ("signature", SIGNATURE), ("init_token", INIT_TOKEN), ("email", email),
            ("signature secret", SIGNATURE_SECRET),
        ) for form, text in encodings(secret).items() if secret}
        leaks["another person"] = EMAIL
        good = isinstance(asked, dict) and (
            "destinationAddress" in asked or str(asked.get("amount", "0")) not in {"0", "abc"})
        answer: dict[str, Any] = {"error": "invalid_request", "code": "validation_error", "message": str(leaks)}
        if good:
            answer = {**asked, "signature": SIGNATURE, "init_token": INIT_TOKEN, "fix_currency": token, "note": leaks,
                      "widgetUrl": f"https://widget.example/?gdata={quote(token)}&secret={quote(SIGNATURE_SECRET)}"}
        self._send(200 if good else 400, json.dumps(answer).encode(), leaks["token plain"] if token else "")

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

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
def serve() -> Iterator[str]:
    """Serves on a free port of the loopback interface; gives the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Leaky)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
