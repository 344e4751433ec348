"""When a wrong refusal, or silence, is believed: after it was seen again, with a control between.

Here is what is known of it and how it is told; what is sent for it is `confirmation`'s affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from rampcheck.wire.exchanges import Exchange

# After so many confirmed findings of a clause, in one scenario or in the run, the next are written down as they are
# seen: that it is broken is known by then.
ENOUGH, ENOUGH_IN_RUN = 3, 9
# What HTTP itself refuses: the method, the media type, the size, the rate. No promise speaks of it.
TRANSPORT_STATUSES = frozenset({405, 411, 413, 414, 415, 417, 421, 426, 429, 431})
# What an API answers for itself; a page with such a status is its own error without the envelope.
API_STATUSES = frozenset({400, 401, 404, 409, 422})


class Confirmed:
    """Counts the findings that were seen again, over the run and by scenario; the parts of a scenario count as one."""

    def __init__(self) -> None:
        self._in_run: Counter[str] = Counter()
        self._in_scenario: Counter[tuple[str, str]] = Counter()

    def add(self, scenario: str, clauses: Iterable[str]) -> None:
        """Counts one confirmed finding of each clause."""
        for clause in clauses:
            self._in_run[clause] += 1
            self._in_scenario[_whole(scenario), clause] += 1

    def is_enough(self, scenario: str, clauses: Collection[str], enough: int = ENOUGH) -> bool:
        """Whether each of these clauses was confirmed often enough in this scenario, or in the run."""
        return bool(clauses) and all(
            self._in_scenario[_whole(scenario), clause] >= enough or self._in_run[clause] >= ENOUGH_IN_RUN
            for clause in clauses
        )

    def is_common(self, clauses: Collection[str]) -> bool:
        """Whether each of these clauses was confirmed often enough in the run."""
        return bool(clauses) and all(self._in_run[clause] >= ENOUGH for clause in clauses)


def _whole(scenario: str) -> str:
    return scenario.partition("[")[0]


def is_gateways(exchange: Exchange) -> bool:
    """Whether a refusal without the API's envelope, which comes every time, is rather a gateway's or a firewall's."""
    return 400 <= exchange.status < 500 and exchange.status not in TRANSPORT_STATUSES | API_STATUSES


def signature(exchange: Exchange, members: Iterable[str]) -> str:
    """Says by what an answer is known to be like another: its status and what these members of the body say."""
    if exchange.response is None:
        return exchange.failure.kind if exchange.failure else ""
    told = [str(exchange.response.member(name)) for name in members if name.rpartition(".")[2] != "message"]
    return " ".join([str(exchange.status), *(["a page"] if exchange.is_page else told)])


def in_passing(exchange: Exchange) -> str:
    """Says of an answer that did not come again what it was, in a sentence that is the same for all of its kind."""
    if exchange.response is None:
        what = f"no answer ({exchange.failure.kind if exchange.failure else 'unknown'})"
    elif exchange.is_page:
        what = f"the page of something in front of the target (status {exchange.status})"
    elif exchange.accepted:
        what = f"an acceptance that has nothing of this API's (status {exchange.status})"
    else:
        what = f"status {exchange.status}"
    return f"a request met {what}; asked again, the target answered otherwise: it counts neither way"
