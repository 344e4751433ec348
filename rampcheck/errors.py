"""Everything that stops a run, each with what happened, how to mend it, and the exit code it means."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; pytest's own meaning where pytest has one."""

    CONFORMANT = 0
    NONCONFORMANT = 1
    INTERRUPTED = 2
    FAULT = 3
    USAGE = 4
    INCONCLUSIVE = 5
    INCOMPLETE = 5


class RampcheckError(Exception):
    """A run cannot go on.

    Takes `message` (what went wrong and where, no secret in it) and `cure` (what the user can do). `str()` gives both.
    """

    exit_code = ExitCode.FAULT

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  {self.cure}" if self.cure else self.message


class UsageError(RampcheckError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class NothingChosen(UsageError):
    """The selection names no scenario of a contract."""


class ProfileError(UsageError):
    """The profile has mistakes. `mistakes` holds one line for each: file, line, path, cause and cure."""

    def __init__(self, mistakes: Sequence[str], cure: str = "") -> None:
        super().__init__("\n".join(mistakes), cure)
        self.mistakes = tuple(mistakes)


class ContractError(RampcheckError):
    """A contract's own documents are wrong: a fault of rampcheck, not of the target."""


class ReferenceStartError(RampcheckError):
    """The embedded reference did not start."""


class Inconclusive(RampcheckError):
    """Nothing can be judged: the target is unreachable, or refuses the credentials."""

    exit_code = ExitCode.INCONCLUSIVE


class Unjudged(Exception):
    """What a scenario wanted to see could not be seen: a network fault, an outage, an exhausted budget.

    Never a finding. `str()` is the reason, no secret in it.
    """


class ProfileLacks(Unjudged):
    """A scenario needs what the profile does not give; `str()` says what."""


class BudgetSpent(Unjudged):
    """The requests that a run may send are used up; `str()` says how many they were."""


class TargetGone(Unjudged):
    """The target stopped answering in the course of a run and did not come back; `str()` says when and after what."""
