"""What is sent again after an error, and how (errors page, checklist)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rampcheck.judging.conduct import Conduct, Judgement, Kept, Purchase, rule, same_body
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

from .calls import sessions

MOST_TRIES = 20
LEAST_PAUSE = 0.1  # seconds; tries with less between them are no backoff, unless they grow


@rule("proof.partner.retries-502", "no session was answered with 502")
def retries_502(conduct: Conduct) -> Iterator[Judgement]:
    """After a 502 the same body is sent again, with growing pauses, and not for ever."""
    pauses: list[list[float]] = []
    last: Exchange | None = None
    for purchase in conduct.purchases:
        for tries in _tries(purchase, 502):
            first = tries[0]
            if len(tries) == 1:
                another = [call for call in sessions(purchase) if call.started > first.started]
                if another and _same_user(first, another[0]):
                    yield Broken(f"the body of exchange {first.number} again, after 502", "another body", another[0])
                elif not purchase.cut:
                    yield Broken("the same body is sent again after 502", "no further try", first)
                continue
            if len(tries) > MOST_TRIES:
                yield Broken(f"at most {MOST_TRIES} tries", f"{len(tries)} tries in one step", tries[MOST_TRIES])
                continue
            yield Kept(tries[1])
            last = tries[-1]
            pauses.append([after.started - before.ended for before, after in pairwise(tries)])
    if last is not None and (what := _no_backoff(pauses, conduct.time_scale)):
        yield Broken("pauses between tries that grow", what, last)


def _same_user(one: Exchange, other: Exchange) -> bool:
    first, second = one.request.json, other.request.json
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return True
    return bool(first.get("partner_user_id") == second.get("partner_user_id"))


def _tries(purchase: Purchase, status: int) -> list[list[Exchange]]:
    """Gives, of each body whose first answer has this status, the tries: up to the first that is answered otherwise."""
    alike: list[list[Exchange]] = []
    for call in sessions(purchase):
        known = next((tries for tries in alike if same_body(tries[0], call)), None)
        if known is None:
            alike.append([call])
        elif known[-1].status == status:
            known.append(call)
    return [tries for tries in alike if tries[0].status == status]


def _no_backoff(pauses: Sequence[Sequence[float]], scale: float) -> str:
    """Says how pauses between tries do not grow, where that is plain; a backoff may have jitter."""
    long = [steps for steps in pauses if len(steps) > 1]
    grow = all(after >= before * 1.5 for steps in long for before, after in pairwise(steps))
    if long and not grow and all(pause < LEAST_PAUSE * scale for steps in pauses for pause in steps):
        return "hardly any pause between tries"
    flat = [pause for steps in pauses for pause in steps]
    if long and len(flat) > 2 and max(flat) - min(flat) < 0.1 * min(flat) + 0.03 * scale:
        return "the same pause before each try"
    return ""


@rule("proof.partner.retries-500-once", "no session was answered with 500")
def retries_500_once(conduct: Conduct) -> Iterator[Judgement]:
    """After a 500 a request is sent again, once."""
    for purchase in conduct.purchases:
        for tries in _tries(purchase, 500):
            if len(tries) > 2:
                yield Broken(
                    f"one further try after the 500 of exchange {tries[0].number}",
                    f"{len(tries) - 1} further tries",
                    tries[2],
                )
            elif len(tries) == 2:
                yield Kept(tries[1])
            elif not purchase.cut:
                yield Broken("one further try after 500", "no further try", tries[0])


@rule("proof.partner.no-retry-4xx", "no session was answered with 403 or 400")
def no_retry_4xx(conduct: Conduct) -> Iterator[Judgement]:
    """After a 403 or a 400 the same request is not sent again."""
    for purchase in conduct.purchases:
        for status in (403, 400):
            for tries in _tries(purchase, status):
                if len(tries) > 1:
                    yield Broken(
                        f"not sent again after the {status} of exchange {tries[0].number}",
                        f"the same was sent {len(tries)} times",
                        tries[1],
                    )
                else:
                    yield Kept(tries[0])
