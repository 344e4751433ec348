"""What a partner's integration has to do, judged by all that it did towards a sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, unquote

from rampcheck.judging.conduct import (
    Attested,
    Conduct,
    Judgement,
    Kept,
    Opening,
    Purchase,
    address_problem,
    browser_mark,
    places,
    rule,
    same_body,
)
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

SESSION = "/widget/session"
TRANSACTION = "/widget/transactions/{id}"
ID = "merchant_transaction_id"
TOKEN = "client_token"  # noqa: S105 - the credential's name
TERMINAL = frozenset({"completed", "failed", "cancelled"})
DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
# What the widget is given of a session: every parameter but its id, which the partner keeps (checklist page).
PARAMETERS = (
    "widget_id",
    "address",
    "signature",
    "init_token",
    "init_token_type",
    "currency",
    "currencies",
    "fix_currency",
    "network",
    "networks",
    "fix_network",
    "amount",
    "fix_amount",
    "fiat_currency",
    "fiat_currencies",
    "fix_fiat_currency",
    "fix_fiat_amount",
    "type",
    "lang",
    "theme",
    "redirect_url",
)
MOST_TRIES = 20
LEAST_PAUSE = 0.1  # seconds; tries with less between them are no backoff, unless they grow
CADENCE = (5.0, 10.0)  # seconds between two polls
# What a busy machine adds to a pause, or takes from it: seconds, and shares of the pause.
LATE, LATE_SHARE, EARLY_SHARE = 1.0, 0.3, 0.2
QUICKLY = (2.0, 1.0)  # seconds for a webhook's answer; no less, however the times are scaled


def sessions(purchase: Purchase) -> tuple[Exchange, ...]:
    """Gives the requests for a session."""
    return purchase.calls("POST", SESSION)


def created(purchase: Purchase) -> list[Exchange]:
    """Gives those that made one."""
    return [call for call in sessions(purchase) if call.accepted]


def bodies(conduct: Conduct) -> Iterator[tuple[Purchase, Exchange, Mapping[str, Any]]]:
    """Gives the requests for a session whose body is a JSON object, with it."""
    for purchase in conduct.purchases:
        for call in sessions(purchase):
            if isinstance(call.request.json, dict):
                yield purchase, call, call.request.json


def to_api(conduct: Conduct) -> Iterator[Exchange]:
    """Gives the calls that carry the token: those to `/widget/*` and `/ws`, but for a browser's preflight."""
    for call in conduct.exchanges:
        path = call.path.partition("?")[0]
        if call.direction == "incoming" and (path.startswith("/widget/") or path == "/ws"):
            yield call


@rule("proof.partner.client-ip", "no session was asked for")
def client_ip(conduct: Conduct) -> Iterator[Judgement]:
    """`client_ip` is the end user's address, and there."""
    for purchase, call, body in bodies(conduct):
        told = purchase.told
        is_told = body.get("partner_user_id") == told.get("user_id") or body.get("user_email") == told.get("user_email")
        expected = told.get("client_ip") if is_told else None
        problem = address_problem(body.get("client_ip"), expected, purchase.sources.get(call.number, ""))
        yield Broken("client_ip is the end user's address", problem, call) if problem else Kept(call)


@rule("proof.partner.no-address", "no session was asked for, or onboarding said to send it")
def no_address(conduct: Conduct) -> Iterator[Judgement]:
    """There is no `address`, unless onboarding said to send it."""
    if conduct.profile.partner.get("address_mode") == "sent":
        return
    for _, call, body in bodies(conduct):
        yield Broken("no address", "an address", call) if body.get("address") not in (None, "") else Kept(call)


@rule("proof.partner.amount-string", "no session was asked for")
def amount_string(conduct: Conduct) -> Iterator[Judgement]:
    """`amount` is a decimal string."""
    for _, call, body in bodies(conduct):
        amount = body.get("amount")
        if isinstance(amount, str) and DECIMAL.fullmatch(amount):
            yield Kept(call)
        elif amount is not None:
            yield Broken("amount is a decimal string", f"{json.dumps(amount)[:80]}", call)


@rule("proof.partner.token-placement", "no call to the API was made")
def token_placement(conduct: Conduct) -> Iterator[Judgement]:
    """The token stands in the Authorization header, and nowhere else."""
    token = conduct.credentials[TOKEN]
    for call in to_api(conduct):
        if call.request.method == "OPTIONS":
            continue
        scheme, _, given = (call.request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            yield Broken("Authorization: Bearer and the client token", _authorization(call), call)
        elif given.strip() != token:
            yield Broken("the client token of this run", "another bearer token", call)
        elif elsewhere := places(token, call, but="authorization"):
            yield Broken("the token in the Authorization header only", f"also in {elsewhere[0]}", call)
        else:
            yield Kept(call)
    for purchase in conduct.purchases:
        for opening in purchase.openings:
            if handed := places(token, opening.exchange):
                yield Broken("the widget is not given the token", f"it stands in {handed[0]}", opening.exchange)


def _authorization(call: Exchange) -> str:
    given = call.request.header("authorization")
    return "no Authorization header" if given is None else "an Authorization header without a bearer token"


@rule("proof.partner.backend-only", "no call to the API was made")
def backend_only(conduct: Conduct) -> Iterator[Judgement]:
    """No browser calls the API; that none does cannot be shown."""
    calls = list(to_api(conduct))
    marked = [(call, mark) for call in calls if (mark := browser_mark(call))]
    for call, mark in marked:
        yield Broken("calls come from the backend", mark, call)
    if calls and not marked:
        yield Attested("no call bears a browser's marks, which proves nothing: the partner stands for it")


@rule("proof.partner.verbatim", "the widget was given nothing of a session")
def verbatim(conduct: Conduct) -> Iterator[Judgement]:
    """The widget is given every parameter of a session, as it was returned."""
    for purchase in conduct.purchases:
        for opening in purchase.openings:
            session = _session_of(opening, created(purchase))
            if session is None:
                continue
            problems = list(_changed(session, opening))
            for name, what in problems:
                yield Broken(f"{name} as it was returned", what, opening.exchange)
            if not problems:
                yield Kept(opening.exchange)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _given(opening: Opening, name: str) -> Any:
    """Gives what the widget was given under a name of the session's or its own spelling; None where it is not there."""
    values = opening.values
    return values[name] if name in values else values.get(_camel(name))


def _session_of(opening: Opening, answers: Sequence[Exchange]) -> Mapping[str, Any] | None:
    """Gives the session that was opened: one of which it has a value that no other has, else the last one before."""
    told = [
        call.response.json
        for call in answers
        if call.response and isinstance(call.response.json, dict) and call.ended <= opening.exchange.ended
    ]
    named = [
        session for session in told if any(_given(opening, name) == session.get(name) for name in (ID, "init_token"))
    ]
    return [*told, *named][-1] if told else None


def _changed(session: Mapping[str, Any], opening: Opening) -> Iterator[tuple[str, str]]:
    for name in PARAMETERS:
        returned, given = session.get(name), _given(opening, name)
        if returned in (None, ""):
            continue
        if given is None:
            yield name, "it was left out"
        elif not _same(returned, given, as_text=opening.are_texts):
            yield name, "it was changed"


def _same(returned: Any, given: Any, *, as_text: bool) -> bool:
    if type(returned) is type(given) and returned == given:
        return True
    if not as_text:
        return False
    if isinstance(returned, list):  # repeated, in JSON, or with commas: how a form writes a list is nobody's promise
        texts = [str(item) for item in returned]
        written = given if isinstance(given, list) else [given]
        return written == texts or written in ([json.dumps(returned)], [",".join(texts)], [_compact(returned)])
    return bool(given == (str(returned).lower() if isinstance(returned, bool) else str(returned)))


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@rule("proof.partner.keeps-id", "no status was asked for, and no observer asked")
def keeps_id(conduct: Conduct) -> Iterator[Judgement]:
    """The status is asked for under the id of a session."""
    known: set[str] = set()
    for purchase in conduct.purchases:
        made = {call.response.member(ID): call for call in created(purchase) if call.response}
        known |= made.keys()
        asked = [(named, call) for call in purchase.exchanges if (named := _asked(call))]
        right = [call for named, call in asked if named in known]
        yield from map(Kept, right)
        if made and asked and not right:
            yield Broken("the status is asked for under the session's id", "an id that no session had", asked[0][1])
        for (named, _), times in purchase.processed.items():
            if times and named in made:
                yield Kept(made[named])


def _asked(call: Exchange) -> str:
    """Gives the id whose status a call asks for, "" where it asks for none."""
    path = call.path.partition("?")[0]
    if call.protocol == "websocket" and path == "/ws":
        return parse_qs(call.query).get("tx_id", [""])[0]
    start, _, named = path.rpartition("/")
    return unquote(named) if call.request.method == "GET" and start == "/widget/transactions" else ""


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
                    yield Broken("the same body is sent again after 502", "another body", another[0])
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
                yield Broken("one further try after 500", f"{len(tries) - 1} further tries", tries[2])
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
                    yield Broken(f"not sent again after {status}", f"{len(tries) - 1} further tries", tries[1])
                else:
                    yield Kept(tries[0])


@rule("proof.partner.polls", "no transaction was polled")
def polls(conduct: Conduct) -> Iterator[Judgement]:
    """While it can change a transaction is polled every 5 to 10 s, and no more after a terminal status."""
    for purchase in conduct.purchases:
        asked = [call for call in purchase.calls("GET", TRANSACTION) if call.status == 200]
        for named in dict.fromkeys(map(_asked, asked)):
            yield from _polled([call for call in asked if _asked(call) == named], purchase, conduct.time_scale)


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
        yield Broken("no poll after a terminal status", f"{len(after)} more polls", after[0])
    elif ended < len(asked):
        yield Kept(asked[ended])
    # Who asks because something told of a change asks besides the cadence, which goes on.
    regular = [call for call in asked[: ended + 1] if not any(0 <= call.started - at <= LATE for at in told)]
    pauses = [
        (after, after.started - before.started)
        for before, after in pairwise(regular)
        if not any(before.started <= at <= after.started for at in told)
    ]
    low, high = (bound * scale for bound in CADENCE)
    fast = [(call, pause) for call, pause in pauses if pause < low * (1 - EARLY_SHARE)]
    slow = [(call, pause) for call, pause in pauses if pause > high * (1 + LATE_SHARE) + LATE]
    if wrong := [group for group in (fast, slow) if len(group) > len(pauses) / 2]:
        call, pause = wrong[0][0]
        yield Broken(f"{low:g} to {high:g} s between two polls", f"{pause:.2g} s, as most are", call)
    else:
        yield from (Kept(call) for call, _ in pauses[:1])


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
    unseen = False
    for purchase in conduct.purchases:
        came: dict[tuple[str, str], list[Exchange]] = {}
        for webhook in purchase.webhooks:
            told = webhook.request.json
            if isinstance(told, dict) and webhook.response and webhook.response.is_success:
                came.setdefault((str(told.get(ID)), str(told.get("status"))), []).append(webhook)
        for key, webhooks in came.items():
            times = purchase.processed.get(key)
            if times is not None and times > 1:
                yield Broken("processed once", f"{key[1]} was processed {times} times", webhooks[-1])
            elif times == 1 and len(webhooks) > 1:
                yield Kept(webhooks[-1])
            unseen |= times is None and len(webhooks) > 1
    if unseen and not conduct.observed:
        yield Attested("no observer says how often a webhook was processed: the partner stands for it")


RULES = (
    client_ip,
    no_address,
    amount_string,
    token_placement,
    backend_only,
    verbatim,
    keeps_id,
    retries_502,
    retries_500_once,
    no_retry_4xx,
    polls,
    webhook_answers,
    webhook_idempotent,
)
