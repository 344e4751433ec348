"""The embedded reference: conforming servers of the contracts, named defects that break a promise, and named variants
that behave otherwise and break none.

A server runs in a process of its own (`server.start`, or `python -m rampcheck.sandbox`); `builtin_profile`
describes it to a run; `all_defects` and `find_defects` look up what it can do wrong, `all_variants` and
`find_variants` what it can do otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rampcheck.sandbox import reference
from rampcheck.sandbox.defects import Defect, all_defects, find_defects
from rampcheck.sandbox.variants import Variant, all_variants, find_variants

__all__ = [
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
    they open nothing but this server. Raises `UsageError` for a contract without a reference, an unknown variant, or a
    `webhook_url` that is none.
    """
    known = reference.load(contract)
    profile: dict[str, Any] = known.module("profile").profile(base_url, environment or known.environment, webhook_url)
    for found in find_variants(contract, variants):
        profile = found.profile(profile) if found.profile else profile
    return profile
