"""The linter tells what is wrong with a pack, where, and how to mend it; our own contracts are clean."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from rampcheck.contract import descriptor, packs
from rampcheck.lint import RULES, look
from tests import small_pack
from tests.small_pack import Breach, looked, tell
from tests.test_lint_partner import BREACHES as OF_PARTNER
from tests.test_versions import BREACHES as OF_VERSIONS

NUMBERS = count(1)
ELSEWHERE = {rule for _, _, _, rule, _ in OF_VERSIONS} | {breach.rule for breach in OF_PARTNER}
# `{name}.session.` is the beginning of every id; what is written is looked for with it filled in.
CONTRACT, CLAUSES, OPENAPI = (f"openapi/{{name}}/{kind}.yaml" for kind in ("contract", "clauses", "openapi"))
SUITE, SCENARIOS = "suites/{name}/__init__.py", "suites/{name}/test_session.py"
REFERENCE, DEFECTS = "references/{name}/__init__.py", "references/{name}/defects.py"


BREACHES = [
    Breach("readable", CLAUSES, "sections:", "sections: [", r"cannot be read: ", "title: Sessions"),
    Breach("readable", OPENAPI, "", "[1]\n", "cannot be read: it holds no mapping", "[1]"),
    Breach(
        "keys given once", CLAUSES, "version:", 'version: "0"\nversion:', "'version' is given twice", 'version: "1"'
    ),
    Breach(
        "format of contract.yaml",
        CONTRACT,
        "environments: [sandbox]",
        "environments: []\nenvironment: x",
        "environments: ",
        "environments: []",
    ),
    Breach(
        "format of clauses.yaml",
        CLAUSES,
        "level: should",
        "level: may",
        r"clauses\.1\.level: 'may' is not one of",
        "level: may",
    ),
    Breach(
        "paths and members of contract.yaml", CONTRACT, "envelope: [code]", "envelope: [cod]", "no .* member cod", "cod"
    ),
    Breach(
        "paths and members of contract.yaml", CONTRACT, "/sessions: [id]", "/sessions: [idd]", "no .* member idd", "idd"
    ),
    Breach(
        "paths and members of contract.yaml",
        CONTRACT,
        "accepts:\n  /sessions",
        "accepts:\n  /session",
        "no path /session",
        "/session: {name}.session.complete",
    ),
    Breach(
        "valid OpenAPI", OPENAPI, "description: The session.", "describe: It.", ".description. is a required", '"200"'
    ),
    Breach("valid OpenAPI", OPENAPI, "3.1.0", "3.0.3", "no OpenAPI 3.1", "openapi:"),
    Breach("valid OpenAPI", OPENAPI, "schemas/Session", "schemas/Sessions", "Sessions"),
    Breach(
        "ids given once",
        CLAUSES,
        "session.inside",
        "session.answered",
        "two clauses {name}.session.answered",
        "id: {name}.session.answered",
    ),
    Breach(
        "clauses named after the contract",
        CLAUSES,
        "contract: {name}",
        "contract: other",
        "the register is that of other",
        "contract: other",
    ),
    Breach(
        "clauses named after the contract",
        CLAUSES,
        "id: {name}.session.inside",
        "id: another.session.inside",
        "another.session.inside does not begin with",
        "another.session.inside",
    ),
    Breach(
        "sections",
        CLAUSES,
        "id: {name}.session.inside",
        "id: {name}.apart.inside",
        "inside is in no section",
        "apart.inside",
    ),
    Breach(
        "sections",
        CLAUSES,
        "ambiguities:",
        "  - {id: {name}.empty, title: Nothing}\nambiguities:",
        "no clause is in the section {name}.empty",
        "title: Nothing",
    ),
    Breach("one version", OPENAPI, 'version: "1"', 'version: "2"', "version is '2', the register's '1'", "info:"),
    Breach(
        "pages that are cited",
        CLAUSES,
        "source: {document: api,",
        "source: {document: web,",
        "cites web",
        "document: web",
    ),
    Breach(
        "pages that are cited",
        CLAUSES,
        "  api: {title: The API}",
        "  api: {title: The API}\n  old: {title: Old}",
        "no clause cites the document old",
        "old: {title: Old}",
    ),
    Breach(
        "known ids in the documents",
        CONTRACT,
        "gateway: {name}.session.answered",
        "gateway: {name}.gateway",
        "no clause {name}.gateway",
        "gateway:",
    ),
    Breach(
        "known ids in the documents",
        CLAUSES,
        "clauses: [{name}.session.answered]",
        "clauses: [{name}.session.x]",
        "touches {name}.session.x",
        "clauses: [{name}.session.x]",
    ),
    Breach(
        "known ids in the documents",
        OPENAPI,
        "x-clause: {name}.session.complete",
        "x-clause: {name}.session.full",
        "no clause {name}.session.full",
        "x-clause",
    ),
    Breach(
        "causes",
        CLAUSES,
        "cause: {name}.session.complete",
        "cause: {name}.session.answered",
        "no clause of level must",
        "cause: {name}",
    ),
    Breach("causes", CLAUSES, "session.ans*", "session.unanswered*", "which no clause matches", "unanswered"),
    Breach(
        "the profile's part",
        CONTRACT,
        "sells: {type: boolean}",
        "sells: {type: bool}",
        "partner.*is not valid",
        "sells:",
    ),
    Breach(
        "the profile's part",
        CONTRACT,
        "sells: {type: boolean}",
        'sells: {$ref: "#/$defs/yes"}',
        "refers to 'yes'",
        "profile:",
    ),
    Breach(
        "needs",
        CLAUSES,
        "{partner.sells: true}",
        "{partner.sells: maybe}",
        "needs `partner.sells: maybe`",
        "partner.sells",
    ),
    Breach(
        "needs",
        CLAUSES,
        "{partner.sells: true}",
        "partner.buys",
        "needs `partner.buys`, which no profile",
        "partner.buys",
    ),
    Breach(
        "what a session tells",
        CONTRACT,
        "envelope: [code]",
        "envelope: [code]\nsession_tells: {partner.buys: id}",
        "a session tells partner.buys, which no profile",
        "session_tells:",
    ),
    Breach("examples", OPENAPI, "id: one", "id: 1", "session is not valid: id: 1 is not of type", "id: 1"),
    Breach(
        "examples",
        OPENAPI,
        "              examples:\n                session:\n                  value:\n                    id: one\n",
        "",
        "no example",
        "application/json",
    ),
    Breach(
        "described examples",
        OPENAPI,
        "id: one",
        "id: one\n                    name: two",
        "shows what is not described.*'name' was unexpected",
        "value:",
    ),
    Breach(
        "a target may do more",
        OPENAPI,
        "type: object",
        "type: object\n      additionalProperties: false",
        "must hold nothing but",
        "session:",
    ),
    Breach("operations", OPENAPI, "      tags: [sessions]\n", "", "POST /sessions has no tags", "post:"),
    Breach(
        "operations", OPENAPI, "tags: [sessions]", "tags: [session]", "tag 'session' is not declared", "tags: [session]"
    ),
    Breach(
        "components that are used",
        OPENAPI,
        "  schemas:\n",
        "  schemas:\n    Unused: {type: object}\n",
        "refers to the component schemas/Unused",
        "Unused",
    ),
    Breach("suite", SUITE, "suite = Suite(", "suite = Suit(", "NameError: name 'Suit'", "Suit("),
    Breach("suite", SUITE, "suite = Suite(", "sweet = Suite(", "defines no `suite`"),
    Breach("suite", SUITE, "invariants=[", "invariants=[None, ", "None, which is no Invariant", "suite = Suite("),
    Breach(
        "scenarios",
        SCENARIOS,
        "import pytest",
        "import pytest, unheard_of",
        "No module named 'unheard_of'",
        "unheard_of",
    ),
    Breach("scenarios", SCENARIOS, "import pytest", "import pytest\n)", "unmatched", ")"),
    Breach("scenarios", SCENARIOS, "", "", "the suite has no scenario", told_of="suites/{name}"),
    Breach("scenarios", "suites/{name}/conftest.py", "", "import unheard_of", "No module named 'unheard_of'"),
    Breach(
        "marked scenarios",
        SCENARIOS,
        '@pytest.mark.verifies("{name}.session.answered")\n',
        "",
        "test_answer verifies no clause",
        "def test_answer",
    ),
    Breach(
        "known ids in the suite",
        SCENARIOS,
        '"{name}.session.answered"',
        '"{name}.session.answer"',
        "test_answer verifies {name}.session.answer, which",
        "verifies(",
    ),
    Breach(
        "known ids in the suite",
        SUITE,
        "[Invariant(",
        '[Invariant("{name}" + ".x", bool, bool), Invariant(',
        "an invariant judges {name}.x",
    ),
    Breach(
        "known ids in the suite", SUITE, "suite = ", 'GONE = "{name}.gone"\nsuite = ', "called '{name}.gone'", "GONE"
    ),
    Breach("known ids in the suite", "suites/{name}/unused.py", "", "pass\n(", "is no Python: '\\(' was never", "("),
    *(
        Breach(
            "clauses said once",
            SCENARIOS,
            "def test_answer(accepted):\n    pass",
            f"def test_answer(accepted):\n    accepted.unchanged().is_accepted(clause={again})\n\n\n{constant}",
            "test_answer names again the only clause that it verifies",
            "is_accepted",
        )
        for again, constant in (
            ('"{name}.session.answered"', ""),
            ("CLAUSE", 'CLAUSE = "{name}.session.answered"'),
            ('f"{PREFIX}.answered"', 'PREFIX = "{name}.session"'),
            ('f"{name}.session.{accepted}"', ""),
        )
    ),
    Breach(
        "judged clauses",
        SCENARIOS,
        '"{name}.session.answered"',
        '"{name}.session.complete"',
        "nothing judges the clause {name}.session.answered",
        "id: {name}.session.answered",
        CLAUSES,
    ),
    Breach(
        "judged clauses",
        SCENARIOS,
        '"{name}.session.answered"',
        '"{name}.session.answered", "{name}.session.inside"',
        "verifies {name}.session.inside, which is said to be untestable",
        "untestable:",
        CLAUSES,
    ),
    Breach("reference", REFERENCE, 'defects=("defects",)', 'defects=("defect",)', "No module named"),
    Breach(
        "reference",
        "references/{name}/app.py",
        "def create_app",
        "def make_app",
        "no attribute 'create_app'",
        told_of=REFERENCE,
    ),
    Breach("reference", DEFECTS, "class IdMissing:", "class IdMissing", "SyntaxError", "class IdMissing"),
    Breach("reference", REFERENCE, "reference = ", "referee = ", "defines no `reference`"),
    Breach(
        "known ids in the reference",
        DEFECTS,
        'may_break=["{name}.session.answered"]',
        'may_break=["{name}.session.x"]',
        "may break {name}.session.x, and no clause",
        '@defect("id-as-number"',
    ),
    Breach(
        "known ids in the reference",
        DEFECTS,
        'breaks=["{name}.session.complete"], may',
        'breaks=["{name}.session.x"], may',
        "breaks {name}.session.x, which",
        '@defect("id-as-number"',
    ),
    Breach(
        "bounded defects",
        DEFECTS,
        'may_break=["{name}.session.answered"]',
        'may_break=["{name}"]',
        "id-as-number may break the whole contract",
        '@defect("id-as-number"',
    ),
    Breach(
        "two defects",
        DEFECTS,
        'breaks=["{name}.session.complete"], may',
        'breaks=["{name}.session.answered"], may',
        "only one defect breaks {name}.session.complete",
        "id: {name}.session.complete",
        CLAUSES,
    ),
]


@pytest.fixture
def name() -> str:
    """A contract's name that no other test has: what the engine loads by name, it keeps."""
    return f"small{os.getpid()}x{next(NUMBERS)}"


@pytest.fixture
def pack(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small pack, which the engine knows."""
    monkeypatch.setenv(packs.VARIABLE, "")
    return small_pack.write(tmp_path / "pack", name)


@pytest.mark.parametrize("contract", descriptor.contracts())
def test_our_contracts_are_clean(contract: str) -> None:
    """Every rule was asked, and none says anything."""
    found = look(packs.of(contract), contract)
    assert [f"{rule}: {mistake}" for rule, mistake in found.mistakes] == []
    assert found.left_out == ()


def test_the_small_pack_is_clean(pack: Path) -> None:
    """What the breaches below are breaches of is right; without a reference, too, where no must is broken."""
    assert looked(pack).mistakes == ()


def test_a_pack_without_a_reference_is_clean(pack: Path) -> None:
    """Nobody owes a reference, or defects."""
    shutil.rmtree(pack / "references")
    assert looked(pack).mistakes == ()


@pytest.mark.parametrize("breach", BREACHES, ids=[f"{breach.rule}-{number}" for number, breach in enumerate(BREACHES)])
def test_breach_is_told(pack: Path, name: str, breach: Breach) -> None:
    """A mistake is told by the rule that it breaks, with its file, its line, and a cure."""

    tell(pack, name, breach)


def test_found_by_its_name(pack: Path, name: str) -> None:
    """A contract without a suite, and one whose name another pack has, are told as such."""
    shutil.copytree(pack, pack.parent / "copy")
    packs.add(pack)
    (mistake,) = (mistake for rule, mistake in looked(pack.parent / "copy").mistakes)
    assert f"the name {name} is that of a contract in {pack}" in mistake.cause
    shutil.rmtree(pack / "suites")
    (other,) = (mistake for rule, mistake in looked(pack).mistakes)
    assert "has no suite" in other.cause


def test_every_rule_can_fail() -> None:
    """Each rule of the table has a breach, here or beside, and none is tried that is not in it."""
    assert {breach.rule for breach in BREACHES} | ELSEWHERE | {"found by its name"} == {rule.name for rule in RULES}
    assert {name for rule in RULES for name in rule.after} <= {rule.name for rule in RULES}


def test_all_mistakes_at_once(pack: Path, name: str) -> None:
    """Several mistakes are told together, and what could not be looked at is named."""
    for file, old, new in (
        (CLAUSES, "level: should", "level: may"),
        (OPENAPI, "id: one", "id: 1"),
        (DEFECTS, "class IdMissing:", "class IdMissing"),
    ):
        path = pack / file.replace("{name}", name)
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = looked(pack)
    assert {rule for rule, _ in found.mistakes} == {"format of clauses.yaml", "examples", "reference"}
    assert {"sections", "two defects", "judged clauses"} <= set(found.left_out)


def test_command(pack: Path, name: str) -> None:
    """The command tells each mistake with its place and its cure, and ends with 4; with 0 where there is none."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rampcheck.cli", "lint", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=pack,
        )

    right = command(str(pack))
    assert (right.returncode, right.stdout) == (0, f"{name}: no mistakes\n")
    file = pack / SCENARIOS.replace("{name}", name)
    file.write_text(file.read_text(encoding="utf-8").replace(".answered", ".answer"), encoding="utf-8")
    wrong = command(str(pack))
    assert wrong.returncode == 4
    told = f"suites/{name}/test_session.py:9: test_answer verifies {name}.session.answer, which is no clause\n    Mend"
    assert told in wrong.stdout
    assert wrong.stdout.endswith(f"{name}: 3 mistakes\n")
    unknown = command("there-is-no-such")
    assert unknown.returncode == 4
    assert "neither a contract nor a pack's folder" in unknown.stderr
