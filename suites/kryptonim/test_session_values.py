"""POST /v1/widget-sessions, the values: amounts, currencies, networks, payment methods, IP addresses,
metadata, unlocked fields (widget sessions page, a section each)."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.running.cases import parts
from rampcheck.running.scenario import Accepted, Attempt, Target

from .amounts import AMOUNTS, Sizes, with_amount
from .refusals import ANY_4XX, UNSUPPORTED_NETWORK
from .requests import TESTNET, UNLOCKABLE, with_field

CLAUSE = "kryptonim.session.request"


# Conversion Type

EVERYWHERE = ("card", "bank_transfer")  # payment methods
AMOUNT_OF = {"fiat-amount": "fiatAmount", "crypto-amount": "cryptoAmount"}  # by its clause
TURNS = (("fiat-amount", "crypto-amount"), ("crypto-amount", "fiat-amount"))


def sized(control: Accepted, clause: str, size: float, others: dict[str, str]) -> Attempt:
    """Sets one amount alone, and other fields with it."""
    shown = "".join(f", `{other}` = {value}" for other, value in others.items())
    return control.changed(
        lambda request: with_amount(request, AMOUNT_OF[clause], size).but(**others),
        f"`{AMOUNT_OF[clause]}` = {size} alone{shown}",
    )


def taken(control: Accepted, sizes: Sizes, clause: str, others: dict[str, str]) -> list[float]:
    """Sends an amount of one kind in several sizes, because the limits are not documented, until two are accepted.

    Gives those that are, the smaller one first.
    """
    held: list[float] = []
    for size in sizes.of(AMOUNT_OF[clause]):
        exchange = sized(control, clause, size, others).send()
        if exchange.accepted:
            held.append(size)
            control.target.demand(exchange, Demand(f"{CLAUSE}.{clause}", Acceptance()), control.exchange)
        if len(held) == 2:
            break
    if not held and sizes.are_found(control, AMOUNT_OF[clause]):
        return taken(control, sizes, clause, others)
    return sorted(held)


def between(smaller: float, larger: float) -> float:
    """Gives an amount between two others that has a fraction."""
    middle = (smaller + larger) / 2
    return middle + min(0.5, (larger - middle) / 2) if middle.is_integer() else middle


def either_amount_is_enough(control: Accepted, sizes: Sizes, **others: str) -> None:
    """Demands that an amount of one kind is accepted where one of the other kind is, and one between two that are.

    Where neither is, it is the other fields that are refused.
    """
    held = {clause: taken(control, sizes, clause, others) for clause in AMOUNT_OF}
    for clause, other in TURNS:
        if len(held[clause]) == 2:
            sized(control, clause, between(*held[clause]), others).is_accepted(clause=f"{CLAUSE}.{clause}")
        elif held[other] and not held[clause]:
            known = control.then(sized(control, other, held[other][0], others).request)
            alone = sized(known, clause, sizes.of(AMOUNT_OF[clause])[0], others)
            alone = replace(alone, change=f"{alone.change}, {sizes.tried(AMOUNT_OF[clause])}")
            alone.is_accepted(clause=f"{CLAUSE}.{clause}")


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.fiat-amount", f"{CLAUSE}.crypto-amount")
def test_either_amount_alone_gives_a_session(accepted: Accepted, sizes: Sizes) -> None:
    """One amount is enough, with or without a fraction."""
    either_amount_is_enough(accepted, sizes)


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.fiat-amount", f"{CLAUSE}.crypto-amount")
def test_the_amounts_may_take_turns(full: Accepted, sizes: Sizes) -> None:
    """A user who has bought by one kind of amount may buy by the other one."""

    def another_user() -> dict[str, str]:
        return {"email": f"rampcheck-{full.target.unique()}@example.com"}

    held = {clause: taken(full, sizes, clause, another_user()) for clause in AMOUNT_OF}
    for clause, other in TURNS:
        if held[clause] and held[other]:
            control = full.then(sized(full, other, held[other][0], another_user()).request)
            sized(control, clause, held[clause][0], {}).is_accepted(clause=f"{CLAUSE}.{clause}")


@pytest.mark.verifies(f"{CLAUSE}.amount-one-of")
def test_a_request_without_amount_is_refused(accepted: Accepted, another: Accepted) -> None:
    """One of the two amounts has to be there, by its own name; that the user may change it does not replace it."""
    another.without(*AMOUNTS).is_refused(ANY_4XX)
    accepted.without(*AMOUNTS).is_refused(ANY_4XX)
    accepted.changed(lambda request: request.without(*AMOUNTS).but(amount=15), "`amount` for any amount").is_refused(
        ANY_4XX
    )


@pytest.mark.verifies(f"{CLAUSE}.amount-exclusive")
def test_a_request_with_both_amounts_is_refused(accepted: Accepted, another: Accepted, sizes: Sizes) -> None:
    """Never both amounts, alike or not, in either order, whatever else is asked for."""
    usual_fiat, usual_crypto = (sizes.of(name)[0] for name in AMOUNTS)
    pairs_of_another = ((usual_fiat, usual_crypto), (100, usual_crypto))
    for control, pairs in (
        (accepted, ((usual_fiat, usual_crypto), (usual_fiat, 0.001), (100, usual_crypto))),
        (another, pairs_of_another),
    ):
        for fiat, crypto in pairs:
            both = {"fiatAmount": fiat, "cryptoAmount": crypto}
            if control is another or fiat < crypto * 10:
                both = dict(reversed(both.items()))
            control.instead(control.request.without(*AMOUNTS).but(**both), json.dumps(both)).is_refused(ANY_4XX)


@pytest.mark.verifies(
    f"{CLAUSE}.amount-exclusive", f"{CLAUSE}.amount-positive", *(f"{CLAUSE}.type.{name}" for name in AMOUNTS)
)
def test_a_second_amount_of_nothing(accepted: Accepted) -> None:
    """Whether null counts as a second amount is not documented, and observed; zero is refused as zero is, if not so.

    And an empty string is no number, whether another amount is there or not.
    """
    missing = next(name for name in AMOUNTS if name not in accepted.request.json)
    accepted.but(**{missing: None}).is_observed(clause=f"{CLAUSE}.amount-exclusive")
    accepted.but(**{missing: 0}).is_refused(ANY_4XX, clause=f"{CLAUSE}.amount-positive")
    accepted.but(**{missing: ""}).is_refused(ANY_4XX, clause=f"{CLAUSE}.type.{missing}")


@pytest.mark.verifies(f"{CLAUSE}.amount-positive")
@pytest.mark.parametrize("name", AMOUNTS)
@parts(7, 1)
def test_an_amount_is_positive(accepted: Accepted, another: Accepted, name: str, part: slice) -> None:
    """Zero and negative amounts are refused, however small, and whatever they become in 32 bits."""
    wrong: tuple[float, ...] = (0, -0.0, -0.000001, -15, 15 - 2**32)
    for control, value in [*((accepted, value) for value in wrong), *((another, value) for value in wrong[::3])][part]:
        control.changed(partial(with_field, name=name, value=value), f"`{name}` = {value}").is_refused(ANY_4XX)


# Currencies and networks

OBJECTS_OWN = "constructor"  # exists nowhere, but JavaScript finds it in every object


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.fiat-currency", f"{CLAUSE}.payment-method")
def test_a_user_may_choose_anew(full: Accepted) -> None:
    """Who has paid in one currency and by one method may pay in the other, and by the other."""
    for currency in ("EUR", "USD"):
        full.but(fiatCurrency=currency).is_accepted(clause=f"{CLAUSE}.fiat-currency")
    for method in EVERYWHERE:
        full.but(paymentMethod=method).is_accepted(clause=f"{CLAUSE}.payment-method")


@pytest.mark.verifies(f"{CLAUSE}.fiat-currency-unknown")
@parts(6, 1)
def test_a_made_up_fiat_currency_is_refused(accepted: Accepted, another: Accepted, part: slice) -> None:
    """A code that no list of currencies has, ISO 4217's least of all, or that of a crypto currency, is refused."""
    made_up = ("QZQ", OBJECTS_OWN, "E", f"{accepted.request.json['fiatCurrency']}X", "USDC")
    for control, currency in [*((accepted, currency) for currency in made_up), (another, "QZQ")][part]:
        control.but(fiatCurrency=currency).is_refused(ANY_4XX)


@pytest.mark.verifies(f"{CLAUSE}.crypto-currency")
@parts(5, 1)
def test_a_made_up_crypto_currency_is_refused(accepted: Accepted, another: Accepted, part: slice) -> None:
    """A symbol that does not exist, or the code of a fiat currency, is refused."""
    known = accepted.request.json["cryptoCurrency"]
    made_up = (OBJECTS_OWN, f"{known}QZQ", f"{'RAMPCHECK' * 8}{known}", "EUR")
    for control, currency in [*((accepted, currency) for currency in made_up), (another, "RAMPCHECKX")][part]:
        control.but(cryptoCurrency=currency).is_refused(ANY_4XX)


@pytest.mark.verifies(f"{CLAUSE}.fiat-currency-unknown", f"{CLAUSE}.crypto-currency")
def test_currencies_in_lower_case(accepted: Accepted) -> None:
    """Whether letter case matters in a currency is not documented: what the target does is observed."""
    for name, clause in (("fiatCurrency", "fiat-currency-unknown"), ("cryptoCurrency", "crypto-currency")):
        accepted.but(**{name: accepted.request.json[name].lower()}).is_observed(clause=f"{CLAUSE}.{clause}")


@pytest.mark.verifies(f"{CLAUSE}.network-supported")
def test_a_made_up_network_is_refused(accepted: Accepted, another: Accepted, target: Target) -> None:
    """A network that does not exist is refused in the documented words, each time anew, however like a known one.

    So is one that only a pattern has in common with it, as a search without regard to letter case may take it for.
    """
    known = accepted.request.json["network"]
    for network in (OBJECTS_OWN, f"{known}x", f"x{known}", known[:-1], f"{known[:-1]}%"):
        exchange = accepted.but(network=network).is_refused(UNSUPPORTED_NETWORK)
        target.judge.observed(target.clause, f"the refusal is {exchange.summary()}", exchange)
    another.but(network="rampcheck-network").is_refused(UNSUPPORTED_NETWORK)


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.testnet")
def test_a_user_may_buy_every_currency_of_the_testnet(full: Accepted) -> None:
    """Who has bought one of the three crypto currencies may buy the others."""
    for currency in TESTNET:
        full.but(cryptoCurrency=currency, network="polygon").is_accepted()


@pytest.mark.verifies(f"{CLAUSE}.testnet")
def test_other_names_of_the_testnet(accepted: Accepted) -> None:
    """The page names the network's number, too, but not what it is for: what the target does is observed."""
    for network in ("80002", "POLYGON"):
        accepted.but(network=network).is_observed()


# Payment Methods

PRODUCTION = ("apple_pay", "google_pay", "astropay", "blik", "ideal")


@pytest.mark.verifies(f"{CLAUSE}.payment-method")
def test_payment_methods_that_are_not_promised(accepted: Accepted, target: Target) -> None:
    """What a target does with a method of another environment, or a made-up one, is observed."""
    for method in (*(PRODUCTION if target.profile.environment == "testnet" else ()), "rampcheck_pay" * 20):
        accepted.but(paymentMethod=method).is_observed()


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.payment-method-production")
def test_payment_methods_of_production(accepted: Accepted, target: Target) -> None:
    """Of the methods that depend on country and currency at least one is accepted, in euros or US dollars."""
    exchanges = [
        accepted.but(paymentMethod=method, fiatCurrency=currency).is_observed()
        for method in PRODUCTION
        for currency in ("EUR", "USD")
    ]
    taken = [exchange for exchange in exchanges if exchange.accepted]
    for exchange in taken or exchanges[-1:]:
        any_of_them = Acceptance(f"a session with any of {', '.join(PRODUCTION)}")
        target.demand(exchange, Demand(target.clause, any_of_them), accepted.exchange)


# IP Address


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.ip-forms")
@parts(8, 1)
def test_every_form_of_ip_address_is_accepted(accepted: Accepted, part: slice) -> None:
    """It may be IPv4, IPv6 or IPv4 mapped into IPv6 (addresses of RFC 5737 and RFC 3849), or absent."""
    addresses = (
        "192.0.2.1",
        "203.0.113.42",
        "2001:db8::68",
        "2001:0db8:0000:0000:0000:0000:0000:0068",
        "2001:DB8:0:0:8:800:200C:417A",
        "::ffff:192.0.2.1",
        "0000:0000:0000:0000:0000:ffff:203.0.113.228",
    )
    attempts = [*(accepted.but(ipAddress=address) for address in addresses), accepted.without("ipAddress")]
    for attempt in attempts[part]:
        attempt.is_accepted()


@pytest.mark.verifies(f"{CLAUSE}.ip-forms")
def test_what_is_no_ip_address(accepted: Accepted) -> None:
    """Whether what cannot be verified is refused is not documented: what the target does is observed."""
    for address in ("rampcheck", "999.0.2.1", "127.0.0.1", "192.0.2.0/24", "::ffff:c000:201", "fe80::1%eth0"):
        accepted.but(ipAddress=address).is_observed()


# Metadata

METADATA: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a text": {"note": "rampcheck"},
    "an empty text": {"note": ""},
    "a long text": {"note": "rampcheck " * 20},
    "an empty name": {"": "rampcheck"},
    "a name of several words": {"the note's name": "rampcheck"},
    "names with a dot and a dollar sign": {"order.id": "rampcheck", "$order": "rampcheck"},
    "names of the request's own fields": {"network": "none", "email": 1, "fiatAmount": None, "sessionId": None},
    "marks and a line break": {"note": 'Ann & Bob\'s "5 < 6" > 4; 50 % \\ a/b\nrampcheck'},
    "other alphabets": {"zażółć": "Ünïcödé, 例え, مثال, 💸"},
    "a number": {"note": 1234},
    "zero": {"note": 0},
    "a fraction": {"note": -0.5},
    "a large number": {"note": 10**21},
    "booleans": {"yes": True, "no": False},
    "null": {"note": None},
    "an array": {"note": [1, "two", None, [3.5, {"four": 4}]]},
    "an empty array": {"note": []},
    "an object": {"note": {"deep": {"deeper": {"deepest": "rampcheck"}}}},
    "an empty object": {"note": {}},
    "the reserved member": {"_externalPartnerId": "partner-rampcheck"},
    "the reserved member among others": {"_externalPartnerId": "partner-rampcheck", "note": 1, "list": ["a"]},
}


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.metadata")
def test_metadata_of_any_shape_is_accepted(accepted: Accepted, target: Target) -> None:
    """The metadata's values may be of every JSON type, and nested; those refused together are tried by themselves."""
    together = {
        f"{name}{number}" if name == "note" else name: value
        for number, metadata in enumerate(METADATA.values())
        for name, value in metadata.items()
    }
    attempt = accepted.but(metadata=together)
    exchange = attempt.send_again_if_refused()
    if exchange.accepted:
        target.demand(exchange, Demand(target.clause, Acceptance()), accepted.exchange)
    for what, metadata in METADATA.items():
        if not exchange.accepted or not metadata:
            change = partial(with_field, name="metadata", value=metadata)
            accepted.changed(change, f"{what} as metadata").is_accepted()


@pytest.mark.verifies(f"{CLAUSE}.type.metadata")
@parts(6, 1)
def test_the_reserved_metadata_is_a_string(accepted: Accepted, part: slice) -> None:
    """The one reserved member of the metadata that is documented is refused where it is no string."""
    wrong: tuple[Any, ...] = (1234, True, ["partner-rampcheck"], 0, [], {})
    for value in wrong[part]:
        accepted.but(metadata={"_externalPartnerId": value}).is_refused(ANY_4XX)


@pytest.mark.verifies(f"{CLAUSE}.metadata", f"{CLAUSE}.no-server-error")
def test_other_reserved_metadata(accepted: Accepted) -> None:
    """What null stands for, what else may begin with an underscore, and how many members there may be, is observed."""
    many = {f"note{number}": number for number in range(11)}
    for metadata in ({"_rampcheck": "partner"}, many):
        accepted.but(metadata=metadata).is_observed(clause=f"{CLAUSE}.metadata")
    nobody = accepted.but(metadata={"_externalPartnerId": None})
    exchange = nobody.is_survived(clause=f"{CLAUSE}.no-server-error")
    accepted.target.judge.observed(f"{CLAUSE}.metadata", f"{nobody.change}: {exchange.summary()}", exchange)


# Available Unlocked Fields


@pytest.mark.creates_sessions
@pytest.mark.verifies(f"{CLAUSE}.unlocked-fields")
@parts(14, 1)
def test_any_selection_of_unlocked_fields_is_accepted(full: Accepted, part: slice) -> None:
    """None, each one, several and all of the fields that may be unlocked are accepted, in any order."""
    selections = (
        (),
        *((name,) for name in UNLOCKABLE),
        UNLOCKABLE[:2],
        UNLOCKABLE[3:6],
        UNLOCKABLE[6:],
        UNLOCKABLE,
        UNLOCKABLE[::-1],
    )
    for names in selections[part]:
        full.but(unlockedFields=names).is_accepted()


@pytest.mark.verifies(f"{CLAUSE}.unlocked-fields", f"{CLAUSE}.required.destinationAddress")
def test_other_names_among_the_unlocked_fields(full: Accepted) -> None:
    """What a target does with what is not on the list, as in the page's own example, or no name, is observed.

    That the address may be changed in the widget does not replace it.
    """
    unlocked = full.but(unlockedFields=["destinationAddress"])
    exchange = unlocked.is_observed(clause=f"{CLAUSE}.unlocked-fields")
    if exchange.accepted:
        Accepted(full.target, unlocked.request, exchange).without("destinationAddress").is_refused(
            ANY_4XX, clause=f"{CLAUSE}.required.destinationAddress"
        )
    for names in (
        ["fiatAmount", "destinationAddress"],
        ["rampcheck"],
        ["email", "email"],
        [None, ["email"], 1],
    ):
        full.but(unlockedFields=names).is_observed(clause=f"{CLAUSE}.unlocked-fields")
