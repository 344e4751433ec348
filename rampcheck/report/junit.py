"""junit.xml: every clause a test case, for the test page of a pipeline."""

from __future__ import annotations

from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from rampcheck.display import shorten, visible
from rampcheck.judging.results import ClauseResult, Results
from rampcheck.report.outline import CLAUSE_VERDICTS, others, outage_text, outline, seen_of, selection, trace_text
from rampcheck.report.text import plural

LONGEST_VALUE = 4_000  # characters


def render(results: Results) -> bytes:
    """Gives the JUnit XML of valid `results`: a suite for each section with clauses, a case for each clause.

    A `failed` clause is a failure; `not_verified` is an error where nobody expected it, else it is skipped with its
    reason, as `waived` is; `advisory` and `observed` pass and say what was seen on their standard output. A broken
    clause that follows from another says so first. What keeps the run from being trusted (a fault of rampcheck, a
    target that stopped answering, an inconclusive or interrupted run), and what fails a strict run besides its
    clauses, stands as an error in a suite of its own, `rampcheck`. What was selected is a property of each suite.
    """
    document = JUnitXml(f"rampcheck {results['contract']}")
    stale = {waiver["clause"] for waiver in results.get("waivers", ()) if waiver["state"] == "stale"}
    for section in results["sections"]:
        clauses = [clause for clause in results["clauses"] if clause["section"] == section["id"]]
        cases = [_case(clause, is_stale=clause["id"] in stale) for clause in clauses]
        if cases:
            document.add_testsuite(_suite(section["id"], results, cases))
    if troubles := _troubles(results):
        document.add_testsuite(_suite("rampcheck", results, troubles))
    document.update_statistics()  # type: ignore[no-untyped-call]
    buffer = BytesIO()
    document.write(buffer, pretty=True)
    return buffer.getvalue()


def _suite(name: str, results: Results, cases: list[TestCase]) -> TestSuite:
    suite = TestSuite(name)
    suite.timestamp = results["started"].removesuffix("Z")
    suite.add_property("base_url", visible(results["target"]["base_url"]))
    suite.add_property("run", results["run"])
    suite.add_property("verdict", results["verdict"])
    if chosen := selection(results):
        suite.add_property("selection", visible(chosen))
    suite.add_testcases(cases)
    return suite


def _case(clause: ClauseResult, *, is_stale: bool) -> TestCase:
    case = TestCase(clause["id"], clause["section"])
    match clause["verdict"]:
        case "failed":
            actual = "; ".join(dict.fromkeys(shorten(finding["actual"], 200) for finding in clause["findings"]))
            failure = Failure(visible(_follows(clause) + actual), clause["level"])
            failure.text = f"{visible(clause['text'])}\n\n{_seen(clause)}"
            case.result = [failure]
        case "not_verified" if clause.get("gap") == "unexpected":
            error = Error(visible(f"not verified: {clause['reason']}"), "unexpected")
            error.text = _seen(clause)
            case.result = [error]
        case "not_verified" | "waived" as verdict:
            skipped = Skipped(visible(f"{CLAUSE_VERDICTS[verdict].word}: {clause['reason']}"))
            skipped.text = _seen(clause)
            case.result = [skipped]
        case "advisory" | "observed":
            case.system_out = _follows(clause) + _seen(clause)
    if is_stale:
        case.system_out = "\n\n".join(filter(None, [case.system_out, "The profile's waiver of this clause is stale."]))
    return case


def _follows(clause: ClauseResult) -> str:
    return f"follows from {clause['follows']}: " if "follows" in clause else ""


def _seen(clause: ClauseResult) -> str:
    """The findings and observations of a clause as plain text, a paragraph each."""
    paragraphs = []
    for seen in seen_of(clause):
        lines = [f"expected: {shorten(seen['expected'], LONGEST_VALUE)}"] if "expected" in seen else []
        lines.append(f"actual: {shorten(seen['actual'], LONGEST_VALUE)}")
        if seen["exchange"] is not None:
            lines.append(f"exchange: {seen['exchange']}, see index.html#exchange-{seen['exchange']}")
        lines.append(f"seen: {plural(seen['times'], 'time')}")
        if seen["scenario"]:
            lines.append(f"scenario: {seen['scenario']}")
        if trace := trace_text(seen):
            lines.append(f"trace: {trace}")
        lines += [
            f"also: {shorten(example['actual'], LONGEST_VALUE)}, exchange {example['exchange']}"
            for example in others(seen)
        ]
        paragraphs.append("\n".join(lines))
    return visible("\n\n".join(paragraphs))


def _troubles(results: Results) -> list[TestCase]:
    """Test cases, each an error, for what is wrong with the run and not with the target."""
    summary = outline(results)
    troubles = [("fault", fault) for fault in results["faults"]]
    troubles += [("outage", outage_text(outage)) for outage in summary.outages if outage["ended"] is None]
    if results["verdict"] == "inconclusive":
        troubles.append(("inconclusive", " ".join(filter(None, [summary.sentence, summary.cure]))))
    if summary.early_end:
        troubles.append(("interrupted", summary.early_end))
    if results["verdict"] == "nonconformant" and not summary.by_verdict["failed"]:
        troubles.append(("strict", summary.sentence))
    cases = []
    for number, (kind, message) in enumerate(troubles, start=1):
        case = TestCase(f"{kind} {number}", "rampcheck")
        case.result = [Error(visible(message), kind)]
        cases.append(case)
    return cases
