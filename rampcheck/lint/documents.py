"""Rules of a contract's documents: contract.yaml, clauses.yaml, openapi.yaml."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from openapi_spec_validator import OpenAPIV31SpecValidator

from rampcheck.contract import packs
from rampcheck.contract.register import METHODS, need_text, resolve
from rampcheck.contract.yaml_file import Step
from rampcheck.lint import registers
from rampcheck.lint.draft import Draft, Json, Mistake, Rule
from rampcheck.lint.registers import KNOWN, words

HOLDS = "Write the file; `rampcheck new` shows how one looks."


def _readable(draft: Draft) -> Iterator[Mistake]:
    for page in draft.pages:
        if page.fault:
            line, cause = page.fault
            yield Mistake(page.path, line, f"cannot be read: {cause}", HOLDS)


def _keys(draft: Draft) -> Iterator[Mistake]:
    for page in draft.pages:
        for line, name in page.repeated():
            yield Mistake(page.path, line, f"the key {name!r} is given twice, and the first one is lost", "Keep one.")


def _found(draft: Draft) -> Iterator[Mistake]:
    if not draft.folder.is_dir():
        yield Mistake(
            draft.folder,
            0,
            f"{draft.name} has no suite, so nothing is judged, and no command knows it",
            "Add the folder, with an `__init__.py` that defines `suite`.",
        )
    elif not draft.is_found:
        others = [pack.folder for pack in packs.packs() if draft.name in pack.contracts and pack != draft.pack]
        yield Mistake(
            draft.descriptor.path,
            0,
            f"the name {draft.name} is that of a contract in {others[0]}"
            if others
            else f"no command finds the contract {draft.name}",
            "Rename the three folders, and the beginning of every clause id.",
        )


def _descriptor_format(draft: Draft) -> Iterator[Mistake]:
    return registers.unlike("contract", draft.descriptor)


def _register_format(draft: Draft) -> Iterator[Mistake]:
    return registers.unlike("clauses", draft.register)


def _valid(draft: Draft) -> Iterator[Mistake]:
    page = draft.document
    if not str(page.content.get("openapi", "")).startswith("3.1."):
        yield page.wrong("the document is no OpenAPI 3.1", "Begin it with `openapi: 3.1.0`.", "openapi")
        return
    try:
        for error in OpenAPIV31SpecValidator(page.content).iter_errors():
            yield page.wrong(
                f"{words(error.absolute_path)}: {_first_line(error.message)}",
                "See the OpenAPI Specification, version 3.1.",
                *error.absolute_path,
            )
    except Exception as error:  # noqa: BLE001 - of a reference that leads nowhere it raises what its libraries raise
        yield page.wrong(f"cannot be validated: {_first_line(str(error))}", "Most often a `$ref` leads nowhere.")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _unique(draft: Draft) -> Iterator[Mistake]:
    return registers.twice(draft.register)


def _named(draft: Draft) -> Iterator[Mistake]:
    return registers.misnamed(draft.register, draft.name, f"{draft.name}.")


def _sections(draft: Draft) -> Iterator[Mistake]:
    return registers.homeless(draft.register)


def _versions(draft: Draft) -> Iterator[Mistake]:
    register, told = draft.register.content, draft.document.content["info"]
    for key in ("version", "title"):
        if str(told[key]) != register[key]:
            yield draft.document.wrong(
                f"the document's {key} is {told[key]!r}, the register's {register[key]!r}",
                "They are a pair: give both the same.",
                "info",
                key,
            )


def _pages_cited(draft: Draft) -> Iterator[Mistake]:
    return registers.uncited(draft.register)


def _named_by_descriptor(draft: Draft) -> Iterator[tuple[str, tuple[Step, ...]]]:
    told = draft.descriptor.content
    yield told["gateway"], ("gateway",)
    if "clause" in (refused := told.get("credentials_refused", {})):
        yield refused["clause"], ("credentials_refused", "clause")
    for key in ("no_server_error", "accepts"):
        yield from ((clause, (key, path)) for path, clause in told[key].items())


def _known(draft: Draft) -> Iterator[Mistake]:
    for clause, steps in _named_by_descriptor(draft):
        if clause not in draft.clauses:
            yield draft.descriptor.wrong(f"there is no clause {clause}", KNOWN, *steps)
    yield from registers.untouched(draft.register, draft.clauses)
    for steps, node in _nodes(draft.document.content):
        if "x-clause" in node and node["x-clause"] not in draft.clauses:
            yield draft.document.wrong(f"there is no clause {node['x-clause']}", KNOWN, *steps, "x-clause")


def _paths_of_descriptor(draft: Draft) -> Iterator[Mistake]:
    """What contract.yaml says of paths and members, the document has, too: else it holds for nothing, unseen."""
    told, document = draft.descriptor.content, draft.document.content
    paths = {_template(path): path for path in document["paths"]}
    named = {name for _, node in _nodes(document) for name in _properties(node)}
    members: list[tuple[str, tuple[Step, ...]]] = [
        (name, ("envelope", place)) for place, name in enumerate(told["envelope"])
    ]
    for key in ("known_by", "no_server_error", "accepts"):
        for path, value in told[key].items():
            if _template(path) not in paths:
                yield draft.descriptor.wrong(
                    f"the document has no path {path}", f"Its paths are {', '.join(paths.values())}.", key, path
                )
            elif key == "known_by":
                members += [(name, (key, path, place)) for place, name in enumerate(value)]
    for name, steps in members:
        if not named.issuperset(name.split(".")):
            yield draft.descriptor.wrong(
                f"no schema of the document has a member {name}",
                "Name one as it stands there; of an object inside another one, the path: error.code.",
                *steps,
            )


def _template(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _properties(node: Json) -> Json:
    properties = node.get("properties")
    return properties if isinstance(properties, dict) else {}


def _causes(draft: Draft) -> Iterator[Mistake]:
    for place, entry in enumerate(draft.register.content.get("causes", ())):
        cause = draft.clauses.get(entry["cause"])
        if cause is None or cause["level"] != "must":
            yield draft.register.wrong(
                f"the cause {entry['cause']} is no clause of level must",
                "Only a broken `must` explains others: name one, or delete the entry.",
                "causes",
                place,
                "cause",
            )
        for at, pattern in enumerate(entry["explains"]):
            if not fnmatch.filter(draft.clauses, pattern):
                yield draft.register.wrong(
                    f"{entry['cause']} explains {pattern!r}, which no clause matches",
                    "Mend the pattern, or delete it.",
                    "causes",
                    place,
                    "explains",
                    at,
                )


def _profile(draft: Draft) -> Iterator[Mistake]:
    cure = "Its `properties` and `$defs` are those of a JSON Schema, draft 2020-12; a `$ref` leads to its own `$defs`."
    try:
        Draft202012Validator.check_schema(draft.profile)
    except SchemaError as error:
        yield draft.descriptor.wrong(
            f"the profile's part is no JSON Schema: {words(error.absolute_path)}: {error.message}",
            cure,
            "profile",
            *error.absolute_path,
        )
    except LookupError as error:
        yield draft.descriptor.wrong(f"the profile's part refers to {error}, which is not there", cure, "profile")


def _needs(draft: Draft) -> Iterator[Mistake]:
    for place, clause in enumerate(draft.register.content["clauses"]):
        for at, need in enumerate(clause.get("needs", ())):
            for path, value in _paths(need):
                if not _offers(draft.profile, path.split("."), value):
                    wanted = need_text(path if value is None else {path: value})
                    yield draft.register.wrong(
                        f"the clause {clause['id']} needs {wanted}, which no profile of {draft.name} can hold",
                        "Mend the path, or describe it under `profile` in contract.yaml.",
                        "clauses",
                        place,
                        "needs",
                        at,
                    )


def _told(draft: Draft) -> Iterator[Mistake]:
    for place in draft.descriptor.content.get("session_tells", {}):
        if not _offers(draft.profile, place.split("."), None):
            yield draft.descriptor.wrong(
                f"a session tells {place}, which no profile of {draft.name} can hold",
                "Mend the place, or describe it under `profile`.",
                "session_tells",
                place,
            )


def _paths(need: Any) -> Iterator[tuple[str, Any]]:
    """Gives each place of a profile that a need speaks of, with the value that it asks for, None for any."""
    if isinstance(need, str):
        yield need, None
        return
    for key, value in need.items():
        if key in ("any_of", "all_of"):
            for entry in value:
                yield from _paths(entry)
        else:
            yield key, value


def _offers(schema: Json, steps: list[str], value: Any) -> bool:
    if not steps:
        return value is None or Draft202012Validator(schema).is_valid(value)
    inner = schema.get("properties", {}).get(steps[0], schema.get("additionalProperties", True))
    return inner if isinstance(inner, bool) else _offers(inner, steps[1:], value)


def _nodes(value: Any, *steps: Step) -> Iterator[tuple[tuple[Step, ...], Json]]:
    """Gives every object in a document with the steps that lead to it."""
    if isinstance(value, dict):
        yield steps, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _nodes(child, *steps, key)


def _bodies(document: Json) -> Iterator[tuple[tuple[Step, ...], Json]]:
    """Gives each body, and each kind of message, with the steps that lead to it."""
    for steps, node in _nodes(document):
        is_media_type = len(steps) > 1 and steps[-2] == "content"
        if "schema" in node and (is_media_type or steps[-1:] == ("x-messages",)):
            yield steps, node


def _shown(draft: Draft) -> Iterator[tuple[tuple[Step, ...], Json, Any]]:
    """Gives each example of a body: the steps to it, the body's schema with its references resolved, the value."""
    for steps, node in _bodies(draft.document.content):
        for name, example in node.get("examples", {}).items():
            yield (*steps, "examples", name), resolve(draft.document.content, node["schema"]), example.get("value")


def _validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _examples(draft: Draft) -> Iterator[Mistake]:
    for steps, node in _bodies(draft.document.content):
        if not node.get("examples"):
            yield draft.document.wrong("the body has no example", "Show one under `examples`.", *steps)
    for steps, schema, example in _shown(draft):
        for error in _validator(schema).iter_errors(example):
            yield draft.document.wrong(
                f"the example {steps[-1]} is not valid: {words(error.absolute_path)}: {error.message}",
                "Mend the example, or the schema.",
                *steps,
                "value",
                *error.absolute_path,
            )


def _described(draft: Draft) -> Iterator[Mistake]:
    for steps, schema, example in _shown(draft):
        for error in _validator(closed(schema)).iter_errors(example):
            if error.validator == "unevaluatedProperties":
                yield draft.document.wrong(
                    f"the example {steps[-1]} shows what is not described: {words(error.absolute_path)}: "
                    f"{error.message}",
                    "Describe it, or say that there may be others (`additionalProperties`).",
                    *steps,
                    "value",
                    *error.absolute_path,
                )


def closed(schema: Any) -> Any:
    """Gives a schema as strict linters read it: an object has no member that is not described."""
    if not isinstance(schema, dict):
        return schema
    read = {**schema, **{key: closed(schema[key]) for key in ("items",) if key in schema}}
    if "properties" in schema:
        read["properties"] = {name: closed(inner) for name, inner in schema["properties"].items()}
        if "additionalProperties" not in schema:
            read.setdefault("unevaluatedProperties", False)
    return read


def _open(draft: Draft) -> Iterator[Mistake]:
    for steps, schema, example in _shown(draft):
        is_sent = steps[0] == "webhooks" or {"responses", "x-messages"} & set(steps)
        if is_sent and isinstance(example, dict) and not _validator(schema).is_valid(example | {"x-unheard-of": [1]}):
            yield draft.document.wrong(
                f"what a target sends as {steps[-1]} must hold nothing but what is described",
                "A target may do more than it promises: take out `additionalProperties: false` and the like.",
                *steps,
            )


def _operations(draft: Draft) -> Iterator[Mistake]:
    page = draft.document
    declared = {tag["name"] for tag in page.content.get("tags", ())}
    for kind in ("paths", "webhooks"):
        for path, item in page.content.get(kind, {}).items():
            for method in sorted(METHODS & item.keys()):
                tags = item[method].get("tags", ())
                for tag in sorted(set(tags) - declared, key=str):
                    yield page.wrong(
                        f"the tag {tag!r} is not declared",
                        "Add it to `tags`, with a description.",
                        kind,
                        path,
                        method,
                        "tags",
                    )
                for key in sorted({"tags", "operationId"} - item[method].keys()):
                    yield page.wrong(
                        f"{method.upper()} {path} has no {key}",
                        "Add it: other tools sort and name by it.",
                        kind,
                        path,
                        method,
                    )


def _used(draft: Draft) -> Iterator[Mistake]:
    document = draft.document.content
    # What only an extension refers to is out of use for other tools.
    named = {
        node["$ref"]
        for steps, node in _nodes(document)
        if isinstance(node.get("$ref"), str)
        and not any(isinstance(step, str) and step.startswith("x-") for step in steps)
    }
    named |= {
        f"#/components/securitySchemes/{name}"
        for _, node in _nodes(document)
        for demanded in node.get("security", ())
        for name in demanded
    }
    for kind, components in document.get("components", {}).items():
        for name in components:
            if f"#/components/{kind}/{name}" not in named:
                yield draft.document.wrong(
                    f"nothing refers to the component {kind}/{name}",
                    "Delete it, or refer to it.",
                    "components",
                    kind,
                    name,
                )


RULES = (
    Rule("readable", _readable),
    Rule("keys given once", _keys, ("readable",)),
    Rule("found by its name", _found),
    Rule("format of contract.yaml", _descriptor_format, ("readable",)),
    Rule("format of clauses.yaml", _register_format, ("readable",)),
    Rule("valid OpenAPI", _valid, ("readable",)),
    Rule("ids given once", _unique, ("format of clauses.yaml",)),
    Rule("clauses named after the contract", _named, ("format of clauses.yaml",)),
    Rule("sections", _sections, ("format of clauses.yaml",)),
    Rule("one version", _versions, ("format of clauses.yaml", "valid OpenAPI")),
    Rule("pages that are cited", _pages_cited, ("format of clauses.yaml",)),
    Rule("known ids in the documents", _known, ("format of contract.yaml", "format of clauses.yaml", "valid OpenAPI")),
    Rule("paths and members of contract.yaml", _paths_of_descriptor, ("format of contract.yaml", "valid OpenAPI")),
    Rule("causes", _causes, ("format of clauses.yaml",)),
    Rule("the profile's part", _profile, ("found by its name", "format of contract.yaml")),
    Rule("needs", _needs, ("the profile's part", "format of clauses.yaml")),
    Rule("what a session tells", _told, ("the profile's part",)),
    Rule("examples", _examples, ("valid OpenAPI",)),
    Rule("described examples", _described, ("valid OpenAPI",)),
    Rule("a target may do more", _open, ("examples",)),
    Rule("operations", _operations, ("valid OpenAPI",)),
    Rule("components that are used", _used, ("valid OpenAPI",)),
)
