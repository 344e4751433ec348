"""A profile's text: what is known of a target, and every other field as a comment that explains it.

What may stand where is the profile's JSON Schema, so that each contract has this for nothing. A line that begins with
`#` and a word, as in `sshd_config`, is a field that is left out: without that character it holds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rampcheck.contract import profile_schema, register, versions
from rampcheck.contract.descriptor import Descriptor
from rampcheck.judging.lacking import UNKNOWN
from rampcheck.report.additions import Addition

WIDTH = 110  # of a line that explains
HEAD = """\
# yaml-language-server: $schema={schema}
# Who is asked, for `rampcheck run` and `rampcheck doctor`. A line that begins with # and a word is a field that is left
# out: put your value there and take the # away. No secret stands here: ${{NAME}} is taken from the environment.
"""


@dataclass(frozen=True)
class Known:
    """What is known of a target: the profile as far as it is `given`, and what to add to it, by its place."""

    given: Mapping[str, Any]
    wanted: Mapping[str, Addition] = field(default_factory=dict)


def profile(described: Descriptor, known: Known, schema: str) -> str:
    """Gives the text of a profile of a contract; `schema` is where its JSON Schema is, seen from it."""
    return HEAD.format(schema=schema) + "\n".join(_Text(described, known).lines()) + "\n"


class _Text:
    """A profile's lines; each definition of the schema is explained where it is first seen."""

    def __init__(self, described: Descriptor, known: Known) -> None:
        self.schema = profile_schema.of(described)
        self.known = known
        self.own = described.profile.get("properties", {})
        self.explained: set[str] = set()
        clauses = register.load(described.name).clauses
        # What the schema has no example of, for it is the contract's.
        self.examples = {
            "contract_version": versions.names(described.name)[-1],
            "waivers.clause": next(clause.id for clause in clauses.values() if clause.level == "must"),
        }

    def lines(self) -> Iterator[str]:
        """Gives all lines: the target first, then what the contract wants to know, then the rest."""
        properties = self.schema["properties"]
        engines = [name for name in properties if name not in self.own]
        target = engines[: engines.index("credentials") + 1]
        for name in (*target, *self.own, *(name for name in engines if name not in target)):
            yield ""
            yield from self._field(name, properties[name], self.known.given.get(name), "")

    def _field(self, place: str, node: Any, value: Any, indent: str, *, explain: bool = True) -> Iterator[str]:
        """Gives the lines of one field; the members of a definition are explained where it is first seen."""
        name, whole = place.rpartition(".")[2], profile_schema.resolved(self.schema, node)
        members, items = whole.get("properties"), whole.get("items", {}).get("properties")
        if explain:
            yield from _comment(_explanation(whole), indent)
        if members:
            explain = explain and node.get("$ref") not in self.explained
            yield f"{indent}{name}:"
            for member, inner in members.items():
                given = (value or {}).get(member)
                yield from self._field(f"{place}.{member}", inner, given, indent + "  ", explain=explain)
            self.explained |= {node["$ref"]} if "$ref" in node else set()
        elif items:
            yield f"{indent}{name}:"
            yield from self._items(place, items, value or [], indent + "  ")
        elif value is not None:
            yield f"{indent}{name}: {flow(value)}"
        else:
            wanted = self.known.wanted.get(place)
            example = wanted.example if wanted else self._example(place, whole)
            yield f"{indent}#{name}: {flow(example)}{f'  # {wanted.purpose}' if wanted else ''}"

    def _items(self, place: str, members: Mapping[str, Any], given: list[Any], indent: str) -> Iterator[str]:
        """Gives the items of a list of mappings, a line each; an example where there is none."""
        for name, node in members.items():
            yield from _comment(f"{name}: {_explanation(profile_schema.resolved(self.schema, node))}", indent)
        yield from (f"{indent}- {flow(item)}" for item in given)
        if not given:
            example = {
                name: self._example(f"{place}.{name}", profile_schema.resolved(self.schema, node))
                for name, node in members.items()
            }
            yield f"{indent}#- {flow(example)}"

    def _example(self, place: str, node: Mapping[str, Any]) -> Any:
        if place in self.examples:
            return self.examples[place]
        shown = [*node.get("examples", ()), *node.get("enum", ())]
        return shown[0] if shown else node.get("default", False if node.get("type") == "boolean" else UNKNOWN)


def _explanation(node: Mapping[str, Any]) -> str:
    """Says in words what a field is, what it may be, and what it is where it is left out."""
    said = [node.get("description", "")]
    if "enum" in node or node.get("type") not in ("string", "boolean", "object", "array", None):
        said.append(f"Expected: {node['title']}.")
    if "default" in node:
        said.append(f"Default: {flow(node['default'])}.")
    return " ".join(filter(None, said))


def _comment(text: str, indent: str) -> Iterator[str]:
    return (f"{indent}# {line}" for line in textwrap.wrap(text, WIDTH - len(indent), break_on_hyphens=False))


def flow(value: Any) -> str:
    """Gives a value as YAML in one line."""
    dumped: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=float("inf"), sort_keys=False
    )
    return dumped.removesuffix("\n").removesuffix("\n...")
