"""Rules of the partner's side: partner.yaml, the rules that judge by it, script.yaml. A contract need not have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

from rampcheck.certification.sandbox import MODULE
from rampcheck.judging.conduct import rules
from rampcheck.lint import registers
from rampcheck.lint.draft import Draft, Mistake, Rule, place
from rampcheck.lint.registers import KNOWN
from rampcheck.sandbox import reference

MEND = "Mend what it says; a contract without a partner's side has neither partner.yaml nor script.yaml."
RULES_OF = "Define there `RULES`: what `rampcheck.judging.conduct.rule` makes, one for each clause of the partner."
SANDBOX = "A script is played by a sandbox; without one delete it, and name one with --script."


def _readable(draft: Draft) -> Iterator[Mistake]:
    for page in filter(None, (draft.partner, draft.script)):
        if page.fault:
            line, cause = page.fault
            yield Mistake(page.path, line, f"cannot be read: {cause}", MEND)
        for line, name in page.repeated():
            yield Mistake(page.path, line, f"the key {name!r} is given twice, and the first one is lost", "Keep one.")


def _register_format(draft: Draft) -> Iterator[Mistake]:
    if draft.partner:
        yield from registers.unlike("clauses", draft.partner)
    elif draft.script:
        yield Mistake(
            draft.script.path,
            0,
            "there is a script, but no partner.yaml says what an integration has to do",
            "Write it beside the script, in the format of clauses.yaml, or delete the script.",
        )


def _script_format(draft: Draft) -> Iterator[Mistake]:
    if draft.script:
        yield from registers.unlike("script", draft.script)


def _register(draft: Draft) -> Iterator[Mistake]:
    if (page := draft.partner) is None:
        return
    yield from registers.twice(page)
    yield from registers.misnamed(page, draft.name, f"{draft.name}.partner.")
    yield from registers.homeless(page)
    yield from registers.uncited(page)
    yield from registers.untouched(page, draft.of_partner)


def _judged(draft: Draft) -> Iterator[Mistake]:
    if (page := draft.partner) is None:
        return
    where = _module(draft.folder, "partner")
    try:
        judged = Counter(rule.clause for rule in rules(draft.name))
    except Exception as error:  # noqa: BLE001 - a module raises what it likes
        yield _unloaded(error, draft.folder, where, RULES_OF)
        return
    for name, times in judged.items():
        if name not in draft.of_partner:
            yield Mistake(where, 0, f"a rule judges {name}, which is no clause of partner.yaml", KNOWN)
        elif times > 1:
            yield Mistake(
                where, 0, f"{times} rules judge {name}", "Make one of them: what it gives is all that is said."
            )
    for number, clause in enumerate(page.content["clauses"]):
        is_judged, steps = clause["id"] in judged, ("clauses", number)
        if not is_judged and "untestable" not in clause:
            cure = f"Write a rule of it into {where.name}, or say why nothing can (`untestable`)."
            yield page.wrong(f"no rule judges the clause {clause['id']}", cure, *steps, "id")
        elif is_judged and "untestable" in clause:
            cause = f"a rule judges {clause['id']}, which is said to be untestable"
            yield page.wrong(cause, "Delete `untestable`, or the rule.", *steps, "untestable")


def _script(draft: Draft) -> Iterator[Mistake]:
    if (page := draft.script) is None:
        return
    if (told := page.content["contract"]) != draft.name:
        cure = f"Write `contract: {draft.name}`."
        yield page.wrong(f"the script is that of {told}, its folder that of {draft.name}", cure, "contract")
    if (path := page.content["sessions"]) not in _posted(draft):
        cure = f"Name one of {', '.join(_posted(draft)) or 'its paths'}: what `answers` and `slow` speak of."
        yield page.wrong(f"nothing is posted to {path} by the OpenAPI document", cure, "sessions")
    names = [step["name"] for step in page.content["steps"]]
    for number, name in enumerate(names):
        if name in names[:number]:
            cure = "Give each a name of its own."
            yield page.wrong(f"there are two steps {name}", cure, "steps", number, "name")


def _posted(draft: Draft) -> list[str]:
    return [path for path, item in draft.document.content.get("paths", {}).items() if "post" in item]


def _provoked(draft: Draft) -> Iterator[Mistake]:
    if draft.script is None or draft.partner is None:
        return
    beginning, provoked = f"{draft.name}.partner.", set()
    for number, step in enumerate(draft.script.content["steps"]):
        for at, name in enumerate(step["provokes"]):
            provoked.add(f"{beginning}{name}")
            if f"{beginning}{name}" not in draft.of_partner:
                cause = f"the step {step['name']} provokes {name}, and there is no clause {beginning}{name}"
                yield draft.script.wrong(cause, KNOWN, "steps", number, "provokes", at)
    for number, clause in enumerate(draft.partner.content["clauses"]):
        if clause["id"] not in provoked and "untestable" not in clause:
            cause = f"no step of the script provokes {clause['id']}"
            cure = "Name it in the step that puts it to the test (`provokes`), or write such a step."
            yield draft.partner.wrong(cause, cure, "clauses", number, "id")


def _played(draft: Draft) -> Iterator[Mistake]:
    if (page := draft.script) is None:
        return
    where = draft.reference_folder / f"{MODULE}.py"
    if not where.is_file():
        yield Mistake(page.path, 0, f"there is a script, but no sandbox: {where} is not there", SANDBOX)
        return
    try:
        known = _sandbox(reference.load(draft.name).module(MODULE))
    except Exception as error:  # noqa: BLE001 - a module raises what it likes
        yield _unloaded(error, draft.reference_folder, where, "It defines SETTINGS, BEHAVIOURS, service and purchase.")
        return
    for number, step in enumerate(page.content["steps"]):
        for kind, names in known.items():
            for name in step.get(kind, ()):
                if name not in names:
                    cause = f"the step {step['name']} asks for {name!r}, which is none of the sandbox's {kind}"
                    cure = f"It has: {', '.join(names) or 'none'}."
                    yield page.wrong(cause, cure, "steps", number, kind)


def _sandbox(module: ModuleType) -> dict[str, Collection[str]]:
    for name in ("service", "purchase"):
        getattr(module, name)
    return {"settings": tuple(module.SETTINGS), "behaviours": tuple(module.BEHAVIOURS)}


def _module(folder: Path, name: str) -> Path:
    """Gives the file of a module, or its folder where it is a package."""
    return folder / name if (folder / name).is_dir() else folder / f"{name}.py"


def _unloaded(error: Exception, folder: Path, otherwise: Path, cure: str) -> Mistake:
    cause = error.__cause__ or error
    where, line = place(cause, folder, otherwise)
    return Mistake(where, line, f"cannot be loaded: {type(cause).__name__}: {cause}", cure)


RULES = (
    Rule("readable partner's side", _readable),
    Rule("format of partner.yaml", _register_format, ("readable partner's side",)),
    Rule("format of script.yaml", _script_format, ("readable partner's side",)),
    Rule("the partner's register", _register, ("format of partner.yaml",)),
    Rule("the partner's rules", _judged, ("found by its name", "suite", "format of partner.yaml")),
    Rule("the script", _script, ("format of script.yaml", "valid OpenAPI")),
    Rule("what steps provoke", _provoked, ("format of partner.yaml", "format of script.yaml")),
    Rule("what the sandbox plays", _played, ("format of script.yaml", "reference")),
)
