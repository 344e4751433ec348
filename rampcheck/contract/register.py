"""What is promised: the clause register and the OpenAPI document of one vendor API."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from rampcheck.contract import packs, versions
from rampcheck.contract.profile import Profile
from rampcheck.contract.yaml_file import mistake, read_formatted, read_yaml
from rampcheck.errors import ContractError, UsageError

Level = Literal["must", "should", "open"]
KIND = "clauses"  # the schema that a register follows
# What of a path item is an operation. Source: OpenAPI 3.1.0, section 4.8.9 (Path Item Object).
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@dataclass(frozen=True)
class Source:
    """Where the vendor says it: the page's title, its section, and its address where one is known."""

    document: str
    section: str
    url: str = ""


@dataclass(frozen=True)
class Clause:
    """One promise: `needs` is what the profile must hold for it.

    `since` is the contract version since which it counts, "" for those of the first one.
    """

    id: str
    level: Level
    text: str
    section: str
    source: Source
    needs: tuple[Any, ...] = ()
    advice: str = ""
    untestable: str = ""
    ambiguities: tuple[str, ...] = ()
    since: str = ""

    def unmet(self, profile: Profile) -> str:
        """Gives what to add to the profile before this clause can be tried, or an empty string."""
        missing = [need_text(need) for need in self.needs if not _is_met(need, profile)]
        return "; ".join(missing)

    def lacking(self, profile: Profile) -> dict[str, Any]:
        """Gives the places of the profile that have to be filled, each with the value that is needed, None for any.

        Where one of several would do, the first is given.
        """
        return {
            place: value for need in self.needs if not _is_met(need, profile) for place, value in _places(need, profile)
        }


def _is_met(need: Any, profile: Profile) -> bool:
    if isinstance(need, str):
        return profile.get(need) not in (None, "", [], ())
    (key, value), *others = need.items()
    if key == "any_of":
        return any(_is_met(entry, profile) for entry in value)
    if key == "all_of":
        return all(_is_met(entry, profile) for entry in value)
    return all(profile.get(path) == wanted for path, wanted in [(key, value), *others])


def _places(need: Any, profile: Profile) -> Iterator[tuple[str, Any]]:
    if isinstance(need, str):
        yield need, None
        return
    (key, value), *others = need.items()
    if key == "any_of":
        yield from _places(value[0], profile)
    elif key == "all_of":
        for entry in value:
            if not _is_met(entry, profile):
                yield from _places(entry, profile)
    else:
        yield from [(key, value), *others]


def need_text(need: Any) -> str:
    """Says in a phrase what one entry of `needs` asks of the profile."""
    if isinstance(need, str):
        return f"`{need}`"
    ((key, value),) = list(need.items())[:1]
    if key == "any_of":
        return " or ".join(need_text(entry) for entry in value)
    if key == "all_of":
        return " and ".join(need_text(entry) for entry in value)
    shown = str(value).lower() if isinstance(value, bool) else value
    return f"`{key}: {shown}`"


@dataclass(frozen=True, eq=False)
class Operation:
    """One documented method and path, references resolved.

    `responses` are its documented answers by status. `message` is the schema of each message that comes over its
    WebSocket (the document's `x-messages`), but for those that fit `other_message`; None where there is none.
    """

    method: str
    path: str
    responses: Mapping[str, Mapping[str, Any]]
    message: Mapping[str, Any] | None = None
    other_message: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Cause:
    """A clause which, where it is broken, explains why those in `explains` are broken in the same exchange.

    `several` tells that an exchange holds more than one body: one that is wrong as a whole says nothing of the others.
    `anywhere` tells that it explains them in other exchanges too, where the same change to a request had the same
    outcome.
    """

    clause: str
    explains: frozenset[str]
    several: bool = False
    anywhere: bool = False


@dataclass(frozen=True)
class Contract:
    """The register and the OpenAPI document of one API, as `load` reads them; the first of `causes` comes first.

    `newer` are the clauses that `version` does not promise yet: they are `open`.
    """

    name: str
    title: str
    version: str
    sections: tuple[tuple[str, str], ...]
    clauses: Mapping[str, Clause]
    document: Mapping[str, Any] = field(repr=False)
    causes: tuple[Cause, ...] = ()
    newer: frozenset[str] = frozenset()

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every documented operation, with its answers."""
        return tuple(
            Operation(
                method.upper(),
                path,
                {str(status): resolve(self.document, answer) for status, answer in operation["responses"].items()},
                *(resolve(self.document, operation.get("x-messages", {})).get(key) for key in ("schema", "other")),
            )
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        )

    @cached_property
    def webhook(self) -> Mapping[str, Any] | None:
        """The schema of what the target sends to a partner's webhook; None where it sends none."""
        bodies = [
            resolve(self.document, item["post"]["requestBody"])["content"]["application/json"]["schema"]
            for item in self.document.get("webhooks", {}).values()
        ]
        return bodies[0] if bodies else None

    def operation(self, method: str, path: str) -> Operation | None:
        """Gives the operation that documents `method` on `path` (relative to the base URL, no query)."""
        for operation in self.operations:
            if operation.method == method and path_matches(operation.path, path):
                return operation
        return None

    def selected(self, patterns: Sequence[str]) -> frozenset[str]:
        """Gives the ids that match any of the shell-style `patterns` (`NAME.auth.*`); all where there are none.

        Raises `UsageError` for a pattern that matches no clause.
        """
        if not patterns:
            return frozenset(self.clauses)
        chosen: set[str] = set()
        for pattern in patterns:
            found = fnmatch.filter(self.clauses, pattern)
            if not found:
                raise UsageError(f"no clause of the contract {self.name} matches {pattern!r}", self.cure(pattern))
            chosen.update(found)
        return frozenset(chosen)

    def cure(self, *unknown: str) -> str:
        """Says what to do about ids or patterns that match no clause: what may be meant, and where all are listed."""
        known = self._patterns()
        near = [found for name in unknown for found in difflib.get_close_matches(name, known, n=3, cutoff=0.7)]
        meant = f"Did you mean {' or '.join(dict.fromkeys(near))}? " if near else ""
        return f"{meant}`rampcheck clauses --contract {self.name}` lists them."

    def _patterns(self) -> list[str]:
        """Gives all ids, and the patterns of all that begin alike."""
        parts = [clause.split(".") for clause in self.clauses]
        alike = {".".join([*ids[:length], "*"]) for ids in parts for length in range(2, len(ids))}
        return [*self.clauses, *sorted(alike)]


# Every invariant asks it of every exchange.
@lru_cache(maxsize=4096)
def path_matches(template: str, path: str) -> bool:
    """Whether a path fits a template, in which `{name}` stands for one segment that is not empty."""
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        (part.startswith("{") and actual != "") or part == actual for part, actual in zip(wanted, given, strict=True)
    )


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """Gives `node` with every local reference (`#/components/…`) replaced by what it refers to.

    The documents of this project hold no recursive schemas. Source: OpenAPI 3.1, "Reference Object".
    """
    if isinstance(node, Mapping):
        if "$ref" in node:
            target: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            others = {key: value for key, value in node.items() if key != "$ref"}
            return {**resolve(document, target), **resolve(document, others)}
        return {key: resolve(document, value) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(document, item) for item in node]
    return node


def clause_ids(node: Any) -> Iterator[str]:
    """Gives every `x-clause` below `node`."""
    if isinstance(node, Mapping):
        if isinstance(node.get("x-clause"), str):
            yield node["x-clause"]
        for value in node.values():
            yield from clause_ids(value)
    elif isinstance(node, list):
        for item in node:
            yield from clause_ids(item)


def of(profile: Profile) -> Contract:
    """Gives what a profile's target is judged by. Raises as `load`."""
    return load(profile.contract, profile.contract_version)


def load(name: str, version: str = "") -> Contract:
    """Gives the contract called `name`, as its version `version` promised it; "" means the newest.

    Raises `UsageError` where there is none of that name, or that version is not kept, and `ContractError` where its
    documents do not fit together.
    """
    newest = _newest(name)
    return newest if version in ("", newest.version) else _as_of(name, version)


@cache
def partner_side(name: str) -> Contract:
    """Gives what the partner promises of the contract called `name`: the register `partner.yaml`, without a document.

    Raises `UsageError` where there is no such contract, or it has no partner's side, and `ContractError` where the file
    does not have the register's format.
    """
    path = packs.of(name).document(name, "partner")
    if not path.is_file():
        raise UsageError(
            f"the contract {name} has no partner's side: nothing says what an integration has to do",
            f"{path.name} beside its clauses.yaml would say it.",
        )
    return _contract(name, path, {"paths": {}})


@cache
def _as_of(name: str, version: str) -> Contract:
    """Gives a contract with the levels and texts of an older version.

    What came later is `open`, for the older documentation is silent of it; what fell away since is not tried any more.
    """
    newest, promises = _newest(name), versions.load(name, version)
    clauses = {}
    for clause in newest.clauses.values():
        kept = promises.get(clause.id)
        clauses[clause.id] = (
            replace(clause, level=kept.level, text=kept.text) if kept else replace(clause, level="open")
        )
    for clause_id, kept in promises.items():
        if clause_id not in clauses:
            clauses[clause_id] = Clause(
                id=clause_id,
                level=kept.level,
                text=kept.text,
                section=_section(clause_id, newest.sections) or newest.sections[0][0],
                source=Source(f"{newest.title}, version {version}", ""),
                untestable=f"it fell away after version {version} of the contract, and nothing tries it any more",
            )
    return replace(newest, version=version, clauses=clauses, newer=frozenset(newest.clauses.keys() - promises.keys()))


@cache
def _newest(name: str) -> Contract:
    pack = packs.of(name)
    path = pack.document(name, "openapi")
    contract = _contract(name, pack.document(name, "clauses"), read_yaml(path))
    try:
        # What follows from the document, seen before anything is sent.
        contract.operations, contract.webhook  # noqa: B018 - both are kept
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        lacking = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise ContractError(
            f"{path} is no OpenAPI document that could be judged by: {lacking}",
            "`rampcheck lint`, and the contract's name or its pack's folder, tells each mistake with its line.",
        ) from error
    return contract


def _contract(name: str, path: Path, document: Mapping[str, Any]) -> Contract:
    register = read_formatted(path, KIND)
    if (told := register["contract"]) != name:
        cause = f"the register is that of {told}, its folder that of {name}"
        raise mistake(path, KIND, cause, f"Write `contract: {name}`.", "contract")
    sections = tuple((section["id"], section["title"]) for section in register["sections"])
    ambiguities: dict[str, list[str]] = {}
    for ambiguity in register.get("ambiguities", ()):
        for clause in ambiguity.get("clauses", ()):
            ambiguities.setdefault(clause, []).append(ambiguity["text"])
    clauses: dict[str, Clause] = {}
    for number, entry in enumerate(register["clauses"]):
        if wrong := _misplaced(entry, clauses, sections, register["documents"]):
            raise mistake(path, KIND, *wrong, "clauses", number)
        page = register["documents"][entry["source"]["document"]]
        clauses[entry["id"]] = Clause(
            id=entry["id"],
            level=entry["level"],
            text=" ".join(entry["text"].split()),
            section=_section(entry["id"], sections),
            source=Source(page["title"], entry["source"]["section"], page.get("url", "")),
            needs=tuple(entry.get("needs", ())),
            advice=entry.get("advice", ""),
            untestable=entry.get("untestable", ""),
            ambiguities=tuple(ambiguities.get(entry["id"], ())),
            since=entry.get("since", ""),
        )
    causes = tuple(
        Cause(
            entry["cause"],
            _matching(clauses, entry["explains"]) - {entry["cause"]},
            entry.get("several", False),
            entry.get("anywhere", False),
        )
        for entry in register.get("causes", ())
    )
    return Contract(name, register["title"], str(register["version"]), sections, clauses, document, causes)


def _misplaced(
    entry: Mapping[str, Any],
    known: Mapping[str, Clause],
    sections: Iterable[tuple[str, str]],
    documents: Mapping[str, Any],
) -> tuple[str, str] | None:
    """Gives what is wrong with how a clause refers to the rest of its register, and the cure; None where nothing is."""
    if entry["id"] in known:
        return f"there are two clauses {entry['id']}", "Rename one, or delete it."
    if not _section(entry["id"], sections):
        return f"the clause {entry['id']} is in no section", "Add the section, or rename the clause."
    if (page := entry["source"]["document"]) not in documents:
        return f"the clause {entry['id']} cites {page}, which is not listed", "Add it under `documents`."
    return None


def _section(clause: str, sections: Iterable[tuple[str, str]]) -> str:
    """Gives the section with the longest id that a clause's begins with; "" where there is none."""
    return max((key for key, _ in sections if clause.startswith(f"{key}.")), key=len, default="")


def _matching(names: Iterable[str], patterns: Iterable[str]) -> frozenset[str]:
    return frozenset(name for pattern in patterns for name in fnmatch.filter(names, pattern))
