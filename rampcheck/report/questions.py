"""What only the vendor can answer: where the documentation is silent or contradicts itself, and what the target did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jinja2 import Environment

from rampcheck.display import one_line
from rampcheck.judging.results import ClauseResult, Results
from rampcheck.report import summary
from rampcheck.report.text import plural

ADDRESS = re.compile(r"https?://[A-Za-z0-9.:/_~%?&=+#\[\]-]+")
LONGEST_TEXT = 1_000  # characters of a question or an answer in questions.md
FILE_NAME = "questions.md"


@dataclass(frozen=True)
class Answer:
    """What this target did: the exchange that shows it first, if one does, and how many times it was seen."""

    actual: str
    exchange: int | None
    times: int


@dataclass(frozen=True)
class Question:
    """What is open, the ids of the clauses that it touches, and what this target did there.

    `otherwise` says what became of the clauses where nothing was observed, or that all of it stands under a question
    before; `sources` name the documentation, each with its address, or "".
    """

    text: str
    clauses: tuple[str, ...]
    answers: tuple[Answer, ...]
    otherwise: str
    sources: tuple[tuple[str, str], ...]


def questions(results: Results) -> tuple[Question, ...]:
    """Gives the questions of valid `results`, each once: ambiguities first, then what was observed without one."""
    touched: dict[str, list[ClauseResult]] = {}
    silent: dict[str, list[ClauseResult]] = {}
    for clause in results["clauses"]:
        for text in clause["ambiguities"]:
            touched.setdefault(text, []).append(clause)
        if not clause["ambiguities"] and (clause["observations"] or clause["level"] == "open"):
            silent.setdefault(_asked(clause), []).append(clause)
    return _told_once(_question(text, clauses) for text, clauses in [*touched.items(), *silent.items()])


def _told_once(asked: Iterable[Question]) -> tuple[Question, ...]:
    """Gives the questions, where several things that the target did are under two of them told under the first."""
    told: list[Question] = []
    first: dict[tuple[Answer, ...], int] = {}
    for number, question in enumerate(asked, start=1):
        known = first.setdefault(question.answers, number)
        if len(question.answers) > 1 and known < number:
            did = plural(len(question.answers), "answer")
            told.append(replace(question, answers=(), otherwise=f"the same {did} as under question {known}"))
        else:
            told.append(question)
    return tuple(told)


def _asked(clause: ClauseResult) -> str:
    """Asks for what a clause does not say, though the target did something about it."""
    if clause["level"] == "open":
        return f"{clause['text']} What is right?"
    return f"“{clause['text']}” Does that go for what is shown below, too, and was each of it answered as it should be?"


def _question(text: str, clauses: Sequence[ClauseResult]) -> Question:
    answers: dict[str, Answer] = {}
    for seen in (seen for clause in clauses for seen in clause["observations"]):
        known = answers.get(seen["actual"], Answer(seen["actual"], seen["exchange"], 0))
        answers[seen["actual"]] = Answer(known.actual, known.exchange, known.times + seen["times"])
    return Question(
        text,
        tuple(clause["id"] for clause in clauses),
        tuple(answers.values()),
        "; ".join(dict.fromkeys(map(_outcome, clauses))),
        tuple(dict.fromkeys((_source(clause), clause["source"].get("url", "")) for clause in clauses)),
    )


def _outcome(clause: ClauseResult) -> str:
    """Says what became of a clause as it is read here."""
    match clause["verdict"]:
        case "not_verified":
            return f"not verified: {clause['reason']}"
        case "passed" | "observed":
            return "keeps the promise as it is read here"
        case "attested":
            return f"attested: {clause['reason']}"
    return f"breaks the promise as it is read here: {clause['findings'][0]['actual']}"


def _source(clause: ClauseResult) -> str:
    source = clause["source"]
    return ", ".join(filter(None, (source["document"], source["section"])))


def _shown(value: object) -> str:
    """Gives a value as Markdown shows it exactly as it is; an address of ours, and nobody else's, is a link."""
    if isinstance(value, _Address) and ADDRESS.fullmatch(value):
        return f"<{value}>"
    return summary.SPECIAL.sub(r"\\\g<0>", one_line(str(value), LONGEST_TEXT))


class _Address(str):
    """An address that the documentation or the user names."""

    __slots__ = ()


def environment() -> Environment:
    """Gives what renders questions: they are longer than what stands in a cell, and their addresses are links."""
    return summary.environment(_shown)


def render(results: Results) -> str:
    """Gives questions.md, in GitHub Flavored Markdown, of valid `results`."""
    return (
        environment()
        .get_template("questions.md.jinja")
        .render(
            results=results,
            build=results.get("subject", {}).get("build", ""),
            questions=questions(results),
            address=_Address,
            plural=plural,
        )
    )
