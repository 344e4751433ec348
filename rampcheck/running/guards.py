"""What ends a scenario, or a fixture, before its time: what that means for its clauses, without anything secret."""

from __future__ import annotations

import traceback
from collections.abc import Generator, Sequence

import pytest

from rampcheck.display import visible
from rampcheck.errors import LeftOut, ProfileLacks, Unjudged
from rampcheck.running.run import Run

FAULT = "a fault of rampcheck kept it from being judged"


class Fault(Exception):
    """A fault of rampcheck in a scenario; its text is redacted."""


class GivenUp(Exception):
    """A scenario could not see what it wanted to see; its text is redacted."""


class PassedOver(Exception):
    """A scenario was left out for want of requests, though it was begun; its text is redacted."""


def _pass_over(run: Run, clauses: Sequence[str], reason: str) -> None:
    """Records that nothing set out to try the clauses: what else sees them hold counts."""
    for clause in clauses:
        run.judge.untried(clause, reason)


def noted(
    run: Run,
    clauses: Sequence[str],
    inside: Generator[None, object, object] | None = None,
) -> Generator[None, object, object]:
    """Records which clauses are left unjudged by what ends a scenario, or its fixtures, inside."""
    try:
        return (yield from inside) if inside else (yield)
    except PassedOver as error:
        reason = str(error)  # Of its clauses, nothing is known that is not of all that were left out.
    except GivenUp as error:
        reason = str(error)
        for clause in clauses:
            run.judge.unjudged(clause, reason)
    except pytest.skip.Exception as error:
        _pass_over(run, clauses, run.judge.reason(str(error)))
        raise
    except Fault:
        for clause in clauses:
            run.judge.unjudged(clause, FAULT)
        raise
    pytest.skip(visible(reason))


def guarded(run: Run) -> Generator[None, object, object]:
    """Turns what is raised inside into what it means, and lets no text out that could hold a secret.

    Raises `GivenUp` for what could not be judged, `PassedOver` for what a budget leaves out, `Fault` for anything else;
    skips what the profile lacks.
    """
    try:
        return (yield)
    except Unjudged as error:
        reason, lacks = run.judge.reason(str(error)), isinstance(error, ProfileLacks)
        end: Exception = PassedOver(reason) if isinstance(error, LeftOut) else GivenUp(reason)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must pass the redactor
        run.fault(f"{run.judge.scenario}: {type(error).__name__}: {error}")
        text = visible(run.journal.redactor.text("".join(traceback.format_exception(error))))
        reason, lacks, end = "", False, Fault(text)
    if lacks:
        pytest.skip(visible(reason))
    # Outside the handler: what led here is not redacted, and would be told as the context.
    raise end
