"""What a run shows while it goes on: what it sets out to do, how far it is, what it waits for, what was found broken.

On a terminal a live line, else a plain line now and then, as the log of a pipeline wants it. Everything is read from
the journals as they grow, where all processes of the run write, and nothing unredacted ever stands.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from rampcheck import outlets
from rampcheck.contract.register import Clause
from rampcheck.display import one_line, visible
from rampcheck.report.console import say
from rampcheck.report.outline import CLAUSE_VERDICTS
from rampcheck.report.terminal import STYLES
from rampcheck.report.text import plural
from rampcheck.running.following import Following
from rampcheck.running.forecast import Forecast, forecast, lacks, rough, takes, tries
from rampcheck.running.run import Run
from rampcheck.wire import retries
from rampcheck.wire.journal import from_record
from rampcheck.wire.journal_records import ExchangeRecord, FindingRecord, Record

EVERY = 0.5  # seconds from one look at the journals to the next
EVERY_LINE = 30.0  # seconds from one line in a log to the next
LONG_WAIT = 5.0  # seconds; a shorter wait that the target asks for is told in the live line only
QUIET = 5.0  # seconds without an exchange, from which on they are told: events are waited for, or a worker hangs
LONGEST_PAUSE = 3.0  # seconds between two requests that count for how long the rest takes; longer ones are waits
FIRST_GUESS = 5.0  # percent of the requests before it is said how long the rest takes: the start is slower
SOONEST_GUESS = 10.0  # seconds before that is said, however many requests there were
SMOOTHED = 15.0  # seconds over which what is said of it follows what is seen: some scenarios are slower than others
MOST_BROKEN = 20  # clauses that are told as they are found broken; the others are counted
LONGEST = 200  # characters of a finding


class Progress:
    """Shows on `console` how a run goes; `live`: in a line that is kept up to date, else in a plain one now and then.

    `look` brings it up to date; `start` has a thread of its own do so, `begin` leaves it to the caller. It is a plugin
    of pytest, too, which tells it of the scenarios. `clock` gives seconds.
    """

    def __init__(
        self,
        run: Run,
        console: Console,
        *,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._console = console
        self._live = live
        self._clock = clock
        self._following = Following(run.settings.output)
        known = run.settings
        self._ahead = forecast(run.profile, run.contract, known.chosen, known.budget, known.expected)
        self._scenarios = self._done = self._requests = 0
        self._broken: dict[str, None] = {}
        self._waits_until = 0.0
        self._began = self._last_line = self._last_came = clock()
        self._busy = 0.0  # seconds in which requests came
        self._rest: float | None = None  # seconds that the rest takes, as it is said
        self._bar = Bar(
            _Line(self._parts),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_time=clock,
            speed_estimate_period=10,
            disable=not live,
        )
        self._task = self._bar.add_task("", total=self._ahead.requests or None)
        self._showing = threading.RLock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="rampcheck-progress", daemon=True)

    def start(self) -> None:
        """Says what the run sets out to do, and shows from now on how it goes."""
        self.begin()
        self._thread.start()

    def begin(self) -> None:
        """Says what the run sets out to do."""
        for line in beginning(self._run, self._ahead):
            say(self._console, visible(line))
        self._bar.start()

    def stop(self) -> None:
        """Takes the live line away, and shows nothing more. It may be called again."""
        if not self._stopped.is_set():
            self._stopped.set()
            if self._thread.is_alive():
                self._thread.join(10 * EVERY)
            if self._live:
                self._bar.stop()

    def say(self, text: str) -> None:
        """Tells the user something at once."""
        with self._showing:
            say(self._console, visible(text))

    def _keep_looking(self) -> None:
        while not self._stopped.wait(EVERY):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the run does not depend on what is shown of it
                return

    def look(self) -> None:
        """Takes in what was written since the last look, and shows it."""
        with self._showing:
            before, now = self._requests, self._clock()
            for record in self._following.records():
                self._take(record)
            took = min(now - self._last_came, LONGEST_PAUSE) if self._requests > before else 0.0
            if took:
                self._busy += took
                self._last_came = now
            for line in self._following.told():
                self.say(line)
            # No scenario is left out, so each of those to come will ask at least once.
            least = self._requests + max(1, self._scenarios - self._done)
            if self._ahead.requests:  # Not by `update`, which would forget how fast it was.
                self._bar.tasks[0].total = max(self._ahead.requests, least)
            self._bar.update(self._task, completed=self._requests)
            self._guess(self._bar.tasks[0], took)
            if self._live:
                _fit(self._console)
                self._bar.refresh()
            elif self._clock() - self._last_line >= EVERY_LINE:
                self._last_line = self._clock()
                after = rough(self._clock() - self._began)
                line = f"After {after}: {', '.join(self._parts(self._bar.tasks[0]))}"
                self._console.print(line, soft_wrap=True, markup=False)

    def _take(self, record: Record) -> None:
        if record["kind"] == "exchange" and record["direction"] == "outgoing":
            self._requests += 1
            self._note_wait(record)
        elif record["kind"] == "finding" and record["clause"] not in self._broken:
            self._broken[record["clause"]] = None
            self._tell_broken(record)

    def _note_wait(self, record: ExchangeRecord) -> None:
        """Tells of an answer that asks to wait, which is sent again after that; of one wait at a time."""
        if record["final"] or (wait := retries.asked_wait(from_record(record))) is None:
            return
        now, before = self._clock(), self._waits_until
        self._waits_until = max(before, now + wait)
        if wait >= LONG_WAIT and before <= now:
            status = from_record(record).status
            self.say(f"The target answers {status} and asks to wait {wait:.0f} s (Retry-After): the run waits.")

    def _tell_broken(self, record: FindingRecord) -> None:
        if len(self._broken) > MOST_BROKEN:
            return
        verdict = self._verdict(self._run.contract.clauses[record["clause"]])
        where = "" if record["exchange"] is None else f" (exchange {record['exchange']})"
        told = f"expected {record['expected']}; actual {record['actual']}"
        label = Text(f"{CLAUSE_VERDICTS[verdict].symbol} ", STYLES[verdict])
        say(self._console, f"{record['clause']}: {one_line(told, LONGEST)}{where}", label)
        if len(self._broken) == MOST_BROKEN:
            say(self._console, "More broken clauses are only counted until the run is over.")

    def _verdict(self, clause: Clause) -> Any:
        if any(waiver.clause == clause.id for waiver in self._run.profile.waivers):
            return "waived"
        return "failed" if clause.level == "must" else "advisory"

    def _parts(self, task: Task) -> Iterator[str]:
        """Gives what there is to say of how far the run is, the most important first."""
        if (wait := self._waits_until - self._clock()) > 0:
            yield f"waiting {wait:.0f} s as the target asks"
        if self._scenarios:
            yield f"{self._done}/{self._scenarios} scenarios"
        of = f"{self._requests:,} of about {task.total:,.0f} requests" if task.total else ""
        yield of or plural(self._requests, "request")
        if wait <= 0 and (quiet := self._clock() - self._last_came) > QUIET:
            yield f"nothing came for {quiet:.0f} s"
        if self._broken:
            yield f"{plural(len(self._broken), 'clause')} broken"
        if self._rest:
            yield f"{rough(self._rest)} left"
        if task.speed:
            yield f"{task.speed:.1f}/s"

    def _guess(self, task: Task, took: float) -> None:
        """Reckons how long the rest takes, at the speed of all of the run, without the waits for events or the target.

        It `took` so long since the last time. What is said goes down by that, and else follows slowly: no jumps.
        """
        if task.percentage < FIRST_GUESS or self._clock() - self._began < SOONEST_GUESS:
            return
        seen = self._busy * ((task.total or 0) - self._requests) / self._requests
        expected = seen if self._rest is None else self._rest - took
        self._rest = max(0.0, expected + (seen - expected) * min(1.0, took / SMOOTHED))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keeps xdist from telling of its workers in the live line."""
        plugins = session.config.pluginmanager
        if (workers := plugins.get_plugin("dsession")) is not None:
            workers.terminal = None
            plugins.unregister(name="terminaldistreporter")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Counts the scenarios of a run of one process."""
        self._scenarios = max(self._scenarios, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Counts the scenarios of a run with workers, each of which knows all of them."""
        self._scenarios = len(ids)

    def pytest_runtest_logfinish(self) -> None:
        """Counts a scenario that is over, wherever it ran."""
        self._done += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """Has pytest print no letter for a scenario: this is shown in its place."""
        return report.outcome, "", ""


class _Line(ProgressColumn):
    """All parts in one line, cut where the console ends."""

    def __init__(self, parts: Callable[[Task], Iterator[str]]) -> None:
        super().__init__(Column(no_wrap=True, overflow="crop"))
        self._parts = parts

    def render(self, task: Task) -> Text:
        """Gives the line."""
        return Text(", ".join(self._parts(task)), no_wrap=True, overflow="crop")


def beginning(run: Run, ahead: Forecast) -> Iterator[str]:
    """Says whom a run judges, what it will verify, and how much that takes, a line each."""
    profile, contract = run.profile, run.contract
    environment = f" ({profile.environment})" if profile.environment else ""
    yield run.judge.redacted(f"{contract.title} {contract.version} at {profile.base_url}{environment}")
    is_small = run.settings.budget is not None
    more = [tries(len(ahead.verified), len(contract.clauses), len(ahead.untestable), at_most=is_small)]
    if ahead.gaps:
        more.append(f"For {plural(len(ahead.gaps), 'clause')} {lacks(profile.has_file)}.")
    if any(value for name, value in run.settings.selection.items() if name != "budget"):
        more.append("Only a part was selected; what its exchanges show of other clauses is judged, too.")
    if profile.environment == "production":
        more.append("In production only what creates sessions is tried.")
    yield " ".join(more)
    if told := takes(ahead.requests, ahead.seconds, ahead.left_out, at_least=ahead.at_least):
        yield told


def of(run: Run) -> Progress:
    """Gives the progress of a run, on standard output: live where that is a terminal whose cursor can be moved."""
    stream = outlets.twin()
    console = Console(file=stream, highlight=False)
    return Progress(run, console, live=stream.isatty() and console.is_interactive)


def _fit(console: Console) -> None:
    """Takes the width of the terminal as it is now; rich asks the streams that pytest has put in their place."""
    if not os.environ.get("COLUMNS"):
        try:
            console.width = os.get_terminal_size(console.file.fileno()).columns
        except (OSError, ValueError):
            return
