"""Rules of a contract's code: its suite, and its reference where there is one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rampcheck.lint.draft import Draft, Mistake, Rule, place, source
from rampcheck.lint.registers import KNOWN


def _loaded(load: Callable[[], Any], folder: Path) -> Iterator[Mistake]:
    try:
        load()
    except Exception as error:  # noqa: BLE001 - a module raises what it likes
        cause = error.__cause__ or error
        where, line = place(cause, folder, folder / "__init__.py")
        yield Mistake(where, line, f"cannot be loaded: {type(cause).__name__}: {cause}", "Mend what it says.")


def _suite(draft: Draft) -> Iterator[Mistake]:
    return _loaded(lambda: draft.suite, draft.folder)


def _scenarios(draft: Draft) -> Iterator[Mistake]:
    for path, error in draft.scenarios.failures:
        where, line = place(error.__cause__ or error, draft.folder, path)
        yield Mistake(where, line, f"cannot be collected: {error.__cause__ or error}", "Mend what it says.")
    if not draft.scenarios.failures and not draft.scenarios.scenarios:
        yield Mistake(draft.folder, 0, "the suite has no scenario", "Write one: `test_*.py`, marked with `verifies`.")


def _marked(draft: Draft) -> Iterator[Mistake]:
    for scenario in draft.scenarios.scenarios:
        if not scenario.clauses:
            yield Mistake(
                scenario.path,
                scenario.line,
                f"{scenario.name} verifies no clause, so no run would start it",
                'Mark it: `@pytest.mark.verifies("…")`.',
            )


def _known_in_suite(draft: Draft) -> Iterator[Mistake]:
    for scenario in draft.scenarios.scenarios:
        for clause in scenario.clauses:
            if clause not in draft.clauses:
                yield Mistake(
                    scenario.path, scenario.line, f"{scenario.name} verifies {clause}, which is no clause", KNOWN
                )
    for clause in draft.suite.judged:
        if clause not in draft.clauses:
            yield Mistake(draft.folder / "__init__.py", 0, f"an invariant judges {clause}, which is no clause", KNOWN)
    yield from _literals(draft, draft.folder)


def _literals(draft: Draft, folder: Path) -> Iterator[Mistake]:
    try:
        found = list(draft.literals(folder))
    except SyntaxError as error:  # of a file that nothing imports
        yield Mistake(*place(error, folder, folder), f"is no Python: {error.msg}", "Mend what it says, or delete it.")
        return
    known = draft.of_partner.union(draft.clauses)
    for path, line, text, is_part in found:
        begins_one = any(clause.startswith(text if is_part or text.endswith(".") else f"{text}.") for clause in known)
        if text not in known and not begins_one:
            yield Mistake(path, line, f"no clause is called {text!r}, or begins with it", KNOWN)


def _judged(draft: Draft) -> Iterator[Mistake]:
    for number, (name, clause) in enumerate(draft.clauses.items()):
        if name not in draft.verified and "untestable" not in clause:
            yield draft.register.wrong(
                f"nothing judges the clause {name}",
                "Write a scenario that verifies it, or say why nothing can (`untestable`).",
                "clauses",
                number,
                "id",
            )
        if name in draft.verified and "untestable" in clause:
            yield draft.register.wrong(
                f"a scenario verifies {name}, which is said to be untestable",
                "Delete `untestable`, or the mark.",
                "clauses",
                number,
                "untestable",
            )


def _said_once(draft: Draft) -> Iterator[Mistake]:
    sets: dict[tuple[Path, str], list[frozenset[str]]] = defaultdict(list)
    for scenario in draft.scenarios.scenarios:
        sets[scenario.path, scenario.name.partition("[")[0]].append(frozenset(scenario.clauses))
    for (path, name), clauses in sets.items():
        if any(len(of_one) != 1 for of_one in clauses):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        texts = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
        for node in (inner for body in bodies for statement in body for inner in ast.walk(statement)):
            if not isinstance(node, ast.expr):
                continue
            pattern = _pattern(node, texts)
            if any(re.fullmatch(pattern, clause) for clause in frozenset().union(*clauses)):
                yield Mistake(
                    path,
                    node.lineno,
                    f"{name} names again the only clause that it verifies",
                    "Leave it out, the mark says it; where it is needed all the same, it is `target.clause`.",
                )


def _pattern(node: ast.AST, texts: Mapping[str, str]) -> str:
    """Gives the regular expression of what a text in the code may be, "" where it is none or begins with anything."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.Name(id=name) if name in texts:
            return re.escape(texts[name])
        case ast.JoinedStr(values=values):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in values]
            whole = "".join(_pattern(part, texts) or ".+" for part in parts)
            return "" if whole.startswith(".+") else whole
    return ""


def _reference(draft: Draft) -> Iterator[Mistake]:
    if draft.has_reference:
        yield from _loaded(lambda: draft.defects, draft.reference_folder)


def _known_in_reference(draft: Draft) -> Iterator[Mistake]:
    if not draft.has_reference:
        return
    yield from _literals(draft, draft.reference_folder)
    for defect in draft.defects:
        where = source(defect.service, draft.reference_folder)
        for clause in defect.clauses:
            if clause not in draft.clauses:
                yield Mistake(*where, f"the defect {defect.name} breaks {clause}, which is no clause", KNOWN)
        for beginning in defect.may_break:
            if not any(clause.startswith(beginning) for clause in draft.clauses):
                yield Mistake(*where, f"the defect {defect.name} may break {beginning}, and no clause begins so", KNOWN)


def _bounded(draft: Draft) -> Iterator[Mistake]:
    for defect in draft.defects if draft.has_reference else ():
        if any(draft.name.startswith(beginning.rstrip(".")) for beginning in defect.may_break):
            yield Mistake(
                *source(defect.service, draft.reference_folder),
                f"the defect {defect.name} may break the whole contract, so it shows nothing of unrelated clauses",
                "Name the clauses, or the sections, that fall with it.",
            )


def _twice(draft: Draft) -> Iterator[Mistake]:
    if not draft.has_reference:
        return
    broken = [clause for defect in draft.defects for clause in defect.clauses]
    for number, (name, clause) in enumerate(draft.clauses.items()):
        if clause["level"] == "must" and "untestable" not in clause and (times := broken.count(name)) < 2:
            yield draft.register.wrong(
                f"{('no defect breaks', 'only one defect breaks')[times]} {name}",
                "Write two that break it in different ways: one may be caught by luck.",
                "clauses",
                number,
                "id",
            )


RULES = (
    Rule("suite", _suite, ("found by its name", "format of contract.yaml")),
    Rule("scenarios", _scenarios, ("found by its name", "suite")),
    Rule("marked scenarios", _marked, ("scenarios",)),
    Rule("known ids in the suite", _known_in_suite, ("format of clauses.yaml", "scenarios")),
    Rule("clauses said once", _said_once, ("marked scenarios",)),
    Rule("judged clauses", _judged, ("format of clauses.yaml", "scenarios")),
    Rule("reference", _reference, ("found by its name", "format of contract.yaml")),
    Rule("known ids in the reference", _known_in_reference, ("format of clauses.yaml", "reference")),
    Rule("bounded defects", _bounded, ("reference",)),
    Rule("two defects", _twice, ("format of clauses.yaml", "reference")),
)
