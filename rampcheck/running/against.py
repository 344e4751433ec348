"""What a run is compared with when it is over: that of --baseline. It never changes what the run came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from rampcheck.errors import UsageError

if TYPE_CHECKING:
    from rampcheck.comparison.saved import Saved

NOTHING = "Nothing was judged, so there is nothing to compare with the baseline."


class Against:
    """What a run is compared with: nothing where no baseline is `named`.

    Raises `UsageError`, before any request is sent, where the baseline cannot be read, judged nothing, or is of another
    contract.
    """

    def __init__(self, named: str | None, contract: str) -> None:
        self._baseline: Saved | None = None
        self._comparison: dict[str, Any] | None = None
        if named is None:
            return
        from rampcheck.comparison import saved  # noqa: PLC0415 - a run without a baseline does without

        self._baseline = saved.load(Path(named))
        if (other := self._baseline.results["contract"]) != contract:
            raise UsageError(
                f"--baseline {named} is a run of the contract {other}, not of {contract}",
                "Name a run of the same contract.",
            )

    def compare(self, folder: Path | None) -> None:
        """Compares the run that a folder holds, and writes the comparison there; a run that judged nothing is left out.

        Raises `UsageError` where a journal cannot be read, `OSError` where nothing can be written.
        """
        if self._baseline is None or folder is None:
            return
        from rampcheck.comparison import differences, pages, saved  # noqa: PLC0415 - a run without a baseline does without

        run = saved.anything(folder)
        if run.results["verdict"] != "inconclusive":
            self._comparison = differences.compare(self._baseline, run)
            pages.write(self._comparison, folder)

    def print(self, console: Console, folder: Path | None) -> None:
        """Shows the comparison, or why there is none."""
        if self._comparison is not None:
            from rampcheck.comparison import pages, terminal  # noqa: PLC0415 - a run without a baseline does without

            terminal.print_comparison(self._comparison, console, str(Path(folder or ".") / pages.HTML))
        elif self._baseline is not None:
            console.print(NOTHING)
