"""GET /widget/transactions/{merchant_transaction_id}. What holds for every answer is judged by the schema and the
invariants; these scenarios provoke the answers in which it could break."""

import json
import uuid
from collections.abc import Callable, Iterator
from itertools import cycle, zip_longest

import pytest

from rampcheck.judging.demands import Demand, Holds
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Request

from .asking import demand, transaction_of
from .refusals import NOT_FOUND, NOT_FOUND_OR_NO_ID
from .requests import BROWSER, HOSTILE_IDS, encoded, pairs, poll, with_headers
from .tokens import GRACE, INACTIVE, SCHEME, demand_rules_of_tokens

SECOND = "second_client_token"
SHORTEST_RANDOM = 16  # characters; a shorter id may be a number that is counted up


@pytest.fixture
def polled(accepted: Accepted, token_name: str, once_known: Callable[[Accepted, Request], Accepted]) -> Accepted:
    """A question for the status of the partner's own transaction that the target has answered, as `accepted`."""
    return once_known(accepted, poll(transaction_of(accepted.exchange), token_name))


def sessions(target: Target, credential: str) -> Iterator[Accepted]:
    """Gives sessions of a partner: the baseline, some other pairs, both types where allowed, and odd users."""
    if credential not in target.profile.credentials:
        return
    partner = target.partner(credential)
    others = [{"currency": currency, "network": network} for currency, network in pairs(partner)[1:3]]
    types = [{"type": name} for name in ("buy", "sell") if partner.get("off_ramp")]
    nothing: dict[str, str] = {}
    kinds = [pair | kind for pair, kind in zip_longest(others, types, fillvalue=nothing)]
    yield (session := target.accepted(credential))
    digits = "".join(str(ord(letter) % 10) for letter in target.unique())
    # What a server may take for a number, an e-mail address, or bytes of another encoding, and what it may tidy up.
    names = cycle((f"00{digits}", f"rampcheck-{target.unique()}@Ünal  O'Neß \\€"))
    for kind, name in zip(kinds, names, strict=False):
        request = session.request.but(**kind)
        raw = json.dumps({**request.json, "partner_user_id": name}, ensure_ascii=False)
        for own in (request.with_body(raw), request):  # Which names a target takes is not documented.
            exchange = session.instead(own, f"{kind} for the user {own.json['partner_user_id']!r}").send()
            if exchange.accepted:
                yield Accepted(target, own, exchange)
                break


@pytest.mark.verifies(
    "proof.transaction.pending", "proof.transaction.complete", "proof.transaction.echo", "proof.transaction.times"
)
@pytest.mark.parametrize("credential", ["client_token", SECOND])
def test_a_session_just_created_is_pending(target: Target, credential: str) -> None:
    """Whatever the pair, the type and the partner: with a session there is a transaction, and it is pending."""
    clause = "proof.transaction.pending"
    for place, session in enumerate(sessions(target, credential)):
        question = poll(transaction_of(session.exchange), session.credential)
        answers = [demand(target, clause, question, session)]
        if not place:  # Twice, as to ask is not to do anything with it.
            answers.append(target.ask(with_headers(question, BROWSER)))
        for answer in answers:
            if answer.accepted:
                pending = Demand(clause, Holds("status", "pending"), "for a session just created")
                target.demand(answer, pending, session.exchange)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID as they are usually written (RFC 9562 section 4)."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def strangers(transaction: str) -> dict[str, str]:
    """Gives ids that name no transaction, made of one that does, each with a phrase that says how."""
    half = len(transaction) // 2
    unknown = {
        "an id nobody was given": str(uuid.uuid4()),
        "the id and one more character": f"{transaction}x",
        "the id, a slash and one more": f"{transaction}/x",
        "the id and a percent sign": f"{transaction}%",
        "a percent sign": "%",
        "the id and a letter outside ASCII": f"{transaction}ü",
        "the id with two dots in it": f"{transaction[:half]}..{transaction[half:]}",
        "the id with a space in it": f"{transaction[:half]} {transaction[half:]}",
    }
    if len(transaction) >= SHORTEST_RANDOM:
        place = half + 1
        other = "b" if transaction[place] == "a" else "a"
        unknown["the id with one character changed"] = f"{transaction[:place]}{other}{transaction[place + 1 :]}"
        unknown["the id without its last character"] = transaction[:-1]
    return unknown


@pytest.mark.verifies("proof.transaction.unknown")
@parts(10, 1)
def test_an_id_that_names_no_transaction_is_not_found(
    accepted: Accepted, polled: Accepted, token_name: str, part: slice
) -> None:
    """Only the id itself finds the transaction, not one that is like it."""
    transaction = transaction_of(accepted.exchange)
    for place, (what, stranger) in [*enumerate(strangers(transaction).items())][part]:
        # Of a UUID it is known what has its form; of another id, whatever is made of it may have none.
        is_well_formed = is_uuid(transaction) and is_uuid(stranger)
        # What a browser would rather have makes no difference.
        question = with_headers(poll(stranger, token_name), BROWSER if place % 2 else {})
        polled.instead(question, what).is_refused(NOT_FOUND if is_well_formed else NOT_FOUND_OR_NO_ID)


@pytest.mark.verifies("proof.transaction.unknown")
def test_hostile_ids_are_survived(polled: Accepted, token_name: str) -> None:
    """What stands in front of the target may refuse them in its own words."""
    for what, hostile in HOSTILE_IDS.items():
        polled.instead(poll(hostile, token_name), what).is_survived()


@pytest.mark.verifies("proof.transaction.unknown")
def test_other_spellings_of_an_id(accepted: Accepted, polled: Accepted, token_name: str) -> None:
    """Whether another letter case, or needless percent-encoding, finds a transaction is observed."""
    transaction = transaction_of(accepted.exchange)
    for other in sorted({transaction.upper(), transaction.lower()} - {transaction}):
        polled.instead(poll(other, token_name), "the id in another letter case").is_observed()
    # RFC 3986 section 2.3: what needs no encoding means the same when it is encoded.
    needless = polled.request.path.replace(
        encoded(transaction), "".join(f"%{byte:02X}" for byte in transaction.encode(errors="surrogatepass"))
    )
    polled.changed(
        lambda request: request.with_path(needless), "every character of the id percent-encoded"
    ).is_observed()


def of_the_same_user(target: Target, session: Accepted, credential: str) -> Accepted | None:
    """Gives another partner's session for a user of that name, None where there is none."""
    user = session.request.json["partner_user_id"]
    request = target.plain(credential).but(partner_user_id=user)
    exchange = session.instead(request, "another partner's session for a user of the same name").send()
    return Accepted(target, request, exchange) if exchange.accepted else None


@pytest.mark.verifies("proof.transaction.isolation")
def test_another_partners_transaction_is_not_found(
    target: Target, once_known: Callable[[Accepted, Request], Accepted]
) -> None:
    """Neither partner finds the other's transaction, while both find their own, though it is of a user they both have.

    Where a name that is the other partner's user's is refused, the users are two.
    """
    first, second = target.suite.credential, SECOND
    own = {first: target.control(first)}
    own[second] = of_the_same_user(target, own[first], second) or target.control(second)
    for credential, other in ((first, second), (second, first)):
        question = once_known(own[credential], poll(transaction_of(own[credential].exchange), credential))
        question.instead(question.request.with_credential(other), "the token of another partner").is_refused(NOT_FOUND)


@pytest.mark.verifies("proof.transaction.auth", SCHEME, INACTIVE, GRACE)
@parts(11, 1)
def test_a_question_without_a_good_token_is_refused(polled: Accepted, target: Target, part: slice) -> None:
    """No token, none that is good, and none in another place open a transaction."""
    demand_rules_of_tokens(target, polled, "proof.transaction.auth", part)
