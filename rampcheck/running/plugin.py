"""All the pytest wiring: options, the run's life, scenarios, and the end of the session.

Loaded with `-p rampcheck.running.plugin` by the command line and by the checkout's `conftest.py`. It does nothing in a
pytest session that collects no suite.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck import options, outlets
from rampcheck.contract import packs
from rampcheck.contract.wording import lacks
from rampcheck.display import visible
from rampcheck.errors import ExitCode, Inconclusive, RampcheckError, writing
from rampcheck.judging.findings import listed
from rampcheck.judging.results import Results
from rampcheck.report import har
from rampcheck.report.terminal import print_summary, where
from rampcheck.running import (
    folder,
    following,
    incidents,
    launch,
    marks,
    opening,
    order,
    progress,
    properties,
    termination,
)
from rampcheck.running.guards import FAULT, Fault, guarded, noted
from rampcheck.running.marks import verified
from rampcheck.running.opening import AGAINST, BASELINE
from rampcheck.running.progress import Progress
from rampcheck.running.run import Run
from rampcheck.running.scenario import Accepted, Target
from rampcheck.running.workers import Workers

RUN = pytest.StashKey[Run]()
TARGET = pytest.StashKey[Target]()
RESULTS = pytest.StashKey[Results]()
PRODUCTION = "not tried in production, where only sessions are created"
CONTROLS = "controls"  # the scenario in whose name the last ones are sent
STOPPED = "stopped by the user"
DOCTOR = "`rampcheck doctor` looks closer, with the same profile or the same options."
CONCLUSION = pytest.StashKey["_Conclusion"]()
PROGRESS = pytest.StashKey[Progress]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of a run."""
    group = parser.getgroup("rampcheck", "rampcheck: conformance of a running server")
    for name, more in options.for_pytest():
        group.addoption(name, **more)


def _judges_a_target(config: pytest.Config) -> bool:
    roots = [pack.folder / "suites" for pack in packs.packs()]
    places = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return any(place.resolve().is_relative_to(root) for place in places for root in roots)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Names the marks of scenarios, and keeps the streams before the terminal's reporter takes them."""
    if _judges_a_target(config):
        outlets.keep()
        config.pluginmanager.register(marks.Guard())
    for mark, meaning in marks.MARKS.items():
        config.addinivalue_line("markers", f"{mark}: {meaning}")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Opens the run and finds the request that the target accepts, before any worker or scenario starts.

    Gives the exit code where there is nothing to judge, None to let pytest go on.
    """
    if config.option.collectonly or not _judges_a_target(config):
        return None
    _silence(config)
    if hasattr(config, "workerinput"):  # What goes wrong there is told to the controller.
        _begin(config, opening.of_worker(config))
        return None
    try:
        _begin(config, opening.of_controller(config))
        if options.chosen(config.option).progress:
            _show_progress(config, config.stash[RUN])
        return _find_baseline(config, config.stash[RUN])
    except RampcheckError as error:
        outlets.say(f"rampcheck: {visible(str(error))}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - pytest would let it end the process with exit code 1
        _tell(config, error)
        return ExitCode.FAULT


def _begin(config: pytest.Config, opened: Callable[[], Run]) -> None:
    with termination.put_off():  # a journal that has begun is concluded
        config.stash[RUN] = run = opened()
        config.add_cleanup(run.close)
        config.stash[CONCLUSION] = _Conclusion(config)
        config.pluginmanager.register(config.stash[CONCLUSION])
    termination.heed()
    if run.settings.workers and not run.lane:
        workers = Workers(config, run)
        config.add_cleanup(workers.close)
        config.pluginmanager.register(workers)
        workers.watch()


def _show_progress(config: pytest.Config, run: Run) -> None:
    config.stash[PROGRESS] = progress.of(run)
    config.add_cleanup(config.stash[PROGRESS].stop)
    config.pluginmanager.register(config.stash[PROGRESS])
    config.stash[PROGRESS].start()


def _stop_progress(config: pytest.Config) -> None:
    """Takes the live line away before something else is told."""
    if (shown := config.stash.get(PROGRESS, None)) is not None:
        shown.stop()


def _tell(config: pytest.Config, error: BaseException) -> str:
    """Tells in one line of what went wrong outside of any scenario; see `incidents.tell`."""
    _stop_progress(config)
    run = config.stash.get(RUN, None)
    if run is None:
        return incidents.tell(error)
    return incidents.tell(error, run.settings.output, run.journal.redactor.text)


def _silence(config: pytest.Config) -> None:
    """Keeps what libraries log out of every output while a run lasts: requests stand in it before they are redacted."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    config.add_cleanup(lambda: logging.disable(before))


def _find_baseline(config: pytest.Config, run: Run) -> int | None:
    try:
        config.stash[BASELINE] = run.find_baseline()
        run.stopping.count(run.judge.must_findings())
    except Inconclusive as error:
        _stop_progress(config)
        run.conclude(reason=run.judge.reason(error.message), cure=run.judge.reason(error.cure))
        outlets.say(f"Inconclusive: {visible(run.journal.redactor.text(str(error)))}\n  {DOCTOR}\n{where(run.place)}")
        return ExitCode.INCONCLUSIVE
    except KeyboardInterrupt:
        _stop_progress(config)
        run.conclude(interrupted=True, reason=STOPPED)
        outlets.say(f"Interrupted before any scenario.\n{where(run.place)}")
        return ExitCode.INTERRUPTED
    return None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collects the suite of the run's contract only."""
    run = config.stash.get(RUN, None)
    if run is None or not collection_path.is_dir():
        return None
    others = {pack.suite(name) for pack in packs.packs() for name in pack.contracts if name != run.contract.name}
    return collection_path.resolve() in others or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps the scenarios of the selected clauses, in the order of `order.ordered`."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    dealt = run.settings.scenarios
    chosen = [
        item
        for item in items
        if run.selected.intersection(verified(item)) and (dealt is None or launch.key(item) in dealt)
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = order.ordered(chosen, run.settings.workers, run.contract.name)


@pytest.hookimpl(wrapper=True, specname="pytest_runtest_setup")
def pytest_note_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Notes what a fixture kept from being judged, and what was passed over."""
    run = item.config.stash.get(RUN, None)
    if run is None:
        return (yield)
    run.judge.begin(item.nodeid, verified(item))
    # Of a fixture that several scenarios share, too, which is set up, and fails, for the first of them.
    return (yield from noted(run, verified(item)))


# No wrapper: what is passed over is set up, and torn down, by the other plugins all the same.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Passes over a scenario for which the profile lacks something, or where there is nobody to be asked."""
    run = item.config.stash.get(RUN, None)
    if run is None:
        return
    clauses = verified(item)
    if gone := run.presence.gone:
        for clause in clauses:
            run.judge.unjudged(clause, gone)
        pytest.skip(visible(run.judge.reason(gone)))
    unmet = [run.contract.clauses[clause].unmet(run.profile) for clause in clauses]
    if unmet and all(unmet):
        pytest.skip(lacks(unmet[0], run.profile))
    if run.profile.environment == "production" and item.get_closest_marker("creates_sessions") is None:
        pytest.skip(PRODUCTION)


# The innermost wrappers, so that no other plugin sees an exception before it is redacted.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Generator[None, object, object]:
    """Guards what a fixture raises."""
    run = request.config.stash.get(RUN, None)
    if run is None:
        return (yield)
    return (yield from guarded(run))


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Guards a scenario, and fails it with what was found broken in its exchanges."""
    run = item.config.stash.get(RUN, None)
    if run is None:
        return (yield)
    skipped: BaseException | None = None
    result: object = None
    try:
        result = yield from noted(run, verified(item), guarded(run))
    except pytest.skip.Exception as error:
        skipped = error
    # A finding made before the scenario gave up counts all the same.
    if findings := run.judge.must_findings():
        run.stopping.count(findings)
        pytest.fail(visible(listed(findings)), pytrace=False)
    if skipped is not None:
        raise skipped
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Records as a fault what no guard has seen: a fixture that does not exist, an error of a teardown."""
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is not None and call.excinfo is not None and report.failed:
        error = call.excinfo.value
        if not isinstance(error, Fault | pytest.fail.Exception):
            run.fault(f"{item.nodeid}: {type(error).__name__} in its {call.when}")
            for clause in verified(item):
                run.judge.unjudged(clause, FAULT)
    if run is not None and run.is_in_trouble:
        item.session.shouldstop = "the journal cannot be written"
    return report


class _Conclusion:
    """Keeps Ctrl-C and SIGTERM away while a run ends, its workers with it, and has the last word on the terminal."""

    def __init__(self, config: pytest.Config) -> None:
        self.interrupted = False
        self.uncollected: list[str] = []
        self._config = config
        self._quiet = ExitStack()
        config.add_cleanup(self._quiet.close)
        config.add_cleanup(self._conclude_begun)

    def _conclude_begun(self) -> None:
        """Concludes a run that was interrupted before its session had begun, of which pytest does not tell."""
        run = self._config.stash[RUN]
        if run.lane or run.is_concluded or not (self.interrupted or _is_interruption()):
            return
        with termination.put_off():
            _stop_progress(self._config)
            workers = self._config.pluginmanager.get_plugin("dsession")
            if workers is not None and workers.nodemanager is not None:
                workers.nodemanager.teardown_nodes()
            run.conclude(interrupted=True, reason=STOPPED)
            outlets.say(f"Interrupted before any scenario.\n{where(run.place)}")

    def pytest_runtest_logstart(self) -> None:
        """Sees, from one scenario to the next, that what someone asked for was not lost."""
        termination.heed()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a part of the suite that could not be collected: pytest then ends as if it was interrupted."""
        if report.failed:
            reason = report.longreprtext.strip().rpartition("\n")[2].removeprefix("E").strip()
            self.uncollected.append(f"{report.nodeid} could not be collected: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tells of pytest's own end in one line, in the place of the traceback, which is not redacted."""
        line = _tell(self._config, excinfo.value)
        excrepr.toterminal = lambda writer: writer.line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remembers it: whoever asks twice for the end still gets what was judged."""
        # pytest's own is not the user's: it could not collect everything, say.
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted) or termination.was_asked()
        # A signal may be met where CPython knows no line, of which pytest cannot tell.
        excinfo.traceback = type(excinfo.traceback)(
            entry for entry in excinfo.traceback if entry._rawentry.tb_lineno is not None
        )
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if self.interrupted and reporter is not None and options.chosen(self._config.option).progress:
            # It would tell of pytest, a line of a library, and an option that is not ours; no hook keeps it quiet.
            reporter._report_keyboardinterrupt = lambda: None
        self._quiet.enter_context(termination.put_off())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Shows the verdict after all that others say."""
        with termination.put_off():
            # An interruption of the little that pytest does before it tells of the first one.
            self.interrupted |= _is_interruption() or termination.was_asked()
            _stop_progress(session.config)
            result = yield
            _print_results(session.config)
        return result


def _is_interruption() -> bool:
    """Whether this is called on the way out of an interruption."""
    return isinstance(sys.exc_info()[1], KeyboardInterrupt)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Ends the run: verdicts, reports, exit code. The workers of xdist have ended by now."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is None:
        return
    if TARGET in config.stash and exitstatus != ExitCode.INTERRUPTED:
        _settle(run, config.stash[TARGET])
    if run.lane:
        config.workeroutput["rampcheck"] = run.leave()  # type: ignore[attr-defined]
        return
    conclusion = config.stash[CONCLUSION]
    for part in conclusion.uncollected:
        run.fault(part)
    interrupted = not run.is_in_trouble and (
        conclusion.interrupted or (exitstatus == ExitCode.INTERRUPTED and not conclusion.uncollected)
    )
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        run.fault("pytest ended with an internal error")
    reason = STOPPED if interrupted else ""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        reason = "no scenario was selected"
    try:
        concluded = run.conclude(interrupted=interrupted, reason=reason)
    except Exception as error:  # noqa: BLE001 - pytest would let it end the process with exit code 1
        _tell(config, error)
        session.exitstatus = ExitCode.FAULT
        return
    config.stash[RESULTS] = concluded.results
    session.exitstatus = concluded.code
    try:
        if (named := options.chosen(config.option).har) and run.place is not None:
            with writing(named, "Name another file with --har."):
                har.write(Path(named), folder.exchanges(run.place, own=True))
        config.stash[AGAINST].compare(run.place)
    except Exception as error:  # noqa: BLE001 - as above; the verdict stands
        _tell(config, error)
        session.exitstatus = concluded.code or ExitCode.FAULT


def _settle(run: Run, target: Target) -> None:
    """Sends the last controls; what goes wrong with that is a fault, told without its text."""
    run.judge.begin(CONTROLS)
    try:
        target.settle()
    except Exception as error:  # noqa: BLE001 - pytest would let it end the process with exit code 1
        run.fault(f"{CONTROLS}: {type(error).__name__}")


def _print_results(config: pytest.Config) -> None:
    """Shows what failed and where, the gaps, the verdict."""
    results = config.stash.get(RESULTS, None)
    if results is None:
        return
    writer = config.get_terminal_writer()
    console = Console(width=writer.fullwidth, force_terminal=writer.hasmarkup, no_color=not writer.hasmarkup)
    with console.capture() as captured:
        config.stash[AGAINST].print(console, config.stash[RUN].place)
        print_summary(results, console, config.stash[RUN].place)
    writer.write(captured.get(), flush=True)


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    """The server under judgement."""
    run = pytestconfig.stash[RUN]
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    shown = pytestconfig.stash.get(PROGRESS, None)

    def tell(text: str) -> None:
        if run.lane:  # A worker's own reporter writes nowhere.
            following.tell(run.settings.output, text)
        elif shown is not None:
            shown.say(text)
        elif reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(visible(text))

    pytestconfig.stash[TARGET] = run.target(pytestconfig.stash[BASELINE], tell)
    return pytestconfig.stash[TARGET]


@pytest.fixture
def accepted(target: Target) -> Accepted:
    """A request of the first partner that the target has accepted, nothing having failed since."""
    return target.control()


@pytest.fixture(scope="session")
def generator(pytestconfig: pytest.Config) -> Iterator[properties.Generator]:
    """Generates requests from the contract's OpenAPI document."""
    run = pytestconfig.stash[RUN]
    examples = options.chosen(pytestconfig.option).examples
    with closing(properties.Generator(run.contract, run.judge, run.settings.seed, examples)) as made:
        yield made
