"""Hands a scenario's clauses and redacted exchanges to Allure, where its plugin is active."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import allure
import pytest

from rampcheck.contract import Clause, Contract

SEVERITIES = {"must": allure.severity_level.CRITICAL, "should": allure.severity_level.NORMAL}


def attach(
    item: pytest.Item, clauses: Sequence[Clause], contract: Contract, exchanges: Sequence[Mapping[str, Any]],
) -> None:
    """Labels the running test with its clauses and their levels, links their sources, attaches its exchanges.

    `exchanges` are the redacted records as the journal has them. Source: allure-pytest's documentation,
    "Dynamic API".
    """
    if not item.config.pluginmanager.has_plugin("allure_listener"):
        return
    allure.dynamic.epic(contract.title)
    for clause in clauses:
        allure.dynamic.story(clause.id)
        allure.dynamic.label("level", clause.level)
        allure.dynamic.tag(clause.id, clause.level)
        if clause.source.url:
            allure.dynamic.link(clause.source.url, name=f"{clause.source.document}: {clause.source.section}")
    if clauses:
        allure.dynamic.severity(SEVERITIES.get(clauses[0].level, allure.severity_level.MINOR))
        allure.dynamic.feature(dict(contract.sections)[clauses[0].section])
        allure.dynamic.description("\n\n".join(
            f"{clause.id} ({clause.level}): {clause.text} Source: {clause.source.document}, {clause.source.section}."
            for clause in clauses
        ))
    if exchanges:
        numbers = ", ".join(str(exchange["number"]) for exchange in exchanges)
        allure.attach(json.dumps(exchanges, indent=1), name=f"exchanges {numbers}",
                      attachment_type=allure.attachment_type.JSON)
