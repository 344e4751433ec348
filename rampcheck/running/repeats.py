"""A target that takes no signed request twice: a protection against replays, seen and kept to.

No documentation promises that the same bytes may be sent again. What a run repeats, a control or a request that is to
be confirmed, then has to be another request that means the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from rampcheck.judging.findings import Judge
from rampcheck.judging.suite import Suite
from rampcheck.wire.client import Client
from rampcheck.wire.exchanges import Exchange, Request

MOST_LOOKS = 5  # at refusals of what was accepted before, in one process
NOTED = (
    "the target refuses the very same signed body when it comes again, and accepts it with white space after it "
    "(exchanges {first}, {fresh} and {again}); from then on no signed body was sent twice: that breaks no promise"
)


class Repeats:
    """Sees that a target refuses a request only because it had these bytes before; `plain` gives a control."""

    def __init__(self, client: Client, judge: Judge, suite: Suite, plain: Callable[[], Request]) -> None:
        self._client = client
        self._judge = judge
        self._suite = suite
        self._plain = plain
        self._accepted: set[bytes] = set()
        self._looks = MOST_LOOKS if suite.contract.computed_headers else 0

    def settled(self, request: Request, exchange: Exchange) -> Exchange:
        """Gives the answer to a request, or, where it was refused as a repetition, that to one that means the same."""
        if self._suite.is_acceptance(exchange):
            self._accepted.add(_digest(request))
        elif self._may_be_repetition(request, exchange):
            self._looks -= 1
            fresh = self._sent(request.freshened())
            if self._suite.is_acceptance(fresh) and (again := self._sent(request)).status == exchange.status:
                self._client.is_fresh = True
                self._judge.set_aside(exchange)
                self._judge.note(NOTED.format(first=exchange.number, fresh=fresh.number, again=again.number))
                return fresh
        return exchange

    def _may_be_repetition(self, request: Request, exchange: Exchange) -> bool:
        return (
            self._looks > 0
            and not self._client.is_fresh
            and 400 <= exchange.status < 500
            and exchange.authenticated
            # A process begins with a request that another one has seen accepted.
            and (_digest(request) in self._accepted or request.body == self._plain().body)
        )

    def _sent(self, request: Request) -> Exchange:
        exchange = self._client.send(request, self._judge.scenario, lambda _: False)
        self._judge.set_aside(exchange)
        return exchange


def _digest(request: Request) -> bytes:
    return hashlib.sha256(f"{request.method} {request.path} {request.credential}\0".encode() + request.body).digest()
