"""Contracts that others bring: a pack is found, judged, served, tried like ours, and a broken one spoils no other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from rampcheck import resources
from rampcheck.contract import descriptor, packs
from rampcheck.contract.yaml_file import read_yaml
from rampcheck.errors import ContractError, UsageError
from tests import installed
from tests.runs import commanded

ROOT = Path(__file__).parents[1]
TINYRAMP = ROOT / "examples" / "tinyramp"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "RAMPCHECK"))}
HERE = (sys.executable, "-m", "rampcheck.cli")


def done(*command: str | Path, folder: Path) -> tuple[int, str]:
    """Runs a command in a folder; gives its exit code, and what it printed with its white space made single."""
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, cwd=folder, env=CLEAN)
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


def here(*arguments: str | Path, folder: Path) -> tuple[int, str]:
    """Runs a command of this checkout's program likewise."""
    code, printed = commanded(*map(str, arguments), environment=CLEAN, current=folder)
    return code, " ".join(printed.split())


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A new pack, as `rampcheck new` writes it."""
    folder = tmp_path / "acme"
    assert here("new", "acme", folder, folder=tmp_path)[0] == 0
    return folder


@contextmanager
def served(*arguments: str | Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Runs `rampcheck serve`, which writes profile.yaml into a folder; gives what stands in it."""
    command = [*HERE, "serve", "--port", "0", "--write-profile", "profile.yaml", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=CLEAN) as process:
        try:
            assert process.stdout is not None
            assert "Judge it with" in "".join(process.stdout.readline() for _ in range(2))
            yield read_yaml(folder / "profile.yaml")
        finally:
            process.terminate()


def test_the_first_contract_is_served_with_its_own_webhook(tmp_path: Path) -> None:
    """Where none is named; its webhooks go where a run with the written profile listens, at the contract's path."""
    first = descriptor.load(descriptor.contracts()[0])
    with served(folder=tmp_path) as profile:
        assert profile["contract"] == first.name
        assert profile["webhook"]["public_url"] == f"http://127.0.0.1:8099{first.webhook}"


class TestANewPack:
    """What `rampcheck new` writes runs, and refuses to write over anything."""

    def test_its_reference_conforms(self, acme: Path) -> None:
        """The suite judges the reference, and writes its reports."""
        code, printed = here("run", "--pack", acme, "--contract", "acme", "--output", "out", folder=acme.parent)
        assert (code, "✓ Conformant: Acme sessions" in printed) == (0, True), printed
        assert (acme.parent / "out" / "index.html").is_file()

    def test_its_defects_are_found(self, acme: Path) -> None:
        """By the clause that they break, and by no other; nothing that conforms is blamed."""
        code, printed = done(
            *HERE,
            "selftest",
            "--quick",
            "--pack",
            acme,
            "--contract",
            "acme",
            "--clause",
            "acme.*",
            "--variant",
            "gzip",
            "--output",
            "out",
            folder=acme.parent,
        )
        assert (code, "✓ As required: 2 defects" in printed) == (0, True), printed

    def test_its_clauses_and_defects_are_listed(self, acme: Path) -> None:
        """With those of no other contract."""
        _, printed = here("clauses", "--pack", acme, "acme.*", folder=acme.parent)
        assert "acme.auth.api-key (must)" in printed
        _, printed = here("serve", "--pack", acme, "--contract", "acme", "--list-defects", folder=acme.parent)
        assert "breaks acme.auth.api-key" in printed

    def test_it_is_served_with_the_profile_that_describes_it(self, acme: Path) -> None:
        """A run with the profile that `serve` writes finds the server, and finds it conforming."""
        with served("--pack", acme, "--contract", "acme", folder=acme.parent) as profile:
            assert profile["credentials"] == {"api_key": "reference-api-key-0123456789abcdef"}
            code, printed = here("run", "--pack", acme, "profile.yaml", folder=acme.parent)
        assert (code, "✓ Conformant" in printed) == (0, True), printed

    @pytest.mark.parametrize(
        ("name", "command"), [("a", ["ruff", "check", "."]), ("x" * 24, ["ruff", "check", "."]), ("acme", ["mypy"])]
    )
    def test_it_is_clean(self, name: str, command: list[str], tmp_path: Path) -> None:
        """Linter and type checker have nothing to say, however long its name is."""
        assert here("new", name, "pack", folder=tmp_path)[0] == 0
        code, printed = done(sys.executable, "-m", *command, folder=tmp_path / "pack")
        assert code == 0, printed

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["Acme"], "is no name of a contract"),
            (["a-b"], "is no name of a contract"),
            (["x" * 25], "is no name of a contract"),
            (["proof"], "there is a contract proof already"),
            (["acme", "full"], "full holds something already"),
            (["acme", "full/file"], "full/file holds something already"),
        ],
    )
    def test_what_cannot_be_written_is_refused(self, arguments: list[str], told: str, tmp_path: Path) -> None:
        """A name that is none or is taken, a folder that is in use."""
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "file").write_text("mine")
        code, printed = here("new", *arguments, folder=tmp_path)
        assert (code, told in printed) == (4, True), printed
        assert [path.name for path in tmp_path.rglob("*")] == ["full", "file"]


@pytest.mark.parametrize(
    "contract",
    [
        ROOT / "rampcheck" / "templates" / "pack" / "openapi" / "vendorname",
        TINYRAMP / "openapi" / "tinyramp",
    ],
    ids=lambda folder: folder.name,
)
def test_documents_have_their_formats(contract: Path) -> None:
    """OpenAPI's, the register's, and that of what is one vendor's alone."""
    validate(read_yaml(contract / "openapi.yaml"))
    for name in ("clauses", "contract"):
        schema = json.loads(resources.schema(name).read_text(encoding="utf-8"))
        errors = Draft202012Validator(schema).iter_errors(read_yaml(contract / f"{name}.yaml"))
        assert [error.message for error in errors] == []


class TestAPackWithoutAReference:
    """It can judge a target, and says what it cannot do."""

    @pytest.fixture(autouse=True)
    def without(self, acme: Path) -> None:
        """Takes the reference away."""
        shutil.rmtree(acme / "references")

    @pytest.mark.parametrize("command", ["run", "serve", "selftest"])
    def test_what_needs_one_says_so(self, command: str, acme: Path) -> None:
        """In one message, with the exit code of a mistake."""
        code, printed = here(command, "--pack", acme, "--contract", "acme", folder=acme.parent)
        assert (code, "the pack of the contract acme has no reference" in printed) == (4, True), printed

    def test_a_run_of_all_references_is_one_without_it(self, acme: Path) -> None:
        """The others are what a keyword is looked for in."""
        code, printed = here("run", "--pack", acme, "-k", "no_such_scenario", folder=acme.parent)
        assert (code, "of proof or kryptonim " in printed, "or acme" in printed) == (4, True, False), printed

    def test_a_target_can_be_judged(self, acme: Path) -> None:
        """Nobody answers, which is no fault of the pack's."""
        (acme / "profile.yaml").write_text(
            "contract: acme\nbase_url: http://127.0.0.1:9\ncredentials: {api_key: local-key-1}\n"
        )
        code, printed = here("run", "--pack", ".", "profile.yaml", folder=acme)
        assert (code, "gives no answer that could be judged" in printed) == (5, True), printed


class TestABrokenPack:
    """Who asks for its contract is told; everybody else is not disturbed."""

    @pytest.mark.parametrize(
        ("file", "content", "told"),
        [
            ("openapi/acme/contract.yaml", "environments: []", "contract.yaml:1: "),
            ("openapi/acme/contract.yaml", "{", "contract.yaml cannot be read"),
            ("suites/acme/__init__.py", "import no_such_module", "cannot be imported: ModuleNotFoundError"),
            ("suites/acme/__init__.py", "", "defines no `suite`"),
            ("references/acme/__init__.py", "1 / 0", "cannot be imported: ZeroDivisionError"),
            ("references/acme/__init__.py", "", "defines no `reference`"),
        ],
    )
    def test_it_is_told(self, file: str, content: str, told: str, acme: Path) -> None:
        """With the file and what is wrong with it; a contract beside it is listed all the same."""
        (acme / file).write_text(content)
        code, printed = here("run", "--pack", acme, "--contract", "acme", folder=acme.parent)
        assert (code, told in printed) == (4, True), printed
        code, printed = here(
            "run", "--pack", acme, "--base-url", "http://127.0.0.1:9", "--contract", "proof", folder=acme.parent
        )
        assert (code, "PROOF_CLIENT_TOKEN" in printed) == (4, True), printed

    def test_a_contract_of_two_packs_is_refused(self, acme: Path) -> None:
        """Which one is meant is not guessed."""
        shutil.copytree(acme, acme.parent / "other")
        both = ("--pack", acme, "--pack", acme.parent / "other")
        code, printed = here("clauses", *both, "--contract", "acme", folder=acme.parent)
        assert (code, "two packs bring a contract acme" in printed) == (4, True), printed
        assert here("clauses", *both, "--contract", "proof", folder=acme.parent)[0] == 0

    def test_the_same_pack_twice_is_one(self, acme: Path) -> None:
        """By whatever way it is named."""
        code, printed = here("clauses", "--pack", ".", "--pack", acme, "--contract", "acme", folder=acme)
        assert code == 0, printed

    @pytest.mark.parametrize("folder", ["", "nowhere", "."])
    def test_a_folder_that_is_no_pack_is_refused(self, folder: str, tmp_path: Path) -> None:
        """Whether it is there or not."""
        code, printed = here("clauses", "--pack", folder, folder=tmp_path)
        assert (code, "does not exist" in printed or "is no pack" in printed) == (4, True), printed


class TestAnInstalledPack:
    """The entry point names a package."""

    @pytest.mark.parametrize("place", ["rampcheck_acme", "."])
    def test_it_is_found(self, place: str, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whether its folders are inside, as in a wheel, or beside it, as in an editable install."""
        for name in ("openapi", "suites", "references") if place != "." else ():
            (acme / name).rename(acme / place / name)
        self.installed(acme, monkeypatch, "rampcheck_acme")
        assert packs.of("acme").folder == (acme / place).resolve()

    @pytest.mark.parametrize("module", ["rampcheck_gone", "rampcheck_gone.pack"])
    def test_one_that_is_gone_is_passed_over(
        self,
        module: str,
        acme: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """There is no such contract, and all others are there."""
        self.installed(acme, monkeypatch, module)
        with pytest.raises(UsageError, match="there is no contract 'acme'"):
            packs.of("acme")
        assert set(packs.contracts()) >= {"proof", "kryptonim"}

    @staticmethod
    def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
        """Makes a folder one that packages are imported from, and a module in it that of an entry point."""
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv(packs.VARIABLE, str(folder / "nothing"))  # what was found before is not asked
        monkeypatch.setattr(packs, "entry_points", lambda group: [EntryPoint("acme", module, group)])

    def test_a_reference_is_not_called_like_its_vendor(self, tmp_path: Path) -> None:
        """Its package and the vendor's own, of the same name, are two, whatever files stand around it."""
        for name in ("references", "suites"):
            (tmp_path / name / "json").mkdir(parents=True)
            (tmp_path / name / "json" / "__init__.py").write_text("")
        (tmp_path / "suites" / "__init__.py").write_text("")
        assert packs.module(tmp_path / "references" / "json").__name__ == "references.json"
        assert packs.module(tmp_path / "suites" / "json").__name__ == "suites.json"
        del sys.modules["suites.json"], sys.modules["suites"], sys.modules["references.json"]

    def test_two_threads_get_all_of_a_package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second one waits for what the first has begun to import."""
        gate = ModuleType("gate_of_the_tests")
        gate.__dict__.update(entered=Event(), leave=Event())
        monkeypatch.setitem(sys.modules, gate.__name__, gate)
        folder = tmp_path / "references" / "twofold"
        folder.mkdir(parents=True)
        code = "import gate_of_the_tests as gate\ngate.entered.set()\ngate.leave.wait(30)\n"
        (folder / "__init__.py").write_text(code)
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(packs.module, folder)
            assert gate.entered.wait(30)
            second = threads.submit(packs.module, folder)
            early = wait([second], 0.1).done  # as long as one takes that does not wait
            gate.leave.set()
        assert early == set()
        assert first.result() is second.result()

    def test_a_module_that_fails_is_told(self, tmp_path: Path) -> None:
        """With its file and its error."""
        (tmp_path / "references" / "acme").mkdir(parents=True)
        (tmp_path / "references" / "acme" / "__init__.py").write_text("")
        with pytest.raises(ContractError, match=r"acme.app cannot be imported: ModuleNotFoundError"):
            packs.module(tmp_path / "references" / "acme", "app")


@pytest.fixture(scope="module")
def program() -> Path:
    """The program, installed from the wheels of rampcheck and Tinyramp."""
    return installed.program_with(TINYRAMP)


@pytest.mark.xdist_group("wheel")
class TestTinyramp:
    """The third contract, from its wheel beside rampcheck's, in an empty folder: no line of the engine knows it."""

    def test_its_reference_conforms(self, program: Path, tmp_path: Path) -> None:
        """A run judges it, and leaves nothing but its reports."""
        code, printed = done(program, "run", "--contract", "tinyramp", "--output", "out", folder=tmp_path)
        assert (code, "✓ Conformant: Tinyramp sessions" in printed) == (0, True), printed
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_a_broken_promise_is_found(self, program: Path, tmp_path: Path) -> None:
        """A nonce that can be used again fails the run, by its clause alone."""
        code, printed = done(
            program, "run", "--contract", "tinyramp", "--defect", "nonce-forgotten", "--output", "out", folder=tmp_path
        )
        assert (code, "Failed: 1 clause ✗ tinyramp.auth.nonce" in printed) == (1, True), printed

    def test_its_defects_are_found(self, program: Path, tmp_path: Path) -> None:
        """The selftest tries those of a section, and variants of any reference and of its own."""
        code, printed = done(
            program,
            "selftest",
            "--quick",
            "--contract",
            "tinyramp",
            "--clause",
            "tinyramp.redeem.*",
            "--variant",
            "ids-count",
            "--variant",
            "created",
            "--output",
            "out",
            folder=tmp_path,
        )
        assert (code, "✓ As required: 6 defects and 3 conforming servers tried" in printed) == (0, True), printed

    def test_its_clauses_and_defects_are_listed(self, program: Path, tmp_path: Path) -> None:
        """Without a word of where the pack is."""
        assert "tinyramp.redeem.once (must)" in done(program, "clauses", "tinyramp.*", folder=tmp_path)[1]
        served = done(program, "serve", "--contract", "tinyramp", "--list-defects", folder=tmp_path)
        assert "breaks tinyramp.redeem.once" in served[1]

    def test_each_must_has_two_defects(self, program: Path, tmp_path: Path) -> None:
        """As with ours: one may be found by chance."""
        clauses = done(program, "clauses", "--contract", "tinyramp", folder=tmp_path)[1]
        defects = done(program, "serve", "--contract", "tinyramp", "--list-defects", folder=tmp_path)[1]
        musts = re.findall(r"(\S+) \(must\)", clauses)
        assert len(musts) == 20
        assert [clause for clause in musts if len(re.findall(rf"breaks (?:\S+, )*{clause}\b(?!\S)", defects)) < 2] == []

    def test_mistakes_in_a_profile_are_told(self, program: Path, tmp_path: Path) -> None:
        """A literal credential, a variable that is not set, unknown keys, a wrong type: a line each, and no request."""
        (tmp_path / "profile.yaml").write_text(
            "contract: tinyramp\nbase_url: https://tinyramp.example\n"
            "credentials: {key_id: written-out, signing_key: '${TINYRAMP_SIGNING_KEY}'}\n"
            "partner: {assets: BTC, asset: DOGE}\nwidget: 1\n"
        )
        code, printed = done(program, "run", "profile.yaml", folder=tmp_path)
        assert code == 4
        for told in (
            "profile.yaml:3: credentials.key_id: is written out; write ${TINYRAMP_KEY_ID}",
            "profile.yaml:3: credentials.signing_key: the environment variable TINYRAMP_SIGNING_KEY is not set",
            "profile.yaml:4: partner.assets: unknown key; did you mean asset?",
            'profile.yaml:4: partner.asset: expected BTC, ETH or USDC, found "DOGE"; write "BTC"',
            "profile.yaml:5: widget: unknown key",
        ):
            assert told in printed
        assert [path.name for path in tmp_path.iterdir()] == ["profile.yaml"]

    def test_a_key_that_is_none_is_told(self, program: Path, tmp_path: Path) -> None:
        """What only the suite can know of a credential is a mistake in the profile all the same; it is not shown."""
        (tmp_path / "profile.yaml").write_text(
            "contract: tinyramp\nbase_url: http://127.0.0.1:9\n"
            "credentials: {key_id: local-key-1, signing_key: not-a-key-at-all}\n"
        )
        code, printed = done(program, "run", "profile.yaml", "--output", "out", folder=tmp_path)
        assert (code, "credentials.signing_key is no Ed25519 key" in printed) == (4, True), printed
        assert "not-a-key-at-all" not in printed

    def test_a_new_pack_is_written(self, program: Path, tmp_path: Path) -> None:
        """The template is in the wheel, to the last file."""
        assert done(program, "new", "acme", folder=tmp_path)[0] == 0
        template = ROOT / "rampcheck" / "templates" / "pack"
        there = {
            path.relative_to(template)
            for path in template.rglob("*")
            if path.is_file() and not any("cache" in part for part in path.parts)
        }
        assert {Path(str(path).replace("vendorname", "acme")) for path in there} == {
            path.relative_to(tmp_path / "rampcheck-acme") for path in tmp_path.rglob("*") if path.is_file()
        }


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (("level: must", "level: msut"), "is not one of ['must', 'should', 'open']"),
        (("text: ", "txt: "), "clauses.yaml:"),
    ],
)
def test_a_register_of_another_format_is_told_before_any_request(
    acme: Path, mistake: tuple[str, str], told: str
) -> None:
    """With what tells its lines; it is no fault to be found in a traceback."""
    register = acme / "openapi" / "acme" / "clauses.yaml"
    register.write_text(register.read_text(encoding="utf-8").replace(*mistake, 1), encoding="utf-8")
    code, said = done(*HERE, "run", "--pack", acme, "--contract", "acme", folder=acme)
    assert code == 4
    assert told in said
    assert "`rampcheck lint`" in said
    assert "traceback" not in said
