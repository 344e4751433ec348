"""What two runs do not tell: which clauses could not be compared is said first, and in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rampcheck.comparison import differences, pages, saved, settings, terminal, words
from rampcheck.comparison.saved import Saved
from tests.test_compare import beginning, clause, command, results, run, written

NAMED = "proof.auth.unknown-token"
LOST, NEVER = clause("not_verified"), clause("not_verified", gap="declared", reason="the profile lacks it")


@pytest.mark.parametrize(
    ("before", "after", "changes", "told"),
    [
        (
            clause("passed"),
            LOST,
            {"verdict": "incomplete", "interrupted": True},
            "1 of 2 clauses could not be compared (1 verified before and not now): the later run was interrupted.",
        ),
        (
            clause("passed"),
            clause("not_verified", gap="unselected"),
            {"verdict": "partial", "selection": {"clauses": ["proof.session.*"], "keyword": ""}},
            (
                "1 of 2 clauses could not be compared (1 not selected in one of the runs): the later run tried a part "
                "of the contract."
            ),
        ),
        (
            LOST,
            LOST,
            {"verdict": "incomplete", "reason": "the target was gone"},
            (
                "1 of 2 clauses could not be compared (1 verified in neither): the later run ended before everything "
                "was tried."
            ),
        ),
        (LOST, LOST, {}, "1 of 2 clauses could not be compared (1 verified in neither)."),
        (clause("passed"), LOST, {}, "1 of 2 clauses could not be compared (1 verified before and not now)."),
    ],
    ids=["interrupted", "partial", "ended", "untold", "lost"],
)
def test_what_could_not_be_compared_is_told_first(
    before: dict[str, Any], after: dict[str, Any], changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    """That nothing regressed is said of what was compared only; the first line of each rendering says of what not."""
    other = clause("passed", name="proof.auth.other")
    comparison = differences.compare(run(before, other), run(after, other, **changes))
    outcome = words.outcome(comparison)
    assert (outcome.word, outcome.sentence.startswith(told)) == ("No regression seen", True)
    for name, content in (("a", results(before, other)), ("b", results(after, other, **changes))):
        written(tmp_path / name, content)
    printed = command("compare", str(tmp_path / "a/results.json"), str(tmp_path / "b/results.json"))
    assert " ".join(printed.stdout.split()).startswith(f"? {told}")
    assert told in pages.markdown(comparison).splitlines()[2]


def test_what_no_profile_tells_keeps_nothing_from_being_compared() -> None:
    """What neither run could verify for want of something in the profile is counted, and is no doubt."""
    other = clause("passed", name="proof.auth.other")
    outcome = words.outcome(differences.compare(run(NEVER, other), run(NEVER, other)))
    assert outcome.word == "No difference"
    assert outcome.sentence.endswith("1 clause was verified in neither.")


def test_a_regression_beside_what_could_not_be_compared_is_one() -> None:
    """Both are told."""
    pair = [
        (clause("passed"), clause("failed")),
        (clause("passed", name="proof.auth.other"), LOST | {"id": "proof.auth.other"}),
    ]
    outcome = words.outcome(differences.compare(*(run(*side) for side in zip(*pair, strict=True))))
    assert outcome.word == "Regressed"
    assert "1 of 2 clauses could not be compared" in outcome.sentence


def test_runs_are_told_in_words() -> None:
    """No identifier of a verdict, no fraction of a second."""
    gaps = run(clause("passed"), verdict="conformant_with_gaps", started="2026-11-20T07:00:00.123456Z")
    console = Console(width=200)
    with console.capture() as captured:
        terminal.print_comparison(differences.compare(gaps, gaps), console)
    assert "conformant_with_gaps" not in captured.get()
    assert "20 November 2026, 07:00:00 UTC" in captured.get()
    assert "conformant, with gaps" in captured.get()
    assert ".123456" not in pages.markdown(differences.compare(gaps, gaps))


UNSELECTED = {"gap": "unselected", "reason": "this run did not select it"}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("not_verified", "failed", "newly_broken"),
        ("not_verified", "advisory", "newly_broken"),
        ("not_verified", "waived", "waived"),
        ("failed", "not_verified", "no_longer_verified"),
        ("advisory", "not_verified", "no_longer_verified"),
        ("waived", "not_verified", "no_longer_verified"),
    ],
)
def test_what_is_broken_is_named_though_one_run_did_not_select_it(before: str, after: str, kind: str) -> None:
    """What one run saw broken is told by its name in each rendering, and is no regression: the other did not look."""
    other = clause("passed", name="proof.auth.other")
    sides = [
        clause(verdict, **(UNSELECTED if verdict == "not_verified" else {}), name=NAMED) for verdict in (before, after)
    ]
    comparison = differences.compare(*(run(side, other) for side in sides))
    (told,) = comparison["clauses"]
    assert (told["kind"], told["regression"]) == (kind, False)
    assert comparison["uncompared"]["unselected"] == 1
    console = Console(width=200)
    with console.capture() as captured:
        terminal.print_comparison(comparison, console)
    for shown in (captured.get(), pages.markdown(comparison), pages.html(comparison)):
        assert NAMED in shown


def test_a_reason_that_clauses_have_in_common_is_told_once(tmp_path: Path) -> None:
    """On the terminal, on the page and in Markdown: which clauses, and why, once."""
    names = [f"proof.auth.gap-{n}" for n in range(3)]
    why = "the target was gone, and nothing came back"
    before = [clause("passed", name=name) for name in names]
    after = [clause("not_verified", name=name, reason=why) for name in names]
    comparison = differences.compare(run(*before), run(*after))
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    terminal.print_comparison(comparison, console)
    for shown in (console.export_text(), pages.html(comparison), pages.markdown(comparison)):
        assert shown.count(why) == 1
        assert all(name in shown for name in names)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0b0a5d1e-8a6b-4c8e-9a51-2f6f0e9f3a10", "11111111-8a6b-4c8e-9a51-2f6f0e9f3a10"),
        ("0123456789abcdef", "0123456789abcdee"),
        ("1234567890", "1234567891"),
        ("request-1a2b", "request-9z9z"),
        ("rampcheck-one", "rampcheck-two"),
        ("https://a.example/w?run=one", "https://a.example/w?run=two"),
        ("2026-11-20 10:00", "2026-11-21 10:00"),
    ],
)
def test_two_profiles_that_name_different_things_are_told(earlier: str, later: str, tmp_path: Path) -> None:
    """An id that a profile names is no id of an answer: another widget may explain another verdict."""
    folders = [
        written(tmp_path / str(number), results(clause("passed")), beginning(partner={"widget_id": value}))
        for number, value in enumerate((earlier, later))
    ]
    (change,) = differences.compare(*map(saved.load, folders))["settings"]
    assert change == {"name": "partner.widget_id", "before": earlier, "after": later, "matters": True}
    hosts = [{"base_url": f"https://{value}.example", "environment": "sandbox"} for value in (earlier, later)]
    told = settings.changes(*(run(clause("passed"), target=host) for host in hosts))
    assert [one["name"] for one in told] == ["base_url"]


def test_profiles_that_differ_in_marks_and_ports_alone_are_the_same(tmp_path: Path) -> None:
    """Both are another in every run; so is the digest of a profile, which holds the marks."""
    digests = {"register": "0" * 64, "document": "0" * 64, "journal": ""}
    sides = [
        (
            results(clause("passed"), digests={**digests, "profile": letter * 64}),
            beginning(partner={"token": f"[redacted token {letter * 12}]", "url": f"http://localhost:800{number}"}),
        )
        for number, letter in enumerate("ab")
    ]
    folders = [written(tmp_path / str(number), *side) for number, side in enumerate(sides)]
    assert settings.changes(*map(saved.load, folders)) == []
    assert settings.changes(*(Saved(content) for content, _ in sides)) == []
