"""Reading the YAML files of a pack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import yaml

from rampcheck import resources
from rampcheck.errors import ContractError

__all__ = ["UNREADABLE", "Loader", "line_of", "mistake", "read_formatted", "read_yaml"]

LONGEST = 300  # characters of what a schema says
Step = str | int

try:  # libyaml, where PyYAML was built with it, reads the documents ten times faster
    from yaml import CSafeLoader as Loader
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

# What reading a file as YAML raises: PyYAML lets through what Python says of a date, a number or a flag that is none.
UNREADABLE = (
    OSError,
    yaml.YAMLError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Gives the mapping that a file holds. Raises `ContractError` where it cannot be read, or holds none."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
    except UNREADABLE as error:
        raise ContractError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ContractError(f"{path} does not hold a YAML mapping")
    return content


def read_formatted(path: Path, kind: str) -> dict[str, Any]:
    """Gives the mapping that a file holds, which follows the schema `kind`, as `clauses`.

    Raises `ContractError`, with the line, where it does not, and as `read_yaml`.
    """
    content: dict[str, Any] = _with_texts(read_yaml(path))
    for steps, key in _foreign_keys(content):
        raise mistake(path, kind, f"the key {key!r} is no text", "Write it in quotes.", *steps)
    deciding, telling = _validators(kind)
    try:
        if deciding.is_valid(content):
            return content
    except (TypeError, ValueError):  # It holds what no JSON has, as a date.
        pass
    error = jsonschema.exceptions.best_match(telling.iter_errors(content))
    if error is None:
        return content
    is_bare = error.validator == "type" and error.validator_value == "string" and not isinstance(error.instance, dict)
    cure = "Write it in quotes." if is_bare and not isinstance(error.instance, list) else ""
    raise mistake(path, kind, error.message[:LONGEST], cure, *error.absolute_path)


def mistake(path: Path, kind: str, cause: str, cure: str, *steps: Step) -> ContractError:
    """Gives what is raised for a mistake at a place of a file that follows the schema `kind`."""
    where = ".".join(map(str, steps)) or "the file"
    format_ = f"`rampcheck schema {kind}` explains every key, `rampcheck lint` finds all mistakes of a pack."
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=Loader)
    return ContractError(f"{path}:{line_of(root, *steps)}: {where}: {cause}", f"{cure} {format_}".lstrip())


def line_of(root: yaml.Node | None, *steps: Step) -> int:
    """Gives the line of a place in a document, or of what is nearest above it."""
    node, line = root, 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        else:
            found = None
        if found is None:
            return line
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _with_texts(value: Any) -> Any:
    """Gives a value in which keys that are whole numbers, as the status 502, are texts."""
    if isinstance(value, dict):
        return {str(key) if type(key) is int else key: _with_texts(child) for key, child in value.items()}
    return [_with_texts(child) for child in value] if isinstance(value, list) else value


def _foreign_keys(value: Any, *steps: Step) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Gives the keys that are no text, as YAML reads yes or a date, with the steps to what has them."""
    if isinstance(value, dict):
        yield from ((steps, key) for key in value if not isinstance(key, str))
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from _foreign_keys(child, *steps, step)


@cache
def _validators(kind: str) -> tuple[jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator]:
    """Gives who decides whether a document follows a schema, which takes no time, and who says what does not."""
    schema = json.loads(resources.schema(kind).read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(schema), jsonschema.Draft202012Validator(schema)
