"""What was looked at, and what was found there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "look", "wrong"]
# Who can mend it: the profile's writer, this machine's owner, the target's; "either" where profile and target disagree.
Whose = Literal["", "profile", "machine", "target", "either"]


@dataclass(frozen=True)
class Observation:
    """One line of a diagnosis: what was looked at, what was `found`, how bad it is, and the `cure`.

    `ok` is as it should be, `look` may be meant so, a run would trip over `wrong`. `exchange` is the number of the
    exchange that shows it, where one does.
    """

    about: str
    severity: Severity
    found: str
    cure: str = ""
    whose: Whose = ""
    exchange: int | None = None
