"""Ctrl-C is heard at any moment: while the program is loaded, and where what it raises is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from rampcheck.running import termination
from tests.runs import Completed

# What is run in a process of its own, which hears Ctrl-C wherever the tests were started.
HEARD = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
# From inside an `exec`, as where classes are made.
ASK = 'exec("signal.raise_signal(signal.SIGINT)")'
WHILE_LOADED = f"""
part = sys.argv[1]
class Asked:
    def find_spec(self, name, *_):
        if name == part:
            {ASK}
sys.meta_path.insert(0, Asked())
from rampcheck.__main__ import main
sys.argv[1:] = ["run", "--budget", "1", "--contract", "kryptonim"]
main()
"""
LOST = f"""
from rampcheck.running import opening
opened = opening.of_controller
def losing(config):
    try:
        {ASK}
    except KeyboardInterrupt:
        return opened(config)
opening.of_controller = losing
from rampcheck.__main__ import main
main()
"""

# The first time that a function has done its work; it is named as it is imported, its class before it.
WHILE_BEGUN = """
from importlib import import_module
module, *owners, name = sys.argv.pop(1).split(":")
owner = import_module(module)
for part in owners:
    owner = getattr(owner, part)
known = getattr(owner, name)
def asking(*given, **more):
    result = known(*given, **more)
    setattr(owner, name, known)
    signal.raise_signal(signal.SIGTERM)
    return result
setattr(owner, name, asking)
from rampcheck.__main__ import main
main()
"""
RUN = ["run", "--contract", "kryptonim", "--output"]
CERTIFY = ["certify", "--contract", "kryptonim", "--step", "works", "--output"]


@pytest.mark.parametrize("part", ["rampcheck.cli", "rampcheck.authors", "httpx", "rampcheck.running.launch"])
def test_an_interruption_while_the_program_is_loaded_is_one(part: str, tmp_path: Path) -> None:
    """Exit code 2, a word, no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", HEARD + WHILE_LOADED, part], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr.strip()) == (2, "rampcheck: interrupted")


def test_an_interruption_that_is_lost_ends_the_run_all_the_same(tmp_path: Path) -> None:
    """Something caught it, while the run was opened: it ends before the next scenario, with its reports."""
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", HEARD + LOST, "run", "--contract", "kryptonim", "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    completed = Completed(done.returncode, done.stdout + done.stderr, folder)
    assert completed.code == 2, completed.printed
    assert completed.results["interrupted"]
    assert "Traceback" not in completed.printed


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (RUN, "rampcheck.wire.journal:Journal:write"),
        (RUN, "rampcheck.running.run:Run:__init__"),
        (RUN, "rampcheck.running.plugin:_Conclusion:__init__"),
        (RUN, "rampcheck.running.run:Run:find_baseline"),
        (CERTIFY, "rampcheck.wire.journal:Journal:write"),
        (CERTIFY, "rampcheck.certification.sandbox:Sandbox:start"),
        (CERTIFY, "rampcheck.certification.integration:run"),
        (CERTIFY, "rampcheck.certification.certifying:Certification:_judge"),
        (CERTIFY, "rampcheck.running.conclusion:judged"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else given.rpartition(":")[2],
)
def test_what_has_begun_has_its_reports_whenever_it_is_asked_to_end(
    words: list[str], after: str, tmp_path: Path
) -> None:
    """Once there is a journal, there are reports: before anything was tried, between two steps, while it is judged."""
    folder = tmp_path / "run"
    given = [after, *words, str(folder), *(["--", sys.executable, "-c", ""] if words is CERTIFY else [])]
    done = subprocess.run(
        [sys.executable, "-c", HEARD + WHILE_BEGUN, *given], capture_output=True, text=True, check=False
    )
    completed = Completed(done.returncode, done.stdout + done.stderr, folder)
    assert "Traceback" not in completed.printed
    assert completed.results["verdict"] in {"incomplete", "inconclusive"}, completed.printed
    assert completed.code in {2, 5}
    assert (folder / "index.html").exists()


@pytest.mark.parametrize("number", termination.SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("is_ignored", [False, True])
def test_what_is_ignored_already_stays_so(number: signal.Signals, is_ignored: bool) -> None:
    """Under nohup a closed terminal ends no run, in a shell's background Ctrl-C ends none; a cancelled job ends it."""
    before = signal.signal(number, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    try:
        with termination.as_interruption():
            if is_ignored and number != signal.SIGTERM:
                signal.raise_signal(number)
                assert not termination.was_asked()
            else:
                assert callable(signal.getsignal(number)), "it would end the process"
                with pytest.raises(KeyboardInterrupt):
                    signal.raise_signal(number)
    finally:
        signal.signal(number, before)


def test_a_handler_that_was_not_set_from_python_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python does not know one of a program that it is embedded in, and cannot set it again."""
    before = {number: signal.getsignal(number) for number in termination.SIGNALS}
    try:
        with monkeypatch.context() as patch:
            patch.setattr(signal, "getsignal", lambda _: None)
            with termination.as_interruption(), termination.put_off():
                pass
        assert {signal.getsignal(number) for number in termination.SIGNALS} == {signal.SIG_DFL}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_every_signal_that_asks_for_the_end_is_heard() -> None:
    """Ctrl-C, a cancelled job, and a closed terminal."""
    assert set(termination.SIGNALS) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def test_what_was_asked_is_known_until_the_end() -> None:
    """It is raised again for as long as the work goes on, and forgotten when that is over."""
    before = signal.getsignal(signal.SIGINT)
    with termination.as_interruption():
        termination.heed()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with termination.as_interruption(), pytest.raises(KeyboardInterrupt):
            termination.heed()
        assert termination.was_asked()
    assert not termination.was_asked()
    assert signal.getsignal(signal.SIGINT) == before


def test_what_comes_while_reports_are_written_is_known_afterwards() -> None:
    """It ends nothing then, and keeps the next run from being begun."""
    with termination.as_interruption():
        with termination.put_off():
            signal.raise_signal(signal.SIGTERM)
        assert termination.was_asked()
    with termination.put_off():
        signal.raise_signal(signal.SIGTERM)
    assert not termination.was_asked()
