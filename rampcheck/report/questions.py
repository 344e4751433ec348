"""What only the vendor can answer: where the documentation is silent or contradicts itself, and what the target did."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.judging.results import ClauseResult, Results


@dataclass(frozen=True)
class Question:
    """What is open, the ids of the clauses that it touches, and what this target did there."""

    text: str
    clauses: tuple[str, ...]
    answers: tuple[str, ...]


def questions(results: Results) -> tuple[Question, ...]:
    """Gives the questions of valid `results`, each once: ambiguities first, then what was observed without one."""
    touched: dict[str, list[ClauseResult]] = {}
    for clause in results["clauses"]:
        for text in clause["ambiguities"] or ([clause["text"]] if clause["observations"] else ()):
            touched.setdefault(text, []).append(clause)
    return tuple(
        Question(
            text,
            tuple(clause["id"] for clause in clauses),
            tuple(dict.fromkeys(seen["actual"] for clause in clauses for seen in clause["observations"])),
        )
        for text, clauses in touched.items()
    )
