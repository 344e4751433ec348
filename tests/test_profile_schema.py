"""The profile's JSON Schema, as editors use it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from rampcheck import credentials, resources


class TestSchema:
    """The JSON Schema that editors use."""

    def test_it_is_a_schema(self) -> None:
        """The schema is valid JSON Schema 2020-12, and its examples are valid by it."""
        schema = json.loads(resources.schema("profile").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        root = jsonschema.Draft202012Validator(schema)
        examples = list(examples_in(schema))
        assert len(examples) > 10
        for node, example in examples:
            assert root.evolve(schema={**node, "$defs": schema["$defs"]}).is_valid(example), node

    def test_every_key_is_described(self) -> None:
        """Every key of a profile has a description that an editor can show."""
        schema = json.loads(resources.schema("profile").read_text(encoding="utf-8"))
        for name, node in [
            *keys_in(schema),
            *keys_in({"properties": schema["$defs"]["partner"]["properties"]}),
        ]:
            assert node.get("description"), name

    def test_its_credentials_are_those_of_the_contracts(self) -> None:
        """The schema and the variables for a run without a profile know the same credentials."""
        definitions = json.loads(resources.schema("profile").read_text(encoding="utf-8"))["$defs"]
        for contract, variables in credentials.CREDENTIALS.items():
            properties = definitions[f"{contract}_credentials"]["properties"]
            assert {name: f"${{{variable}}}" for name, variable in variables.items()} == {
                name: node["examples"][0] for name, node in properties.items()
            }


def examples_in(node: Any) -> list[tuple[dict[str, Any], Any]]:
    """Gives every schema below `node` that has examples, with each of them."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = [pair for child in children for pair in examples_in(child)]
    if isinstance(node, dict) and "examples" in node:
        found += [(node, example) for example in node["examples"]]
    return found


def keys_in(node: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Gives every property below `node` that is not part of a conditional."""
    found = []
    for name, child in node.get("properties", {}).items():
        found += [(name, child), *keys_in(child)]
    return found
