"""The JSON Schema of a profile: the engine's part, and that of each contract."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from rampcheck import resources
from rampcheck.contract import descriptor
from rampcheck.contract.descriptor import Descriptor

DEFS = "#/$defs/"


def example(contract: str, place: str) -> Any:
    """Gives an example of what stands at a place (`partner.origins`) of a profile; None where the schema has none."""
    node = _node(of(descriptor.load(contract)), place)
    shown = [*node.get("examples", ()), *node.get("enum", ())]
    return shown[0] if shown else None


def takes(contract: str, place: str, value: Any) -> bool:
    """Whether a value may stand at a place of a profile."""
    schema = of(descriptor.load(contract))
    node = _node(schema, place)
    return bool(node) and validator(contract).evolve(schema={**node, "$defs": schema["$defs"]}).is_valid(value)


def _node(schema: Any, place: str) -> Any:
    node: Any = schema
    for name in place.split("."):
        node = resolved(schema, resolved(schema, node).get("properties", {}).get(name, {}))
    return node


def resolved(schema: Any, node: Any) -> Any:
    """Gives a node with what it refers to; what stands beside the reference counts first. Of `true` nothing is said."""
    if isinstance(node, bool):
        return {}
    if "$ref" not in node:
        return node
    return {**resolved(schema, schema["$defs"][node["$ref"].removeprefix(DEFS)]), **node}


@cache
def validator(contract: str) -> jsonschema.Draft202012Validator:
    """Gives the validator of a profile of one contract; of any where `contract` is ""."""
    schema = of(descriptor.load(contract)) if contract else _of_none()
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def whole() -> dict[str, Any]:
    """Gives the schema for editors: that of whichever contract the profile names."""
    schema = _of_none()
    parts = {known.name: _moved(for_editors(known), f"{DEFS}{known.name}/$defs/") for known in descriptor.readable()}
    return {
        **{key: schema[key] for key in ("$schema", "$id", "title", "description", "type")},
        "required": ["contract", "base_url"],
        "properties": {"contract": schema["properties"]["contract"]},
        "allOf": [
            {
                "if": {"properties": {"contract": {"const": name}}, "required": ["contract"]},
                "then": {"$ref": f"{DEFS}{name}"},
            }
            for name in parts
        ],
        "$defs": parts,
    }


def for_editors(described: Descriptor) -> dict[str, Any]:
    """Gives the schema of a profile of one contract, in which a heading with nothing below it is one left out."""
    schema = of(described)
    return {
        **schema,
        "properties": {
            name: node if name in schema["required"] else _or_nothing(node)
            for name, node in schema["properties"].items()
        },
        "$defs": {name: _or_nothing(node) for name, node in schema["$defs"].items()},
    }


def _or_nothing(node: Any) -> Any:
    if isinstance(node, bool):
        return node
    if "properties" in node:
        node = {**node, "properties": {name: _or_nothing(inner) for name, inner in node["properties"].items()}}
    return {**node, "type": [node["type"], "null"]} if node.get("type") in ("object", "array") else node


def of(described: Descriptor) -> dict[str, Any]:
    """Gives the schema of a profile of one contract."""
    schema = _engines()
    own = described.profile
    properties = schema["properties"]
    properties["contract"] |= {"const": described.name, "title": described.name}
    properties["environment"] |= {"title": " or ".join(described.environments), "enum": list(described.environments)}
    properties["credentials"] |= _credentials(described)
    properties.update(own.get("properties", {}))
    schema["$defs"].update(own.get("$defs", {}))
    schema["required"].append("credentials")
    return schema


def _credentials(described: Descriptor) -> dict[str, Any]:
    required = [name for name, known in described.credentials.items() if known.required]
    variables = {name: f"${{{known.variable}}}" for name, known in described.credentials.items()}
    return {
        "title": f"a mapping with {' and '.join(required)}",
        "required": required,
        "additionalProperties": False,
        "examples": [{name: variables[name] for name in required}],
        "properties": {
            name: {"$ref": f"{DEFS}credential", "description": known.description, "examples": [variables[name]]}
            for name, known in described.credentials.items()
        },
    }


def _of_none() -> dict[str, Any]:
    """Gives the schema of a profile whose contract is not known: what else is wrong with its own part stays unsaid."""
    schema, names = _engines(), descriptor.contracts()
    schema["properties"]["contract"] |= {"title": " or ".join(names), "enum": list(names), "examples": [names[0]]}
    del schema["additionalProperties"]
    return schema


def _engines() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resources.schema("profile").read_text(encoding="utf-8"))
    return loaded


def _moved(node: Any, to: str) -> Any:
    """Gives a schema as a part of another one: its references lead to `to` in place of its own `$defs`."""
    if isinstance(node, dict):
        return {
            key: to + value.removeprefix(DEFS) if key == "$ref" else _moved(value, to)
            for key, value in node.items()
            if key not in {"$schema", "$id", "$comment"}
        }
    return [_moved(item, to) for item in node] if isinstance(node, list) else node
