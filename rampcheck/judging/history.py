"""Building blocks of judgements of a whole run, in the words of the field; of one exchange: `invariants`."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.judging.invariants import given, same
from rampcheck.judging.schema import describe
from rampcheck.judging.suite import BODY, Broken, Held, HistoryInvariant
from rampcheck.wire import tracing
from rampcheck.wire.exchanges import Exchange

FAILED = 500  # statuses of a failure, which anything in front may have as well
MOST_BY_CHANCE = 4  # refusals of something in front, with the status that the API's own would have had
OF_ITS_OWN = 8  # of these to each that is another: something in front fails now and then, too
NAMING = frozenset({"user-agent", tracing.HEADER})


def never_repeated(
    clause: str,
    what: str,
    when: Callable[[Exchange], bool],
    value_of: Callable[[Exchange], Any],
) -> HistoryInvariant:
    """Makes the invariant that a text is another one in each exchange of a run.

    It is exercised by each text that might have repeated an earlier one. A target may make the text of the trace that a
    request names (`tracing`): in the exchanges of one trace it repeats because this run says so, which is no breach.
    """

    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        first: dict[str, Exchange] = {}
        for exchange in exchanges:
            value = value_of(exchange)
            if not isinstance(value, str) or not value:
                continue
            if value in first and is_of_trace(value, exchange, first[value]):
                continue
            if value in first:
                yield Broken(
                    f"another {what} in each exchange",
                    f"{describe(value)} already stood in exchange {first[value].number}",
                    exchange,
                )
            elif first:
                yield Held()
            first.setdefault(value, exchange)

    return HistoryInvariant(clause, when, judge, at_least=None)


def is_of_trace(text: str, *exchanges: Exchange) -> bool:
    """Whether a text holds the trace that the request of each of these exchanges names."""
    spans = [tracing.of_headers(exchange.request.headers) for exchange in exchanges]
    return all(span is not None and span.trace in text.lower().replace("-", "") for span in spans)


def secrets_kept(clause: str) -> HistoryInvariant:
    """Makes the invariant that no response, no message of a WebSocket and no close holds a credential of the profile.

    It reads the journal: where a credential stood in a response, in whatever encoding, redaction has put its mark.
    """

    def judge(exchanges: Sequence[Exchange], profile: Profile) -> Iterator[Broken | Held]:
        mark = re.compile(rf"\[redacted ({'|'.join(map(re.escape, profile.credentials))}) [0-9a-f]+\]")
        for exchange in exchanges:
            if exchange.response is None:
                continue
            places = {f"header {name}": value for name, value in exchange.response.headers}
            places["the body"] = exchange.response.body.decode("utf-8", "replace")
            places |= {
                f"message {number}": message.body.decode("utf-8", "replace")
                for number, message in enumerate(exchange.events, start=1)
            }
            if exchange.closed is not None:
                places["the reason of the close"] = exchange.closed.body.decode("utf-8", "replace")
            found = {place: match[1] for place, text in places.items() if (match := mark.search(text))}
            for place, name in found.items():
                yield Broken("a response without credentials", f"{name} stands in {place}", exchange)
            if not (found or exchange.is_page):
                yield Held()

    # A page in the API's place proves nothing, but may be where a credential stands.
    return HistoryInvariant(
        clause, lambda exchange: exchange.response is not None, judge, at_least=None, of_anybody=True
    )


def envelope_each_time(clause: str, when: Callable[[Exchange], bool], envelope: Collection[str]) -> HistoryInvariant:
    """Makes the invariant that the API's own refusals have its envelope each time, and not only mostly.

    One without it that does not come again may be that of anything in front, and counts neither way. But what is in
    front knows nothing of what the API would answer: where several come, with several statuses, and each has the very
    status with which the API itself refuses the same request otherwise, but for one in many, they are its own.
    `envelope` names its members.
    """

    def is_own(exchange: Exchange) -> bool:
        return exchange.accepted or all(isinstance(given(exchange, name), str) for name in envelope)

    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        asked: dict[Hashable, list[Exchange]] = defaultdict(list)
        for exchange in exchanges:
            asked[_question(exchange)].append(exchange)
        found: list[tuple[Exchange, Exchange]] = []
        others = 0
        for alike in asked.values():
            answers = [exchange for exchange in alike if is_own(exchange)]
            for bare in (exchange for exchange in alike if answers and not is_own(exchange)):
                if bare.status >= FAILED or any(answer.status != bare.status for answer in answers):
                    others += 1
                else:
                    found.append((bare, answers[0]))
        is_own_kind = len(found) >= MOST_BY_CHANCE and len(found) >= OF_ITS_OWN * others
        if is_own_kind and len({bare.status for bare, _ in found}) > 1:
            bare, answer = min(found, key=lambda one: one[0].started)
            yield Broken(
                f"the API's envelope, as in exchange {answer.number}",
                f"{bare.summary()}; so are {len(found)} refusals, each with the status that the API's own answer has",
                bare,
                (BODY,),
            )

    return HistoryInvariant(clause, when, judge, at_least=None)


def _question(exchange: Exchange) -> Hashable:
    """Gives what a request asks, without what names the one exchange that it is."""
    named = sorted(header for header in exchange.request.headers if header[0].lower() not in NAMING)
    return exchange.request.method, exchange.path, exchange.request.body, tuple(named), exchange.outside


def stable(
    clause: str,
    names: Sequence[str],
    when: Callable[[Exchange], bool],
    by: Callable[[Exchange], Hashable] = lambda _: None,
) -> HistoryInvariant:
    """Makes the invariant that members of answers are the same in all exchanges of one kind; `by` tells kinds apart.

    A missing member is the schema's to judge. It is exercised by each exchange that could be compared with an earlier
    one.
    """

    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        first: dict[tuple[Hashable, str], Exchange] = {}
        for exchange in exchanges:
            compared, problems = False, []
            for name in (name for name in names if given(exchange, name) is not None):
                known = first.setdefault((by(exchange), name), exchange)
                compared = compared or known is not exchange
                if problem := same(name, given(known, name), given(exchange, name)):
                    problems.append(
                        replace(
                            problem, expected=f"{problem.expected}, as in exchange {known.number}", exchange=exchange
                        )
                    )
            yield from problems
            if compared and not problems:
                yield Held()

    return HistoryInvariant(clause, when, judge, at_least=None)


def bound_to(  # noqa: PLR0913, PLR0917 - two things, each with its words
    clause: str,
    when: Callable[[Exchange], bool],
    what: str,
    value_of: Callable[[Exchange], Any],
    to: str,
    other_of: Callable[[Exchange], Any],
    beside: Callable[[Exchange], Hashable],
) -> HistoryInvariant:
    """Makes the invariant that a text (a signature, say) is another one where what it is bound to is another.

    `what` and `to` name the two: the wallet's address, the origin, the client's IP address; `beside` gives all else of
    an exchange by which the text may be another. It is exercised by each exchange that differs in `to` from an earlier
    one, and in nothing beside.
    """

    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        seen: dict[Hashable, set[Any]] = defaultdict(set)
        by_value: dict[str, dict[Any, Exchange]] = defaultdict(dict)
        for exchange in exchanges:
            value, other = value_of(exchange), other_of(exchange)
            if not isinstance(value, str) or not value:
                continue
            if isinstance(other, list | dict):  # of a request that somebody else sent: it has no hash
                other = json.dumps(other, sort_keys=True)
            others = by_value[value]
            if others and other not in others:
                known = next(iter(others.values()))
                yield Broken(
                    f"another {what} for another {to}",
                    f"the {what} of exchange {known.number}, whose {to} differs",
                    exchange,
                )
            elif not seen[beside(exchange)] <= {other}:
                yield Held()
            seen[beside(exchange)].add(other)
            others.setdefault(other, exchange)

    return HistoryInvariant(clause, when, judge, at_least=None)


def single_use(
    clause: str,
    when: Callable[[Exchange], bool],
    what: str,
    value_of: Callable[[Exchange], Any],
) -> HistoryInvariant:
    """Makes the invariant that a text of a request (a token, a nonce) is accepted once.

    It is exercised by each refusal of one that was accepted before. Of requests at the same time, too, only one may be
    accepted.
    """

    def judge(exchanges: Sequence[Exchange], _: Profile) -> Iterator[Broken | Held]:
        used: dict[str, Exchange] = {}
        for exchange in exchanges:
            value = value_of(exchange)
            if not isinstance(value, str):
                continue
            if value not in used:
                if exchange.accepted:
                    used[value] = exchange
            elif exchange.accepted:
                yield Broken(
                    f"a refusal of a {what} that was used in exchange {used[value].number}",
                    exchange.summary(),
                    exchange,
                )
            elif 400 <= exchange.status < 500:
                yield Held()

    return HistoryInvariant(clause, when, judge, at_least=None)


def disagreements(
    told: Mapping[str, Any],
    shown: Sequence[Exchange],
    compared: Mapping[str, Callable[[Any, Any], bool]],
) -> Iterator[tuple[str, Any, Exchange]]:
    """Gives each text that one channel told and no answer on another one showed: its name, what is shown, the answer.

    `compared` says for each member when two values agree. Where nothing was shown nothing disagrees.
    """
    for name, agree in compared.items():
        if shown and isinstance(told.get(name), str) and not any(agree(told[name], given(one, name)) for one in shown):
            yield name, given(shown[0], name), shown[0]
