"""Defects of Proof: silence that none but its own payloads bring about."""

from __future__ import annotations

from rampcheck.sandbox.conditions import drop, losing, when
from rampcheck.sandbox.defects import Defect, register
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
register(
    Defect(
        "ws-lost-before-the-end",
        "proof",
        ("proof.ws.event",),
        "Each WebSocket is lost, without a close, in place of its last event.",
        wrap=losing(lambda text: '"completed"' in text),
    )
)
register(
    Defect(
        "ws-lost-at-the-first-event",
        "proof",
        ("proof.ws.event",),
        "Each WebSocket is lost, without a close, in place of its first event.",
        wrap=losing(lambda _: True),
    )
)
