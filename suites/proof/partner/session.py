"""How a session is asked for, and what of it the widget is given (session page, onboarding page)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rampcheck.judging.conduct import (
    Attested,
    Conduct,
    Judgement,
    Kept,
    Opening,
    address_problem,
    browser_mark,
    places,
    rule,
)
from rampcheck.judging.suite import Broken
from rampcheck.wire.exchanges import Exchange

from .calls import ID, bodies, created, to_api

TOKEN = "client_token"  # noqa: S105 - the credential's name
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
            answer = _session_of(opening, created(purchase))
            if answer is None:
                continue
            problems = list(_changed(_returned(answer), opening))
            for name, what in problems:
                yield Broken(f"`{name}` as exchange {answer.number} returned it", what, opening.exchange)
            if not problems:
                yield Kept(opening.exchange)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _given(opening: Opening, name: str) -> Any:
    """Gives what the widget was given under a name of the session's or its own spelling; None where it is not there."""
    values = opening.values
    return values[name] if name in values else values.get(_camel(name))


def _session_of(opening: Opening, answers: Sequence[Exchange]) -> Exchange | None:
    """Gives the answer whose session was opened: one with a value that no other has, else the last one before."""
    told = [call for call in answers if _returned(call) and call.ended <= opening.exchange.ended]
    named = [
        call for call in told if any(_given(opening, name) == _returned(call).get(name) for name in (ID, "init_token"))
    ]
    return [*told, *named][-1] if told else None


def _returned(call: Exchange) -> Mapping[str, Any]:
    """Gives the session that an answer is; nothing where it is none."""
    session = call.response.json if call.response else None
    return session if isinstance(session, dict) else {}


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
