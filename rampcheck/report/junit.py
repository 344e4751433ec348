"""junit.xml: every clause a test case, for the test page of a pipeline.

Of all that is called JUnit XML, it is what the xUnit plugin of Jenkins takes (its schema `junit-10.xsd`).
"""

from __future__ import annotations

from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from rampcheck.display import visible
from rampcheck.judging.results import ClauseResult, Results
from rampcheck.report import plain, standing
from rampcheck.report.outline import CLAUSE_VERDICTS, selection


def render(results: Results) -> bytes:
    """Gives the JUnit XML of valid `results`: a suite for each section with clauses, a case for each clause.

    A `failed` clause is a failure; a `must` that was not verified is an error where nobody expected it, else
    `not_verified` is skipped with its reason, as `waived` is; `advisory` and `observed` pass and say what was seen on
    their standard output. A broken clause that follows from another says so first. A case takes the time that the
    target took over the clause. What is wrong with the run besides its clauses (`standing.troubles`) stands as an error
    in a suite of its own, `rampcheck`. What was selected is a property of each suite.
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
    # Not `update_statistics`: the schema has no `skipped` here.
    document.tests = sum(suite.tests for suite in document)
    document.failures = sum(suite.failures for suite in document)
    document.errors = sum(suite.errors for suite in document)
    document.time = round(sum(suite.time for suite in document), 3)
    buffer = BytesIO()
    document.write(buffer, pretty=True)
    return buffer.getvalue()


def _suite(name: str, results: Results, cases: list[TestCase]) -> TestSuite:
    suite = TestSuite(name)
    suite.timestamp = results["started"].removesuffix("Z")
    suite.add_property("base_url", visible(results["target"]["base_url"]))
    suite.add_property("run", results["run"])
    for member, value in results.get("subject", {}).items():
        if value:
            suite.add_property(member, visible(str(value)))
    suite.add_property("verdict", results["verdict"])
    if chosen := selection(results):
        suite.add_property("selection", visible(chosen))
    suite.add_testcases(cases)
    return suite


def _case(clause: ClauseResult, *, is_stale: bool) -> TestCase:
    case = TestCase(clause["id"], clause["section"], round(clause.get("elapsed_ms", 0.0) / 1000, 3))
    match standing.of(clause):
        case "broken":
            failure = Failure(plain.actual(clause), clause["level"])
            failure.text = f"{visible(clause['text'])}\n\n{plain.seen(clause)}"
            case.result = [failure]
        case "lost":
            error = Error(visible(f"not verified: {clause['reason']}"), "unexpected")
            error.text = plain.seen(clause)
            case.result = [error]
        case "skipped":
            skipped = Skipped(visible(f"{CLAUSE_VERDICTS[clause['verdict']].word}: {clause['reason']}"))
            skipped.text = plain.seen(clause)
            case.result = [skipped]
        case "passed" if clause["verdict"] != "passed":
            case.system_out = plain.follows(clause) + plain.seen(clause)
    if is_stale:
        case.system_out = "\n\n".join(filter(None, [case.system_out, "The profile's waiver of this clause is stale."]))
    return case


def _troubles(results: Results) -> list[TestCase]:
    """Test cases, each an error, for what is wrong with the run besides its clauses."""
    cases = []
    for number, trouble in enumerate(standing.troubles(results), start=1):
        case = TestCase(f"{trouble.kind} {number}", "rampcheck", 0.0)
        case.result = [Error(visible(trouble.text), trouble.kind)]
        cases.append(case)
    return cases
