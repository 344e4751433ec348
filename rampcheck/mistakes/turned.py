"""What may have happened where a target refuses all of a sudden what it accepted before."""

from __future__ import annotations

from collections.abc import Callable

from rampcheck.judging.suite import Suite
from rampcheck.mistakes import base_url, credentials
from rampcheck.mistakes.observation import Observation
from rampcheck.wire.exchanges import Exchange

OUTSIDE = 403


def explained(suite: Suite, refused: Exchange, redacted: Callable[[str], str]) -> Observation:
    """Says what the refusal of a request means that was accepted until then, and what to do about it."""
    if (seen := base_url.named(suite, refused, redacted)) is not None:
        return seen
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
            "Is this machine's public address still on the allowlist (it may have changed), and the partner active? "
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
