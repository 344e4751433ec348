"""Defects of Kryptonim: silence that none but its own payloads bring about."""

from __future__ import annotations

from typing import Any

from rampcheck.sandbox.conditions import drop, when
from rampcheck.sandbox.defects import register
from rampcheck.sandbox.defects_conditions import member, silent

from . import reference


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(inner, dict | list) and inner for inner in value.values())


register(
    silent(
        reference,
        "drops-nested-metadata",
        "Nested metadata closes the connection without an answer.",
        when(member("metadata", _is_nested), drop),
    )
)
