"""The peer is tried on the same servers, as its users would, and what both say stands side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck.errors import RampcheckError
from rampcheck.selftest import Selection, Trial, peer, planned
from rampcheck.selftest.peer import PeerRun

PLAIN = Trial("c", "reference", "plain")
DEFECT = Trial("c", "defect", "d")
OTHER = Trial("c", "defect", "e")
ENDS = Trial("c", "defect", "ends", ends="inconclusive")
VARIANT = Trial("c", "variant", "v")
ANOTHER = Trial("c", "variant", "w")


def entry(trial: Trial, result: str, requests: int, *parts: str) -> dict[str, Any]:
    """Gives what matrix.json says of a trial, as far as it is compared."""
    return {
        "contract": trial.contract,
        "kind": trial.kind,
        "name": trial.name,
        "ends": trial.ends,
        "parts": list(parts),
        "result": result,
        "requests": requests,
        "seconds": 2.0,
    }


def matrix() -> Any:
    """Gives a matrix in which both defects are found, and two variants are tried at once."""
    trials = [
        entry(PLAIN, "conforming", 90),
        entry(DEFECT, "convicted", 50),
        entry(OTHER, "convicted", 70),
        entry(ENDS, "ended", 3),
        entry(VARIANT, "conforming", 60, "v", "w"),
    ]
    return {"quick": True, "trials": trials}


def said(trial: Trial, *complaints: str, fault: str = "") -> PeerRun:
    """Gives a run of the peer that complains of this."""
    return PeerRun(trial, frozenset(complaints), 10, 1.0, fault)


def test_both_stand_side_by_side() -> None:
    """What the peer says of the plain reference, too, finds nothing; what cannot be blamed on a clause is left out."""
    runs = [
        said(PLAIN, "ST202 POST /a"),
        said(DEFECT, "ST202 POST /a"),
        said(OTHER, "ST202 POST /a", "ST100 POST /a"),
        said(ENDS, "ST100 POST /a"),
        said(VARIANT, "ST202 POST /b"),
        said(ANOTHER),
    ]
    compared = peer.compared(matrix(), runs)
    assert compared["contracts"] == {
        "c": {
            "rampcheck": {
                "defects": 2, "found": 2, "conforming": 3, "falsely_failed": 0, "requests": 65, "seconds": 2.0,
            },
            "schemathesis": {
                "defects": 2, "found": 1, "conforming": 3, "falsely_failed": 2, "requests": 10, "seconds": 1.0,
            },
        }
    }  # fmt: skip
    assert {one["name"]: one["new"] for one in compared["trials"]} == {
        "plain": [],
        "d": [],
        "e": ["ST100 POST /a"],
        "v": ["ST202 POST /b"],
        "w": [],
    }


def test_without_the_plain_reference_nothing_is_compared() -> None:
    """Where the peer came to no end with it, every complaint would be a finding."""
    with pytest.raises(RampcheckError, match="did not judge c-reference-plain-seed-1: it wrote no report"):
        peer.compared(matrix(), [said(PLAIN, fault="it wrote no report"), said(DEFECT, "ST100 POST /a")])


def test_a_run_without_an_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It found nothing, and that is not all."""
    runs = [said(PLAIN), said(DEFECT, fault="it did not end within 300 s")]
    peer.print_compared(peer.compared(matrix(), runs), Console(width=200))
    printed = capsys.readouterr().out
    assert "c defect d: it did not end within 300 s" in printed
    assert "0 of 1" in printed


def test_schemathesis_judges_signed_requests(tmp_path: Path) -> None:
    """Some of them are accepted, so that it sees what is wrong in an accepted answer."""
    selection = Selection(["kryptonim"], defects=["widget-url-over-http"])
    trials = planned(selection)
    plain, broken = peer.judged(trials, tmp_path, 2)
    assert (plain.fault, broken.fault) == ("", "")
    assert broken.complaints - plain.complaints == {"ST108 POST /v1/widget-sessions"}
    assert plain.requests > 100
    report = json.loads((tmp_path / plain.trial.label / peer.REPORT).read_text(encoding="utf-8"))
    rates = report["valid_rates"]["POST /v1/widget-sessions"].values()
    assert sum(one["accepted"] for one in rates) > 0
