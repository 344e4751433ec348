"""The profile's JSON Schema, as editors use it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from rampcheck.contract import descriptor, profile_schema
from rampcheck.sandbox import builtin_profile
from rampcheck.sandbox.reference import references


class TestSchema:
    """The JSON Schema that editors use."""

    def test_it_is_a_schema(self) -> None:
        """The schema is valid JSON Schema 2020-12, and its examples are valid by it."""
        schema = profile_schema.whole()
        jsonschema.Draft202012Validator.check_schema(schema)
        root = jsonschema.Draft202012Validator(schema)
        examples = list(examples_in(schema))
        assert len(examples) > 10
        for node, example in examples:
            assert root.evolve(schema={**node, "$defs": schema["$defs"]}).is_valid(example), node

    @pytest.mark.parametrize("contract", descriptor.contracts())
    def test_every_key_is_described(self, contract: str) -> None:
        """Every key of a profile has a description that an editor can show."""
        schema = profile_schema.of(descriptor.load(contract))
        keys = [*keys_in(schema)]
        for node in schema["$defs"].values():
            keys += keys_in(node)
        assert len(keys) > 10
        for name, node in keys:
            assert node.get("description"), name

    @pytest.mark.parametrize("contract", references())
    def test_a_contract_has_its_own_part_only(self, contract: str) -> None:
        """The whole takes each contract's profile, and refuses it what is another one's."""
        validator = jsonschema.Draft202012Validator(profile_schema.whole())
        described = builtin_profile(contract, "http://127.0.0.1:1")
        assert validator.is_valid(described)
        for other in set(descriptor.contracts()) - {contract}:
            assert not validator.is_valid({**described, "contract": other})
        assert not validator.is_valid({**described, "contract": "another"})


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
