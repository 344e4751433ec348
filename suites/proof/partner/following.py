"""How a transaction is followed: polls, WebSocket, webhooks (transaction status page, webhook page)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from rampcheck.judging.conduct import Attested, Conduct, Judgement, Kept, Purchase, Unseen, rule
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

from .calls import ID, TRANSACTION, asked_for, created

TERMINAL = ("completed", "failed", "cancelled")
CADENCE = (5.0, 10.0)  # seconds between two polls
# What a busy machine adds to a pause, or takes from it: seconds, and shares of the pause.
LATE, LATE_SHARE, EARLY_SHARE = 1.0, 0.3, 0.2
QUICKLY = (2.0, 1.0)  # seconds for a webhook's answer; no less, however the times are scaled


@rule("proof.partner.keeps-id", "no status was asked for, and no observer knew one")
def keeps_id(conduct: Conduct) -> Iterator[Judgement]:
    """The status is asked for under the id of a session."""
    known: set[str] = set()
    for purchase in conduct.purchases:
        made = {str(call.response.member(ID)): call for call in created(purchase) if call.response}
        known |= made.keys()
        asked = [(named, call) for call in purchase.exchanges if (named := asked_for(call))]
        right = [call for named, call in asked if named in known]
        yield from map(Kept, right)
        if made and asked and not right:
            (first, *_) = made.values()
            yield Broken(
                f"the status is asked for under the session's id, that of exchange {first.number}",
                "an id that no session had",
                asked[0][1],
            )
        for (named, _), times in purchase.processed.items():
            if times and named in made:
                yield Kept(made[named])


@rule("proof.partner.polls", "no transaction was polled")
def polls(conduct: Conduct) -> Iterator[Judgement]:
    """While it can change a transaction is polled every 5 to 10 s, and no more after a terminal status."""
    for purchase in conduct.purchases:
        asked = [call for call in purchase.calls("GET", TRANSACTION) if call.status == 200]
        for named in dict.fromkeys(map(asked_for, asked)):
            yield from _polled([call for call in asked if asked_for(call) == named], purchase, conduct.time_scale)


def _polled(asked: Sequence[Exchange], purchase: Purchase, scale: float) -> Iterator[Judgement]:
    """Judges the polls of one transaction."""
    told = _told_at(purchase)
    ended = next((place for place, call in enumerate(asked) if _status(call) in TERMINAL), len(asked))
    after = [
        call
        for before, call in pairwise(asked[ended:])
        if not any(before.ended - LATE <= at <= call.started for at in told)
    ]
    if len(after) > 1:
        yield Broken(
            f"no poll after a terminal status, which exchange {asked[ended].number} told",
            f"{len(after)} more polls",
            after[0],
        )
    elif ended < len(asked):
        yield Kept(asked[ended])
    # Who asks because something told of a change asks besides the cadence, which goes on.
    regular = [call for call in asked[: ended + 1] if not any(0 <= call.started - at <= LATE for at in told)]
    pauses = [
        (before, after, after.started - before.started)
        for before, after in pairwise(regular)
        if not any(before.started <= at <= after.started for at in told)
    ]
    low, high = (bound * scale for bound in CADENCE)
    fast = [found for found in pauses if found[-1] < low * (1 - EARLY_SHARE)]
    slow = [found for found in pauses if found[-1] > high * (1 + LATE_SHARE) + LATE]
    if wrong := [group for group in (fast, slow) if len(group) > len(pauses) / 2]:
        before, call, pause = wrong[0][0]
        told_of = f"{pause:.2g} s after exchange {before.number}, and most are like that"
        yield Broken(f"{low:g} to {high:g} s between two polls", told_of, call)
    else:
        yield from (Kept(call) for _, call, _ in pauses[:1])


def _status(call: Exchange) -> Any:
    return call.response.member("status") if call.response else None


def _told_at(purchase: Purchase) -> list[float]:
    """Gives when something told the integration of a change: after that, a poll is no matter of cadence."""
    webhooks = [one.started for one in purchase.webhooks]
    return webhooks + [
        message.at for one in purchase.exchanges for message in one.messages if message.direction == "outgoing"
    ]


@rule("proof.partner.webhook-answers", "nobody listened for webhooks")
def webhook_answers(conduct: Conduct) -> Iterator[Judgement]:
    """Each webhook is answered with a 2xx, quickly."""
    seconds, least = QUICKLY
    longest = max(seconds * conduct.time_scale, least)
    for purchase in conduct.purchases:
        for webhook in purchase.webhooks:
            if webhook.response is None and webhook.started > purchase.left - longest:
                continue
            if not (webhook.response and webhook.response.is_success):
                yield Broken("a webhook is answered with a 2xx", webhook.summary(), webhook)
            elif webhook.elapsed > longest:
                yield Broken(f"an answer within {longest:g} s", f"after {webhook.elapsed:.2g} s", webhook)
            else:
                yield Kept(webhook)


@rule("proof.partner.webhook-idempotent", "no webhook came twice to somebody who listened")
def webhook_idempotent(conduct: Conduct) -> Iterator[Judgement]:
    """Each status of a transaction is processed once, however often its webhook comes."""
    said: set[int | None] = set()  # of each status that came twice, how often it was processed
    for purchase in conduct.purchases:
        came: dict[tuple[str, str], list[Exchange]] = {}
        for webhook in purchase.webhooks:
            told = webhook.request.json
            if isinstance(told, dict) and webhook.response and webhook.response.is_success:
                came.setdefault((str(told.get(ID)), str(told.get("status"))), []).append(webhook)
        for key, webhooks in came.items():
            times = purchase.processed.get(key)
            if times is not None and times > 1:
                first = f"; it came first in exchange {webhooks[0].number}" if len(webhooks) > 1 else ""
                yield Broken("processed once", f"{key[1]} was processed {times} times{first}", webhooks[-1])
            elif times == 1 and len(webhooks) > 1:
                yield Kept(webhooks[-1])
            said |= {times} if len(webhooks) > 1 else set()
    if None in said and not conduct.observed:
        yield Attested("no observer says how often a webhook was processed: the partner stands for it")
    elif None in said:
        yield Unseen("the observer did not say how often a webhook that came twice was processed")
    elif said == {0}:  # whoever books the last status only knows no other
        yield Unseen("the observer knows none of the webhooks that came twice, though each was answered with a 2xx")
