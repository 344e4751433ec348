"""What the processes of a run know of the target's absence; two of them share a folder here."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rampcheck.errors import RunOver
from rampcheck.wire.presence import Presence


def test_the_others_wait_while_one_searches(tmp_path: Path) -> None:
    """Whoever wants to send waits until the search is over; the one that searches does not."""
    searching, other = Presence(5, tmp_path), Presence(5, tmp_path)
    passed = threading.Event()
    waiting = threading.Thread(target=lambda: (other.wait(), passed.set()), daemon=True)
    with searching.search():
        searching.wait()
        waiting.start()
        assert not passed.wait(0.2)
    assert passed.wait(5)


def test_a_search_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    """What a process leaves that was killed while it looked for the target is taken away."""
    presence = Presence(0.1, tmp_path)
    (tmp_path / "away").touch()
    presence.wait()
    assert not (tmp_path / "away").exists()


def test_a_target_that_is_gone_is_gone_for_all(tmp_path: Path) -> None:
    """After one process gave up, the others neither send nor search."""
    first, other = Presence(5, tmp_path), Presence(5, tmp_path)
    first.end("the target stopped answering")
    with pytest.raises(RunOver, match="stopped answering"):
        other.wait()
    with pytest.raises(RunOver), other.search():
        pytest.fail("it searches")


@pytest.mark.parametrize(("explained", "asked"), [(False, True), (True, False)])
def test_an_absence_that_is_not_explained_is_everybodys(tmp_path: Path, explained: bool, asked: bool) -> None:
    """The others are told of it once, who told is not; what is explained needs nobody else."""
    first, other = Presence(5, tmp_path), Presence(5, tmp_path)
    first.tell(explained=explained)
    assert not first.has_news()
    assert other.has_news() == asked
    assert not other.has_news()


def test_absences_are_counted_whoever_told_them(tmp_path: Path) -> None:
    """Each process knows how often the target was away, also the only one of a run."""
    first, other, alone = Presence(5, tmp_path), Presence(5, tmp_path), Presence(5)
    assert (other.absences, alone.absences) == (0, 0)
    first.tell(explained=True)
    other.tell(explained=False)
    alone.tell(explained=True)
    assert (first.absences, other.absences, alone.absences) == (2, 2, 1)


def test_a_search_may_stand_inside_another(tmp_path: Path) -> None:
    """The innermost end does not let the others go on."""
    presence = Presence(5, tmp_path)
    with presence.search():
        with presence.search():
            pass
        assert (tmp_path / "away").exists()
    assert not (tmp_path / "away").exists()


def test_one_process_alone_needs_no_folder() -> None:
    """Without workers nothing is written anywhere, and a given-up target is gone all the same."""
    presence = Presence(5)
    with presence.search():
        presence.wait()
    presence.tell(explained=False)
    assert not presence.has_news()
    presence.end("away")
    with pytest.raises(RunOver):
        presence.wait()
