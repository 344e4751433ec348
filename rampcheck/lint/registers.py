"""What is wrong with a register, the target's or the partner's, and with the form of any page."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from jsonschema import Draft202012Validator

from rampcheck import resources
from rampcheck.contract.yaml_file import Step
from rampcheck.lint.draft import Mistake, Page

KNOWN = "Mend the id, or add the clause to the register."


def words(steps: Iterable[Step]) -> str:
    """Gives the name of a place in a document, as a reader has it."""
    return ".".join(map(str, steps)) or "the file"


def unlike(kind: str, page: Page) -> Iterator[Mistake]:
    """Gives what of a page is not as the schema `kind` has it."""
    schema = json.loads(resources.schema(kind).read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(page.content):
        told = error.schema.get("description") if isinstance(error.schema, dict) else None
        yield page.wrong(
            f"{words(error.absolute_path)}: {error.message}",
            told or f"`rampcheck schema {kind}` explains every key.",
            *error.absolute_path,
        )


def twice(page: Page) -> Iterator[Mistake]:
    """Gives the ids that are given twice."""
    for kind in ("sections", "ambiguities", "clauses"):
        seen: set[str] = set()
        for place, entry in enumerate(page.content[kind]):
            if entry["id"] in seen:
                yield page.wrong(f"there are two {kind} {entry['id']}", "Rename one, or delete it.", kind, place, "id")
            seen.add(entry["id"])


def misnamed(page: Page, contract: str, beginning: str) -> Iterator[Mistake]:
    """Gives what is another contract's, and the clauses whose ids do not begin as they should."""
    if page.content["contract"] != contract:
        yield page.wrong(
            f"the register is that of {page.content['contract']}, its folder that of {contract}",
            f"Write `contract: {contract}`.",
            "contract",
        )
    for place, clause in enumerate(page.content["clauses"]):
        if not clause["id"].startswith(beginning):
            yield page.wrong(
                f"the clause {clause['id']} does not begin with `{beginning}`", "Rename it.", "clauses", place, "id"
            )


def homeless(page: Page) -> Iterator[Mistake]:
    """Gives the clauses in no section, and the sections without a clause."""
    sections = [section["id"] for section in page.content["sections"]]
    used = set()
    for place, clause in enumerate(page.content["clauses"]):
        homes = [section for section in sections if clause["id"].startswith(f"{section}.")]
        used.add(max(homes, key=len, default=""))
        if not homes:
            yield page.wrong(
                f"the clause {clause['id']} is in no section",
                f"Add the section {clause['id'].rpartition('.')[0]}, or rename the clause.",
                "clauses",
                place,
                "id",
            )
    for place, section in enumerate(sections):
        if section not in used:
            yield page.wrong(
                f"no clause is in the section {section}", "Delete it, or move a clause there.", "sections", place, "id"
            )


def uncited(page: Page) -> Iterator[Mistake]:
    """Gives the clauses that cite what is not listed, and the documents that no clause cites."""
    cited = set()
    for place, clause in enumerate(page.content["clauses"]):
        name = clause["source"]["document"]
        cited.add(name)
        if name not in page.content["documents"]:
            yield page.wrong(
                f"the clause {clause['id']} cites {name}, which is not listed",
                "Add it under `documents`.",
                "clauses",
                place,
                "source",
                "document",
            )
    for name in page.content["documents"]:
        if name not in cited:
            yield page.wrong(f"no clause cites the document {name}", "Delete it, or cite it.", "documents", name)


def untouched(page: Page, clauses: Collection[str]) -> Iterator[Mistake]:
    """Gives the ambiguities that touch what is none of the clauses."""
    for place, ambiguity in enumerate(page.content["ambiguities"]):
        for at, clause in enumerate(ambiguity["clauses"]):
            if clause not in clauses:
                yield page.wrong(
                    f"the ambiguity {ambiguity['id']} touches {clause}, which is no clause",
                    KNOWN,
                    "ambiguities",
                    place,
                    "clauses",
                    at,
                )
