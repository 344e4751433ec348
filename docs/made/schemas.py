"""The references of the profile, results.json and journal.jsonl, from their JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docs.made.markdown import code, plain, table
from rampcheck import resources
from rampcheck.contract import descriptor, profile_schema
from rampcheck.contract.descriptor import Descriptor

DEFS = "#/$defs/"
Schema = Mapping[str, Any]


def profile() -> str:
    """Gives the keys that every profile may have, then those of each contract's own part."""
    engine = _schema("profile")
    parts = ["## For every contract\n", plain(engine["description"]), "", _keys(engine, engine["properties"])]
    for described in descriptor.readable():
        parts += [f"## {described.name}\n", *_own(described, profile_schema.of(described))]
    return "\n".join(parts)


def _own(described: Descriptor, schema: Schema) -> Iterator[str]:
    yield f"The environments are {' and '.join(map(code, described.environments))}.\n"
    credentials = [
        (code(f"credentials.{name}"), code(known.variable), "yes" if known.required else "", plain(known.description))
        for name, known in described.credentials.items()
    ]
    yield table(("credential", "variable without a profile", "required", "meaning"), credentials)
    yield _keys(schema, {name: schema["properties"][name] for name in described.profile.get("properties", {})})


def keys(root: Schema, properties: Schema, before: str = "") -> Iterator[tuple[str, Schema]]:
    """Gives each key of a profile with its whole name (`limits.timeout_seconds`), and its schema."""
    for name, node in properties.items():
        found = resolved(root, node)
        yield before + name, found
        if name != "credentials":
            yield from keys(root, found.get("properties", {}), f"{before}{name}.")
        items = resolved(root, found.get("items", {}))
        yield from keys(root, items.get("properties", {}), f"{before}{name}[].")


def _keys(root: Schema, properties: Schema) -> str:
    rows = []
    for name, node in keys(root, properties):
        default = f" Default: {code(json.dumps(node['default']))}." if "default" in node else ""
        shown = next(iter(node.get("examples", ())), None)
        example = "" if shown is None else code(json.dumps(shown, ensure_ascii=False))
        what = f"{node.get('description', '')}{default}"
        rows.append((code(name), plain(node.get("title", "")), plain(what), example))
    return table(("key", "what stands there", "meaning", "example"), rows)


def results() -> str:
    """Gives the members of results.json."""
    schema = _schema("results")
    return "\n".join(("## The document\n", plain(schema["description"]), "", *_document("results", schema)))


def journal() -> str:
    """Gives the records of journal.jsonl, then what they are made of."""
    schema = _schema("journal")
    records = [node["$ref"].removeprefix(DEFS) for node in schema["oneOf"]]
    parts = [plain(schema["description"]), "", "## Records\n"]
    parts += [
        f"{_target('journal', name)}\n### {code(name)}\n\n{_definition('journal', schema, name)}" for name in records
    ]
    return "\n".join((*parts, "## What records are made of\n", *_definitions("journal", schema, records)))


def _document(kind: str, schema: Schema) -> Iterator[str]:
    yield _members(kind, schema, schema)
    yield "## What it is made of\n"
    yield from _definitions(kind, schema, ())


def _definitions(kind: str, schema: Schema, but: Any) -> Iterator[str]:
    for name in schema["$defs"]:
        if name not in but:
            yield f"{_target(kind, name)}\n### {code(name)}\n\n{_definition(kind, schema, name)}"


def _definition(kind: str, schema: Schema, name: str) -> str:
    node = schema["$defs"][name]
    described = plain(node.get("description", ""))
    return "\n".join((described, "", _members(kind, schema, node) or f"{_type(kind, node)}\n"))


def _members(kind: str, root: Schema, node: Schema, before: str = "") -> str:
    return table(("member", "type", "meaning"), _rows(kind, root, node, before))


def _rows(kind: str, root: Schema, node: Schema, before: str) -> Iterator[tuple[str, str, str]]:
    required = node.get("required", ())
    for name, member in node.get("properties", {}).items():
        optional = "" if name in required else "Optional. "
        said = member.get("description") or resolved(root, member).get("description", "")
        yield code(before + name), _type(kind, member), plain(optional + said)
        yield from _rows(kind, root, member, f"{before}{name}.")
        yield from _rows(kind, root, member.get("items", {}), f"{before}{name}[].")


def _type(kind: str, node: Schema) -> str:
    if "$ref" in node:
        name = node["$ref"].removeprefix(DEFS)
        return f"[{name}](#{_anchor(kind, name)})"
    for either in ("anyOf", "oneOf"):
        if either in node:
            return " or ".join(_type(kind, one) for one in node[either])
    if "const" in node:
        return code(json.dumps(node["const"]))
    if "enum" in node:
        return ", ".join(code(json.dumps(value)) for value in node["enum"])
    told = node.get("type", "anything")
    if told == "array":
        return f"array of {_type(kind, node.get('items', {}))}"
    return " or ".join(told) if isinstance(told, list) else str(told)


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-{name.replace('_', '-')}"


def _target(kind: str, name: str) -> str:
    return f"({_anchor(kind, name)})="


def resolved(root: Schema, node: Schema) -> Schema:
    """Gives a node with what it refers to; what stands beside the reference counts first."""
    if "$ref" not in node:
        return node
    return {**resolved(root, root["$defs"][node["$ref"].removeprefix(DEFS)]), **node}


def _schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resources.schema(name).read_text(encoding="utf-8"))
    return loaded
