"""The contract documents are well-formed and fit together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "openapi"
META_SCHEMA = json.loads((ROOT / "rampcheck" / "schemas" / "clauses.schema.json").read_text(encoding="utf-8"))
CONTRACTS = sorted(path.name.removesuffix(".clauses.yaml") for path in OPENAPI.glob("*.clauses.yaml"))

Json: TypeAlias = dict[str, Any]


def read(name: str) -> Json:
    """A YAML file of openapi/."""
    return yaml.safe_load((OPENAPI / name).read_text(encoding="utf-8"))


@pytest.fixture(params=CONTRACTS)
def contract(request: pytest.FixtureRequest) -> str:
    """Each contract that openapi/ holds, in turn."""
    return request.param


@pytest.fixture
def register(contract: str) -> Json:
    """The contract's clause register."""
    return read(f"{contract}.clauses.yaml")


@pytest.fixture
def document(contract: str) -> Json:
    """The contract's OpenAPI document."""
    return read(f"{contract}.yaml")


def pointer(*steps: str | int) -> str:
    """The JSON pointer (RFC 6901) of these steps, as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def validator(document: Json, *steps: str | int) -> Draft202012Validator:
    """A validator of the schema at these steps; references are resolved within the document."""
    registry: Registry[Any] = Registry().with_resource("urn:document", DRAFT202012.create_resource(document))
    return Draft202012Validator(
        {"$ref": "urn:document" + pointer(*steps)},
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def nodes(value: Any, *steps: str | int) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Every JSON object in the document with the steps that lead to it."""
    if isinstance(value, dict):
        yield steps, value
        for key, child in value.items():
            yield from nodes(child, *steps, key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nodes(child, *steps, index)


def examples(document: Json) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every example of a body or of a WebSocket's message with the steps to its schema."""
    for steps, node in nodes(document):
        if "schema" in node:
            for example in node.get("examples", {}).values():
                yield (*steps, "schema"), example["value"]


def test_both_contracts_are_found() -> None:
    """The registers of both vendors stand in openapi/, each beside its OpenAPI document."""
    assert CONTRACTS == ["kryptonim", "proof"]
    assert all((OPENAPI / f"{contract}.yaml").is_file() for contract in CONTRACTS)


def test_register_has_the_documented_format(register: Json) -> None:
    """A register validates against the register schema, which is itself a valid schema."""
    Draft202012Validator.check_schema(META_SCHEMA)
    assert [error.message for error in Draft202012Validator(META_SCHEMA).iter_errors(register)] == []


def test_register_is_named_after_its_contract(contract: str, register: Json) -> None:
    """A register's file carries the contract's name, and so does every clause id."""
    assert register["contract"] == contract
    assert [
        clause["id"] for clause in register["clauses"] if not clause["id"].startswith(f"{contract}.")
    ] == []


@pytest.mark.parametrize("kind", ["clauses", "sections", "ambiguities"])
def test_ids_are_unique(register: Json, kind: str) -> None:
    """No id is given twice within a register."""
    counts = Counter(entry["id"] for entry in register[kind])
    assert [id_ for id_, count in counts.items() if count > 1] == []


def test_every_clause_has_a_section_and_every_section_a_clause(register: Json) -> None:
    """The longest prefix of every clause id names a section, and no section stays empty."""
    sections = [section["id"] for section in register["sections"]]
    homes = {
        clause["id"]: max(
            (id_ for id_ in sections if clause["id"].startswith(f"{id_}.")), key=len, default=None
        )
        for clause in register["clauses"]
    }
    assert set(homes.values()) == set(sections)


def test_cited_documents_exist(register: Json) -> None:
    """Every document that a clause cites is listed, and every document listed is cited."""
    assert {clause["source"]["document"] for clause in register["clauses"]} == set(register["documents"])


def test_ambiguities_name_clauses_of_the_register(register: Json) -> None:
    """Every clause that an ambiguity touches exists."""
    ids = {clause["id"] for clause in register["clauses"]}
    assert {id_ for ambiguity in register["ambiguities"] for id_ in ambiguity["clauses"]} - ids == set()


@pytest.mark.parametrize(
    "change",
    [
        {"level": "may"},
        {"text": ""},
        {"needs": []},
        {"needs": [{"partner.off_ramp": True, "partner.widget_id": "x"}]},
        {"needs": [{"any_of": ["partner.origins"]}]},
        {"needs": [{"all_of": ["partner.origins", "partner.pairs"]}]},
        {"need": ["partner.origins"]},
    ],
    ids=str,
)
def test_register_schema_refuses(register: Json, change: Json) -> None:
    """The register schema refuses a clause with an unknown level, a malformed need or an unknown key."""
    register["clauses"][0] |= change
    assert not Draft202012Validator(META_SCHEMA).is_valid(register)


def test_register_schema_takes_nested_alternatives(register: Json) -> None:
    """The register schema takes a need that joins several needs as one of its alternatives."""
    register["clauses"][0]["needs"] = [
        {"any_of": ["partner.origins", {"all_of": ["egress.a", {"partner.b": False}]}]}
    ]
    assert Draft202012Validator(META_SCHEMA).is_valid(register)


def test_openapi_document_is_valid(document: Json) -> None:
    """A contract's OpenAPI document is valid OpenAPI 3.1."""
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_openapi_document_and_register_have_one_version(document: Json, register: Json) -> None:
    """An OpenAPI document and its register carry the same version and title."""
    assert document["info"]["version"] == register["version"]
    assert document["info"]["title"] == register["title"]


def test_schema_nodes_name_clauses_of_the_register(document: Json, register: Json) -> None:
    """Every clause that a schema node names exists, and at least one is named."""
    named = {node["x-clause"] for _, node in nodes(document) if "x-clause" in node}
    assert named
    assert named - {clause["id"] for clause in register["clauses"]} == set()


def test_every_body_has_a_valid_example(document: Json) -> None:
    """Every body and every kind of message has an example, and every example is valid under its schema."""
    bodies = {
        (*steps, "schema")
        for steps, _ in nodes(document)
        if steps and steps[-1] in ("application/json", "x-messages")
    }
    shown = list(examples(document))
    assert {steps for steps, _ in shown} == bodies
    faults = [
        f"{pointer(*steps)}: {error.message}"
        for steps, example in shown
        for error in validator(document, *steps).iter_errors(example)
    ]
    assert faults == []


def test_a_target_may_send_more_than_promised(document: Json) -> None:
    """A response, message or webhook with an undocumented field is valid, for a target may do more than it promises."""
    sent = [
        (steps, example)
        for steps, example in examples(document)
        if steps[0] == "webhooks" or {"responses", "x-messages"} & set(steps)
    ]
    assert sent
    assert all(validator(document, *steps).is_valid(example | {"extra": [1]}) for steps, example in sent)


SESSION = ("components", "schemas", "Session")
WIDGET_SESSION = ("components", "schemas", "WidgetSession")


@pytest.mark.parametrize(
    ("contract_name", "schema", "field", "value", "valid"),
    [
        ("proof", SESSION, "signature", "v2:" + "aB" * 64, True),
        ("proof", SESSION, "signature", "v2:" + "ab" * 63 + "a", False),
        ("proof", SESSION, "signature", "v2:" + "ab" * 64 + "\n", False),
        ("proof", SESSION, "signature", "V2:" + "ab" * 64, False),
        ("proof", SESSION, "fix_amount", 1, False),
        ("proof", SESSION, "fix_fiat_currency", 0, False),
        ("proof", SESSION, "fix_network", "TRC20", False),
        ("proof", SESSION, "fix_network", ["TRC20", "ERC20"], False),
        ("proof", SESSION, "redirect_url", None, True),
        ("proof", SESSION, "redirect_url", "", True),
        ("proof", SESSION, "redirect_url", False, False),
        ("proof", SESSION, "init_token_type", "another", True),
        ("proof", SESSION, "init_token", "", False),
        ("proof", SESSION, "lang", None, False),
        ("kryptonim", WIDGET_SESSION, "widgetUrl", "HTTPS://widget.example", True),
        ("kryptonim", WIDGET_SESSION, "widgetUrl", "http://widget.example/", False),
        ("kryptonim", WIDGET_SESSION, "widgetUrl", "https:///exchange", False),
        ("kryptonim", WIDGET_SESSION, "expiresAt", "2026-11-13T08:18:47Z", True),
        ("kryptonim", WIDGET_SESSION, "expiresAt", "2026-11-13T08:18:47.4+00:00", True),
        ("kryptonim", WIDGET_SESSION, "expiresAt", "2026-11-13T08:18:47+02:00", False),
        ("kryptonim", WIDGET_SESSION, "expiresAt", "2026-11-13T08:18:47", False),
        ("kryptonim", WIDGET_SESSION, "sessionId", "", False),
    ],
)
def test_session_schema_judges(
    contract_name: str, schema: tuple[str, ...], field: str, value: object, valid: bool
) -> None:
    """A session's schema takes every value that the documentation allows and no other."""
    document = read(f"{contract_name}.yaml")
    session = next(example for steps, example in examples(document) if "200" in steps and "post" in steps)
    assert validator(document, *schema).is_valid(session | {field: value}) is valid


@pytest.mark.parametrize("contract_name", CONTRACTS)
def test_an_error_may_not_carry_a_session(contract_name: str) -> None:
    """An error with a value of a session is invalid; an empty place for one is not."""
    document = read(f"{contract_name}.yaml")
    error = {"error": "unauthorised", "code": "invalid_token", "message": "no"}
    field = {"proof": "init_token", "kryptonim": "widgetUrl"}[contract_name]
    judge = validator(document, "components", "schemas", "Error")
    assert judge.is_valid(error | {field: None})
    assert not judge.is_valid(error | {field: "value"})
