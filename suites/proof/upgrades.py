"""Upgrades that are to bring nothing: refused, or closed by the target before any event."""

from __future__ import annotations

import time

from rampcheck.judging.demands import Demand, Silence
from rampcheck.running.scenario import Attempt, Target
from rampcheck.wire.channel import Channel
from rampcheck.wire.exchanges import Exchange, Request

AT_ONCE = 2.0  # seconds, besides twice what an answer takes: so far away, or so slow, may the target be


def demand_silent_refusal(target: Target, attempt: Attempt, patience: float = AT_ONCE, clause: str = "") -> Exchange:
    """Demands that an upgrade is refused, or closed by the target without any event, within some `patience` seconds.

    Of a scenario that verifies several clauses, `clause` says by which. Gives the answer that was judged.
    """
    demand = Demand(clause or target.clause, Silence(), f"for an upgrade with {attempt.change}")
    with target.judge.changing(attempt.change):
        exchange = unsubscribed(target, attempt.request, patience, attempt.control.exchange.elapsed)
    if not exchange.accepted and demand.broken(exchange, target.suite):
        target.confirm(attempt.control.request)
        with target.judge.changing(attempt.change):
            exchange = unsubscribed(target, attempt.request, patience, attempt.control.exchange.elapsed)
    with target.judge.changing(attempt.change):
        target.demand(exchange, demand, attempt.control.exchange)
    return exchange


def unsubscribed(target: Target, request: Request, patience: float, usual: float) -> Exchange:
    """Asks for a WebSocket and waits for what comes over it, the close, or so many seconds at the latest.

    Of a target whose answers take longer, as the `usual` one did, or this one, that is so much later.
    """
    with target.subscribe(request) as channel:
        if channel.accepted:
            wait_for_close(target, channel, patience + 2 * max(usual, channel.upgrade.elapsed))
    return channel.close()


def wait_for_close(target: Target, channel: Channel, patience: float) -> None:
    """Waits until the target has closed a WebSocket or told something over it, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while (
        channel.is_open
        and all(message.is_error for message in channel.messages)
        and (rest := deadline - time.monotonic()) > 0
    ):
        target.news.wait(rest)
