"""The contracts that have an embedded reference."""

from __future__ import annotations

from rampcheck.errors import UsageError

# Each contract, with the environment that its reference is unless told otherwise.
DEFAULT_ENVIRONMENTS = {"proof": "sandbox", "kryptonim": "testnet"}


def check_contract(contract: str) -> None:
    """Raises `UsageError` for a contract that has no reference."""
    if contract not in DEFAULT_ENVIRONMENTS:
        known = ", ".join(DEFAULT_ENVIRONMENTS)
        raise UsageError(f"there is no reference for {contract!r}", f"Known contracts: {known}.")
