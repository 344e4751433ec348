"""What the register's schema and the documents' schemas take and refuse; the rest about them is `test_lint.py`'s."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from jsonschema import Draft202012Validator

from rampcheck.contract.register import resolve

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "openapi"
META_SCHEMA = json.loads((ROOT / "rampcheck" / "schemas" / "clauses.schema.json").read_text(encoding="utf-8"))
CONTRACTS = sorted(path.parent.name for path in OPENAPI.glob("*/clauses.yaml"))

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
    return read(f"{contract}/clauses.yaml")


def validator(document: Json, schema: str) -> Draft202012Validator:
    """A validator of one of a document's schemas."""
    return Draft202012Validator(
        resolve(document, document["components"]["schemas"][schema]), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def test_both_contracts_are_found() -> None:
    """The registers of both vendors stand in openapi/, each beside its OpenAPI document."""
    assert CONTRACTS == ["kryptonim", "proof"]
    assert all((OPENAPI / contract / "openapi.yaml").is_file() for contract in CONTRACTS)


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
    register["clauses"][0]["needs"] = [{"any_of": ["partner.origins", {"all_of": ["egress.a", {"partner.b": False}]}]}]
    assert Draft202012Validator(META_SCHEMA).is_valid(register)


@pytest.mark.parametrize(
    ("contract_name", "schema", "field", "value", "valid"),
    [
        ("proof", "Session", "signature", "v2:" + "aB" * 64, True),
        ("proof", "Session", "signature", "v2:" + "ab" * 63 + "a", False),
        ("proof", "Session", "signature", "v2:" + "ab" * 64 + "\n", False),
        ("proof", "Session", "signature", "V2:" + "ab" * 64, False),
        ("proof", "Session", "fix_amount", 1, False),
        ("proof", "Session", "fix_fiat_currency", 0, False),
        ("proof", "Session", "fix_network", "TRC20", False),
        ("proof", "Session", "fix_network", ["TRC20", "ERC20"], False),
        ("proof", "Session", "redirect_url", None, True),
        ("proof", "Session", "redirect_url", "", True),
        ("proof", "Session", "redirect_url", False, False),
        ("proof", "Session", "init_token_type", "another", True),
        ("proof", "Session", "init_token", "", False),
        ("proof", "Session", "lang", None, False),
        ("kryptonim", "WidgetSession", "widgetUrl", "HTTPS://widget.example", True),
        ("kryptonim", "WidgetSession", "widgetUrl", "http://widget.example/", False),
        ("kryptonim", "WidgetSession", "widgetUrl", "https:///exchange", False),
        ("kryptonim", "WidgetSession", "expiresAt", "2026-11-13T08:18:47Z", True),
        ("kryptonim", "WidgetSession", "expiresAt", "2026-11-13T08:18:47.4+00:00", True),
        ("kryptonim", "WidgetSession", "expiresAt", "2026-11-13T08:18:47+02:00", False),
        ("kryptonim", "WidgetSession", "expiresAt", "2026-11-13T08:18:47", False),
        ("kryptonim", "WidgetSession", "sessionId", "", False),
    ],
)
def test_session_schema_judges(contract_name: str, schema: str, field: str, value: object, valid: bool) -> None:
    """A session's schema takes every value that the documentation allows and no other."""
    document = read(f"{contract_name}/openapi.yaml")
    (answer,) = (item["post"]["responses"]["200"] for item in document["paths"].values() if "post" in item)
    ((example,),) = (body["examples"].values() for body in answer["content"].values())
    session = example["value"]
    assert validator(document, schema).is_valid(session | {field: value}) is valid


@pytest.mark.parametrize("contract_name", CONTRACTS)
def test_an_error_may_not_carry_a_session(contract_name: str) -> None:
    """An error with a value of a session is invalid; an empty place for one is not."""
    document = read(f"{contract_name}/openapi.yaml")
    error = {"error": "unauthorised", "code": "invalid_token", "message": "no"}
    field = {"proof": "init_token", "kryptonim": "widgetUrl"}[contract_name]
    judge = validator(document, "Error")
    assert judge.is_valid(error | {field: None})
    assert not judge.is_valid(error | {field: "value"})
