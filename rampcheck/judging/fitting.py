"""Whether a value plainly fits a schema: most do, and what says why one does not takes many times as long.

A schema of JSON Schema 2020-12 is made into functions once. What they take, `jsonschema` takes, too; what they do not
take may be wrong, or be said in a way that they do not know, and is for `jsonschema` to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fits = Callable[[Any], bool]

# They say nothing of a value, or nothing that is judged: the formats are named for who reads the document.
SILENT = frozenset(
    {"$comment", "default", "deprecated", "description", "example", "examples", "format", "readOnly", "title"}
    | {"writeOnly"}
)
IS_OF_TYPE: Mapping[str, Fits] = {
    "array": lambda value: type(value) is list,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int,  # 1.0 is one, too: that is not plain
    "null": lambda value: value is None,
    "number": lambda value: type(value) is int or type(value) is float,
    "object": lambda value: type(value) is dict,
    "string": lambda value: type(value) is str,
}


def plainly_fits(schema: Any) -> Fits:
    """Makes what says whether a value fits a schema beyond doubt; no value does where it holds what is not known."""
    if schema is True:
        return lambda _: True
    if not isinstance(schema, Mapping):
        return _never
    checks: list[Fits] = []
    for keyword, said in schema.items():
        if keyword in SILENT or keyword.startswith("x-"):
            continue
        if keyword not in KEYWORDS:
            return _never
        check = KEYWORDS[keyword](said)
        if check is _never:
            return _never
        checks.append(check)
    return checks[0] if len(checks) == 1 else _all(checks)


def _never(_: Any) -> bool:
    return False


def _all(checks: Sequence[Fits]) -> Fits:
    def fits(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - `all` of a generator takes twice as long
            if not check(value):
                return False
        return True

    return fits


def _type(said: str | list[str]) -> Fits:
    if isinstance(said, str):
        return IS_OF_TYPE.get(said, _never)
    kinds = [IS_OF_TYPE.get(one, _never) for one in said]
    return lambda value: any(is_kind(value) for is_kind in kinds)


def _one_of(said: Sequence[Any]) -> Fits:
    """Makes what compares texts, booleans and null: when numbers, arrays and objects are equal is not plain."""
    texts = frozenset(one for one in said if isinstance(one, str))
    others = [one for one in said if one is None or isinstance(one, bool)]
    return lambda value: value in texts if type(value) is str else any(value is one for one in others)


def _at_least(said: int) -> Fits:
    return lambda value: type(value) is not str or len(value) >= said


def _at_most(said: int) -> Fits:
    return lambda value: type(value) is not str or len(value) <= said


def _pattern(said: str) -> Fits:
    search = re.compile(said).search
    return lambda value: type(value) is not str or search(value) is not None


def _required(said: Sequence[str]) -> Fits:
    names = frozenset(said)
    return lambda value: type(value) is not dict or value.keys() >= names


def _properties(said: Mapping[str, Any]) -> Fits:
    members = [(name, plainly_fits(node)) for name, node in said.items()]
    if any(fits is _never for _, fits in members):
        return _never

    def fit(value: Any) -> bool:
        if type(value) is dict:
            for name, fits in members:
                if name in value and not fits(value[name]):
                    return False
        return True

    return fit


def _items(said: Any) -> Fits:
    fits = plainly_fits(said)
    return _never if fits is _never else lambda value: type(value) is not list or all(map(fits, value))


def _items_between(least: int, most: float) -> Fits:
    return lambda value: type(value) is not list or least <= len(value) <= most


def _all_of(said: Sequence[Any]) -> Fits:
    parts = [plainly_fits(node) for node in said]
    return _never if _never in parts else _all(parts)


KEYWORDS: Mapping[str, Callable[[Any], Fits]] = {
    "additionalProperties": lambda said: (lambda _: True) if said is True else _never,
    "allOf": _all_of,
    "const": lambda said: _one_of([said]),
    "else": plainly_fits,  # what fits both is right, whatever the condition comes to
    "enum": _one_of,
    "if": lambda _: lambda _: True,
    "items": _items,
    "maxItems": lambda said: _items_between(0, said),
    "maxLength": _at_most,
    "minItems": lambda said: _items_between(said, math.inf),
    "minLength": _at_least,
    "pattern": _pattern,
    "properties": _properties,
    "required": _required,
    "then": plainly_fits,
    "type": _type,
}
