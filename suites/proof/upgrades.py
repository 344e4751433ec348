"""Upgrades that are to bring nothing: refused, or closed by the target before any event."""

from __future__ import annotations

import time

from rampcheck.judging.suite import STATUS
from rampcheck.running.scenario import Attempt, Target
from rampcheck.wire.channel import Channel
from rampcheck.wire.exchanges import Exchange, Request

AT_ONCE = 2.0  # seconds


def demand_silent_refusal(target: Target, attempt: Attempt, patience: float = AT_ONCE) -> None:
    """Demands that an upgrade is refused, or closed by the target without any event, within `patience` seconds."""
    with target.judge.changing(attempt.change):
        exchange = unsubscribed(target, attempt.request, patience)
    if not (exchange.accepted or is_silent_refusal(exchange)):
        target.confirm(attempt.control.request)
        with target.judge.changing(attempt.change):
            exchange = unsubscribed(target, attempt.request, patience)
    if is_silent_refusal(exchange):
        target.judge.held(target.clause, exchange)
        return
    seen = (
        f"{exchange.summary()}, {len(exchange.events)} messages, "
        + ("then closed" if exchange.closed else "still open")
        if exchange.accepted
        else exchange.summary()
    )
    with target.judge.changing(attempt.change):
        target.judge.broken(
            target.clause,
            f"a 4xx, or a close at once and without any event, for an upgrade with {attempt.change}",
            seen,
            exchange,
            about=(STATUS,),
        )


def unsubscribed(target: Target, request: Request, patience: float) -> Exchange:
    """Asks for a WebSocket and waits for what comes over it, the close at the latest."""
    with target.subscribe(request) as channel:
        if channel.accepted:
            wait_for_close(target, channel, patience)
    return channel.close()


def is_silent_refusal(exchange: Exchange) -> bool:
    """Whether a WebSocket was refused, or closed by the target before any event."""
    return 400 <= exchange.status < 500 or (exchange.accepted and bool(exchange.closed) and not exchange.events)


def wait_for_close(target: Target, channel: Channel, patience: float) -> None:
    """Waits until the target has closed a WebSocket or sent something over it, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while channel.is_open and not channel.messages and (rest := deadline - time.monotonic()) > 0:
        target.news.wait(rest)
