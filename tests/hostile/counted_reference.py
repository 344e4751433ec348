"""A reference that writes down what it has answered, for whoever wants to know what a killed run has lost.

Started with the file to write to, its port, and the URL for its webhooks. A line is `TIME RUN NUMBER KIND`, the kind
`http`, `upgrade` or `message`, or `TIME - 0 webhook` for one that the run has taken; the time is the monotonic clock's.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import IO, Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from references.proof.app import create_app

PATH = "/counted-webhooks"
_NUMBER = re.compile(rb"run (\w+); exchange (\d+)")
_LAST = {"websocket.accept": "upgrade", "websocket.send": "message"}


def counted(app: ASGIApp, log: IO[bytes], receiver: str) -> ASGIApp:
    """Gives the application, which writes to `log`, and hands webhooks on to the URL `receiver`."""
    client = httpx.AsyncClient(trust_env=False)

    def note(run: str, number: str, what: str) -> None:
        log.write(f"{time.monotonic()} {run} {number} {what}\n".encode())

    async def hand_on(receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            taken = await client.post(receiver, content=body, headers={"content-type": "application/json"})
            status = taken.status_code
        except httpx.HTTPError:
            status = 502
        if status == 200:
            note("-", "0", "webhook")
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == PATH:
            return await hand_on(receive, send)
        known = _NUMBER.search(dict(scope["headers"]).get(b"user-agent", b""))

        async def noted(message: Message) -> None:
            await send(message)
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            if known and (what := "http" if is_last else _LAST.get(message["type"])):
                note(known[1].decode(), known[2].decode(), what)

        return await app(scope, receive, noted)

    return wrapped


def main(log: str, port: str, receiver: str) -> None:
    """Serves until it is ended."""
    app: Any = create_app([], "sandbox", 0.0, f"http://127.0.0.1:{port}{PATH}")
    with Path(log).open("ab", buffering=0) as written:
        uvicorn.run(
            counted(app, written, receiver),
            host="127.0.0.1",
            port=int(port),
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=75,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
