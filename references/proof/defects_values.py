"""Defects in a session's values: what is echoed, locked, configured and chosen (`proof.session.*`)."""

# ruff: noqa: ARG005 - every change takes the session and the request, and few need both.

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .session_changes import FOLLOWING, always, changed

# What is echoed.

changed(
    "currency-in-lower-case",
    ["currency-echo"],
    "The currency comes back in lower case.",
    lambda session, request: {"currency": request.currency.lower()},
    may_break=FOLLOWING,
)
changed(
    "usdc-becomes-usdt",
    ["currency-echo"],
    "A session for USDC says USDT.",
    lambda session, request: {"currency": request.currency.replace("USDC", "USDT")},
    may_break=FOLLOWING,
)
changed(
    "network-in-lower-case",
    ["network-echo"],
    "The network comes back in lower case.",
    lambda session, request: {"network": request.network.lower()},
    may_break=["fix-network", *FOLLOWING],
)
changed(
    "erc20-becomes-ethereum",
    ["network-echo"],
    "A session on ERC20 says ETHEREUM.",
    lambda session, request: {"network": request.network.replace("ERC20", "ETHEREUM")},
    may_break=["fix-network", *FOLLOWING],
)
changed(
    "amount-through-float",
    ["amount-echo"],
    "The amount is rounded through a binary float: 99.50 becomes 99.5.",
    lambda session, request: {"amount": str(float(request.amount)).removesuffix(".0")},
)
changed(
    "amount-without-trailing-zeros",
    ["amount-echo"],
    "The amount comes back without the zeros at its end.",
    lambda session, request: {"amount": _without_zeros(request.amount)},
)
changed(
    "amount-with-eight-decimals",
    ["amount-echo"],
    "Of the amount's decimals only eight come back.",
    lambda session, request: {"amount": _with_decimals(request.amount, 8)},
)
changed(
    "amount-with-two-decimals-on-trc20",
    ["amount-echo"],
    "On TRC20 the amount comes back with exactly two decimals.",
    lambda session, request: {"amount": f"{Decimal(request.amount):.2f}"} if request.network == "TRC20" else {},
)


def _without_zeros(amount: str) -> str:
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _with_decimals(amount: str, count: int) -> str:
    whole, point, decimals = amount.partition(".")
    return whole + point + decimals[:count]


# What is locked.

changed("fix-currency-false", ["fix-currency"], "fix_currency is false.", always(fix_currency=False))
changed("fix-currency-as-string", ["fix-currency"], "fix_currency is a string.", always(fix_currency="true"))
changed("fix-amount-false", ["fix-amount"], "fix_amount is false.", always(fix_amount=False))
changed("fix-amount-as-number", ["fix-amount"], "fix_amount is the number 1.", always(fix_amount=1))
changed(
    "fix-amount-false-for-sell",
    ["fix-amount"],
    "fix_amount is false in a sell.",
    lambda session, request: {"fix_amount": session["type"] != "sell"},
)
changed("fix-fiat-amount-false", ["fix-fiat-amount"], "fix_fiat_amount is false.", always(fix_fiat_amount=False))
changed("fix-fiat-amount-null", ["fix-fiat-amount"], "fix_fiat_amount is null.", always(fix_fiat_amount=None))
changed(
    "fix-fiat-currency-true",
    ["fix-fiat-currency"],
    "fix_fiat_currency is true.",
    always(fix_fiat_currency=True),
)
changed("fix-network-true", ["fix-network"], "fix_network is true.", always(fix_network=True), may_break=["complete"])
changed("fix-network-empty", ["fix-network"], "fix_network is an empty array.", always(fix_network=[]))
changed(
    "fix-network-as-string",
    ["fix-network"],
    "fix_network is the network, not an array of it.",
    lambda session, request: {"fix_network": request.network},
    may_break=["complete"],
)
changed(
    "fix-network-all",
    ["fix-network"],
    "fix_network holds all networks of the widget.",
    lambda session, request: {"fix_network": session["networks"]},
)
changed(
    "fix-network-first",
    ["fix-network"],
    "fix_network holds the first network of the widget, whichever is requested.",
    lambda session, request: {"fix_network": session["networks"][:1]},
)

# What comes from the configuration.

for _field, _value in {
    "currencies": ["BTC"],
    "networks": ["SOL"],
    "fiat_currency": "GBP",
    "fiat_currencies": ["GBP"],
    "lang": "fr",
    "theme": "sepia",
}.items():
    changed(
        f"{_field.replace('_', '-')}-not-as-configured",
        [f"config.{_field}"],
        f"{_field} is not what is configured.",
        always(**{_field: _value}),
    )
changed(
    "redirect-url-not-as-configured",
    ["config.redirect_url"],
    "Without a redirect_url in the request, the one returned is not the configured one.",
    lambda session, request: {} if request.redirect_url else {"redirect_url": "https://elsewhere.example/"},
    may_break=["request.redirect-once"],
)
changed(
    "currencies-narrowed",
    ["config-stable"],
    "currencies holds the requested currency alone.",
    lambda session, request: {"currencies": [request.currency]},
    may_break=["config.currencies"],
)
changed(
    "networks-narrowed",
    ["config-stable"],
    "networks holds the requested network alone.",
    lambda session, request: {"networks": [request.network]},
    may_break=["config.networks"],
)
changed(
    "fiat-currencies-ordered-by-user",
    ["config-stable"],
    "The order of fiat_currencies depends on the user.",
    lambda session, request: {"fiat_currencies": _rotated(session["fiat_currencies"], len(request.partner_user_id))},
    may_break=["config.fiat_currencies"],
)
changed(
    "theme-depends-on-amount",
    ["config-stable"],
    "An amount of 1000 or more gets another theme.",
    lambda session, request: {"theme": "gold"} if len(request.amount.partition(".")[0]) > 3 else {},
    may_break=["config.theme"],
)
changed(
    "lang-depends-on-type",
    ["config-stable"],
    "A request that names its type gets another lang.",
    lambda session, request: {"lang": "es"} if request.type else {},
    may_break=["config.lang"],
)


def _rotated(values: Sequence[str], turn: int) -> list[str]:
    first = turn % len(values)
    return [*values[first:], *values[:first]]


# What is chosen.

changed(
    "type-in-capitals",
    ["type"],
    "The type is BUY or SELL.",
    lambda session, request: {"type": session["type"].upper()},
    may_break=["request.type-default", "request.type-override", "request.sell-enabled", *FOLLOWING],
)
changed(
    "type-onramp",
    ["type"],
    "The type of a purchase is onramp.",
    lambda session, request: {"type": session["type"].replace("buy", "onramp")},
    may_break=["request.type-default", "request.type-override", *FOLLOWING],
)
