"""Judges responses by the OpenAPI document: a schema violation is a finding against the clause of its node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from rampcheck.contract.register import Contract, Operation, clause_ids
from rampcheck.errors import NotRecorded
from rampcheck.judging.fitting import Fits, plainly_fits
from rampcheck.judging.folding import Few
from rampcheck.judging.suite import BODY, member
from rampcheck.wire.exchanges import Exchange
from rampcheck.wire.json_text import NOT_JSON

LONGEST_PATTERN = 60


@dataclass(frozen=True)
class Violation:
    """One place where a response does not fit the document, or `times` of them; `about` is that of `Broken`."""

    clause: str
    expected: str
    actual: str
    about: tuple[str, ...] = ()
    times: int = 1


@dataclass(frozen=True)
class Told:
    """What the document says of one exchange.

    `held` are the clauses whose nodes applied and held, `lacking` says of a clause what it needs and the traffic lacks.
    """

    held: set[str]
    violations: list[Violation]
    lacking: Mapping[str, str]


def describe(value: Any) -> str:
    """Says in words and JSON what a value is, with the length of a long string."""
    if value is NOT_JSON:
        return "a body that is no JSON"
    shown = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) > 24:
        return f"{shown} (a string of {len(value)} characters)"
    return shown


class SchemaJudge:
    """Validates the responses to a contract's documented operations."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        # A bound method cached for each judge: its life is the run's.
        self._operation = cache(contract.operation)
        self._nodes: dict[int, tuple[Any, Fits, Node]] = {}  # by identity: the schemas are the document's own

    def operation(self, exchange: Exchange) -> Operation | None:
        """Gives the documented operation that the exchange's request is addressed to, or None."""
        if exchange.direction == "incoming":
            return None
        return self._operation(exchange.request.method, exchange.path.partition("?")[0])

    def judge(self, exchange: Exchange) -> tuple[set[str], list[Violation]]:
        """Gives the clauses that held and the violations, as `told` does."""
        told = self.told(exchange)
        return told.held, told.violations

    def told(self, exchange: Exchange) -> Told:
        """Gives the clauses whose schema nodes applied to what the target sent and held, and the violations.

        What the target sent is its response, each message of a WebSocket, or the body of a webhook. A response to an
        undocumented operation, or of an undocumented status, is not judged. Of very many violations of a clause only
        the first are given, the last of them with the count of all the others.
        """
        few = Few()
        exercised: set[str] = set()
        violations: list[Violation] = []
        lacking: dict[str, str] = {}
        for schema, values in self._sent(exchange):
            try:
                _, fits, node = self._made_of(schema)
                for value in values():
                    exercised.update(_applied(node, value))
                    if value is NOT_JSON or not fits(value):
                        violations += _body(schema, value, few)
            except NotRecorded as lack:
                lacking |= dict.fromkeys(clause_ids(schema), str(lack))
        for name, told in self._documented(exchange).get("headers", {}).items():
            if clause := told.get("schema", {}).get("x-clause"):
                try:
                    violations += _header(exchange, name, told, clause)
                    exercised.add(clause)
                except NotRecorded as lack:
                    lacking[clause] = str(lack)
        return Told(
            exercised - {violation.clause for violation in violations},
            few.counted(violations, lambda violation: violation.clause),
            lacking,
        )

    def _made_of(self, schema: Mapping[str, Any]) -> tuple[Any, Fits, Node]:
        """Gives a schema with what is made of it once."""
        made = self._nodes.get(id(schema))
        if made is None:
            made = self._nodes[id(schema)] = schema, plainly_fits(schema), _node(schema)
        return made

    def _documented(self, exchange: Exchange) -> Mapping[str, Any]:
        """Gives what the document says of a response of this status, nothing where it says nothing.

        A success that is not documented is judged as the first one that is.
        """
        operation = self.operation(exchange)
        if operation is None or exchange.response is None:
            return {}
        answers = operation.responses
        if exchange.response.is_success and str(exchange.status) not in answers:
            return next((answer for status, answer in answers.items() if status.startswith("2")), {})
        return answers.get(str(exchange.status), {})

    def _sent(self, exchange: Exchange) -> Iterator[tuple[Mapping[str, Any], Callable[[], Iterator[Any]]]]:
        """Gives each schema that the target's JSON texts have to fit, with what gives the values of these."""
        if exchange.protocol == "webhook":
            if self._contract.webhook is not None:
                yield self._contract.webhook, lambda: iter([exchange.request.json])
            return
        operation = self.operation(exchange)
        if exchange.accepted and operation is not None and operation.message is not None:
            yield operation.message, lambda: _messages(operation, exchange)
        schema = self._documented(exchange).get("content", {}).get("application/json", {}).get("schema")
        if schema is not None and (response := exchange.response) is not None:
            yield schema, lambda: iter([response.json])


def _messages(operation: Operation, exchange: Exchange) -> Iterator[Any]:
    for message in exchange.events:
        if operation.other_message is None or not _fits(operation.other_message, message.json):
            yield message.json


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    return value is not NOT_JSON and Draft202012Validator(schema).is_valid(value)


def _body(schema: Mapping[str, Any], value: Any, few: Few) -> Iterator[Violation]:
    if value is NOT_JSON:
        clause = next(applied(schema, value))
        if few.takes(clause, (BODY,)):
            yield Violation(clause, "a JSON object", describe(value), (BODY,))
        return
    for error in Draft202012Validator(schema).iter_errors(value):
        if (clause_of := _clause_of(error, schema)) and few.takes(clause_of, about := _about(error)):
            yield Violation(clause_of, _expected(error), _actual(error), about)


def _header(exchange: Exchange, name: str, node: Mapping[str, Any], clause: str) -> Iterator[Violation]:
    value = exchange.response.header(name) if exchange.response else None
    if value is not None:
        for error in Draft202012Validator(node["schema"]).iter_errors(value):
            yield Violation(clause, f"header {name}: {_expected(error)}", describe(value))
    elif node.get("required"):
        yield Violation(clause, f"a response header {name}", "it is absent")


class Node(NamedTuple):
    """What of a schema names clauses: its own, and those of its members, with whether each is exercised by absence."""

    clauses: tuple[str, ...]
    members: tuple[tuple[str, bool, Node], ...]


def applied(schema: Any, value: Any) -> Iterator[str]:
    """Gives the `x-clause` of every schema node that applies to a part of `value` that is there."""
    return _applied(_node(schema), value)


def _node(schema: Any) -> Node:
    if not isinstance(schema, Mapping):
        return Node((), ())
    parts = [_node(part) for part in schema.get("allOf", ())]
    clauses = [schema["x-clause"]] if "x-clause" in schema else []
    members = [
        # That a member is left out, or empty, is exercised by its absence too.
        (name, None in member.get("enum", ()) if isinstance(member, Mapping) else False, _node(member))
        for name, member in schema.get("properties", {}).items()
    ]
    return Node(
        (*clauses, *(clause for part in parts for clause in part.clauses)),
        (
            *(member for part in parts for member in part.members),
            *(member for member in members if member[2] != ((), ())),
        ),
    )


def _applied(node: Node, value: Any) -> Iterator[str]:
    yield from node.clauses
    if isinstance(value, Mapping):
        for name, is_by_absence, of_member in node.members:
            if name in value or is_by_absence:
                yield from _applied(of_member, value.get(name))


def _clause_of(error: ValidationError, root: Any) -> str | None:
    found: str | None = None
    node: Any = root
    for step in (None, *error.absolute_schema_path):
        node = node if step is None else node[step]
        if isinstance(node, Mapping) and isinstance(node.get("x-clause"), str):
            found = node["x-clause"]
    return found


def _where(error: ValidationError) -> str:
    path = ".".join(str(step) for step in error.absolute_path)
    return f"`{path}`" if path else "the body"


def _about(error: ValidationError) -> tuple[str, ...]:
    if error.absolute_path:
        return (member(str(error.absolute_path[0])),)
    return tuple(map(member, _missing(error))) if error.validator == "required" else (BODY,)


def _form(error: ValidationError) -> str:
    """Says what a pattern asks for: the pattern itself, or the document's words where it is too long to be read."""
    schema: Any = error.schema
    pattern: Any = error.validator_value
    if "description" in schema and len(pattern) > LONGEST_PATTERN:
        return str(schema["description"])
    return f"a string that matches {pattern}"


EXPECTATIONS: Mapping[str, Callable[[Any], str]] = {
    "type": lambda error: f"of type {_either(error.validator_value)}",
    "const": lambda error: describe(error.validator_value),
    "enum": lambda error: f"one of {', '.join(describe(value) for value in error.validator_value)}",
    "pattern": _form,
    "minLength": lambda error: (
        "a non-empty string"
        if error.validator_value == 1
        else f"a string of at least {error.validator_value} characters"
    ),
}


def _either(types: str | list[str]) -> str:
    return types if isinstance(types, str) else " or ".join(types)


def _missing(error: ValidationError) -> list[str]:
    """Gives the members that an object lacks, where that is the error."""
    required, value = error.validator_value, error.instance
    if error.validator != "required" or not isinstance(required, list) or not isinstance(value, dict):
        return []
    return [name for name in required if name not in value]


def _expected(error: ValidationError) -> str:
    if missing := _missing(error):
        return f"the member{'s' if len(missing) > 1 else ''} {', '.join(f'`{name}`' for name in missing)}"
    phrase = EXPECTATIONS.get(str(error.validator))
    return f"{_where(error)}: {phrase(error) if phrase else f'{error.validator} {error.validator_value}'}"


def _actual(error: ValidationError) -> str:
    if error.validator == "required" and isinstance(error.instance, dict):
        return f"members: {', '.join(sorted(error.instance)) or 'none'}"
    return describe(error.instance)
