"""Everything that stops a run, each with what happened, how to mend it, and the exit code it means."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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


EXIT_CODES = {
    ExitCode.CONFORMANT: "conformant, perhaps with declared gaps, or all that was selected held",
    ExitCode.NONCONFORMANT: "not conformant, and nothing else; with --require-complete also where a declared gap "
    "leaves a `must` unverified",
    ExitCode.INTERRUPTED: "interrupted; what was judged so far is written",
    ExitCode.FAULT: "a fault of rampcheck itself or of this machine (a full disk, a folder that vanished); the "
    "traceback is in a file",
    ExitCode.USAGE: "a mistake in the command, the profile or a contract's own files; no request was sent",
    ExitCode.INCONCLUSIVE: "incomplete or inconclusive: look before you believe",
}  # what a run means by each; another command says in its help what it means by 1


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


def nearest(word: str, known: Iterable[str]) -> str:
    """Gives what is known and nearest to a word that may be a mistake in spelling, "" where nothing is near."""
    return next(iter(difflib.get_close_matches(word.lower(), list(known), n=1)), "")


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
    """A contract's own documents or code are wrong: a mistake of who wrote them, not of the target."""

    exit_code = ExitCode.USAGE


class ReferenceStartError(RampcheckError):
    """The embedded reference did not start."""


class NoRoom(RampcheckError):
    """This machine cannot keep what is written: its disk is full, a quota is spent, the device fails."""


_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})


@contextmanager
def writing(place: str | os.PathLike[str], cure: str = "Name another place.") -> Iterator[None]:
    """Tells what keeps the files of `place` from being made or written inside.

    Raises `NoRoom` where that is the machine's fault, else `UsageError`.
    """
    try:
        yield
    except OSError as error:
        kind = NoRoom if error.errno in _MACHINE else UsageError
        raise kind(f"{os.fspath(place)[:200]} cannot be written: {error.strerror or error}", cure) from error


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


class LeftOut(BudgetSpent):
    """They are, of a run that has chosen what it tries for them: what they do not reach is left out as well."""


class NotRecorded(Unjudged):
    """What a judgement needs is not in traffic that was recorded elsewhere; `str()` says what that is."""


class Throttled(Unjudged):
    """The target answers 429 to the end; `str()` says what it asked for, and what to do."""


class RunOver(Unjudged):
    """Nothing more is asked in this run: its time is spent, or the target lets nothing through; `str()` says which."""


class TargetGone(RunOver):
    """The target stopped answering in the course of a run and did not come back; `str()` says when and after what."""


class NothingFollows(RunOver):
    """What a run begins with is broken, and found so, and nothing else can be tried without it; `str()` says what."""
