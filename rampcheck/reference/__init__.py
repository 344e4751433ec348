"""The embedded reference: conforming servers of the contracts, and named defects that break a promise.

A server runs in a process of its own (`server.start`, or `python -m rampcheck.reference`); `builtin_profile`
describes it to a run; `all_defects` and `find_defects` look up what it can do wrong.
"""

from __future__ import annotations

import importlib
from typing import Any

from rampcheck.reference.contracts import DEFAULT_ENVIRONMENTS, check_contract
from rampcheck.reference.defects import Defect, all_defects, find_defects

__all__ = ["DEFAULT_ENVIRONMENTS", "Defect", "all_defects", "builtin_profile", "find_defects"]


def builtin_profile(contract: str, base_url: str, environment: str | None = None) -> dict[str, Any]:
    """The profile of the reference at `base_url`, as the mapping that its YAML file would hold.

    `environment` is the contract's test environment unless given. The credentials stand in it as literals:
    they open nothing but this server. Raises `UsageError` for an unknown contract.
    """
    check_contract(contract)
    described = importlib.import_module(f"rampcheck.reference.{contract}.profile")
    profile: dict[str, Any] = described.profile(base_url, environment or DEFAULT_ENVIRONMENTS[contract])
    return profile
