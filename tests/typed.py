"""Whether a TypedDict and a JSON Schema say the same: members, required ones, types."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", NoneType: "null"}


def differences(type_: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Says in which members a type differs from a `schema`, whose references are into the `whole` one."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    origin, values = get_origin(type_), _values(type_)
    if is_typeddict(type_):
        yield from _of_members(type_, schema, whole, at)
    elif origin is list and "items" in schema:
        yield from differences(get_args(type_)[0], schema["items"], whole, f"{at}[]")
    elif values and not schema.keys().isdisjoint({"enum", "const"}):
        allowed = {*schema.get("enum", [schema.get("const")])}
        yield from [f"{at}: {values}, and {allowed}"] * (allowed != values)
    elif origin in {Union, UnionType} and "anyOf" in schema:
        # None stands last, in both.
        for branch, part in zip(get_args(type_), schema["anyOf"], strict=True):
            yield from differences(branch, part, whole, at)
    else:
        named = schema.get("type")
        allowed = {*named} if isinstance(named, list) else {named}
        told = {PLAIN.get(get_origin(branch) or branch) for branch in _branches(type_)}
        yield from [f"{at}: {told}, and {allowed}"] * (told != allowed)


def _branches(type_: Any) -> tuple[Any, ...]:
    return get_args(type_) if get_origin(type_) in {Union, UnionType} else (type_,)


def _of_members(type_: Any, schema: dict[str, Any], whole: dict[str, Any], at: str) -> Iterator[str]:
    hints, properties = get_type_hints(type_, include_extras=True), schema["properties"]
    # `__required_keys__` of Python 3.11 takes what is NotRequired in an annotation that is a text for required.
    required = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    hints = {name: hint if name in required else get_args(hint)[0] for name, hint in hints.items()}
    for name in hints.keys() ^ properties.keys():
        yield f"{at}.{name}: only in the {'type' if name in hints else 'schema'}"
    for name in required ^ set(schema["required"]):
        yield f"{at}.{name}: required in one of both"
    for name in hints.keys() & properties.keys():
        yield from differences(hints[name], properties[name], whole, f"{at}.{name}")


def _values(type_: Any) -> set[Any] | None:
    """Gives the values of a Literal, or None."""
    return set(get_args(type_)) if get_origin(type_) is Literal else None
