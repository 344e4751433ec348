"""Rules of a contract's versions: since when a clause counts, and that what is released stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from rampcheck.contract import versions
from rampcheck.lint.draft import Draft, Json, Mistake, Page, Rule

RELEASED = "Take it as it was released; a change is a new version of the contract, with a file of its own."


def _kept(draft: Draft) -> list[Page]:
    """Gives the files of the versions that are kept, the oldest first."""
    folder = versions.folder(draft.pack, draft.name)
    return [Page(path) for path in sorted(folder.glob("*.yaml"), key=lambda path: versions.order(path.stem))]


def _named(draft: Draft) -> Iterator[Mistake]:
    version = draft.register.content["version"]
    if not versions.NAME.fullmatch(version):
        yield draft.register.wrong(
            f"the version {version!r} cannot be a file's name", "Use letters, digits, `.` and `-`.", "version"
        )
    for page in _kept(draft):
        if page.path.stem != version and versions.order(page.path.stem) > versions.order(version):
            yield draft.register.wrong(
                f"the version {version} is older than {page.path.stem}, which is kept",
                "Give it a later name.",
                "version",
            )


def _intact(draft: Draft) -> Iterator[Mistake]:
    for page in _kept(draft):
        if page.fault:
            line, cause = page.fault
            yield Mistake(page.path, line, f"cannot be read: {cause}", RELEASED)
            continue
        clauses = page.content.get("clauses")
        told = (page.content.get("contract"), page.content.get("version"))
        if told != (draft.name, page.path.stem) or not isinstance(clauses, dict):
            yield page.wrong(f"is not what was kept of {draft.name} {page.path.stem}", RELEASED)
        elif page.content.get("digest") != versions.digest(clauses):
            yield page.wrong("was changed since it was released: the digest is another", RELEASED, "digest")


def _unchanged(draft: Draft) -> Iterator[Mistake]:
    """What the register says of a version that is released already."""
    version = draft.register.content["version"]
    kept = next((page.content["clauses"] for page in _kept(draft) if page.path.stem == version), None)
    if kept is None:
        return
    promised = versions.promised(draft.register.content)
    for place, clause in enumerate(draft.register.content["clauses"]):
        if clause["id"] in kept and kept[clause["id"]] != promised[clause["id"]]:
            yield _changed(
                draft, f"the clause {clause['id']} is not as version {version} promised it", "clauses", place
            )
        elif clause["id"] not in kept:
            yield _changed(draft, f"version {version} did not promise {clause['id']}", "clauses", place)
    for clause in sorted(kept.keys() - promised.keys()):
        yield _changed(draft, f"version {version} promised {clause}, which is no clause any more", "clauses")


def _changed(draft: Draft, cause: str, *steps: str | int) -> Mistake:
    return draft.register.wrong(
        f"{cause}, and is released",
        "Give the register and the OpenAPI document a new version; a clause that is new says since which it counts.",
        *steps,
    )


def _since(draft: Draft) -> Iterator[Mistake]:
    version = draft.register.content["version"]
    kept = {page.path.stem: page.content["clauses"] for page in _kept(draft)}
    known = [*(name for name in kept if name != version), version]
    for place, clause in enumerate(draft.register.content["clauses"]):
        since = clause.get("since", known[0])
        if "since" in clause and since == known[0]:
            yield _wrong(draft, clause, place, "counts since the first version", "Leave `since` out.")
        elif since not in known:
            cure = f"Name one of {', '.join(known[1:])}." if known[1:] else "Leave it out."
            yield _wrong(draft, clause, place, f"counts since {since}, which is no version", cure)
        else:
            yield from _counted(draft, clause, place, since, {name: kept[name] for name in known[:-1]})


def _counted(draft: Draft, clause: Json, place: int, since: str, kept: dict[str, Json]) -> Iterator[Mistake]:
    """Whether a clause stands in the versions since it counts, and in no other."""
    for name, clauses in kept.items():
        is_due = versions.order(name) >= versions.order(since)
        if is_due and clause["id"] not in clauses:
            cause = f"counts since {since}, but version {name} did not promise it"
            yield _wrong(draft, clause, place, cause, "Say since which version it counts; an id is never used again.")
            return
        if not is_due and clause["id"] in clauses:
            cause = f"counts since {since}, but version {name} promised it already"
            yield _wrong(draft, clause, place, cause, "Say the version that promised it first.")
            return


def _wrong(draft: Draft, clause: Json, place: int, cause: str, cure: str) -> Mistake:
    return draft.register.wrong(f"the clause {clause['id']} {cause}", cure, "clauses", place, "since")


RULES = (
    Rule("versions named", _named, ("format of clauses.yaml",)),
    Rule("released versions", _intact),
    Rule("the released register", _unchanged, ("format of clauses.yaml", "released versions")),
    Rule("since", _since, ("format of clauses.yaml", "ids given once", "released versions")),
)
