"""GET /widget/users/{partner_user_id}/kyc-status. What holds for every answer is judged by the schema and the
invariants; these scenarios provoke the answers in which it could break."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from unicodedata import normalize

import pytest

from rampcheck.judging.demands import Demand, Holds
from rampcheck.judging.invariants import given
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Exchange, Request

from . import asking
from .asking import demand, demand_not_started, transaction_of, until_known
from .refusals import NOT_FOUND, NOT_FOUND_OR_NO_ID
from .requests import BROWSER, HOSTILE_IDS, kyc_status, poll
from .tokens import GRACE, INACTIVE, SCHEME, demand_rules_of_tokens

SECOND = "second_client_token"
# What may be unusual in the name of a user, and what a store that folds letters (Unicode Standard Annex 15), or a
# server that decodes too much, makes of it: that is the name of somebody else. The last ones mean something in a path,
# a query or a form (RFC 3986 section 2.2).
LETTERS: dict[str, tuple[str, str]] = {
    "capitals": ("AnnaMARIA", "annamaria"),
    "letters outside ASCII": ("&=;,<ü😀", "&=;,<u😀"),
    "letters that are compatible with others": ("ﬁ①Åu\u0308", normalize("NFKC", "ﬁ①Åu\u0308")),
    "a plus": ("+", " "),
    "a slash": ("/", ""),
    "an encoded slash": ("%2F", ""),
    "a question mark and a hash": ("?a#b", ""),
    "a space": (" ", ""),
    "a dot and a colon": (".:@!", ""),
}
LENGTHS = (65, 256)
MOST_WRONG = 3  # names that are not known, each of which is waited for


class Named(NamedTuple):
    """A name of a user, and those that differ from it and are somebody else's, each with a phrase that says how."""

    name: str
    others: Mapping[str, str]


def unusual(user: str) -> dict[str, Named]:
    """Gives names of users by what is unusual in them."""
    made = {
        what: Named(f"{user}-{letters}-x", {what: f"{user}-{other}-x"} if other else {})
        for what, (letters, other) in LETTERS.items()
    }
    for length in LENGTHS:
        name, what = f"{user}-".ljust(length, "x"), f"{length} characters"
        made[what] = Named(name, {what: f"{name[:-1]}y"})
    return made


def unusual_in_all(user: str, length: int) -> Named:
    """Gives a name that is unusual in every way at once, filled up to a length, and what differs in one way each."""

    def name(of: Mapping[str, str]) -> str:
        return f"{user}-{''.join(of.values())}x".ljust(length, "x")

    own = {what: letters for what, (letters, _) in LETTERS.items()}
    others = {what: name(own | {what: other}) for what, (_, other) in LETTERS.items() if other}
    return Named(name(own), {**others, "the same beginning": f"{name(own)[:-1]}y"})


@pytest.fixture
def user(accepted: Accepted) -> str:
    """A user for whom a session has just been created."""
    return str(accepted.request.json["partner_user_id"])


@pytest.fixture
def known(
    accepted: Accepted, user: str, token_name: str, once_known: Callable[[Accepted, Request], Accepted]
) -> Accepted:
    """A question for the KYC status of a known user that the target has answered, as `accepted`."""
    return once_known(accepted, kyc_status(user, token_name))


@pytest.mark.verifies("proof.kyc.not-started", "proof.kyc.complete")
@pytest.mark.parametrize("credential", ["client_token", SECOND])
def test_a_new_user_has_not_started(target: Target, credential: str) -> None:
    """A user of either partner who never opened the widget is not started, whatever the partner does meanwhile."""
    if credential in target.profile.credentials:
        session = target.accepted(credential)
        demand_not_started(target, session, "a new user")
        asking.known(session, poll(transaction_of(session.exchange), credential))
        demand_not_started(target, session, "a new user whose transaction was asked for", BROWSER)
        session.unchanged().send_again_if_refused()
        demand_not_started(target, session, "a new user with a second session")


@pytest.mark.verifies("proof.kyc.not-started", "proof.kyc.complete")
def test_a_new_user_of_any_session_has_not_started(another: Accepted, target: Target) -> None:
    """It makes no difference that a user has sold, nor that their name may be taken for a number."""
    digits = "".join(str(ord(letter) % 10) for letter in target.unique())
    # A target may take each e-mail address for one user only; which names it takes is not documented.
    attempt = another.but(partner_user_id=f"7{digits}", user_email=f"rampcheck-user-7{digits}@example.com")
    exchange = attempt.send()
    for session in (another, *([Accepted(target, attempt.request, exchange)] if exchange.accepted else [])):
        demand_not_started(target, session, "a new user of a session that is no plain buy")


@pytest.mark.verifies("proof.kyc.echo", "proof.transaction.echo", "proof.kyc.unknown")
def test_a_user_may_have_an_unusual_name(accepted: Accepted, target: Target, user: str) -> None:
    """A name that is taken comes back as it was sent, on every channel; a name that differs is another user's.

    Where one that is unusual in every way is refused, or is not known afterwards, each way is tried by itself; where it
    is refused in its full length only, what is longer.
    """
    for length in (max(LENGTHS), 0):
        together = unusual_in_all(user, length)
        session = session_of(accepted, together.name, f"all that is unusual in {len(together.name)} characters")
        if session is not None:
            break
    answers = own(target, session, together.name) if session is not None else (None, None)
    is_back = all(answer and given(answer, "partner_user_id") == together.name for answer in answers)
    wrong = 0
    for what, named in unusual(user).items():
        is_due = wrong < MOST_WRONG and (not is_back or len(named.name) > len(together.name))
        if is_due and (alone := session_of(accepted, named.name, what)):
            wrong += not demand_own_name(target, alone, named)
    if session is not None:
        demand_own_name(target, session, together, answers)


def session_of(accepted: Accepted, name: str, what: str) -> Accepted | None:
    """Asks for a session of a user with a name that is not promised to be taken; None where it is refused."""
    created = accepted.but(partner_user_id=name).send()
    if created.accepted:
        return Accepted(accepted.target, accepted.request, created)
    observed = f"no session for a user with {what}: {created.summary()}"
    accepted.target.judge.observed("proof.kyc.echo", observed, created)
    return None


def questions(session: Accepted, name: str) -> tuple[Request, Request]:
    """Gives the questions for the transaction of a session, and for its user."""
    return poll(transaction_of(session.exchange), session.credential), kyc_status(name, session.credential)


def own(target: Target, session: Accepted, name: str) -> tuple[Exchange | None, Exchange | None]:
    """Asks for the transaction of a session, and for its user; None where that is not known."""
    transaction, status = questions(session, name)
    return until_known(target, transaction), until_known(target, status)


def demand_own_name(
    target: Target, session: Accepted, named: Named, answers: tuple[Exchange | None, Exchange | None] = (None, None)
) -> bool:
    """Demands that the transaction and the user of a session are known, and nobody under a name that differs.

    Says whether the user is known.
    """
    for clause, question, answer in zip(
        ("proof.transaction.echo", "proof.kyc.echo"), questions(session, named.name), answers, strict=True
    ):
        last = answer or demand(target, clause, question, session)
    if last.accepted:
        known = Accepted(target, question, last)
        for what, other in named.others.items():
            known.instead(
                kyc_status(other, session.credential), f"a name that differs from one with {what}"
            ).is_refused(NOT_FOUND_OR_NO_ID, clause="proof.kyc.unknown")
    return last.accepted


@pytest.mark.verifies("proof.kyc.unknown")
@parts(11, 1)
def test_a_user_without_a_session_is_not_found(
    known: Accepted, target: Target, user: str, token_name: str, part: slice
) -> None:
    """Nobody is known but for whom a session was created, under the very id."""
    strangers = {
        "a user without a session": f"rampcheck-{target.unique()}-never",
        "the beginning of a known user": user[: len(user) // 2],
        "the end of a known user": user[len(user) // 2 :],
        **HOSTILE_IDS,
        "a known user with a dot for the last character": f"{user[:-1]}.",
        "a known user in another letter case": user.swapcase(),
        "a known user and a space": f"{user} ",
        "a known user and a slash": f"{user}/",
        "a known user and one more character": f"{user}x",
        "a percent sign": "%",
    }
    for what, stranger in [*strangers.items()][part]:
        attempt = known.instead(kyc_status(stranger, token_name), what)
        if what in HOSTILE_IDS:  # What stands in front of the target may refuse them in its own words.
            attempt.is_survived()
            continue
        # Which characters an id may have is not documented.
        is_usual = re.fullmatch(r"[\w-]*", stranger) is not None
        attempt.is_refused(NOT_FOUND if is_usual else NOT_FOUND_OR_NO_ID)


@pytest.mark.verifies("proof.kyc.isolation")
def test_another_partners_user_is_not_found(target: Target) -> None:
    """Neither partner knows the other's user, while both know their own; what is told of a user of both is observed."""
    first, second = target.suite.credential, SECOND
    own = {name: target.accepted(name) for name in (first, second)}
    for credential, other in ((first, second), (second, first)):
        user = own[credential].request.json["partner_user_id"]
        known = asking.known(own[credential], kyc_status(user, credential))
        known.instead(known.request.with_credential(other), "the token of another partner").is_refused(NOT_FOUND)
    target.accepted(first, partner_user_id=user)
    known.changed(
        lambda request: request.with_credential(first), "a user for whom both partners have a session"
    ).is_observed()


@pytest.mark.verifies("proof.kyc.auth", SCHEME, INACTIVE, GRACE)
@parts(11, 1)
def test_a_question_without_a_good_token_is_refused(known: Accepted, target: Target, part: slice) -> None:
    """No token, none that is good, and none in another place tell anything of a user."""
    demand_rules_of_tokens(target, known, "proof.kyc.auth", part)


@pytest.mark.verifies("proof.kyc.stable", "proof.kyc.unknown")
def test_asking_changes_nothing(target: Target, token_name: str) -> None:
    """A user and their transaction are after the question what they were before; who is unknown stays unknown."""
    clause = "proof.kyc.stable"
    accepted = target.accepted()
    user = str(accepted.request.json["partner_user_id"])
    first = asking.known(accepted, poll(transaction_of(accepted.exchange), token_name))
    transaction = first.then(first.request)
    known = transaction.then(kyc_status(user, token_name))
    # What changes of itself is not judged.
    steady = [
        name for name in ("status", "updated_at") if given(first.exchange, name) == given(transaction.exchange, name)
    ]
    for before, names in ((known, ["status"]), (transaction, steady)):
        after = demand(target, clause, before.request, accepted)
        if after.accepted:
            for name in names:
                same = Holds(name, given(before.exchange, name))
                target.demand(after, Demand(clause, same, "as before the question"), before.exchange)
    stranger = f"rampcheck-{target.unique()}-unknown"
    if (
        not known.changed(lambda _: kyc_status(stranger, token_name), "an unknown user")
        .is_refused(NOT_FOUND, clause="proof.kyc.unknown")
        .accepted
    ):
        known.changed(
            lambda _: kyc_status(stranger, token_name), "an unknown user who was asked for before"
        ).is_refused(NOT_FOUND, clause=clause)
        # Nor does the question keep them unknown, as an absence that is remembered would.
        demand(target, clause, kyc_status(stranger, token_name), target.accepted(partner_user_id=stranger))
