"""What may have happened where a target refuses all of a sudden what it accepted before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rampcheck.judging.suite import Suite
from rampcheck.judging.trail import Trail
from rampcheck.mistakes import base_url, credentials
from rampcheck.mistakes.observation import Observation
from rampcheck.wire.exchanges import Exchange

OUTSIDE = 403
NAMED = 3  # exchanges that are named of many


def explained(suite: Suite, refused: Exchange, redacted: Callable[[str], str], trail: Trail) -> Observation:
    """Says what the refusal of a request means that was accepted until then, and what to do about it.

    `trail` is what was sent before it: the last exchange that was accepted, and what may have made it the last.
    """
    seen = base_url.named(suite, refused, redacted) or _refusal(suite, refused)
    found = f"{seen.found}; {_course(trail)}"
    if (suspect := trail.suspect) is not None:
        found = f"{found}; exchange {suspect.number} was one with {suspect.change}"
    if strangers := trail.strangers:
        cure = (
            f"A lock on who sends wrong credentials, as clauses ask for ({_listed(strangers)})? Have it switched "
            f"off, or `limits.recovery_seconds` longer than it lasts. Else: {seen.cure}"
        )
        return replace(seen, found=found, cure=cure)
    if suspect is not None:
        cure = f"Did exchange {suspect.number} lock the partner out? Else: "
        return replace(seen, found=found, cure=f"{cure}{seen.cure}")
    return replace(seen, found=found)


def _course(trail: Trail) -> str:
    """Says what was accepted last with the same credentials, and what was sent after it."""
    if trail.accepted is None:
        return "none of the last requests was accepted"
    told = f"with the same credentials it accepted exchange {trail.accepted}"
    return f"{told}, then came {_listed(trail.since)}" if trail.since else told


def _listed(numbers: Sequence[int]) -> str:
    more = len(numbers) - NAMED
    shown = ", ".join(map(str, numbers[-NAMED:]))
    return f"exchange{'s' if len(numbers) > 1 else ''} {shown}{f' and {more} before' if more > 0 else ''}"


def _refusal(suite: Suite, refused: Exchange) -> Observation:
    if refused.status == suite.contract.credentials_refused[0]:
        return Observation(
            credentials.ABOUT,
            "wrong",
            "the credentials that it accepted before are refused now",
            "Were they revoked or exchanged, or have they expired? Ask the vendor, set valid ones, and run again.",
            "either",
            refused.number,
        )
    if refused.status == OUTSIDE:
        return Observation(
            "allowlist",
            "wrong",
            "what it accepted before is forbidden now",
            "Is this machine's public address still on the allowlist, and the partner active? "
            "Ask the vendor, and run again.",
            "either",
            refused.number,
        )
    return Observation(
        "session",
        "wrong",
        "what it accepted before is refused now",
        "Did somebody change the partner's configuration, or is a limit of the sandbox reached? Ask the vendor, and "
        "run again.",
        "target",
        refused.number,
    )
