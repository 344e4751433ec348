"""What plainly fits a schema fits it by `jsonschema`, too; and most of what conforms does so plainly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rampcheck.contract import register
from rampcheck.judging.fitting import KEYWORDS, plainly_fits

CONTRACTS = ("proof", "kryptonim")
PARTS: Mapping[str, Any] = {
    "additionalProperties": st.booleans(),
    "const": st.sampled_from([None, True, False, 0, 1, 1.0, "", "a", [1], {}]),
    "enum": st.lists(st.sampled_from([None, True, False, 0, 1, 1.0, "", "a", [1], {}]), min_size=1),
    "format": st.just("uri"),
    "maxItems": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "minItems": st.integers(0, 2),
    "minLength": st.integers(0, 2),
    "pattern": st.sampled_from(["a", "^$", "^.$"]),
    "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
    "type": st.one_of(
        st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"]),
        st.lists(st.sampled_from(["array", "integer", "null", "string"]), min_size=1, unique=True),
    ),
    "uniqueItems": st.booleans(),
}
INSIDE = ("else", "if", "items", "not", "then")


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            **PARTS,
            **dict.fromkeys(INSIDE, inner),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        },
    )


SCHEMAS = st.recursive(st.booleans(), _schemas, max_leaves=4)
SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, "", "a", "b", "ab", "abc"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=4
)


@given(SCHEMAS, VALUES)
def test_what_plainly_fits_fits(schema: Any, value: Any) -> None:
    """Of any schema and any value."""
    if plainly_fits(schema)(value):
        assert Draft202012Validator(schema).is_valid(value)


def alone(keyword: str) -> st.SearchStrategy[Any]:
    """Schemas of one keyword that is known."""
    inner = st.sampled_from([{"type": "string"}, {"minLength": 1}, {"required": ["a"]}])
    more = {"allOf": st.lists(inner, min_size=1), "properties": st.dictionaries(st.sampled_from("ab"), inner)}
    return st.fixed_dictionaries({keyword: {**more, **PARTS}.get(keyword, inner)})


@pytest.mark.parametrize("keyword", sorted(KEYWORDS))
def test_no_keyword_lets_through_what_does_not_fit(keyword: str) -> None:
    """Each that is known, by itself."""

    @given(alone(keyword), VALUES)
    def holds(schema: Any, value: Any) -> None:
        assert not plainly_fits(schema)(value) or Draft202012Validator(schema).is_valid(value)

    holds()


def answers(contract: str) -> Iterator[tuple[Any, Any]]:
    """The schema and the examples of each documented answer."""
    for operation in register.load(contract).operations:
        for answer in operation.responses.values():
            content = answer.get("content", {}).get("application/json", {})
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_examples_of_a_document_plainly_fit(contract: str) -> None:
    """So that the time is saved: a keyword that is not known would have `jsonschema` asked each time.

    Of what has to be so only under a condition, it may be asked.
    """
    seen = [plainly_fits(schema)(value) for schema, value in answers(contract) if "'if':" not in str(schema)]
    assert seen
    assert all(seen)


@pytest.mark.parametrize("keyword", ["$ref", "anyOf", "contains", "not", "nullable", "oneOf"])
def test_what_is_not_known_is_not_plain(keyword: str) -> None:
    """Wherever it stands."""
    unknown = {keyword: {}}
    for schema in (
        unknown,
        {"properties": {"a": unknown}},
        {"allOf": [unknown]},
        {"items": unknown},
        {"then": unknown},
    ):
        assert not any(map(plainly_fits(schema), ({}, {"a": 1}, [1], "a")))
