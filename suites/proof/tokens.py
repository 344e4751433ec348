"""What is no good token, as every endpoint beside the session's is asked with it, and what is one besides."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rampcheck.judging.demands import Rejection
from rampcheck.running.scenario import Accepted, Attempt, Target

from .refusals import INVALID_TOKEN, UNAUTHORISED

SCHEME = "proof.auth.bearer-scheme"
INACTIVE = "proof.auth.inactive-token"
GRACE = "proof.auth.rotation-grace"


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
    path = known.request.path
    for name in ("access_token", "client_token"):
        yield Unfit(
            known.instead(
                known.request.with_header("Authorization", None).with_path(
                    f"{path}{'&' if '?' in path else '?'}{name}={token}"
                ),
                f"the token as {name} in the query only",
            ),
            clause,
            UNAUTHORISED,
        )
    schemes = {
        "the token under Basic": f"Basic {b64encode(f'{token}:'.encode()).decode()}",
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


def demand_rules_of_tokens(
    target: Target, known: Accepted, clause: str, refused: Callable[[Attempt, Rejection, str], object], part: slice
) -> None:
    """Demands of a question that was just accepted that only a good token opens it, and so does the previous one.

    `clause` is the endpoint's own; `refused` demands the refusal of an attempt by a clause; `part` says of which.
    """
    for attempt, broken, refusal in [*unfit(target, known, clause)][part]:
        refused(attempt, refusal, broken)
    if part.stop is None and "previous_client_token" in target.profile.credentials:
        previous = target.profile.credentials["previous_client_token"]
        known.with_header("Authorization", f"Bearer {previous}", "the previous token").is_accepted(clause=GRACE)
