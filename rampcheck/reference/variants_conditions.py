"""Variants of both contracts: what networks and gateways do to everybody now and then."""

from __future__ import annotations

from rampcheck.reference.conditions import (
    Action,
    Meant,
    at,
    delay,
    every,
    for_a_while,
    leave,
    page,
    reset,
    since,
    sometimes,
    when,
)
from rampcheck.reference.contracts import DEFAULT_ENVIRONMENTS
from rampcheck.reference.variants import Variant, register

SHARE = 0.05  # of the answers that a gateway's page replaces


def _condition(name: str, summary: str, is_meant: Meant, action: Action) -> None:
    """Registers a variant for every contract."""
    for contract in DEFAULT_ENVIRONMENTS:
        register(Variant(name, contract, summary, wrap=when(is_meant, action)))


_condition("resets-now-and-then", "One request in fifty finds its connection reset.", sometimes(0.02), reset)
_condition("outage", "After 60 requests the server is away for five seconds.", at(60), leave(5.0))
_condition("restart", "After 80 requests the server is away for a second.", at(80), leave(1.0))
_condition("bad-gateway-for-a-while", "For six seconds everything is a gateway's 502.",
           for_a_while(at(60), 6.0), page(502, "Bad Gateway"))
_condition("three-seconds-now-and-then", "One answer in sixty takes three seconds.", every(60), delay(3.0))
_condition("storm-of-429", "Now and then everything is 429 for a second.", for_a_while(every(150), 1.0),
           page(429, "Too Many Requests", ("retry-after", "1")))
_condition("storm-of-503", "Now and then everything is 503 for a second.", for_a_while(every(150), 1.0),
           page(503, "Service Unavailable", ("retry-after", "1")))
_condition("slow-start", "The first two requests find a server that is starting.",
           lambda asked: not since(3)(asked), page(503, "Starting"))
for _status, _title in {403: "Access denied", 408: "Request Timeout", 502: "Bad Gateway", 520: "Unknown Error"}.items():
    _condition(f"pages-of-{_status}", f"One answer in twenty is a gateway's {_status}.", sometimes(SHARE),
               page(_status, _title))
