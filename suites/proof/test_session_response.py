"""POST /widget/session, the response. What holds for every session is judged by the schema and the invariants; these
scenarios provoke the sessions in which it could break."""

from itertools import cycle

import pytest

from rampcheck.errors import RunOver, Unjudged
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Target

from .asking import demand, transaction_of
from .requests import amount_near, pairs, poll

SECOND = "second_client_token"
pytestmark = pytest.mark.creates_sessions

CONFIGURED = ("currencies", "networks", "fiat_currency", "fiat_currencies", "lang", "theme", "redirect_url")


@pytest.mark.verifies("proof.session.merchant-transaction-id", "proof.session.init-token")
def test_the_same_request_twice_gives_two_sessions(accepted: Accepted) -> None:
    """Nothing that repeats in a request makes a transaction id or an init token repeat."""
    accepted.unchanged().send_again_if_refused()
    accepted.unchanged().send_again_if_refused()


@pytest.mark.verifies(
    "proof.session.merchant-transaction-id",
    "proof.session.init-token",
    "proof.transaction.echo",
    "proof.transaction.pending",
)
@parts(18, 6)
def test_requests_at_the_same_time_give_sessions_of_their_own(accepted: Accepted, target: Target, part: slice) -> None:
    """Six users who ask at the same time get six sessions, each its own, and so do those after them.

    Whose a session is, its transaction shows: of two of them it is asked for. One user is another partner's, if there
    is one.
    """
    some = [
        {"currency": currency, "network": network, "amount": amount_near(target.partner(), number, "50")}
        for number, (currency, network) in zip(range(18)[part], cycle(pairs(target.partner())), strict=False)
    ]
    requests = [target.plain(accepted.credential).but(**own) for own in some]
    if has_another_partner(target):
        requests[1] = target.plain(SECOND)
    for request, exchange in [*zip(requests, target.send_together(requests), strict=True)][-2:]:
        if exchange.accepted:
            question = poll(transaction_of(exchange), accepted.credential)
            demand(target, "proof.transaction.pending", question, Accepted(target, request, exchange))


def has_another_partner(target: Target) -> bool:
    """Whether the second partner's request is accepted, if there is one and the profile tells what they may ask for."""
    try:
        return SECOND in target.profile.credentials and target.control(SECOND).exchange.accepted
    except RunOver:
        raise
    except Unjudged:
        return False


@pytest.mark.verifies("proof.session.signature-mixes-ip", "proof.session.request.client-ip-forms")
def test_the_signature_depends_on_the_address(accepted: Accepted, target: Target) -> None:
    """`client_ip` may be IPv4 or IPv6; sessions that differ in it differ in signature, those of a sell, too.

    The addresses are examples of RFC 5737 and RFC 3849.
    """
    for address in ("203.0.113.42", "203.0.113.43", "198.51.100.7", "2001:db8::68", "2001:db8:0:0:0:0:0:1"):
        accepted.but(client_ip=address).is_accepted(clause="proof.session.request.client-ip-forms")
    for credential in (target.suite.credential, SECOND):
        if credential in target.profile.credentials and target.partner(credential).get("off_ramp"):
            sell = target.accepted(credential, type="sell", client_ip="203.0.113.42")
            sell.but(client_ip="203.0.113.43").send_again_if_refused()
            break


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, id=name, marks=pytest.mark.verifies(f"proof.session.config.{name}")) for name in CONFIGURED],
)
def test_configured_fields_do_not_follow_the_request(accepted: Accepted, target: Target, name: str) -> None:
    """Each configured field is what `widget_config` holds, for either partner of the profile."""
    assert accepted.exchange.accepted, name
    if SECOND in target.profile.credentials:
        target.control(SECOND)
