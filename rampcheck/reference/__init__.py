"""The embedded reference: conforming servers of the contracts, named defects that break a promise, and named variants
that behave otherwise and break none.

A server runs in a process of its own (`server.start`, or `python -m rampcheck.reference`); `builtin_profile`
describes it to a run; `all_defects` and `find_defects` look up what it can do wrong, `all_variants` and
`find_variants` what it can do otherwise.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from rampcheck.reference.contracts import DEFAULT_ENVIRONMENTS, check_contract
from rampcheck.reference.defects import Defect, all_defects, find_defects
from rampcheck.reference.variants import Variant, all_variants, find_variants

__all__ = [
    "DEFAULT_ENVIRONMENTS",
    "Defect",
    "Variant",
    "all_defects",
    "all_variants",
    "builtin_profile",
    "find_defects",
    "find_variants",
]


def builtin_profile(
    contract: str,
    base_url: str,
    environment: str | None = None,
    webhook_url: str | None = None,
    variants: Sequence[str] = (),
) -> dict[str, Any]:
    """The profile of the reference at `base_url`, as the mapping that its YAML file would hold.

    `environment` is the contract's test environment unless given, `webhook_url` where the server sends
    webhooks, if it does, `variants` are those that it was started with. The credentials stand in it as literals:
    they open nothing but this server. Raises `UsageError` for an unknown contract or variant, or a `webhook_url` that
    is none.
    """
    check_contract(contract)
    described = importlib.import_module(f"rampcheck.reference.{contract}.profile")
    profile: dict[str, Any] = described.profile(base_url, environment or DEFAULT_ENVIRONMENTS[contract], webhook_url)
    for found in find_variants(contract, variants):
        profile = found.profile(profile) if found.profile else profile
    return profile
