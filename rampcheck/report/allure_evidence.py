"""What Allure is told: every clause is a test, and what judged it is its evidence."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from allure_commons import model2
from allure_commons.logger import AllureFileLogger

from rampcheck.contract.register import Level
from rampcheck.display import visible
from rampcheck.judging.results import ClauseResult, FindingResult, ObservationResult, Results
from rampcheck.report import standing
from rampcheck.report.outline import CLAUSE_VERDICTS, others, outline, seen_of, trace_text
from rampcheck.report.text import epoch_milliseconds, plural
from rampcheck.wire.journal_records import Record

EXCHANGES_SHOWN = 3  # of a clause's findings; the journal holds all
SCENARIOS_SHOWN = 25  # of those that judged a clause

STATUSES: Mapping[standing.Standing, str] = {
    "passed": "passed",
    "broken": "failed",
    "lost": "broken",
    "skipped": "skipped",
}
SEVERITIES: Mapping[Level, str] = {"must": "critical", "should": "normal", "open": "minor"}


def write(directory: Path, results: Results, records: Sequence[Record]) -> None:
    """Writes the Allure results of a run into `directory`, in place of all that is in it.

    Takes the content of results.json and the records of journal.jsonl, which are redacted. A clause is a test of the
    verdict's status: one that nobody expected not to be verified is broken. What keeps the run from being trusted is a
    broken test of its own. Raises `OSError` where a file cannot be written.
    """
    _Report(directory, results, records).write()


class _Report:
    """The tests of one run, and the attachments that they have in common."""

    def __init__(self, directory: Path, results: Results, records: Sequence[Record]) -> None:
        self._directory = directory
        self._logger = AllureFileLogger(directory, clean=True)
        self._results = results
        self._sections = {section["id"]: section["title"] for section in results["sections"]}
        self._exchanges = {record["number"]: record for record in records if record["kind"] == "exchange"}
        self._judged = self._judged_by(records)
        self._attached: set[int] = set()
        self._stale = {waiver["clause"] for waiver in results.get("waivers", ()) if waiver["state"] == "stale"}

    @staticmethod
    def _judged_by(records: Iterable[Record]) -> dict[str, dict[str, str]]:
        """Gives, for each clause, the scenarios that judged it with what came of it, the worst counting."""
        judged: dict[str, dict[str, str]] = defaultdict(dict)
        worst = ["passed", "broken", "failed"]
        scenarios: dict[int, str] = {}

        def note(clause: str, scenario: str, status: str) -> None:
            known = judged[clause].get(scenario, "passed")
            judged[clause][scenario] = max(known, status, key=worst.index)

        for record in records:
            match record["kind"]:
                case "exchange":
                    scenarios[record["number"]] = record["scenario"]
                    for clause in record["held"]:
                        note(clause, record["scenario"], "passed")
                case "held":
                    note(record["clause"], record["scenario"], "passed")
                case "demand":
                    # Of an exchange that was taken out of a journal, nothing is known.
                    if record["held"] and record["exchange"] in scenarios:
                        note(record["clause"], scenarios[record["exchange"]], "passed")
                case "finding":
                    note(record["clause"], record["scenario"], "failed")
                case "unjudged":
                    note(record["clause"], record["scenario"], "broken")
        return judged

    def write(self) -> None:
        """Writes a test for each clause, one for each trouble of the run, and what the run was."""
        for clause in self._results["clauses"]:
            self._logger.report_result(self._test(clause))
        for trouble in standing.troubles(self._results):
            self._logger.report_result(self._trouble(trouble))
        self._logger.report_attached_data(self._environment(), "environment.properties")

    def _environment(self) -> str:
        summary = outline(self._results)
        rows = {
            "Verdict": summary.word.word,
            "Target": self._results["target"]["base_url"],
            "Contract": f"{self._results['contract']} {self._results['contract_version']}",
            "Run": self._results["run"],
            "Seed": self._results["seed"],
            "Selected": summary.selection or "everything",
        }
        # The format of java.util.Properties: a backslash escapes, ASCII only.
        return "".join(f"{name}={_property(str(value))}\n" for name, value in rows.items())

    def _item(self, name: str, status: str, message: str = "", trace: str = "") -> dict[str, Any]:
        details = model2.StatusDetails(message=visible(message), trace=visible(trace)) if message or trace else None
        return {
            "name": visible(name),
            "status": status,
            "statusDetails": details,
            "stage": "finished",
            "start": epoch_milliseconds(self._results["started"]),
            "stop": epoch_milliseconds(self._results["finished"]),
        }

    def _labels(self, **labels: str) -> list[model2.Label]:
        common = {"epic": self._results["title"], "parentSuite": self._results["title"], "framework": "rampcheck"}
        return [model2.Label(name, visible(value)) for name, value in {**common, **labels}.items()]

    def _test(self, clause: ClauseResult) -> model2.TestResult:
        section, level = self._sections[clause["section"]], clause["level"]
        source = clause["source"]
        test = model2.TestResult(
            **self._item(
                clause["id"],
                STATUSES[standing.of(clause)],
                _message(clause),
                "\n\n".join(map(_told, clause["findings"])) if clause["verdict"] == "failed" else "",
            ),
            uuid=_digest(self._results["run"], clause["id"]),
            fullName=clause["id"],
            historyId=_digest(self._results["target"]["base_url"], clause["id"]),
            testCaseId=_digest(clause["id"]),
            description=self._description(clause),
            titlePath=[self._results["contract"], section],
            labels=[
                *self._labels(
                    feature=section,
                    story=clause["id"],
                    suite=section,
                    severity=SEVERITIES[level],
                    level=level,
                    verdict=clause["verdict"],
                ),
                *(model2.Label("tag", tag) for tag in (clause["id"], level)),
            ],
        )
        if "elapsed_ms" in clause:
            test.stop = test.start + round(clause["elapsed_ms"])
        if source.get("url"):
            test.links.append(model2.Link("link", source["url"], f"{source['document']}: {source['section']}"))
        test.steps = [*self._steps(clause["id"]), *self._evidence(clause)]
        return test

    def _description(self, clause: ClauseResult) -> str:
        word, source = CLAUSE_VERDICTS[clause["verdict"]], clause["source"]
        parts = [
            clause["text"],
            f"Source: {source['document']}, {source['section']}.",
            f"{word.word.capitalize()}: {word.meaning}. Exercised {plural(clause['exercised'], 'time')}.",
        ]
        parts += [clause["reason"]] if clause["reason"] else []
        parts += [f"Follows from {clause['follows']}."] if "follows" in clause else []
        parts += ["The profile's waiver of this clause is stale."] if clause["id"] in self._stale else []
        if clause["verdict"] != "failed":
            parts += [_told(seen) for seen in seen_of(clause)]
        return visible("\n\n".join(parts))

    def _steps(self, clause: str) -> list[model2.TestStepResult]:
        judged = self._judged.get(clause, {})
        first = sorted(judged.items(), key=lambda entry: entry[1] == "passed")[:SCENARIOS_SHOWN]
        steps = [model2.TestStepResult(**self._item(scenario or "the whole run", status)) for scenario, status in first]
        if len(judged) > len(first):
            more = plural(len(judged) - len(first), "more scenario")
            steps.append(model2.TestStepResult(**self._item(f"and {more}", "passed")))
        return steps

    def _evidence(self, clause: ClauseResult) -> list[model2.TestStepResult]:
        """Gives a step for each of the first exchanges that findings cite, with the exchange as attachment."""
        cited = [seen["exchange"] for finding in clause["findings"] for seen in (finding, *others(finding))]
        shown = [number for number in dict.fromkeys(cited) if number in self._exchanges][:EXCHANGES_SHOWN]
        status = "failed" if clause["verdict"] == "failed" else "passed"
        return [
            model2.TestStepResult(**self._item(f"exchange {number}", status), attachments=[self._attachment(number)])
            for number in shown
        ]

    def _attachment(self, number: int) -> model2.Attachment:
        name = f"exchange-{number}-attachment.json"
        if number not in self._attached:
            self._attached.add(number)
            self._logger.report_attached_data(json.dumps(self._exchanges[number], indent=1), name)
        return model2.Attachment(f"exchange {number}", name, "application/json")

    def _trouble(self, trouble: standing.Trouble) -> model2.TestResult:
        run = self._results["run"]
        return model2.TestResult(
            **self._item(trouble.title, "broken" if trouble.spoils else "failed", trouble.text),
            uuid=_digest(run, trouble.title, trouble.text),
            fullName=f"rampcheck: {trouble.title}",
            historyId=_digest(trouble.title),
            testCaseId=_digest(trouble.title),
            labels=self._labels(feature="The run itself", suite="The run itself", severity="blocker"),
        )


def _message(clause: ClauseResult) -> str:
    """Gives the line under the name of a test; none where it passed."""
    if clause["verdict"] in {"not_verified", "waived", "attested"}:
        return f"{CLAUSE_VERDICTS[clause['verdict']].word}: {clause['reason']}"
    if clause["verdict"] == "failed":
        follows = f"follows from {clause['follows']}: " if "follows" in clause else ""
        actual = dict.fromkeys(finding["actual"] for finding in clause["findings"])
        return follows + "; ".join(list(actual)[:EXCHANGES_SHOWN])
    return ""


def _told(seen: FindingResult | ObservationResult) -> str:
    """Gives a finding or an observation as a paragraph."""
    lines = [f"expected: {seen['expected']}"] if "expected" in seen else []
    lines.append(f"actual: {seen['actual']}")
    lines += [f"also: {example['actual']} (exchange {example['exchange']})" for example in others(seen)]
    where = f", first in exchange {seen['exchange']}" if seen["exchange"] is not None else ""
    lines.append(f"seen {plural(seen['times'], 'time')}{where}")
    return "\n".join([*lines, *([f"trace: {trace}"] if (trace := trace_text(seen)) else [])])


def _digest(*parts: str) -> str:
    """Gives a name that is the same for the same parts, as Allure's history wants it."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _property(text: str) -> str:
    escaped = visible(text).replace("\\", "\\\\").encode("ascii", "backslashreplace").decode()
    return escaped.replace("\n", "\\n")
