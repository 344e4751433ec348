"""rampcheck.sarif: clauses as rules, findings as results (OASIS, Static Analysis Results Interchange Format 2.1.0)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rampcheck.contract.register import Level
from rampcheck.display import shorten, visible
from rampcheck.judging.results import ClauseResult, FindingResult, Results
from rampcheck.report import standing
from rampcheck.report.outline import CLAUSE_VERDICTS, LEVELS, outline
from rampcheck.report.summary import escaped
from rampcheck.report.text import plural
from rampcheck.wire.journal_records import ExchangeRecord

FILE_NAME = "rampcheck.sarif"
LONGEST_VALUE = 1_000  # characters
LONGEST_URL = 300  # characters

SEVERITIES: Mapping[Level, str] = {"must": "error", "should": "warning", "open": "note"}

# In a message braces hold an argument (section 3.11.5), and `[text](target)` is a link (section 3.11.6).
BRACES = re.compile(r"[{}]")
LINK = re.compile(r"\](?=\()")


def render(results: Results, exchanges: Mapping[int, ExchangeRecord]) -> bytes:
    """Gives the SARIF log of valid `results`; of the `exchanges` of the journal, those that findings cite are named.

    Every clause is a rule, whose properties have its verdict. Only what was seen broken is a result, because those
    who read the format take each result for an alert: a `must` is an error, a `should` a warning (an error in a strict
    run), and what is waived is suppressed. What was not verified, and what is wrong with the run, is a notification: an
    error where the run cannot be trusted without it. The place of a result is the report: the target has no source.
    """
    rules = {clause["id"]: number for number, clause in enumerate(results["clauses"])}
    run = {
        "tool": {
            "driver": {
                "name": "rampcheck",
                "version": results["rampcheck"],
                "rules": [_rule(clause) for clause in results["clauses"]],
            }
        },
        "automationDetails": {"id": f"rampcheck/{results['contract']}/{results['run']}"},
        "invocations": [_invocation(results, rules)],
        "results": list(_results(results, exchanges, rules)),
        "properties": {
            "verdict": results["verdict"],
            "target": visible(results["target"]["base_url"]),
            **{name: visible(str(value)) for name, value in results.get("subject", {}).items() if value},
            "contract": f"{results['contract']} {results['contract_version']}",
            "seed": results["seed"],
        },
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1) + "\n").encode()


def _message(text: str) -> dict[str, str]:
    """Gives a message that shows a text as it is, whatever is in it."""
    return {"text": BRACES.sub(r"\g<0>\g<0>", LINK.sub(r"]\\", visible(text)))}


def _rule(clause: ClauseResult) -> dict[str, Any]:
    source, level, word = clause["source"], clause["level"], CLAUSE_VERDICTS[clause["verdict"]]
    where = ", ".join(filter(None, [source["document"], source["section"]]))
    told = {
        "Promise": clause["text"],
        "Level": f"{level}, {LEVELS[level]}",
        "Verdict": f"{word.word}, {word.meaning}",
        "Why": clause["reason"],
        "Source": where,
    }
    lines = {name: text for name, text in told.items() if text}
    markdown = [f"**{name}**: {escaped(visible(text))}" for name, text in lines.items()]
    rule: dict[str, Any] = {
        "id": clause["id"],
        "shortDescription": _message(shorten(clause["text"], LONGEST_VALUE)),
        "fullDescription": _message(clause["text"]),
        "help": {
            **_message("\n".join(f"{name}: {text}" for name, text in lines.items())),
            "markdown": BRACES.sub(r"\g<0>\g<0>", "\n\n".join(markdown)),
        },
        "defaultConfiguration": {"level": SEVERITIES[level]},
        "properties": {
            "tags": [level, clause["section"]],
            "verdict": clause["verdict"],
            "exercised": clause["exercised"],
        },
    }
    return rule | ({"helpUri": source["url"]} if source.get("url") else {})


def _results(
    results: Results, exchanges: Mapping[int, ExchangeRecord], rules: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    for clause in results["clauses"]:
        severity = "error" if results.get("strict") else SEVERITIES[clause["level"]]
        for number, finding in enumerate(clause["findings"], start=1):
            result: dict[str, Any] = {
                "ruleId": clause["id"],
                "ruleIndex": rules[clause["id"]],
                "kind": "fail",
                "level": severity,
                "message": _message(_told(clause, finding)),
                "occurrenceCount": max(1, finding["times"]),
                "locations": [_location(results, exchanges.get(finding["exchange"] or 0))],
                # The same in the next run, whatever values are seen there.
                "partialFingerprints": {"clause/v1": _digest(clause["id"], str(number))},
                "properties": {"exchange": finding["exchange"], "scenario": visible(finding["scenario"])},
            }
            if clause["verdict"] == "waived":
                why = visible(clause["reason"])
                result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
            yield result


def _told(clause: ClauseResult, finding: FindingResult) -> str:
    lines = [
        clause["text"],
        f"Expected: {shorten(finding['expected'], LONGEST_VALUE)}",
        f"Actual: {shorten(finding['actual'], LONGEST_VALUE)}",
        f"Seen {plural(finding['times'], 'time')}"
        + (f", first in index.html#exchange-{finding['exchange']}" if finding["exchange"] is not None else "")
        + ".",
    ]
    lines += [f"Follows from {clause['follows']}."] if "follows" in clause else []
    return "\n".join(lines)


def _location(results: Results, exchange: ExchangeRecord | None) -> dict[str, Any]:
    base_url = results["target"]["base_url"]
    asked = f"{exchange['request']['method']} {exchange['request']['url']}" if exchange else base_url
    return {
        # GitHub wants a line of each.
        "physicalLocation": {"artifactLocation": {"uri": "index.html"}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": visible(shorten(asked, LONGEST_URL)), "kind": "resource"}],
    }


def _invocation(results: Results, rules: Mapping[str, int]) -> dict[str, Any]:
    troubles = standing.troubles(results)
    gaps = [
        {
            "level": _gravity(clause),
            "message": _message(f"{clause['id']} was not verified: {clause['reason']}"),
            "associatedRule": {"id": clause["id"], "index": rules[clause["id"]]},
        }
        for clause in outline(results).by_verdict["not_verified"]
    ]
    told = [
        {"level": "error", "message": _message(f"{trouble.title}: {trouble.text}"), "descriptor": {"id": trouble.kind}}
        for trouble in troubles
    ]
    return {
        "executionSuccessful": not any(trouble.spoils for trouble in troubles),
        "startTimeUtc": results["started"],
        "endTimeUtc": results["finished"],
        "toolExecutionNotifications": [*told, *gaps],
    }


def _gravity(clause: ClauseResult) -> str:
    if standing.of(clause) == "lost":
        return "error"
    return "warning" if clause.get("gap") == "unexpected" else "note"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
