"""A small pack that is right, to be broken in one place at a time."""

from __future__ import annotations

from pathlib import Path

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
