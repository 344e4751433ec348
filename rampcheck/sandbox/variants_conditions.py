"""Variants of any reference: what networks and gateways do to everybody now and then."""

from __future__ import annotations

from rampcheck.sandbox.asgi import Reply
from rampcheck.sandbox.conditions import (
    Action,
    Meant,
    at,
    delay,
    every,
    for_a_while,
    last_words,
    leave,
    page,
    replying,
    reset,
    since,
    spread,
    when,
)
from rampcheck.sandbox.variants import Variant, register_for_all

HALF_AN_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"
MAINTENANCE = replying(lambda: Reply(200, (("content-type", "application/json"),), b'{"status":"maintenance"}'))
PAGES = {403: "Access denied", 408: "Request Timeout", 502: "Bad Gateway", 520: "Unknown Error"}


def _condition(name: str, summary: str, is_meant: Meant, action: Action) -> None:
    """Registers a variant for every reference."""
    register_for_all(lambda reference: [Variant(name, reference.contract, summary, wrap=when(is_meant, action))])


def _served(name: str, summary: str, **serving: object) -> None:
    """Registers, for every reference, a variant that another way of serving makes."""
    register_for_all(lambda reference: [Variant(name, reference.contract, summary, serving=serving)])


# Connections.

_condition("resets-now-and-then", "One request in fifty finds its connection reset.", spread(50), reset)
_condition(
    "answers-cut-now-and-then", "One answer in a hundred ends in the middle.", spread(100), last_words(HALF_AN_ANSWER)
)
_served("idle-connections-closed", "A connection is closed after 50 ms without a request.", timeout_keep_alive=0.05)
_served(
    "early-hints-everywhere",
    "An interim response, 103, comes before every answer, also before a WebSocket.",
    http="rampcheck.sandbox.http_protocols:EarlyHintsEverywhere",
)
_condition(
    "up-to-three-seconds",
    "One answer in forty takes half a second, one, two or three.",
    spread(40),
    delay(0.5, 1.0, 2.0, 3.0),
)


# Absence.

_condition("outage", "After 60 requests the server is away for five seconds.", at(60), leave(5.0))
_condition("restart", "After 80 requests the server is away for a second.", at(80), leave(1.0))
_condition(
    "slow-start",
    "The first two requests find a server that is starting.",
    lambda asked: not since(3)(asked),
    page(503, "Starting"),
)


# What stands in front.

_condition(
    "bad-gateway-for-a-while",
    "For six seconds everything is a gateway's 502.",
    for_a_while(at(60), 6.0),
    page(502, "Bad Gateway"),
)
_condition(
    "storm-of-429",
    "Now and then everything is 429 for a second.",
    for_a_while(every(150), 1.0),
    page(429, "Too Many Requests", ("retry-after", "1")),
)
_condition(
    "throttled-by-a-firewall",
    "After fifty requests a firewall's page comes for 0.3 s, 429, which does not say when to come again.",
    for_a_while(every(51), 0.3),
    page(429, "You are being rate limited"),
)
_condition(
    "storm-of-503",
    "Now and then everything is 503 for a second.",
    for_a_while(every(150), 1.0),
    page(503, "Service Unavailable", ("retry-after", "1")),
)
for _status, _title in PAGES.items():
    _condition(
        f"pages-of-{_status}", f"One answer in twenty is a gateway's {_status}.", spread(20), page(_status, _title)
    )
_condition("maintenance-now-and-then", "One answer in twenty is a notice, under status 200.", spread(20), MAINTENANCE)
_condition(
    "maintenance-for-a-while",
    "For three seconds everything is a notice, under status 200.",
    for_a_while(at(60), 3.0),
    MAINTENANCE,
)
_condition(
    "gateway-in-json",
    "One answer in twenty is a gateway's 503, in JSON of its own.",
    spread(20),
    replying(lambda: Reply(503, (("content-type", "application/json"),), b'{"message": "Service Unavailable"}')),
)
