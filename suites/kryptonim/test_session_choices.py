"""POST /v1/widget-sessions, the choices together: every two values of any two fields in some request, by a covering
array (pairwise testing; allpairspy makes it)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from allpairspy import AllPairs

from rampcheck.judging.demands import Acceptance, Demand
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Exchange, Request

from .amounts import AMOUNTS, Sizes, with_amount
from .requests import TESTNET, UNLOCKABLE, optional_fields

CLAUSE = "kryptonim.session.request"
ABSENT = object()
AMOUNT = "amount"  # stands for whichever of the two is sent
MOST = 4  # rows that are looked into: what is refused by itself is so in many of them
# By what a choice is promised: to be accepted, and to be left out. That an address or URL may stand beside the rest is
# promised by nothing but the list of fields.
CLAUSES = {
    "fiatCurrency": "fiat-currency",
    "cryptoCurrency": "testnet",
    "paymentMethod": "payment-method",
    "metadata": "metadata",
    "unlockedFields": "unlocked-fields",
    "ipAddress": "ip-forms",
}
OPTIONAL = "optional"
# Of choices that are refused only together, the one whose clause stands first here is blamed: the fewer requests have
# it, the more does its clause speak of them.
SPEAKING = (
    "metadata",
    "unlocked-fields",
    "ip-forms",
    "payment-method",
    "fiat-currency",
    "testnet",
    "crypto-amount",
    "fiat-amount",
    OPTIONAL,
)


@dataclass(frozen=True)
class Choice:
    """A value of a field, and the clause by which it has to be accepted."""

    field: str
    value: Any

    @property
    def clause(self) -> str:
        """The clause that promises this choice, by itself."""
        if self.field == AMOUNT:
            return "fiat-amount" if self.value == "fiatAmount" else "crypto-amount"
        return OPTIONAL if self.value is ABSENT else CLAUSES.get(self.field, OPTIONAL)

    @property
    def is_free(self) -> bool:
        """Whether nothing promises that this very value is accepted."""
        return self.clause == OPTIONAL and self.value is not ABSENT

    def made(self, request: Request, size: float) -> Request:
        """Gives the request with this choice made; `size` is of an amount."""
        if self.field == AMOUNT:
            return with_amount(request, self.value, size)
        return request.without(self.field) if self.value is ABSENT else request.but(**{self.field: self.value})

    def __str__(self) -> str:
        return f"no `{self.field}`" if self.value is ABSENT else f"`{self.field}` = {self.value}"


def choices(accepted: Request, unique: str, *, on_testnet: bool) -> dict[str, tuple[Any, ...]]:
    """Gives the values of each field; the first one is that of the accepted request."""
    own = optional_fields(unique)
    currencies = TESTNET if on_testnet and accepted.json["network"] == "polygon" else ()
    given: dict[str, tuple[Any, ...]] = {
        AMOUNT: AMOUNTS,
        "fiatCurrency": ("EUR", "USD"),
        "cryptoCurrency": currencies,
        "paymentMethod": (ABSENT, "card", "bank_transfer"),
        "ipAddress": (ABSENT, "203.0.113.42", "2001:db8::68", "::ffff:192.0.2.1"),
        "metadata": (ABSENT, own["metadata"], {"note": {"of": [1, None]}, "_externalPartnerId": "rampcheck"}),
        "unlockedFields": (ABSENT, [], list(UNLOCKABLE)),
        **{name: (ABSENT, own[name]) for name in ("email", "successUrl", "failureUrl")},
    }
    known = {AMOUNT: next(name for name in AMOUNTS if name in accepted.json), **accepted.json}
    return {
        name: (known.get(name, ABSENT), *(value for value in values if value != known.get(name, ABSENT)))
        for name, values in given.items()
    }


def covering(fields: Mapping[str, tuple[Any, ...]]) -> list[tuple[Choice, ...]]:
    """Gives as few rows as the library finds in which every two values of any two fields stand together.

    The last one has of each field what is furthest from the accepted request.
    """
    numbers = [*AllPairs([range(len(values)) for values in fields.values()]), [-1] * len(fields)]
    return [
        tuple(Choice(name, values[number]) for (name, values), number in zip(fields.items(), row, strict=True))
        for row in numbers
    ]


@pytest.mark.creates_sessions
@pytest.mark.verifies(
    *(f"{CLAUSE}.{name}" for name in ("fiat-amount", "crypto-amount", OPTIONAL, *CLAUSES.values())),
    "kryptonim.session.widget-url-private",
    "kryptonim.session.expires-at",
)
def test_every_two_choices_go_together(accepted: Accepted, sizes: Sizes, target: Target) -> None:
    """What is accepted by itself is accepted beside anything else that is; of two that are not, each is a finding."""
    fields = choices(accepted.request, target.unique(), on_testnet=target.profile.environment == "testnet")
    plain = {name: values[0] for name, values in fields.items()}
    alone: dict[str, bool] = {}
    refused = 0
    for row in covering(fields):
        made = [choice for choice in row if choice.value is not plain[choice.field] and alone.get(choice.field, True)]
        attempt, exchange = tried(accepted, sizes, made)
        if not exchange.accepted and (known := which_are_taken(accepted, sizes, made, alone)) != made:
            made = known
            attempt, exchange = tried(accepted, sizes, made)
        if exchange.accepted:
            # Some amount is there in every row, be it that of the accepted request.
            for clause in {choice.clause for choice in row if choice in made or choice.field == AMOUNT}:
                target.demand(exchange, Demand(f"{CLAUSE}.{clause}", Acceptance()), accepted.exchange)
        elif (refused := refused + 1) <= MOST:
            look_into(accepted, sizes, made, attempt.request)


def which_are_taken(accepted: Accepted, sizes: Sizes, made: Sequence[Choice], alone: dict[str, bool]) -> list[Choice]:
    """Gives the choices without those that no clause promises and that are refused by themselves, too.

    Which e-mail addresses and URLs a target takes is not documented. `alone` keeps what was seen of a field.
    """
    for choice in made:
        if choice.is_free and choice.field not in alone:
            alone[choice.field] = tried(accepted, sizes, [choice])[1].accepted
    return [choice for choice in made if alone.get(choice.field, True)]


def tried(accepted: Accepted, sizes: Sizes, made: Sequence[Choice]) -> tuple[Attempt, Exchange]:
    """Makes choices, with amounts of several sizes until one is accepted; gives the last attempt, and its answer."""
    amount = next((choice.value for choice in made if choice.field == AMOUNT), "")
    shown = ", ".join(map(str, made)) or "nothing otherwise"
    for size in sizes.of(amount) if amount else (0,):
        request = accepted.request
        for choice in made:
            request = choice.made(request, size)
        if "email" in request.json:
            # Another user each time: what one has chosen before is another scenario's affair.
            request = request.but(email=f"rampcheck-{accepted.target.unique()}@example.com")
        attempt = accepted.instead(request, shown)
        exchange = attempt.send()
        if exchange.accepted:
            return attempt, exchange
    return tried(accepted, sizes, made) if amount and sizes.are_found(accepted, amount) else (attempt, exchange)


def look_into(accepted: Accepted, sizes: Sizes, made: Sequence[Choice], request: Request) -> None:
    """Demands a refused request by one of those choices without each of which all the others are accepted.

    They are refused together only: that is one finding, which names them all.
    """
    needed: list[tuple[Choice, Accepted]] = []
    for choice in made:
        others, exchange = tried(accepted, sizes, [other for other in made if other is not choice])
        if exchange.accepted:
            needed.append((choice, Accepted(accepted.target, others.request, exchange)))
    if needed:
        needed.sort(key=lambda one: SPEAKING.index(one[0].clause))
        blamed, control = needed[0]
        together = [choice for choice, _ in needed]
        rest = ", ".join(str(choice) for choice in made if choice not in together)
        shown = " together with ".join(map(str, together)) + (f", besides {rest}" if rest else "")
        control.instead(request, shown).is_accepted(clause=f"{CLAUSE}.{blamed.clause}")
