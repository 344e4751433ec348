"""The examples that are kept: a signed run, a broken one, their comparison; `reports/example/make.sh` makes them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from rampcheck.comparison import differences, saved
from rampcheck.running import conclusion
from rampcheck.running import folder as folders
from rampcheck.running.rejudgement import rejudged
from rampcheck.signoff import contents, verification

EXAMPLES = Path(__file__).parents[1] / "reports" / "example"
ANEW = "make the examples anew: reports/example/make.sh"


def test_the_signed_run_is_verified() -> None:
    """Both signatures hold, for the very files that lie there, by the register and the reports of this version."""
    trust = verification.trusted([f"{side}={EXAMPLES / side}.pub" for side in ("provider", "partner")])
    run = contents.read(EXAMPLES / "signed")
    found = verification.verify(run, trust, date.fromisoformat(run.results["finished"][:10]))
    assert found.is_verified, (ANEW, found.failing)


@pytest.mark.parametrize(("folder", "verdict"), [("signed", "conformant"), ("broken", "nonconformant")])
def test_each_run_comes_out_the_same_when_it_is_judged_again(folder: str, verdict: str) -> None:
    """Folded from its journal, and judged again from it, it has the results that lie there."""
    told = json.loads((EXAMPLES / folder / "results.json").read_bytes())
    assert told["verdict"] == verdict
    folded = conclusion.judged(EXAMPLES / folder, folders.read(EXAMPLES / folder)).results
    assert folded["clauses"] == told["clauses"], ANEW
    again = rejudged(EXAMPLES / folder)
    assert again.holds, (ANEW, again.lines())


def test_the_comparison_is_that_of_the_two_runs() -> None:
    """What regressed is what the broken run was broken in."""
    told = json.loads((EXAMPLES / "compare" / "compare.json").read_bytes())
    comparison = differences.compare(saved.load(EXAMPLES / "signed"), saved.load(EXAMPLES / "broken"))
    assert [(one["id"], one["kind"]) for one in comparison["clauses"]] == [
        (one["id"], one["kind"]) for one in told["clauses"]
    ], ANEW
    regressed = {one["id"] for one in told["clauses"] if one["kind"] == "regressed"}
    assert {"proof.auth.unknown-token", "proof.errors.request-id", "proof.webhook.post-json"} <= regressed
