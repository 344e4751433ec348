"""A reference whose conditions are over soon."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from rampcheck.sandbox import server
from rampcheck.sandbox.absence import switch
from rampcheck.sandbox.conditions import answer_and_leave, at, delay, every, for_a_while, leave, losing, page, when
from rampcheck.sandbox.variants import Variant, register

MOMENT = 0.3  # seconds


def restart_once() -> Callable[[str], bool]:
    """Takes the server away as the first text message is due, which is lost, as is what else is open."""
    first = count()

    def meant(_: str) -> bool:
        if is_first := next(first) == 0:
            switch.leave(MOMENT)
        return is_first

    return meant


# Each begins with the third request, or the first event.
CONDITIONS = {
    "leaves": when(at(3), leave(MOMENT)),
    "answers-and-leaves": when(at(3), answer_and_leave(MOMENT)),
    "pages": when(for_a_while(at(3), MOMENT), page(502, "Bad Gateway", ("retry-after", "1"))),
    "delays": when(every(3), delay(MOMENT)),
    "restarts": losing(restart_once()),
}


def serve(contract: str, *, condition: str, announce: Callable[[str], None]) -> None:
    """Serves the contract under this condition until standard input ends."""
    register(Variant("brief", contract, "It is over soon.", wrap=CONDITIONS[condition]))
    server.serve(contract, variants=["brief"], announce=announce)
