"""Authentication and access: the bearer token, the address, the origin (session page and Onboarding)."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from rampcheck.contract.urls import origin_of
from rampcheck.errors import ProfileLacks, Unjudged
from rampcheck.judging.demands import Demand, Rejection
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Request

from .asking import transaction_of
from .provenance import forged
from .refusals import (
    ANY_4XX,
    FORBIDDEN,
    FORBIDDEN_ORIGIN,
    INVALID_TOKEN,
    MISSING_TOKEN,
    UNAUTHORISED,
)
from .requests import kyc_status, origins, pairs, poll, upgrade, with_headers
from .tokens import GRACE, Strangers, demand_heed, misplaced

SECOND = "second_client_token"
STRANGERS = Strangers("proof.auth.bearer-required", "proof.auth.unknown-token")
OUTSIDE = "an address off the allowlist"


@pytest.mark.verifies("proof.auth.bearer-required")
def test_a_call_without_token_is_refused(accepted: Accepted) -> None:
    """Without an Authorization header there is no session."""
    accepted.with_header("Authorization", None).is_refused(MISSING_TOKEN)


@pytest.mark.verifies("proof.auth.bearer-required")
def test_a_token_in_the_query_is_no_token(accepted: Accepted, token: str) -> None:
    """A good token in the query string, in another header or in a cookie does not stand in for the header."""
    for what, request in misplaced(accepted.request, token).items():
        accepted.instead(request, what).is_refused(MISSING_TOKEN)


@pytest.mark.verifies("proof.auth.unknown-token")
@parts(8, 1)
def test_a_token_nobody_issued_is_refused(accepted: Accepted, target: Target, token: str, part: slice) -> None:
    """Only the token itself is accepted: not one made up, shortened, lengthened, or in another letter case."""
    half = len(token) // 2
    strangers = {
        "a made-up token": f"rampcheck-{target.unique()}-no-such-token",
        "the token without its last character": token[:-1],
        "the first half of the token": token[:half],
        "the second half of the token": token[half:],
        "the first half of the token and a percent sign": f"{token[:half]}%",
        "the token and one more character": f"{token}x",
        # In the middle: of an encoded token, the last character may hold bits that nothing reads.
        "the token with one character replaced": token[:half]
        + ("b" if token[half] == "a" else "a")
        + token[half + 1 :],
        "the token in the other letter case": token.swapcase(),
        "the token twice": f"{token}{token}",
        "an empty token": "",
    }
    for what, stranger in [*strangers.items()][part]:
        if stranger != token:
            target.hide("made_up_token", stranger)
            # That it was refused before does not make it known.
            for _ in range(2 if what == "a made-up token" else 1):
                accepted.with_header("Authorization", f"Bearer {stranger}".rstrip(), what).is_refused(
                    INVALID_TOKEN if stranger else MISSING_TOKEN
                )


@pytest.mark.verifies("proof.auth.bearer-scheme")
@parts(6, 1)
def test_another_scheme_is_refused(accepted: Accepted, target: Target, token: str, part: slice) -> None:
    """A good token counts only under the scheme Bearer."""
    basic = b64encode(f"{token}:{token}".encode()).decode()
    schemes = {
        "the token under Basic": f"Basic {basic}",
        "the bare token under Basic": f"Basic {token}",
        "the token under Token": f"Token {token}",
        "the token under Digest": f"Digest {token}",
        "the token without a scheme": token,
        "the token right after Bearer": f"Bearer{token}",
    }
    for what, value in [*schemes.items()][part]:
        attempt = accepted.with_header("Authorization", value, what)
        demand_heed(target, attempt, UNAUTHORISED, target.clause, STRANGERS)


@pytest.mark.verifies("proof.auth.inactive-token")
def test_a_deactivated_token_is_refused(accepted: Accepted, target: Target) -> None:
    """A token that was deactivated opens nothing any more."""
    inactive = target.profile.credentials["inactive_client_token"]
    for _ in range(2):
        attempt = accepted.with_header("Authorization", f"Bearer {inactive}", "a token that is no longer active")
        demand_heed(target, attempt, INVALID_TOKEN, target.clause, STRANGERS)


@pytest.mark.verifies(
    *(f"proof.auth.{name}" for name in ("bearer-required", "unknown-token", "bearer-scheme", "origin-unregistered")),
    "proof.auth.inactive-token",
)
@pytest.mark.parametrize("place", [1, 2])
def test_access_is_the_same_for_every_pair(accepted: Accepted, target: Target, token: str, place: int) -> None:
    """Who may call does not depend on the pair, nor on what a session has left with its caller."""
    chosen = pairs(target.partner())[place : place + 1]
    if not chosen:
        raise ProfileLacks("the profile's `partner.pairs` has no other pair")
    currency, network = chosen[0]
    control = accepted.then(accepted.request.but(currency=currency, network=network))
    made_up = f"rampcheck-{target.unique()}-no-such-token"
    target.hide("made_up_token", made_up)
    control.with_cookies_only("Authorization").is_refused(MISSING_TOKEN, clause="proof.auth.bearer-required")
    control.with_header("Authorization", f"Bearer {made_up}", "a made-up token").is_refused(
        INVALID_TOKEN, clause="proof.auth.unknown-token"
    )
    under_basic = control.with_header("Authorization", f"Basic {token}", "the bare token under Basic")
    demand_heed(target, under_basic, UNAUTHORISED, "proof.auth.bearer-scheme", STRANGERS)
    control.with_header("Origin", "https://unregistered.rampcheck.example").is_refused(
        FORBIDDEN_ORIGIN, clause="proof.auth.origin-unregistered"
    )
    if inactive := target.profile.credentials.get("inactive_client_token"):
        attempt = control.with_header("Authorization", f"Bearer {inactive}", "a token that is no longer active")
        demand_heed(target, attempt, INVALID_TOKEN, "proof.auth.inactive-token", STRANGERS)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.auth.rotation-grace")
def test_the_previous_token_still_works(accepted: Accepted, target: Target) -> None:
    """For a while after a rotation the previous token is as good as the new one, call after call."""
    previous = target.profile.credentials["previous_client_token"]
    for _ in range(3):
        accepted.with_header("Authorization", f"Bearer {previous}", "the previous token").is_accepted()
    for currency, network in pairs(target.partner())[1:3]:
        control = accepted.then(accepted.request.but(currency=currency, network=network))
        control.with_header("Authorization", f"Bearer {previous}", "the previous token").is_accepted()


@pytest.mark.verifies("proof.auth.ip-allowlist")
def test_an_address_off_the_allowlist_is_refused(accepted: Accepted, target: Target) -> None:
    """A call from an address that is not on the partner's allowlist is forbidden, of either partner."""
    demand_heed(target, accepted.from_outside(), FORBIDDEN, target.clause, STRANGERS)
    if SECOND in target.profile.credentials and target.partner(SECOND).get("egress_is_outside"):
        demand_heed(target, target.control(SECOND).from_outside(), FORBIDDEN, target.clause, STRANGERS)


@pytest.mark.verifies("proof.auth.ip-allowlist")
def test_the_previous_token_opens_no_other_address(accepted: Accepted, target: Target) -> None:
    """Since a rotation the previous token calls from the same addresses as the new one."""
    if control := with_previous_token(accepted, target):
        demand_of_previous(control, control.from_outside(), FORBIDDEN)


@pytest.mark.verifies("proof.auth.origin-unregistered")
def test_the_previous_token_opens_no_other_origin(accepted: Accepted, target: Target) -> None:
    """Since a rotation the previous token calls under the same origins as the new one."""
    if control := with_previous_token(accepted, target):
        attempt = control.with_header("Origin", "https://unregistered.rampcheck.example")
        demand_of_previous(control, attempt, FORBIDDEN_ORIGIN)


def with_previous_token(accepted: Accepted, target: Target) -> Accepted | None:
    """Gives the request under the token before a rotation, None where there is none, or the target refuses it."""
    previous = target.profile.credentials.get("previous_client_token")
    if previous is None:
        return None
    attempt = accepted.with_header("Authorization", f"Bearer {previous}", "the previous token")
    exchange = attempt.send_again_if_refused(clause=GRACE)
    return Accepted(target, attempt.request, exchange) if exchange.accepted else None


def demand_of_previous(control: Accepted, attempt: Attempt, refusal: Rejection) -> None:
    """Demands a refusal of the previous token, unless it is the token itself that is refused, and only now and then."""
    target, answer = control.target, attempt.send()
    demand = Demand(target.clause, refusal, f"for a request with {attempt.change}")
    if demand.broken(answer, target.suite) is None:
        target.met(demand, answer, attempt)
        return
    if answer.status in UNAUTHORISED.statuses:
        # Twice in a row: where every second call is refused, a control between two attempts is always accepted.
        for _ in range(2):
            if not (plain := control.unchanged().send()).accepted:
                target.look_again(control.request, plain, GRACE)
                return
    attempt.meets(demand)


@pytest.mark.verifies("proof.auth.ip-allowlist")
def test_no_header_makes_up_for_an_address_off_the_allowlist(accepted: Accepted, target: Target) -> None:
    """A call from outside is forbidden, also where a header of its own, or each of them, names an allowed address."""
    demand_forgeries_refused(target, accepted, target.clause, STRANGERS)


@pytest.mark.verifies("proof.auth.ip-allowlist")
@pytest.mark.parametrize("place", ["transaction", "user", "websocket"])
def test_every_endpoint_asks_for_the_address(
    accepted: Accepted,
    target: Target,
    token_name: str,
    once_known: Callable[[Accepted, Request], Accepted],
    place: str,
) -> None:
    """Neither a transaction nor a user nor a WebSocket is open to a call from outside, whatever its headers say."""
    transaction = transaction_of(accepted.exchange)
    clause, question = {
        "transaction": ("proof.transaction.auth", poll(transaction, token_name)),
        "user": ("proof.kyc.auth", kyc_status(accepted.request.json["partner_user_id"], token_name)),
        "websocket": ("proof.ws.auth", upgrade(transaction, token_name)),
    }[place]
    demand_forgeries_refused(target, once_known(accepted, question), target.clause, Strangers(clause, clause))


def demand_forgeries_refused(target: Target, control: Accepted, clause: str, strangers: Strangers) -> None:
    """Demands that a call from outside is forbidden though every header by which it may claim otherwise does so.

    Where it is not, it is asked for without any, and then with each of them by itself.
    """
    headers = forged(target.profile)
    attempt = control.changed(from_outside_with(headers), f"{OUTSIDE} and an allowed one in every header")
    if demand_heed(target, attempt, FORBIDDEN, clause, strangers):
        return
    bare = control.changed(from_outside_with({}), OUTSIDE)
    if demand_heed(target, bare, FORBIDDEN, clause, strangers):
        for name, value in headers.items():
            alone = control.changed(from_outside_with({name: value}), f"{OUTSIDE} and an allowed one in {name}")
            demand_heed(target, alone, FORBIDDEN, clause, strangers)


def from_outside_with(headers: Mapping[str, str]) -> Callable[[Request], Request]:
    """Gives the change to a request that sends it from outside, with more headers."""

    return lambda request: with_headers(request, headers).from_outside()


@pytest.mark.verifies("proof.auth.origin-unregistered")
def test_an_unregistered_origin_is_refused(accepted: Accepted, target: Target) -> None:
    """A made-up origin is forbidden, each time anew and for either partner, and so is one that is only another's."""
    own = set(origins(target.partner()))
    others = set(origins(target.partner(SECOND))) - own if own else set()
    for origin in (
        "https://unregistered.rampcheck.example",
        "https://unregistered.rampcheck.example",
        "null",
        *sorted(others),
    ):
        accepted.with_header("Origin", origin).is_refused(FORBIDDEN_ORIGIN)
    if SECOND in target.profile.credentials:
        # Whoever develops a service lets in what runs beside it, and may leave that in.
        target.control(SECOND).with_header("Origin", "http://localhost:41733").is_refused(FORBIDDEN_ORIGIN)


@pytest.mark.verifies("proof.auth.origin-unregistered")
@parts(5, 1)
def test_an_origin_that_servers_come_with_is_refused(accepted: Accepted, target: Target, part: slice) -> None:
    """What a framework takes for its own, or a developer has left in, is forbidden where it is not registered.

    Where the profile does not tell what is registered, it may well be: then it is observed.
    """
    registered = origins(target.partner())
    for origin in built_in(target.profile.base_url)[part]:
        attempt = accepted.with_header("Origin", origin)
        if not registered:
            attempt.is_observed()
        elif origin not in registered:
            attempt.is_refused(FORBIDDEN_ORIGIN)


def built_in(base_url: str) -> tuple[str, ...]:
    """Gives the target's own origin, those of servers beside it for development, and an extension's."""
    return (
        origin_of(base_url),
        "http://localhost:3000",
        "http://localhost:8080",
        "http://localhost:5173",
        f"chrome-extension://{'abcdefghijklmnop' * 2}",
    )


@pytest.mark.verifies("proof.auth.origin-unregistered")
@parts(7, 1)
def test_an_origin_that_only_looks_registered_is_refused(
    accepted: Accepted, target: Target, registered_origin: str, part: slice
) -> None:
    """An origin is compared as a whole: scheme, host and port (RFC 6454 section 4); another one may be registered."""
    url = urlsplit(registered_origin)
    # What stands for any character in a pattern stands for itself in a host.
    no_pattern = url.netloc.replace(".", "x", 1)
    look_alikes = (
        f"{registered_origin}.rampcheck.example",
        f"{url.scheme}://evil-{url.netloc}",
        f"{url.scheme}://sub.{url.netloc}",
        f"http://{url.netloc}" if url.scheme == "https" else f"https://{url.netloc}",
        f"{url.scheme}://{url.hostname}:{(url.port or 443) + 1}",
        registered_origin[:-1],
        *([f"{url.scheme}://{no_pattern}"] if no_pattern != url.netloc else []),
        f"https://rampcheck.example/{url.netloc}",
        # What a library for URLs makes an origin of, and a list of two (RFC 6454 section 7.1).
        f"{url.scheme}://rampcheck@{url.netloc}/path",
        f"{registered_origin} https://rampcheck.example",
        f"{registered_origin}.",  # the same host for DNS, and another origin for browsers
    )
    for origin in look_alikes[part]:
        if origin in origins(target.partner()):
            continue
        # How a target refuses what no browser sends as an origin is not said.
        is_one = "@" not in origin and " " not in origin and origin.count("/") == len("//")
        accepted.with_header("Origin", origin).is_refused(FORBIDDEN_ORIGIN if is_one else ANY_4XX)


@pytest.mark.verifies("proof.auth.origin-unregistered")
def test_a_registered_origin_in_capitals(accepted: Accepted, registered_origin: str) -> None:
    """Scheme and host have no letter case (RFC 3986 section 6.2.2.1), browsers send lower case: this is observed."""
    accepted.with_header("Origin", registered_origin.upper()).is_observed()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.auth.origin-registered")
def test_every_registered_origin_is_accepted(target: Target) -> None:
    """Each origin registered at onboarding may call, for either partner of the profile."""
    for credential in (target.suite.credential, SECOND):
        if credential in target.profile.credentials and origins(target.partner(credential)):
            accepted = target.control(credential)
            for origin in origins(target.partner(credential)):
                accepted.with_header("Origin", origin).is_accepted()


@pytest.mark.verifies("proof.auth.origin-registered")
def test_a_registered_origin_opens_every_endpoint(
    target: Target, registered_origin: str, once_known: Callable[[Accepted, Request], Accepted]
) -> None:
    """Who may create a session from an origin may ask from there for what has become of it."""
    session = target.control()
    for question in (
        poll(transaction_of(session.exchange), session.credential),
        kyc_status(session.request.json["partner_user_id"], session.credential),
        upgrade(transaction_of(session.exchange), session.credential),
    ):
        known = None
        with suppress(Unjudged):  # What is refused without an Origin, too, is another clause's affair.
            known = once_known(session, question)
        if known is not None:
            known.with_header("Origin", registered_origin).is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.auth.origin-optional")
def test_no_origin_is_accepted(accepted: Accepted) -> None:
    """A backend sends no Origin; a Referer is none."""
    without = accepted.with_header("Origin", None)
    if (exchange := without.is_accepted()).accepted:
        control = Accepted(accepted.target, without.request, exchange)
        control.with_header("Referer", "https://unregistered.rampcheck.example/").is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.auth.origin-optional")
def test_no_origin_is_accepted_after_one(target: Target, registered_origin: str) -> None:
    """A partner who has called with an Origin may call without one again."""
    request = target.baseline.build(target.profile, target.suite.credential, target.unique())
    request = request.with_header("Origin", registered_origin)
    control = Accepted(target, request, target.confirm(request))
    control.with_header("Origin", None).is_accepted()


@pytest.mark.verifies("proof.auth.token-secrecy")
def test_no_answer_repeats_the_token(accepted: Accepted) -> None:
    """Neither a session nor an error holds the token; the same is judged of every other exchange."""
    accepted.without("amount").send()
    accepted.with_header(
        "Authorization", f"{accepted.exchange.request.header('Authorization')}x", "the token and one more character"
    ).send()
