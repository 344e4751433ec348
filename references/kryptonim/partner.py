"""The partners that the embedded Kryptonim server knows from its start, and what each environment offers."""

# ruff: noqa: S105 - these credentials open nothing but the embedded server.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

API_KEY = "reference-api-key-2f8c41d07b9e63a5"
SIGNATURE_SECRET = "reference-signature-secret-b07d95e2c1a84f36"
SECOND_API_KEY = "reference-second-api-key-91d3e07a5c2b48f6"
SECOND_SIGNATURE_SECRET = "reference-second-signature-secret-5e18a94c7b30d2f6"
DESTINATION_ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"


@dataclass(frozen=True)
class Offer:
    """What can be bought in an environment, and how it is paid.

    `currencies` maps each network to the crypto currencies on it.
    """

    currencies: Mapping[str, frozenset[str]]
    payment_methods: frozenset[str]


OFFERS = {
    "testnet": Offer(
        currencies={"polygon": frozenset({"USDC", "USDT", "MATIC"})},
        payment_methods=frozenset({"card", "bank_transfer"}),
    ),
    "production": Offer(
        currencies={
            "polygon": frozenset({"USDC", "USDT", "MATIC"}),
            "ethereum": frozenset({"USDC", "USDT", "ETH"}),
            "base": frozenset({"USDC", "ETH"}),
        },
        payment_methods=frozenset({"card", "bank_transfer", "apple_pay", "google_pay", "astropay", "blik", "ideal"}),
    ),
}
