"""What the clause registers say: questions to the vendors, and figures."""

from __future__ import annotations

from collections.abc import Iterator

from docs.made.markdown import code, plain, table
from rampcheck.contract import descriptor
from rampcheck.contract.register import Clause, Contract, load
from rampcheck.sandbox import all_defects, all_variants

LEVELS = ("must", "should", "open")


def questions() -> str:
    """Gives what the documentation of each contract contradicts itself in, or is silent about."""
    return "\n".join(line for name in descriptor.contracts() for line in _questions(load(name)))


def _questions(contract: Contract) -> Iterator[str]:
    yield f"## {plain(contract.title)}\n"
    touched: dict[str, list[Clause]] = {}
    for clause in contract.clauses.values():
        for text in clause.ambiguities:
            touched.setdefault(text, []).append(clause)
    silent = {clause.text: [clause] for clause in contract.clauses.values() if _is_silent(clause)}
    for number, (text, clauses) in enumerate({**touched, **silent}.items(), 1):
        pages = dict.fromkeys(f"{clause.source.document}, {clause.source.section}" for clause in clauses)
        yield f"{number}. {plain(text)}\n"
        ids = ", ".join(code(clause.id) for clause in clauses)
        yield f"   *Clauses:* {ids}. *Source:* {plain('; '.join(pages))}.\n"


def _is_silent(clause: Clause) -> bool:
    return clause.level == "open" and not clause.ambiguities


def figures() -> str:
    """Gives a table of what each contract has: clauses by level, defects, variants."""
    rows = []
    for name in descriptor.contracts():
        levels = [clause.level for clause in load(name).clauses.values()]
        counts = [len(levels), *map(levels.count, LEVELS), len(list(all_defects(name))), len(list(all_variants(name)))]
        rows.append([name, *map(str, counts)])
    return table(("contract", "clauses", *map(code, LEVELS), "defects", "variants"), rows)
