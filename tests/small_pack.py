"""A small pack that is right, to be broken in one place at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rampcheck.lint import Looked, lint

FILES = {
    "openapi/{name}/contract.yaml": """\
environments: [sandbox]
credentials:
  key: {variable: SMALL_KEY, required: true, header: X-Key, description: The key.}
envelope: [code]
known_by:
  /sessions: [id]
no_server_error:
  /sessions: {name}.session.answered
accepts:
  /sessions: {name}.session.complete
gateway: {name}.session.answered
profile:
  properties:
    partner:
      type: object
      additionalProperties: false
      properties:
        sells: {type: boolean}
""",
    "openapi/{name}/clauses.yaml": """\
contract: {name}
version: "1"
title: Small sessions
documents:
  api: {title: The API}
sections:
  - {id: {name}.session, title: Sessions}
ambiguities:
  - {id: silence, text: What silence means is not said., clauses: [{name}.session.answered]}
clauses:
  - id: {name}.session.complete
    level: must
    text: A session has an id.
    source: {document: api, section: Sessions}
  - id: {name}.session.answered
    level: should
    text: Every request is answered.
    source: {document: api, section: Sessions}
    needs: [{partner.sells: true}]
  - id: {name}.session.inside
    level: must
    text: Sessions are kept in one place.
    source: {document: api, section: Sessions}
    untestable: Nobody sees it from outside.
causes:
  - cause: {name}.session.complete
    explains: ["{name}.session.ans*"]
""",
    "openapi/{name}/openapi.yaml": """\
openapi: 3.1.0
info: {title: Small sessions, version: "1"}
tags:
  - {name: sessions, description: All there is.}
paths:
  /sessions:
    post:
      operationId: createSession
      tags: [sessions]
      responses:
        "200":
          description: The session.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Session"}
              examples:
                session:
                  value:
                    id: one
        "400":
          description: A refusal.
          content:
            application/json:
              schema: {properties: {code: {type: string}}}
              examples: {refusal: {value: {code: unknown}}}
components:
  schemas:
    Session:
      type: object
      x-clause: {name}.session.complete
      required: [id]
      properties:
        id: {type: string}
""",
    "suites/__init__.py": "",
    "suites/{name}/__init__.py": """\
from rampcheck.contract import descriptor
from rampcheck.judging.invariants import Endpoint, json_media_type
from rampcheck.judging.suite import Invariant, Suite

suite = Suite(
    contract=descriptor.load("{name}"),
    authenticate=lambda request, profile: request,
    candidates=lambda profile: iter(()),
    invariants=[Invariant("{name}.session.complete", Endpoint("POST", "/sessions").answered, json_media_type)],
)
""",
    "suites/{name}/test_session.py": """\
import pytest


@pytest.mark.verifies("{name}.session.complete")
def test_session(accepted):
    pass


@pytest.mark.verifies("{name}.session.answered")
def test_answer(accepted):
    pass
""",
    "references/__init__.py": "",
    "references/{name}/__init__.py": """\
from rampcheck.sandbox.reference import Reference

reference = Reference("{name}", defects=("defects",), variants=(), error=lambda *texts: {"code": texts[1]})
""",
    "references/{name}/app.py": "def create_app(classes, environment, latency, webhook_url): ...\n",
    "references/{name}/profile.py": "def profile(base_url, environment, webhook_url): ...\n",
    "references/{name}/defects.py": """\
from rampcheck.sandbox.defects import defect


@defect("id-missing", breaks=["{name}.session.complete"])
class IdMissing:
    '''A session has no id.'''


@defect("id-as-number", breaks=["{name}.session.complete"], may_break=["{name}.session.answered"])
class IdAsNumber:
    '''A session's id is a number.'''
""",
}


def write(folder: Path, name: str) -> Path:
    """Writes the pack of one contract of this name, and gives the folder."""
    for path, text in FILES.items():
        file = folder / path.replace("{name}", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{name}", name), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Breach:
    """One place of the small pack that is changed: the rule that is broken, and what the linter says of which line.

    `line` is a text that stands in the line; "" where the mistake is about the file.
    """

    rule: str
    file: str
    old: str
    new: str
    cause: str
    line: str = ""
    told_of: str = ""


def looked(folder: Path) -> Looked:
    """What the linter says of the only contract of a pack."""
    (found,) = lint(str(folder))
    return found


def tell(pack: Path, name: str, breach: Breach) -> None:
    """Makes a breach, and sees that it is told by the rule that it breaks, with its file, its line, and a cure."""

    def filled(text: str) -> str:
        return text.replace("{name}", name)

    file = pack / filled(breach.file)
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    assert filled(breach.old) in text
    changed = text.replace(filled(breach.old), filled(breach.new)) if breach.old else filled(breach.new)
    file.write_text(changed, encoding="utf-8")
    found = looked(pack)
    told = pack / filled(breach.told_of or breach.file)
    fitting = [
        mistake
        for rule, mistake in found.mistakes
        if rule == breach.rule and re.search(filled(breach.cause), mistake.cause, re.DOTALL)
    ]
    assert fitting, [f"{rule}: {mistake}" for rule, mistake in found.mistakes]
    assert [mistake for mistake in fitting if not mistake.cure] == []
    assert {mistake.path for mistake in fitting} == {told}
    if breach.line:
        lines = told.read_text(encoding="utf-8").splitlines()
        assert [mistake for mistake in fitting if filled(breach.line) in lines[mistake.line - 1]] != [], fitting
