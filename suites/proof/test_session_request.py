"""POST /widget/session, the request: required and optional fields, their types and values (session page)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

import pytest

from rampcheck.errors import ProfileLacks, Unjudged
from rampcheck.judging.demands import Declined, Demand, Holds
from rampcheck.judging.invariants import given
from rampcheck.running.cases import (
    EMPTY,
    each,
    not_json,
    not_object,
    other_types,
    parts,
    perhaps_json,
    spellings,
)
from rampcheck.running.scenario import Accepted, Attempt, Target

from .asking import transaction_of, until_known
from .refusals import (
    ANY_4XX,
    CURRENCY_NOT_ALLOWED,
    INVALID_REQUEST,
    MISSING_FIELD,
    WALLET_NOT_SUPPORTED,
    WRONG_TYPE,
)
from .requests import CLIENT_IP, IGNORED_ADDRESS, OPTIONAL, REQUIRED, address_like, pairs, poll

SECOND = "second_client_token"
OPTIONAL_TYPE, SURVIVES = "proof.session.request.type.optional", "proof.session.request.no-server-error"
NOT_DECIMAL = (
    "abc",
    "1,5",
    "1.2.3",
    "0x10",
    "NaN",
    "12abc",
    "Infinity",
    "1 000",
    "1_000",
    "100\nabc",
    "1/2",
    ".",
    "1,000.50",
    "100\u20ac",
    "12d",  # a double of Java
    "1'000",
    "$100",
)
REDIRECT_URL = "https://rampcheck.example/done"
FORM = "application/x-www-form-urlencoded"
# What a session says of itself whatever is asked, as it never is: a server may bind whatever a body brings.
ALWAYS_OTHERWISE = {
    "widget_id": "rampcheck",
    "fix_currency": False,
    "fix_network": ["RAMPCHECK"],
    "fix_amount": False,
    "fix_fiat_currency": True,
    "fix_fiat_amount": False,
}
# The last two are 100 in the digits of other scripts, full-width and Arabic-Indic.
PERHAPS_DECIMAL = ("1e3", ".5", "5.", "+5", "007", " 5", "5\n", "\uff11\uff10\uff10", "\u0661\u0660\u0660")


@pytest.mark.parametrize("name", each("proof.session.request.required", REQUIRED))
def test_a_required_field_cannot_be_left_out(accepted: Accepted, name: str) -> None:
    """Without any one of the required fields there is no session."""
    accepted.without(name).is_refused(MISSING_FIELD)


@pytest.mark.parametrize("name", each("proof.session.request.required", REQUIRED))
def test_a_required_field_is_so_beside_everything_else(another: Accepted, name: str) -> None:
    """Neither for a sell nor beside what is optional can a required field be left out."""
    another.without(name).is_refused(MISSING_FIELD)


@pytest.mark.parametrize("name", each("proof.session.request.type", REQUIRED))
@parts(9, 1)
def test_a_required_field_is_a_string(accepted: Accepted, another: Accepted, name: str, part: slice) -> None:
    """A required field of any other JSON type is refused, by turns in the minimum and beside everything else."""
    fraction = [100.5] if name == "amount" else []  # which may be taken where a number without one is not
    values = [*mistyped(accepted.request.json[name]), None, *fraction]
    for value, control in in_turn(values, accepted, another)[part]:
        control.but(**{name: value}).is_refused(WRONG_TYPE)


@pytest.mark.verifies(OPTIONAL_TYPE)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.verifies(SURVIVES) if name == "address" else ()) for name in OPTIONAL]
)
@parts(8, 1)
def test_an_optional_field_is_a_string(
    accepted: Accepted, another: Accepted, target: Target, name: str, part: slice
) -> None:
    """An optional field of any other JSON type is refused; null is left open.

    So is all that is ignored, as long as the answer to it is below 500; null is a value of it, too.
    """
    fit = {"type": "buy", "redirect_url": REDIRECT_URL, "client_ip": CLIENT_IP, "address": IGNORED_ADDRESS}
    is_ignored = name == "address" and target.partner().get("address_mode") != "sent"
    values = mistyped(fit[name])
    for value, control in in_turn([None, *values[1:]] if is_ignored else values, accepted, another)[part]:
        attempt = control.but(**{name: value})
        if is_ignored:
            attempt.is_survived(clause=SURVIVES)
        else:
            attempt.is_refused(INVALID_REQUEST, clause=OPTIONAL_TYPE)


def mistyped(fit: str) -> list[Any]:
    """Gives what is no string: of every type but null, what is empty, and an array of a string that fits."""
    return [value for value in other_types("string") if not isinstance(value, list)] + [*EMPTY, [fit]]


def in_turn(values: Sequence[Any], *controls: Accepted) -> list[tuple[Any, Accepted]]:
    """Gives each value with a control, which take turns: a check may depend on what else is sent."""
    return [*zip(values, cycle(controls), strict=False)]


@pytest.mark.verifies("proof.session.request.empty")
@parts(5, 1)
def test_a_required_field_is_not_empty(accepted: Accepted, another: Accepted, part: slice) -> None:
    """A required field that is the empty string is refused."""
    for name, control in in_turn(REQUIRED, accepted, another)[part]:
        control.but(**{name: ""}).is_refused(INVALID_REQUEST)


@pytest.mark.verifies("proof.session.request.amount-decimal")
@parts(17, 1)
def test_an_amount_is_a_decimal_string(accepted: Accepted, another: Accepted, part: slice) -> None:
    """What is plainly no decimal number is refused as an amount."""
    for amount, control in in_turn(NOT_DECIMAL, accepted, another)[part]:
        control.but(amount=amount).is_refused(INVALID_REQUEST)


@pytest.mark.verifies("proof.session.request.amount-decimal")
@parts(9, 3)
def test_amounts_of_open_spelling(accepted: Accepted, part: slice) -> None:
    """Which other spellings count as a decimal string is not documented: what the target does is observed."""
    for amount in PERHAPS_DECIMAL[part]:
        accepted.but(amount=amount).is_observed()


@pytest.mark.verifies("proof.session.request.amount-positive")
@parts(5, 1)
def test_an_amount_is_positive(accepted: Accepted, another: Accepted, part: slice) -> None:
    """Zero and negative amounts are refused."""
    for amount, control in in_turn(("0", "0.00", "-1", "-0.01", "-0"), accepted, another)[part]:
        control.but(amount=amount).is_refused(INVALID_REQUEST)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.accepts")
@parts(6, 1)
def test_every_spelling_of_the_same_json_is_accepted(accepted: Accepted, part: slice) -> None:
    """White space, the order of members and escapes make no difference (RFC 8259)."""
    for what, body in [*spellings(accepted.request.json).items()][part]:
        accepted.with_body(body, what).is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.accepts-media-type")
def test_usual_forms_of_media_type_and_email_are_accepted(accepted: Accepted) -> None:
    """A charset parameter and a plus-addressed e-mail make no difference."""
    accepted.with_header("Content-Type", "application/json; charset=utf-8").is_accepted()
    user, _, host = accepted.request.json["user_email"].partition("@")
    accepted.but(user_email=f"{user}+tag@{host}").is_accepted()


@pytest.mark.verifies("proof.session.request.currency-enabled")
def test_a_currency_that_is_not_enabled_is_refused(accepted: Accepted, another: Accepted, target: Target) -> None:
    """Neither a made-up ticker is accepted, nor a part of one, more than one, or one that the partner does not have."""
    known = accepted.request.json["currency"]
    # From the middle: the end of WETH is another currency, which may be enabled, too.
    part = known[1:-1] if len(known) > len("USD") else f"{known}-{known}"
    for control, currency in ((another, "RAMPCHECKX"), (accepted, f"{known}QZQ"), (accepted, part)):
        control.but(currency=currency).is_refused(CURRENCY_NOT_ALLOWED)
    for control in (accepted, another, *another_partners(target)):
        if currency := target.partner(control.credential).get("disabled_currency"):
            control.but(currency=currency).is_refused(CURRENCY_NOT_ALLOWED)


@pytest.mark.verifies("proof.session.currency-echo", "proof.session.network-echo")
def test_another_letter_case_comes_back_as_it_was_sent(accepted: Accepted) -> None:
    """Whether a currency or network is known in lower case is not documented; what is taken comes back as sent."""
    for name in ("currency", "network"):
        accepted.but(**{name: accepted.request.json[name].lower()}).send()


def another_partners(target: Target) -> Iterator[Accepted]:
    """Gives the second partner's request as accepted, if there is one and the profile tells what they may ask for."""
    if SECOND in target.profile.credentials:
        with suppress(ProfileLacks):
            yield target.control(SECOND)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.currency-enabled", "proof.session.request.wallet-provisioned")
def test_every_provisioned_pair_is_accepted(accepted: Accepted, target: Target) -> None:
    """Each currency and network that the profile names as provisioned gives a session.

    So does one of another partner, who is asked for it wherever they are needed: only that refusal is judged of them.
    """
    own = [accepted.but(currency=currency, network=network) for currency, network in target.partner().get("pairs", ())]
    for attempt in (*own, *refused_to_another_partner(accepted, target)):
        exchange = attempt.send()
        if not exchange.accepted:
            refused_for_wallet = given(exchange, "error") == "wallet_not_supported"
            clause = "wallet-provisioned" if refused_for_wallet else "currency-enabled"
            attempt.is_accepted(clause=f"proof.session.request.{clause}")


def refused_to_another_partner(accepted: Accepted, target: Target) -> Iterator[Attempt]:
    """Gives the second partner's request for a pair that the profile says is theirs, where it is refused as none."""
    if SECOND not in target.profile.credentials or not target.partner(SECOND).get("pairs"):
        return
    try:
        target.control(SECOND)
    except Unjudged:
        attempt = accepted.instead(target.plain(SECOND), "another partner's token and a pair of theirs")
        code = given(attempt.send(), "code")
        if any(code in rejection.members["code"] for rejection in (CURRENCY_NOT_ALLOWED, WALLET_NOT_SUPPORTED)):
            yield attempt


@pytest.mark.verifies("proof.session.request.wallet-provisioned")
def test_a_pair_without_wallet_is_refused(accepted: Accepted, another: Accepted, target: Target) -> None:
    """An enabled currency on a network for which there is no wallet is refused as such, for either partner."""
    for control in (accepted, another, *another_partners(target)):
        if pair := target.partner(control.credential).get("unprovisioned_pair"):
            control.but(currency=pair[0], network=pair[1]).is_refused(WALLET_NOT_SUPPORTED)
    # What begins as a network is none; in which way it is refused depends on what is taken for the name of one.
    network = f"{accepted.request.json['network']}-RAMPCHECK"
    accepted.but(network=network).is_refused(ANY_4XX)


@pytest.mark.verifies("proof.session.request.type-enum")
@parts(7, 1)
def test_a_type_other_than_buy_and_sell_is_refused(accepted: Accepted, another: Accepted, part: slice) -> None:
    """`type` is buy or sell, in lower case and nothing else."""
    # .NET reads the list and the number as members of an enumeration, too.
    types = ("swap", "BUY", "", "buy ", "buy,sell", "1", "b")
    for value, control in in_turn(types, accepted, another)[part]:
        control.but(type=value).is_refused(INVALID_REQUEST)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.type-override", "proof.session.request.sell-enabled")
def test_a_type_in_the_request_beats_the_default(target: Target) -> None:
    """Whichever type the partner's default is, the other one is to be had by asking for it, on every pair.

    With off-ramp, that is a sell session of the same shape as one to buy.
    """
    try:
        credential = target.credential_where(lambda partner: partner.get("off_ramp") is True)
    except ProfileLacks:
        credential = target.credential_where(lambda partner: partner.get("widget_config.type") == "sell")
    accepted = target.control(credential)
    for currency, network in pairs(target.partner(credential)):
        buy = accepted.but(currency=currency, network=network, type="buy")
        if (bought := buy.send_again_if_refused()).accepted:
            control = Accepted(target, buy.request, bought)
        else:
            control = accepted.then(accepted.request.but(currency=currency, network=network))
        sell = control.but(type="sell")
        if not target.partner(credential).get("off_ramp"):
            sold = sell.send()
        elif (sold := sell.is_accepted(clause="proof.session.request.sell-enabled")).accepted:
            no_buy = Demand(
                "proof.session.request.sell-enabled", Holds("type", "buy", not_so=True), "for a request for a sell"
            )
            target.demand(sold, no_buy, control.exchange)
        if [given(exchange, "type") for exchange in (bought, sold) if exchange.accepted] == ["buy", "sell"]:
            override = Demand("proof.session.request.type-override", Holds("type", "sell"), "for a request for a sell")
            target.demand(sold, override, bought)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.type-default")
def test_without_a_type_the_default_holds(accepted: Accepted) -> None:
    """No `type` in the request gives a session of the partner's default type."""
    accepted.without("type").is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.type-default")
@pytest.mark.needs_of("proof.session.request.sell-enabled")
def test_the_default_type_outlasts_another_one(target: Target, seller: str) -> None:
    """A type that was asked for holds for its session only, whoever asks next."""
    accepted = target.control(seller)
    for kind in ("buy", "sell"):
        control = accepted.then(accepted.request.but(type=kind))
        control.without("type").is_accepted()
        control.changed(
            lambda _: target.plain(seller).without("type"),
            "no `type`, another user",
        ).is_accepted()


@pytest.mark.verifies("proof.session.request.sell-disabled")
def test_sell_is_refused_where_it_is_disabled(target: Target) -> None:
    """A partner without off-ramp gets no sell session, nor by asking again."""
    accepted = target.control(target.credential_where(lambda partner: partner.get("off_ramp") is False))
    for _ in range(2):
        exchange = accepted.but(type="sell").is_refused(ANY_4XX)
        target.judge.observed(target.clause, f"the refusal is {exchange.summary()}", exchange)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.redirect-override", "proof.session.request.redirect-once")
def test_a_redirect_url_holds_for_its_session_only(accepted: Accepted, target: Target) -> None:
    """The `redirect_url` sent comes back, and the next session without one does not get it, whoever asks for it.

    One that takes no effect shows nothing of what follows it.
    """
    once = "proof.session.request.redirect-once"
    own = f"https://Rampcheck.example:443/Done/a%2Fb?run={target.unique()}&to=a+b#after"
    controls = [accepted, *another_partners(target)]
    redirected = accepted.but(redirect_url=own).is_accepted(clause="proof.session.request.redirect-override")
    if not redirected.accepted or given(redirected, "redirect_url") == given(accepted.exchange, "redirect_url"):
        target.judge.unjudged(once, f"the `redirect_url` that exchange {redirected.number} sent took no effect")
        return
    for control in controls:
        before = given(control.exchange, "redirect_url")
        # The same user again, and another one: an override may be remembered for either.
        for attempt in (control.unchanged(), control.but(partner_user_id=f"rampcheck-{target.unique()}")):
            following = attempt.send_again_if_refused()
            if following.accepted:
                same = Demand(once, Holds("redirect_url", before), "as before")
                target.demand(following, same, control.exchange)


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.client-ip-optional")
def test_client_ip_may_be_left_out(accepted: Accepted, target: Target) -> None:
    """Without `client_ip` there is a session all the same, on every pair, and for a user who sent one before."""
    for currency, network in pairs(target.partner()):
        control = accepted.then(accepted.request.but(currency=currency, network=network, client_ip=CLIENT_IP))
        control.without("client_ip").is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.client-ip-optional")
@pytest.mark.needs_of("proof.session.request.sell-enabled")
def test_client_ip_may_be_left_out_of_a_sell(target: Target, seller: str) -> None:
    """Without `client_ip` a partner with off-ramp gets a sell session, too."""
    control = target.accepted(seller, type="sell", client_ip=CLIENT_IP)
    control.without("client_ip").is_accepted()


@pytest.mark.creates_sessions
@pytest.mark.verifies("proof.session.request.address-ignored")
@parts(3, 1)
def test_an_address_sent_changes_nothing(accepted: Accepted, target: Target, part: slice) -> None:
    """Where Proof resolves the address, one that is sent is ignored, on every pair and by the next session, too.

    It has the form of Proof's own; what has none is sent among the choices of a session.
    """
    for currency, network in pairs(target.partner())[part]:
        control = accepted.then(accepted.request.but(currency=currency, network=network))
        own = given(control.exchange, "address")
        sent = address_like(str(own))
        unsent = Demand(
            target.clause, Holds("address", sent, not_so=True), f"the one sent, but Proof's own, as {own!r} before"
        )
        exchange = control.but(address=sent).is_accepted()
        for following in (exchange, control.unchanged().send_again_if_refused()):
            if following.accepted:
                target.demand(following, unsent, control.exchange)


@pytest.mark.verifies("proof.session.request.malformed-json")
@parts(7, 1)
def test_a_body_that_is_no_json_is_refused(accepted: Accepted, part: slice) -> None:
    """A body that no JSON parser may take is refused."""
    for what, body in [*not_json(accepted.request.body).items()][part]:
        accepted.with_body(body, what).is_refused(INVALID_REQUEST)


@pytest.mark.verifies("proof.session.request.malformed-json")
def test_a_body_with_more_than_json(accepted: Accepted) -> None:
    """Whether a parser may take NaN and Infinity is not documented: what the target does is observed."""
    for what, body in perhaps_json(accepted.request.body).items():
        accepted.with_body(body, what).is_observed()


@pytest.mark.verifies("proof.session.request.non-object")
@parts(7, 1)
def test_a_body_that_is_no_object_is_refused(accepted: Accepted, part: slice) -> None:
    """A JSON text other than an object is refused."""
    for what, body in [*not_object(accepted.request.body).items()][part]:
        accepted.with_body(body, f"{what} as the body").is_refused(INVALID_REQUEST)


@pytest.mark.verifies("proof.session.request.email-format")
@parts(5, 1)
def test_an_impossible_email_is_refused(accepted: Accepted, another: Accepted, part: slice) -> None:
    """What cannot be an e-mail address is refused as one."""
    emails = ("no-at-sign.example.com", "@example.com", "user@", "two@at@example.com", "white space@example.com")
    for email, control in in_turn(emails, accepted, another)[part]:
        control.but(user_email=email).is_refused(INVALID_REQUEST)


@pytest.mark.verifies("proof.session.request.media-type")
def test_another_media_type_is_refused(accepted: Accepted) -> None:
    """A body that is not declared as JSON is refused; another type's name may begin with that of JSON (RFC 6902)."""
    for media_type in ("text/plain", FORM, "application/json-patch+json"):
        accepted.with_header("Content-Type", media_type).is_refused(ANY_4XX)
    accepted.changed(
        lambda request: request.with_body(urlencode(request.json)).with_header("Content-Type", FORM),
        "the same fields as a form",
    ).is_refused(ANY_4XX)


@pytest.mark.verifies("proof.session.request.method")
@parts(4, 1)
def test_another_method_is_refused(accepted: Accepted, target: Target, part: slice) -> None:
    """Only POST creates a session; another method gives neither a 2xx nor a 5xx."""
    for method in ("GET", "PUT", "PATCH", "DELETE")[part]:
        exchange = accepted.instead(replace(accepted.request, method=method), f"the method {method}").send()
        target.demand(exchange, Demand(target.clause, Declined(), f"for {method}"), accepted.exchange)


@pytest.mark.verifies("proof.session.request.unknown-field")
def test_an_undocumented_field(accepted: Accepted, target: Target) -> None:
    """What a target does with a field that is not documented is observed, also with one that is named as an answer's.

    Where there is a session all the same, what is always so in one is so in this one, as the invariants say, and its
    transaction is pending.
    """
    before = {"merchant_transaction_id": given(accepted.exchange, "merchant_transaction_id")}
    exchange = accepted.changed(
        lambda request: request.but(rampcheck_undocumented="x", status="completed", **ALWAYS_OTHERWISE, **before),
        "a field that is not documented, and those of answers",
    ).is_observed()
    if exchange.accepted and (answer := until_known(target, poll(transaction_of(exchange), accepted.credential))):
        pending = Demand("proof.transaction.pending", Holds("status", "pending"), "for a session just created")
        target.demand(answer, pending, exchange)
