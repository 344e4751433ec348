"""ctrf.json: every clause a test, in the Common Test Report Format (https://ctrf.io, its schema 0.0)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rampcheck.display import shorten, visible
from rampcheck.judging.results import ClauseResult, ClauseVerdict, Results
from rampcheck.report import plain, standing
from rampcheck.report.outline import CLAUSE_VERDICTS, outline
from rampcheck.report.text import epoch_milliseconds

FILE_NAME = "ctrf.json"
SUITE_OF_THE_RUN = "rampcheck"

# `other` is neither good nor bad. Nothing but a test that `failed` is red to those who read the format.
STATUSES: Mapping[ClauseVerdict, str] = {
    "passed": "passed",
    "failed": "failed",
    "advisory": "other",
    "observed": "other",
    "waived": "skipped",
    "not_verified": "skipped",
    "attested": "skipped",
}


def render(results: Results) -> bytes:
    """Gives the CTRF report of valid `results`: a test for each clause, with its verdict as `rawStatus`.

    A clause whose verification was lost is `other`. What is wrong with the run besides its clauses
    (`standing.troubles`) is a test that failed, in the suite `rampcheck`.
    """
    sections = {section["id"]: section["title"] for section in results["sections"]}
    tests = [_test(clause, [results["title"], sections[clause["section"]]]) for clause in results["clauses"]]
    tests += [
        {
            "name": f"{trouble.title} ({number})",
            "status": "failed",
            "duration": 0,
            "suite": [SUITE_OF_THE_RUN],
            "rawStatus": trouble.kind,
            "message": visible(shorten(trouble.text, plain.LONGEST_VALUE)),
        }
        for number, trouble in enumerate(standing.troubles(results), start=1)
    ]
    counted = Counter(test["status"] for test in tests)
    began, ended = epoch_milliseconds(results["started"]), epoch_milliseconds(results["finished"])
    document = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "runId": results["run"],
        "timestamp": results["finished"],
        "generatedBy": f"rampcheck {results['rampcheck']}",
        "results": {
            "tool": {"name": "rampcheck", "version": results["rampcheck"]},
            "summary": {
                "tests": len(tests),
                **{status: counted[status] for status in ("passed", "failed", "skipped", "pending", "other")},
                "suites": len({tuple(test["suite"]) for test in tests}),
                "start": began,
                "stop": ended,
                "duration": ended - began,
                "extra": {"verdict": results["verdict"], "sentence": visible(outline(results).sentence)},
            },
            "tests": tests,
            "environment": _environment(results),
        },
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def _environment(results: Results) -> dict[str, Any]:
    about = {
        "reportName": results["title"],
        "appName": results["target"]["base_url"],
        "appVersion": results.get("subject", {}).get("build", ""),
        "testEnvironment": results["target"]["environment"],
        "shardId": results.get("selection", {}).get("shard", ""),
    }
    return {
        **{name: visible(value) for name, value in about.items() if value},
        "healthy": not standing.is_red(results),
        "extra": {
            "contract": results["contract"],
            "contractVersion": results["contract_version"],
            "seed": results["seed"],
            "requests": results["requests"],
        },
    }


def _test(clause: ClauseResult, suite: list[str]) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": clause["id"],
        "testId": clause["id"],
        "status": "other" if standing.of(clause) == "lost" else STATUSES[clause["verdict"]],
        "duration": round(clause.get("elapsed_ms", 0.0)),
        "suite": [visible(part) for part in suite],
        "rawStatus": clause["verdict"],
        "tags": [clause["level"]],
        "extra": {"text": visible(clause["text"]), "source": dict(clause["source"]), "exercised": clause["exercised"]},
    }
    details = {"message": _message(clause), "trace": plain.seen(clause)}
    return test | {name: text for name, text in details.items() if text}


def _message(clause: ClauseResult) -> str:
    """Gives the line under the name of a test; none where there is nothing to say of it."""
    word = CLAUSE_VERDICTS[clause["verdict"]].word
    told = "; ".join(filter(None, [visible(clause["reason"]), plain.actual(clause)]))
    return f"{word}: {told}" if told else ""
