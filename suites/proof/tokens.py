"""What is no good token, as every endpoint is asked with it, and what is one besides."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

from rampcheck.judging.demands import Demand, Due, Rejection, Silence
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Exchange, Request

from .refusals import INVALID_TOKEN, UNAUTHORISED
from .upgrades import demand_silent_refusal

SCHEME = "proof.auth.bearer-scheme"
INACTIVE = "proof.auth.inactive-token"
GRACE = "proof.auth.rotation-grace"


class Strangers(NamedTuple):
    """The clauses by which an endpoint refuses who has no token, and who has one that was never issued."""

    without_token: str
    with_made_up_token: str


class Unfit(NamedTuple):
    """A request that tells of no good token, the clause that says so, and the refusal that it promises."""

    attempt: Attempt
    clause: str
    refusal: Rejection


def unfit(target: Target, known: Accepted, clause: str) -> Iterator[Unfit]:
    """Gives a question that was just accepted with no good token; `clause` is the endpoint's own."""
    token = target.profile.credentials["client_token"]
    made_up = {
        "a made-up token": f"rampcheck-{target.unique()}-no-such-token",
        "the token and one more character": f"{token}x",
        "the first half of the token": token[: len(token) // 2],
        "the token in the other letter case": token.swapcase(),
    }
    yield Unfit(known.with_header("Authorization", None), clause, UNAUTHORISED)
    for what, stranger in made_up.items():
        if stranger != token:
            target.hide("made_up_token", stranger)
            yield Unfit(known.with_header("Authorization", f"Bearer {stranger}", what), clause, UNAUTHORISED)
    for what, request in misplaced(known.request, token).items():
        yield Unfit(known.instead(request, what), clause, UNAUTHORISED)
    schemes = {
        "the token under Basic": f"Basic {b64encode(f'{token}:{token}'.encode()).decode()}",
        "the token under Token": f"Token {token}",
        "the token without a scheme": token,
    }
    for what, value in schemes.items():
        yield Unfit(known.with_header("Authorization", value, what), SCHEME, UNAUTHORISED)
    if "inactive_client_token" in target.profile.credentials:
        inactive = target.profile.credentials["inactive_client_token"]
        yield Unfit(
            known.with_header("Authorization", f"Bearer {inactive}", "a token that is no longer active"),
            INACTIVE,
            INVALID_TOKEN,
        )


def misplaced(request: Request, token: str) -> dict[str, Request]:
    """Gives a request with the token in two other places than its header, each with a phrase that says where."""
    bare = request.with_header("Authorization", None)
    separator = "&" if "?" in bare.path else "?"
    return {
        f"the token as {name} in the query and in {header} only": bare.with_path(
            f"{bare.path}{separator}{name}={token}"
        ).with_header(header, value)
        for name, header, value in (
            ("access_token", "X-API-Key", token),
            ("client_token", "Cookie", f"client_token={token}; access_token={token}"),
        )
    }


def demand_rules_of_tokens(target: Target, known: Accepted, clause: str, part: slice) -> None:
    """Demands of a question that was just accepted that only a good token opens it, and so does the previous one.

    `clause` is the endpoint's own; `part` says of which attempts the refusal is demanded.
    """
    for attempt, broken, refusal in [*unfit(target, known, clause)][part]:
        if broken == clause:
            _refused(target, attempt, refusal, clause)
        else:
            demand_heed(target, attempt, refusal, broken, Strangers(clause, clause))
    if part.stop is None and "previous_client_token" in target.profile.credentials:
        previous = target.profile.credentials["previous_client_token"]
        known.with_header("Authorization", f"Bearer {previous}", "the previous token").is_accepted(clause=GRACE)


def demand_heed(target: Target, attempt: Attempt, refusal: Rejection, clause: str, strangers: Strangers) -> bool:
    """Demands by `clause` the refusal of a good token that has one thing against it: its scheme, its age, its address.

    Says whether it is refused so. Where a stranger gets the same answer, the endpoint takes no heed of who calls: then
    the answer breaks the clause of `strangers` as well, from which the other one follows.
    """
    answer = _refused(target, attempt, refusal, clause)
    if _is_due(target, answer, refusal):
        return True
    made_up = f"rampcheck-{target.unique()}-no-such-token"
    target.hide("made_up_token", made_up)
    causes: list[tuple[str, str | None, str]] = [(strangers.with_made_up_token, f"Bearer {made_up}", "a made-up token")]
    if clause == SCHEME:  # What stands under it may be taken for no token.
        causes.append((strangers.without_token, None, ""))
    for cause, value, what in causes:
        stranger = attempt.control.with_header("Authorization", value, what)
        other = _refused(target, stranger, UNAUTHORISED, cause)
        if other.status == answer.status and not _is_due(target, other, UNAUTHORISED):
            where = f"for a request with {attempt.change}, which is answered as one with {stranger.change} is"
            with target.judge.changing(attempt.change):
                target.demand(answer, Demand(cause, _due(answer, refusal), where), attempt.control.exchange)
            break
    return False


def _refused(target: Target, attempt: Attempt, refusal: Rejection, clause: str) -> Exchange:
    """Demands a refusal by a clause and gives the answer; how an upgrade is refused is not documented."""
    if attempt.request.protocol == "websocket":
        return demand_silent_refusal(target, attempt, clause=clause)
    return attempt.is_refused(refusal, clause=clause)


def _due(exchange: Exchange, refusal: Rejection) -> Due:
    return Silence() if exchange.protocol == "websocket" else refusal


def _is_due(target: Target, exchange: Exchange, refusal: Rejection) -> bool:
    return _due(exchange, refusal).broken(exchange, target.suite) is None
