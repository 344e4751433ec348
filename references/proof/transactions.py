"""Transactions and the users they belong to: what the Proof server remembers, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from .partners import Partner
from .request import SessionRequest

TERMINAL = frozenset({"completed", "failed", "cancelled"})
# What one unit of a currency costs, in any fiat currency; 1 where nothing is said.
RATES = {"USDT": Decimal("0.92"), "USDC": Decimal("0.92"), "ETH": Decimal("2450.10")}
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Transaction:
    """A transaction as it is at one moment.

    `amount` is the session's; `crypto_amount` is empty until the transaction is processed, `payment_method`
    None until the user has chosen one.
    """

    partner: Partner
    id: str
    partner_user_id: str
    type: str
    status: str
    currency: str
    network: str
    amount: str
    crypto_amount: str
    fiat_currency: str
    fiat_amount: str
    created_at: datetime
    updated_at: datetime
    payment_method: str | None = None

    @classmethod
    def of_session(
        cls, partner: Partner, request: SessionRequest, session: Mapping[str, Any], now: datetime
    ) -> Transaction:
        """The pending transaction of a session just created: what the session says is what is remembered."""
        currency = _said(session, "currency", request.currency)
        amount = _said(session, "amount", request.amount)
        return cls(
            partner=partner,
            id=_said(session, "merchant_transaction_id", ""),
            partner_user_id=request.partner_user_id,
            type=_said(session, "type", request.type or partner.widget_config["type"]),
            status="pending",
            currency=currency,
            network=_said(session, "network", request.network),
            amount=amount,
            crypto_amount="",
            fiat_currency=_said(session, "fiat_currency", partner.widget_config["fiat_currency"]),
            fiat_amount=fiat_amount(currency, amount),
            created_at=now,
            updated_at=now,
        )

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other partner's transactions."""
        return self.partner.widget_id, self.id

    @property
    def is_terminal(self) -> bool:
        """Whether its status can change no more."""
        return self.status in TERMINAL


class Ledger:
    """The transactions, and the users of each partner, as long as this process lives."""

    def __init__(self) -> None:
        self._transactions: dict[tuple[str, str], Transaction] = {}
        self._verified: dict[tuple[str, str], bool] = {}

    def open(self, transaction: Transaction) -> None:
        """Remembers a new transaction; from now on its user is known to its partner."""
        self.update(transaction)
        self._verified.setdefault((transaction.partner.widget_id, transaction.partner_user_id), False)

    def update(self, transaction: Transaction) -> None:
        """Remembers a transaction as it now is."""
        self._transactions[transaction.key] = transaction

    def transaction(self, partner: Partner, transaction_id: str) -> Transaction | None:
        """The partner's transaction with this id, or None."""
        return self._transactions.get((partner.widget_id, transaction_id))

    def transactions(self, partner: Partner) -> tuple[Transaction, ...]:
        """All transactions of the partner, the oldest first."""
        return tuple(found for found in self._transactions.values() if found.partner is partner)

    def verify(self, transaction: Transaction) -> None:
        """Remembers that the transaction's user has passed the identity check."""
        self._verified[transaction.partner.widget_id, transaction.partner_user_id] = True

    def knows(self, partner: Partner, user: str) -> bool:
        """Whether the partner has ever created a session for the user."""
        return (partner.widget_id, user) in self._verified

    def users(self, partner: Partner) -> tuple[str, ...]:
        """All users for whom the partner has created a session."""
        return tuple(user for owner, user in self._verified if owner == partner.widget_id)

    def is_verified(self, partner: Partner, user: str) -> bool:
        """Whether a user has passed the identity check."""
        return self._verified.get((partner.widget_id, user), False)


def fiat_amount(currency: str, amount: str) -> str:
    """What the amount costs, rounded to two decimals; 0.00 for what is no amount, where a server takes that."""
    # Exact however many digits the amount has, which nothing bounds.
    exact = Context(prec=len(amount) + 20, Emax=MAX_EMAX, Emin=MIN_EMIN)
    try:
        price = exact.multiply(Decimal(amount), RATES.get(currency, Decimal(1)))
        return f"{price.quantize(CENT, ROUND_HALF_UP, exact):f}"
    except InvalidOperation:
        return "0.00"


def _said(session: Mapping[str, Any], name: str, otherwise: str) -> str:
    """A value of the session, or another where the session has none that is a string."""
    value = session.get(name)
    return value if isinstance(value, str) else otherwise
