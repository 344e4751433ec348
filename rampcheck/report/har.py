"""A run's exchanges as an HTTP Archive (HAR 1.2), for the tools of browsers and proxies: redacted, as its journal is.

What the format has no place for stands in members of our own, as it allows: `_rampcheck` in an entry, and, as browsers
write them, `_webSocketMessages`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from rampcheck import __version__
from rampcheck.wire.journal_records import Content, ExchangeRecord, MessageContent

OPCODES = {"text": 1, "binary": 2, "close": 8}  # RFC 6455 section 5.2
OWN = (
    "number", "protocol", "direction", "scenario", "attempt", "final", "credential", "authenticated", "path", "held",
)  # fmt: skip


def write(path: Path, exchanges: Iterable[ExchangeRecord]) -> None:
    """Writes the exchanges of a run's journal that were answered as a HAR. Raises `OSError`."""
    with path.open("w", encoding="utf-8") as file:
        creator = json.dumps({"name": "rampcheck", "version": __version__})
        file.write(f'{{"log":{{"version":"1.2","creator":{creator},"entries":[')
        for number, exchange in enumerate(one for one in exchanges if one["response"] is not None):
            file.write(",\n" if number else "\n")
            json.dump(entry(exchange), file, separators=(",", ":"))
        file.write("\n]}}\n")


def entry(exchange: ExchangeRecord) -> dict[str, Any]:
    """Gives the entry of an exchange that was answered."""
    request, response = exchange["request"], exchange["response"]
    assert response is not None  # noqa: S101 - as said
    query = request["url"].partition("?")[2]
    told: dict[str, Any] = {
        "startedDateTime": exchange["started"],
        "time": exchange["elapsed_ms"],
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(request),
            "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
            "headersSize": -1,
            "bodySize": len(request["body"].encode("utf-8", "surrogatepass")),
        },
        "response": {
            "status": response["status"],
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(response),
            "content": {"size": -1, "mimeType": _media_type(response), **_text(response)},
            "redirectURL": _header(response, "location"),
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange["elapsed_ms"], "receive": 0},
        "_rampcheck": {name: value for name, value in exchange.items() if name in OWN},
    }
    if request["body"]:
        told["request"]["postData"] = {"mimeType": _media_type(request), "params": [], **_text(request)}
    if exchange["protocol"] == "websocket":
        told["_resourceType"] = "websocket"
        told["_webSocketMessages"] = list(map(_message, exchange["messages"]))
    return told


def _headers(content: Content) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in content["headers"]]


def _header(content: Content, name: str) -> str:
    return next((value for key, value in content["headers"] if key.lower() == name), "")


def _media_type(content: Content) -> str:
    return _header(content, "content-type")


def _text(content: Content) -> dict[str, str]:
    text = {"text": content["body"]}
    return {**text, "encoding": "base64"} if content["encoding"] == "base64" else text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def _message(message: MessageContent) -> dict[str, Any]:
    return {
        "type": "send" if message["direction"] == "outgoing" else "receive",
        "time": datetime.fromisoformat(message["at"]).timestamp(),
        "opcode": OPCODES[message["kind"]],
        "data": message["body"]
        if message["kind"] != "binary" or message["encoding"] == "base64"
        else _base64(message["body"]),
    }
