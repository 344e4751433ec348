"""Defects of Proof: silence that none but its own payloads bring about."""

from __future__ import annotations

from rampcheck.sandbox.conditions import drop, when
from rampcheck.sandbox.defects import register
from rampcheck.sandbox.defects_conditions import ASTRAL, silent

from . import reference

register(
    silent(
        reference,
        "drops-astral",
        "A character beyond U+FFFF closes the connection without an answer.",
        when(ASTRAL, drop),
    )
)
