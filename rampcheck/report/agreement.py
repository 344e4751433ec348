"""Who stands for a waiver: who has the clause mended, and who agreed that it may be broken until then."""

from __future__ import annotations

from rampcheck.display import one_line
from rampcheck.judging.results import WaiverResult

LONGEST_NAME = 80  # characters of who is named


def agreed(waiver: WaiverResult, longest: int = LONGEST_NAME) -> str:
    """Gives `owned by API team, approved by Ms Roe`; says of each who is not named that there is none."""
    owner, approver = (_name(waiver.get("owner", ""), longest), _name(waiver.get("approver", ""), longest))
    return ", ".join(
        [f"owned by {owner}" if owner else "no owner", f"approved by {approver}" if approver else "no approver"]
    )


def _name(text: str, longest: int) -> str:
    told = one_line(text, len(text))
    return told if len(told) <= longest else told[:longest] + "…"
