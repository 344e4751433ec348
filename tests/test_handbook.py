"""What the README and the handbook tell is so, and they tell of everything."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import made
from docs.made import commands, mistakes, schemas
from rampcheck import resources
from rampcheck.cli import main
from rampcheck.contract import descriptor, profile, profile_schema
from rampcheck.contract.descriptor import Descriptor
from rampcheck.errors import EXIT_CODES, ExitCode
from rampcheck.running import marks
from tests.handbook import DOCS, PAGES, ROOT, blocks, name
from tests.mistakes import MISTAKES
from tests.test_profile_schema import keys_in

README = ROOT / "README.md"
ONE_SCREEN = 70
WRITTEN = (
    *PAGES,
    *(ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "RELEASING", "SECURITY")),
)
WRITTEN += tuple(ROOT / place / "README.md" for place in ("benchmarks", "examples/tinyramp", "reports"))
COMMANDS = dict(commands.known())
# Each with the reason why no page has a command of its own for it.
WITHOUT_EXAMPLE: dict[str, str] = {}


def read(page: Path) -> str:
    """Gives the text of a page."""
    return page.read_text(encoding="utf-8")


def called() -> Iterator[tuple[str, str]]:
    """Gives each command that a page calls, and the rest of its line."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "sh":
                yield from re.findall(r"^rampcheck (\w+)(.*)$", block.text, re.MULTILINE)


def section(text: str, heading: str) -> str:
    """Gives what stands below a heading, up to the next one of its kind."""
    level = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def test_the_handbook_tells_of_each_mark_of_scenarios() -> None:
    """As pytest is told of them."""
    told = dict(
        re.findall(r"^\| `([^`]+)` \| (.+) \|$", section(read(DOCS / "contract.md"), "## Scenarios"), re.MULTILINE)
    )
    assert told == marks.MARKS


def test_the_readme_is_one_screen() -> None:
    """What is longer has a page of the handbook. The gate takes its two commands from it."""
    assert len(read(README).splitlines()) <= ONE_SCREEN
    assert {"command: run", "command: test"} <= {block.remark for block in blocks(README)}


def test_every_command_is_shown() -> None:
    """A page has an example of each, which `test_handbook_commands` runs."""
    shown = {f"rampcheck {command}" for command, _ in called()}
    assert COMMANDS.keys() - shown == WITHOUT_EXAMPLE.keys()


def test_every_option_that_a_page_names_exists() -> None:
    """In its examples of a command, and wherever an option is spoken of."""
    wrong = [
        f"rampcheck {command} {option}"
        for command, rest in called()
        for option in re.findall(r"(?<= )--?[a-z][a-z-]*", rest.partition("#")[0])
        if option not in {way for one in main.commands[command].params for way in (*one.opts, *one.secondary_opts)}
    ]
    assert wrong == []
    known = {option for command in COMMANDS.values() for one in command.params for option in one.opts} | {"--help"}
    spoken = {(name(page), option) for page in PAGES for option in re.findall(r"`(--[a-z-]+)", read(page))}
    assert {told for told in spoken if told[1] not in known | {"--rampcheck-"}} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_has_every_command_and_option(command: str) -> None:
    """Each with what it does."""
    assert COMMANDS[command].help
    told = section(commands.reference(), f"## `{command}`")
    for option in commands.options(COMMANDS[command]):
        row = re.search(rf"^\| `(?:[^`]*, )?{re.escape(option.opts[-1])}[ ,`].*\| (.*) \|$", told, re.MULTILINE)
        assert row, option.opts
        assert row[1].strip(), option.opts


@pytest.mark.parametrize("described", descriptor.readable(), ids=lambda described: described.name)
def test_the_reference_has_every_key_of_a_profile(described: Descriptor) -> None:
    """Each with its meaning, in the engine's part or in that of the contract."""
    text = schemas.profile()
    told = section(text, "## For every contract") + section(text, f"## {described.name}")
    schema = profile_schema.of(described)
    top = [*schema["properties"], *(f"credentials.{name}" for name in described.credentials)]
    for key in top:
        row = re.search(rf"^\| `{re.escape(key)}` \|(.*)\|$", told, re.MULTILINE)
        assert row, key
        assert row[1].strip(" |"), key
    for key, _ in keys_in(schema):
        assert re.search(rf"^\| `(?:[^`]*\.)?{re.escape(key)}` \|", told, re.MULTILINE), key


@pytest.mark.parametrize("kind", ["results", "journal"])
def test_the_reference_has_every_member_of_a_file(kind: str) -> None:
    """Of the document, and of all that it is made of."""
    schema = json.loads(resources.schema(kind).read_text(encoding="utf-8"))
    text = made.PARTS[kind]()
    for part in schema["$defs"]:
        assert re.search(rf"^### `{part}`$", text, re.MULTILINE)
    for node in (schema, *schema["$defs"].values()):
        for key, _ in keys_in(node):
            assert re.search(rf"^\| `(?:[^`]*\.)?{re.escape(key)}` \|", text, re.MULTILINE), key


def test_every_exit_code_is_told() -> None:
    """The table in the code, and so that of the reference, is complete; the README says the first two."""
    assert {code.value for code in ExitCode} == {int(code) for code in EXIT_CODES}
    assert "Exit code 0" in read(README)


def test_every_verdict_is_told() -> None:
    """Of a clause and of a run, with what to do about it."""
    schema = json.loads(resources.schema("results").read_text(encoding="utf-8"))
    of_a_run = set(schema["properties"]["verdict"]["enum"])
    of_a_clause = set(schema["properties"]["counts"]["properties"])
    text = read(DOCS / "verdicts.md")
    for heading, verdicts in (("## Of a clause", of_a_clause), ("## Of a run", of_a_run)):
        rows = re.findall(r"^\| `(\w+)` \|.*\| [^|]+ \|$", section(text, heading), re.MULTILINE)
        assert set(rows) == verdicts


def test_every_variable_is_told() -> None:
    """Those of the engine, and those that say how a target is reached."""
    told = read(DOCS / "reference" / "environment.md")
    engine = {
        variable
        for path in (ROOT / "rampcheck").rglob("*.py")
        for variable in re.findall(r'"(RAMPCHECK_[A-Z_]+|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)"', read(path))
    }
    assert engine
    assert {variable for variable in engine if f"`{variable}`" not in told} == set()


def profiles_shown() -> Iterator[Any]:
    """Gives the profiles that the pages show."""
    for page in PAGES:
        for block in blocks(page):
            if block.language == "yaml" and "base_url:" in block.text:
                yield pytest.param(block.text, id=f"{name(page)} {block.text.splitlines()[0]}")


@pytest.mark.parametrize("text", list(profiles_shown()))
def test_a_profile_that_a_page_shows_is_one(text: str) -> None:
    """It has no mistake, with the variables that it names in the environment."""
    environment = {variable: f"value-of-{variable}" for variable in re.findall(r"\$\{(\w+)\}", text)}
    assert environment
    assert profile.from_mapping(yaml.safe_load(text), environment).base_url == "https://sandbox.example"


def test_what_is_added_to_a_profile_fits_it() -> None:
    """By the schema, because the files that it names are on no machine."""
    found = [block.text for block in blocks(DOCS / "profile.md") if block.text.startswith("# what is added")]
    whole, *_ = [param.values[0] for param in profiles_shown()]
    for text in found:
        errors = profile_schema.validator("proof").iter_errors({**yaml.safe_load(whole), **yaml.safe_load(text)})
        assert [error.message for error in errors if "until" not in error.json_path] == []
    assert found


def test_the_mistakes_are_those_of_the_doctors_table() -> None:
    """`python docs/make_mistakes.py` asks the doctor again."""
    cases = {case.name: case for case in MISTAKES}
    told = {one["name"]: one for one in json.loads(mistakes.FILE.read_text(encoding="utf-8"))}
    assert told.keys() == cases.keys()
    for case in cases.values():
        said = told[case.name]
        assert case.found in said["found"] or "127.0.0.1" in case.found, case.name
        assert case.cure in said["cure"], case.name
        assert case.whose == said["whose"], case.name


@pytest.mark.parametrize("page", [*made.pages()], ids=lambda page: page.stem)
def test_what_is_made_from_the_code_is_as_the_code_is(page: Path) -> None:
    """Who reads a page as it stands reads what is so now; `python -m docs.made` writes it anew."""
    assert read(page) == made.filled(read(page))


def test_every_part_is_in_a_page() -> None:
    """What is made from the code is shown, and what a page asks for is made."""
    asked = [part for page in PAGES for part in re.findall(r"^<!-- made: (.+) -->$", read(page), re.MULTILINE)]
    assert sorted(asked) == sorted(made.PARTS)


@pytest.mark.parametrize("page", WRITTEN, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links, pictures and included files are in the repository."""
    text = re.sub(r"^```(?!\{).*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text) + re.findall(
        r"^```\{include\} (.+)$", text, re.MULTILINE
    )
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_it_can_be_built(tmp_path: Path) -> None:
    """Without a warning: every page is in a table of contents, every link and anchor leads somewhere."""
    build = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-E", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*build, str(DOCS), str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--allow-production" in read(tmp_path / "site" / "reference" / "profile.html")  # no dash in its place
    for page in DOCS.rglob("*.md"):
        assert (tmp_path / "site" / page.relative_to(DOCS).with_suffix(".html")).is_file()
