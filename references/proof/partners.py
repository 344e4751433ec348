"""The two partners that the embedded Proof server knows from its start."""

# ruff: noqa: S106 - these tokens open nothing but the embedded server.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

LOOPBACK = (ip_network("127.0.0.1/32"), ip_network("::1/128"))


@dataclass(frozen=True)
class Partner:
    """What onboarding settles for one integration.

    `wallets` maps (currency, network) to the partner's address; a currency that has any wallet is enabled.
    `widget_config` holds the widget's defaults under the names of the session response. `unprovisioned_pair`
    and `disabled_currency` are what this partner is known not to have, for whoever wants to try.
    """

    client_token: str
    previous_client_token: str | None
    inactive_client_token: str | None
    widget_id: str
    off_ramp: bool
    origins: tuple[str, ...]
    allowlist: tuple[IPv4Network | IPv6Network, ...]
    wallets: Mapping[tuple[str, str], str]
    unprovisioned_pair: tuple[str, str]
    disabled_currency: str
    widget_config: Mapping[str, Any]

    @property
    def currencies(self) -> frozenset[str]:
        """The enabled currencies."""
        return frozenset(currency for currency, _ in self.wallets)

    def as_profile(self) -> dict[str, Any]:
        """The `partner` part of a profile that describes this partner."""
        return {
            "widget_id": self.widget_id,
            "off_ramp": self.off_ramp,
            "address_mode": "resolved",
            "origins": list(self.origins),
            "pairs": [list(pair) for pair in self.wallets],
            "unprovisioned_pair": list(self.unprovisioned_pair),
            "disabled_currency": self.disabled_currency,
            "widget_config": dict(self.widget_config),
        }


FIRST = Partner(
    client_token="sandbox-first-partner-4f7c1e9a2b6d8053",
    previous_client_token="sandbox-first-partner-before-rotation-91d3",
    inactive_client_token="sandbox-first-partner-deactivated-c05e",
    widget_id="6d0f3c1e-8a52-4b7b-9f0e-2c41d7a95b38",
    off_ramp=False,
    origins=("https://app.example.com", "https://partner.example:8443"),
    allowlist=LOOPBACK,
    wallets={
        ("USDT", "TRC20"): "TQ5NsellsAndBuysUsdtTrc20WalletXy7",
        ("USDT", "ERC20"): "0x1111a1f0c2d94b3e8f60517293a4b5c6d7e8f901",
        ("USDC", "ERC20"): "0x2222b2e1d3c85a4f7e91628304b5c6d7e8f90a12",
    },
    unprovisioned_pair=("USDT", "BEP20"),
    disabled_currency="DOGE",
    widget_config={
        "currencies": ["USDT", "USDC"],
        "networks": ["TRC20", "ERC20"],
        "fiat_currency": "EUR",
        "fiat_currencies": ["EUR", "USD"],
        "type": "buy",
        "lang": "en",
        "theme": "light",
        "redirect_url": "https://app.example.com/done",
    },
)

SECOND = Partner(
    client_token="sandbox-second-partner-b83a6e0d5f2c7914",
    previous_client_token=None,
    inactive_client_token=None,
    widget_id="b1c7e2d4-3f96-4e08-a5d1-70f8c92e6b4a",
    off_ramp=True,
    origins=("https://exchange.example.net",),
    allowlist=LOOPBACK,
    wallets={
        ("USDC", "ERC20"): "0x3333c3d2e4b76950ad82739415c6d7e8f90a1b23",
        ("USDC", "POLYGON"): "0x4444d4c3f5a6784f9c73840526d7e8f90a1b2c34",
        ("ETH", "ERC20"): "0x5555e5b406978a3e8d64951637e8f90a1b2c3d45",
    },
    unprovisioned_pair=("ETH", "POLYGON"),
    disabled_currency="USDT",
    widget_config={
        "currencies": ["USDC", "ETH"],
        "networks": ["ERC20", "POLYGON"],
        "fiat_currency": "USD",
        "fiat_currencies": ["USD", "EUR", "GBP"],
        "type": "sell",
        "lang": "de",
        "theme": "dark",
    },
)
