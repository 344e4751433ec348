"""The linter tells what is wrong with the partner's side of a contract, where, and how to mend it."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest

from rampcheck.contract import packs
from tests import small_pack
from tests.small_pack import Breach, looked, tell

NUMBERS = count(1)
PARTNER, SCRIPT = (f"openapi/{{name}}/{kind}.yaml" for kind in ("partner", "script"))
RULES_OF, SANDBOX = "suites/{name}/partner.py", "references/{name}/certification.py"
FILES = {
    PARTNER: """\
contract: {name}
version: "1"
title: The partner's side of small sessions
documents:
  api: {title: The API}
sections:
  - {id: {name}.partner, title: What the partner does}
ambiguities:
  - {id: ids, text: Where ids are kept is not said., clauses: [{name}.partner.keeps-id]}
clauses:
  - id: {name}.partner.asks-once
    level: must
    text: A session is asked for once.
    source: {document: api, section: Sessions}
  - id: {name}.partner.keeps-id
    level: should
    text: The id is kept.
    source: {document: api, section: Sessions}
    untestable: Nobody sees it from outside.
""",
    SCRIPT: """\
contract: {name}
sessions: /sessions
id: id
steps:
  - name: works
    tells: Everything works.
    provokes: [asks-once]
  - name: slow
    tells: It takes long.
    provokes: [asks-once]
    settings: {pace: 3}
    behaviours: [is-slow]
""",
    RULES_OF: """\
from rampcheck.judging.conduct import rule


@rule("{name}.partner.asks-once", "no session was asked for")
def asks_once(conduct):
    return ()


RULES = (asks_once,)
""",
    SANDBOX: """\
SETTINGS, BEHAVIOURS = {"pace": 1.0}, {"is-slow": object}


def service(credentials, partner): ...


def purchase(partner): ...
""",
}
BREACHES = [
    Breach("readable partner's side", SCRIPT, "steps:", "steps: [", "cannot be read: ", "works"),
    Breach("readable partner's side", PARTNER, "", "[1]\n", "it holds no mapping", "[1]"),
    Breach("readable partner's side", SCRIPT, "id: id", "id: id\nid: other", "'id' is given twice", "id: other"),
    Breach("format of partner.yaml", PARTNER, "level: should", "level: may", r"clauses\.1\.level: 'may' is", "may"),
    Breach("format of partner.yaml", PARTNER, "title: The partner's side of small sessions\n", "", "'title' is a"),
    Breach("format of script.yaml", SCRIPT, "sessions: /sessions", "session: /sessions", "'session' was unexpected"),
    Breach(
        "format of script.yaml",
        SCRIPT,
        "settings: {pace: 3}",
        "settings: {pace: quick}",
        r"steps\.1\.settings\.pace: 'quick' is not of type 'number'",
        "pace: quick",
    ),
    Breach("format of script.yaml", SCRIPT, "name: slow", "name: Slow!", r"steps\.1\.name: 'Slow!' does not", "Slow!"),
    Breach(
        "the partner's register", PARTNER, "contract: {name}", "contract: other", "register is that of other", "other"
    ),
    Breach(
        "the partner's register",
        PARTNER,
        "id: {name}.partner.keeps-id",
        "id: {name}.partner.asks-once",
        "two clauses {name}.partner.asks-once",
        "asks-once",
    ),
    Breach(
        "the partner's register",
        PARTNER,
        "id: {name}.partner.keeps-id",
        "id: {name}.session.keeps-id",
        "does not begin with `{name}.partner.`",
        "session.keeps-id",
    ),
    Breach(
        "the partner's register",
        PARTNER,
        "  api: {title: The API}",
        "  api: {title: The API}\n  old: {title: Old}",
        "no clause cites the document old",
        "old:",
    ),
    Breach(
        "the partner's register",
        PARTNER,
        "ambiguities:",
        "  - {id: {name}.partner.empty, title: Nothing}\nambiguities:",
        "no clause is in the section",
        "title: Nothing",
    ),
    Breach(
        "the partner's register",
        PARTNER,
        "clauses: [{name}.partner.keeps-id]",
        "clauses: [{name}.session.complete]",
        "touches {name}.session.complete, which is no clause",
        "session.complete",
    ),
    Breach(
        "the partner's rules",
        RULES_OF,
        "asks-once",
        "asks-one",
        "no rule judges the clause {name}.partner.asks-once",
        "id: {name}.partner.asks-once",
        PARTNER,
    ),
    Breach("the partner's rules", RULES_OF, "asks-once", "asks-one", "a rule judges {name}.partner.asks-one, which"),
    Breach("the partner's rules", RULES_OF, "(asks_once,)", "(asks_once, asks_once)", "2 rules judge {name}"),
    Breach("the partner's rules", RULES_OF, "RULES = ", "ROLES = ", "defines no `RULES`"),
    Breach("the partner's rules", RULES_OF, "return ()", "return )", "SyntaxError", "return )"),
    Breach(
        "the partner's rules",
        PARTNER,
        "id: {name}.partner.asks-once\n",
        "id: {name}.partner.asks-once\n    untestable: Nobody sees it.\n",
        "a rule judges {name}.partner.asks-once, which is said to be untestable",
        "Nobody sees it",
    ),
    Breach("the script", SCRIPT, "contract: {name}", "contract: other", "the script is that of other", "contract:"),
    Breach("the script", SCRIPT, "sessions: /sessions", "sessions: /session", "posted to /session by", "sessions:"),
    Breach("the script", SCRIPT, "name: slow", "name: works", "two steps works", "name: works"),
    Breach(
        "what steps provoke",
        SCRIPT,
        "provokes: [asks-once]\n    settings",
        "provokes: [asks-one]\n    settings",
        "step slow provokes asks-one, and there is no clause {name}.partner.asks-one",
        "asks-one]",
    ),
    Breach(
        "what steps provoke",
        SCRIPT,
        "provokes: [asks-once]",
        "provokes: []",
        "no step of the script provokes {name}.partner.asks-once",
        "id: {name}.partner.asks-once",
        PARTNER,
    ),
    Breach("what the sandbox plays", SCRIPT, "[is-slow]", "[is-lost]", "'is-lost', .* none .* behaviours", "lost"),
    Breach("what the sandbox plays", SCRIPT, "{pace: 3}", "{place: 3}", "'place', .* none .* settings", "place"),
    Breach("what the sandbox plays", SANDBOX, "def purchase", "def purchased", "no attribute 'purchase'"),
]


@pytest.fixture
def name() -> str:
    """A contract's name that no other test has: what the engine loads by name, it keeps."""
    return f"sided{os.getpid()}x{next(NUMBERS)}"


@pytest.fixture
def pack(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small pack with a partner's side."""
    monkeypatch.setenv(packs.VARIABLE, "")
    folder = small_pack.write(tmp_path / "pack", name)
    for path, text in FILES.items():
        (folder / path.replace("{name}", name)).write_text(text.replace("{name}", name), encoding="utf-8")
    return folder


def test_a_partners_side_that_is_right_is_clean(pack: Path) -> None:
    """What the breaches below are breaches of; every rule was asked."""
    found = looked(pack)
    assert (found.mistakes, found.left_out) == ((), ())


@pytest.mark.parametrize("breach", BREACHES, ids=[f"{breach.rule}-{number}" for number, breach in enumerate(BREACHES)])
def test_breach_is_told(pack: Path, name: str, breach: Breach) -> None:
    """A mistake is told by the rule that it breaks, with its file, its line, and a cure."""
    tell(pack, name, breach)


def test_a_partners_side_may_have_no_script(pack: Path, name: str) -> None:
    """Who certifies by a script of their own needs none, nor a sandbox of this pack."""
    (pack / SCRIPT.replace("{name}", name)).unlink()
    (pack / SANDBOX.replace("{name}", name)).unlink()
    assert looked(pack).mistakes == ()


def test_a_script_needs_what_it_is_judged_and_played_by(pack: Path, name: str) -> None:
    """Without partner.yaml, or without a sandbox, it is good for nothing."""
    (pack / PARTNER.replace("{name}", name)).unlink()
    (pack / SANDBOX.replace("{name}", name)).unlink()
    (pack / RULES_OF.replace("{name}", name)).unlink()
    told = dict(looked(pack).mistakes)
    assert "no partner.yaml says what an integration has to do" in told["format of partner.yaml"].cause
    assert "no sandbox" in told["what the sandbox plays"].cause
    assert {mistake.path.name for mistake in told.values()} == {"script.yaml"}
