"""GET /widget/users/{partner_user_id}/kyc-status. What holds for every answer is judged by the schema and the
invariants; these scenarios provoke the answers in which it could break."""

import re
from unicodedata import normalize

import pytest

from rampcheck.judging.demands import Demand, Holds
from rampcheck.judging.invariants import given
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target

from . import asking
from .asking import demand, demand_not_started, transaction_of
from .refusals import NOT_FOUND, NOT_FOUND_OR_NO_ID
from .requests import BROWSER, HOSTILE_IDS, kyc_status, poll
from .tokens import GRACE, INACTIVE, SCHEME, demand_rules_of_tokens

SECOND = "second_client_token"
# Characters that mean something in a path, a query or a form (RFC 3986 section 2.2).
RESERVED = ("/", "%2F", "?a#b", "+", " ", ".:@!")


def unusual(user: str) -> dict[str, tuple[str, str]]:
    """Gives names of users, by what is unusual in them; with each another name, which is that of somebody else.

    The other one is what a store makes of a name that folds letters (Unicode Standard Annex 15), or keeps a part.
    """
    long = {f"{length} characters": f"{user}-".ljust(length, "x") for length in (65, 256)}
    return {
        "capitals": (f"{user}-Anna-MARIA", f"{user}-anna-maria"),
        "letters outside ASCII": (f"{user}-&=;,<ü😀", f"{user}-&=;,<u😀"),
        "letters that are compatible with others": (f"{user}-ﬁ①Åu\u0308", normalize("NFKC", f"{user}-ﬁ①Åu\u0308")),
        **{what: (name, f"{name[:-1]}y") for what, name in long.items()},
    }


@pytest.fixture
def user(accepted: Accepted) -> str:
    """A user for whom a session has just been created."""
    return str(accepted.request.json["partner_user_id"])


@pytest.fixture
def known(accepted: Accepted, user: str, token_name: str) -> Accepted:
    """A question for the KYC status of a known user that the target has just answered."""
    return asking.known(accepted, kyc_status(user, token_name))


@pytest.mark.verifies("proof.kyc.not-started", "proof.kyc.complete")
@pytest.mark.parametrize("credential", ["client_token", SECOND])
def test_a_new_user_has_not_started(target: Target, credential: str) -> None:
    """A user of either partner who never opened the widget is not started, whatever the partner does meanwhile."""
    if credential in target.profile.credentials:
        session = target.accepted(credential)
        demand_not_started(target, session, "a new user")
        asking.known(session, poll(transaction_of(session.exchange), credential))
        demand_not_started(target, session, "a new user whose transaction was asked for", BROWSER)
        session.unchanged().send()
        demand_not_started(target, session, "a new user with a second session")


@pytest.mark.verifies("proof.kyc.echo")
@parts(len(RESERVED), 2)
def test_a_user_may_have_reserved_characters(
    accepted: Accepted, target: Target, user: str, token_name: str, part: slice
) -> None:
    """Percent-encoded in the path, every character of a user's id arrives as it is."""
    for characters in RESERVED[part]:
        named = f"{user}-{characters}-x"
        session = accepted.but(partner_user_id=named).send()
        if session.accepted:
            demand(target, target.clause, kyc_status(named, token_name), Accepted(target, accepted.request, session))
        else:
            target.judge.observed(
                target.clause, f"no session for a user with {characters!r} in the id: {session.summary()}", session
            )


@pytest.mark.verifies("proof.kyc.echo", "proof.transaction.echo", "proof.kyc.unknown")
def test_a_user_may_have_an_unusual_name(accepted: Accepted, target: Target, user: str, token_name: str) -> None:
    """A name that is taken comes back as it was sent, on every channel; a name that differs is another user's."""
    for what, (name, other) in unusual(user).items():
        created = accepted.but(partner_user_id=name).send()
        if not created.accepted:
            target.judge.observed("proof.kyc.echo", f"no session for a user with {what}: {created.summary()}", created)
            continue
        session = Accepted(target, accepted.request, created)
        demand(target, "proof.transaction.echo", poll(transaction_of(created), token_name), session)
        answer = demand(target, "proof.kyc.echo", kyc_status(name, token_name), session)
        if answer.accepted:
            known = Accepted(target, kyc_status(name, token_name), answer)
            known.instead(kyc_status(other, token_name), f"a name that differs from one with {what}").is_refused(
                NOT_FOUND_OR_NO_ID, clause="proof.kyc.unknown"
            )


@pytest.mark.verifies("proof.kyc.unknown")
@parts(11, 4)
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


@pytest.mark.verifies("proof.kyc.unknown")
def test_a_plus_is_no_space(accepted: Accepted, target: Target, user: str, token_name: str) -> None:
    """In a path a plus sign is a plus sign (RFC 3986 section 2.2): the user with a space is somebody else."""
    session = accepted.but(partner_user_id=f"{user}+x").send()
    if not session.accepted:
        target.judge.observed(target.clause, f"no session for a user with '+' in the id: {session.summary()}", session)
        return
    known = asking.known(Accepted(target, accepted.request, session), kyc_status(f"{user}+x", token_name))
    known.changed(lambda _: kyc_status(f"{user} x", token_name), "a space where the known user has a plus").is_refused(
        NOT_FOUND_OR_NO_ID
    )


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
@parts(11, 4)
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
