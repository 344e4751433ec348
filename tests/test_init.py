"""`rampcheck init`: what it writes is a profile, every field of it is explained, and no secret is in it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.contract import descriptor, packs, profile_schema
from rampcheck.contract import profile as profiles
from rampcheck.init import answers
from rampcheck.init.commented import flow

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "reports" / "example" / "broken"
CONTRACTS = ("proof", "kryptonim", "tinyramp")
TOKEN = "tok-51d07b-3f9a2c-first"
URL = "https://sandbox.example/api"
SESSION = {
    "merchant_transaction_id": "550e8400",
    "widget_id": "fb359d09-fff6",
    "init_token": "single-use-token-8d1f",
    "currency": "USDT",
    "network": "TRC20",
    "currencies": ["USDT", "USDC"],
    "networks": ["TRC20"],
    "fiat_currency": "EUR",
    "fiat_currencies": ["EUR"],
    "type": "buy",
    "lang": "en",
    "theme": "light",
    "redirect_url": None,
}


@dataclass(frozen=True)
class Done:
    """An exit code, and what was printed."""

    code: int
    printed: str


Init = Callable[..., Done]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in an environment that holds no credential and knows the pack tinyramp."""
    monkeypatch.setenv(packs.VARIABLE, str(ROOT / "examples" / "tinyramp"))
    monkeypatch.chdir(tmp_path)
    for variable in variables():
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def init(here: Path) -> Init:
    """Runs the command there; `typed` goes to its standard input."""
    assert here

    def run(*arguments: str, typed: str | None = None) -> Done:
        done = CliRunner().invoke(main, ["init", *arguments], input=typed)
        return Done(done.exit_code, done.output)

    return run


@pytest.fixture
def asked(init: Init, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs the command on a terminal; each answer is a line."""
    monkeypatch.setattr(answers, "on_terminal", lambda: True)
    return lambda arguments, *lines: init(*arguments, typed="".join(f"{line}\n" for line in lines))


def variables() -> dict[str, str]:
    """A value of each environment variable that a contract names."""
    return {
        credential.variable: f"{name}-{known}-value"
        for name in CONTRACTS
        for known, credential in descriptor.load(name).credentials.items()
    }


def read(path: Path, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The profile in a file, read as a run reads it, its credentials by their names."""
    return profiles.load(path, variables() if environ is None else environ).as_public()


def uncommented(text: str) -> str:
    """A profile's text in which every field that was left out is there."""
    return re.sub(r"^( *)#(?=[a-z-])", r"\1", text, flags=re.MULTILINE)


def fields(schema: Mapping[str, Any], node: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field that the schema of a profile has, by its place."""
    whole = profile_schema.resolved(schema, node)
    for name, inner in {**whole.get("items", {}).get("properties", {}), **whole.get("properties", {})}.items():
        yield f"{place}{name}", profile_schema.resolved(schema, inner)
        yield from fields(schema, inner, f"{place}{name}.")


def stands_at(content: Any, place: str) -> bool:
    """Whether a profile's data has a field; in a list, its first item."""
    for name in place.split("."):
        content = content[0] if isinstance(content, list) else content
        if not isinstance(content, dict) or name not in content:
            return False
        content = content[name]
    return True


@pytest.mark.parametrize("contract", CONTRACTS)
class TestWhatIsWritten:
    """Of every contract, also of one that the engine has never heard of."""

    def test_contract_and_base_url_are_enough(self, contract: str, init: Init, here: Path) -> None:
        """What is written is a profile as it is, and says nothing that was not told."""
        done = init("--contract", contract, "--base-url", URL)
        assert done.code == 0, done.printed
        required = [name for name, known in descriptor.load(contract).credentials.items() if known.required]
        written = read(here / f"{contract}.yaml")
        assert {key: value for key, value in written.items() if value} == {
            "contract": contract,
            "base_url": URL,
            "credentials": required,
        }
        assert f"rampcheck doctor --pack {os.environ[packs.VARIABLE]} {contract}.yaml" in done.printed
        assert all(
            f"export {descriptor.load(contract).credentials[name].variable}=" in done.printed for name in required
        )

    def test_every_field_that_is_left_out_may_be_used_as_it_is(self, contract: str, init: Init, here: Path) -> None:
        """All comments that are fields, taken at once, make a profile with every field of the schema."""
        init("--contract", contract, "--base-url", URL)
        path = here / f"{contract}.yaml"
        text = uncommented(path.read_text(encoding="utf-8"))
        # The files of TLS have to be there.
        path.write_text(re.sub(r"(?m)^  (ca|client_certificate|client_key): .*\n", "", text), encoding="utf-8")
        read(path, variables() | {"GATEWAY_COOKIE": "a-cookie-of-a-gateway"})
        schema = profile_schema.of(descriptor.load(contract))
        missing = [place for place, _ in fields(schema, schema) if not stands_at(yaml.safe_load(text), place)]
        assert missing == []

    def test_every_field_is_explained(self, contract: str, init: Init, here: Path) -> None:
        """With the words of the schema, the values of which it may be one, and what it is where it is left out."""
        init("--contract", contract, "--base-url", URL)
        text = (here / f"{contract}.yaml").read_text(encoding="utf-8")
        words = " ".join(re.sub(r"^ *# ", "", text, flags=re.MULTILINE).split())
        schema = profile_schema.of(descriptor.load(contract))
        told = list(fields(schema, schema))
        assert [place for place, node in told if " ".join(node["description"].split()) not in words] == []
        assert [place for place, node in told if "enum" in node and node["title"] not in words] == []
        assert [place for place, node in told if f"Default: {flow(node.get('default', 10))}." not in words] == []

    def test_editors_find_the_schema_beside_it(self, contract: str, init: Init, here: Path) -> None:
        """The first line leads to it, from wherever the folder is copied; it takes the profile, and no mistake."""
        (here / "profiles").mkdir()
        init("--contract", contract, "--base-url", URL, "profiles/one.yaml")
        text = (here / "profiles" / "one.yaml").read_text(encoding="utf-8")
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named
        schema = json.loads((here / "profiles" / named[1]).read_text(encoding="utf-8"))
        validator = jsonschema.Draft202012Validator(schema)
        validator.validate(yaml.safe_load(text))
        validator.validate(yaml.safe_load(uncommented(text)))
        assert not validator.is_valid({**yaml.safe_load(text), "limit": {}})
        assert not validator.is_valid({**yaml.safe_load(text), "limits": {"max_minutes": "an hour"}})


class TestFlags:
    """What is told on the command line."""

    def test_all_of_them(self, init: Init, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each stands in the profile; a credential that is in the environment is taken up, by its variable."""
        monkeypatch.setenv("PROOF_SECOND_CLIENT_TOKEN", "tok-second-partner")
        monkeypatch.setenv("MY_TOKEN", TOKEN)
        for number, variable in enumerate(("MY_TOKEN", "$MY_TOKEN", "${MY_TOKEN}")):
            told = ("--base-url", URL, "--environment", "sandbox", "--credential", f"client_token={variable}")
            done = init(*told, f"{number}.yaml")
            assert done.code == 0, done.printed
            content = yaml.safe_load((here / f"{number}.yaml").read_text(encoding="utf-8"))
            assert (content["contract"], content["environment"]) == ("proof", "sandbox")
            assert content["credentials"] == {
                "client_token": "${MY_TOKEN}",
                "second_client_token": "${PROOF_SECOND_CLIENT_TOKEN}",
            }
            assert "export" not in done.printed

    def test_a_variable_may_be_set_later(self, init: Init, here: Path) -> None:
        """As a reference; what is to be set is told."""
        done = init("--contract", "proof", "--base-url", URL, "--credential", "client_token=${LATER}")
        assert "export LATER=…" in done.printed
        assert read(here / "proof.yaml", {"LATER": TOKEN})["credentials"] == ["client_token"]

    def test_http_in_a_private_network(self, init: Init, here: Path) -> None:
        """It is allowed where that is said, and the profile says so."""
        told = ("--contract", "proof", "--base-url", "http://10.0.0.7")
        assert "would send the credentials" in init(*told).printed
        assert init(*told, "--allow-http").code == 0
        assert read(here / "proof.yaml")["allow_http"] is True

    def test_production_is_named_where_it_is_meant(self, init: Init) -> None:
        """What comes next says that it has to be allowed."""
        done = init("--contract", "proof", "--base-url", URL, "--environment", "production")
        assert "proof.yaml --allow-production" in done.printed

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "Add --contract (proof or kryptonim or tinyramp) and --base-url, or --from-run"),
            (("--contract", "proof"), "Add --base-url, or --from-run"),
            (("--contract", "prof", "--base-url", URL), "Did you mean proof?"),
            (("--contract", "acme", "--base-url", URL), "Known: proof, kryptonim, tinyramp."),
            (("--contract", "proof", "--base-url", "http://sandbox.example"), "base_url: would send the credentials"),
            (
                ("--contract", "proof", "--base-url", "sandbox.example"),
                "scheme is missing; write https:// in front of it",
            ),
            (
                ("--contract", "proof", "--base-url", "127.0.0.1:8787"),
                "scheme is missing; write http:// in front of it",
            ),
            (("--contract", "proof", "--base-url", "localhost:8787/v1"), "missing; write http:// in front of it"),
            (("--base-url", URL), "Add --contract (proof or kryptonim or tinyramp), or --from-run"),
            (("--contract", "proof", "--base-url", "${NOWHERE}"), "the environment variable NOWHERE is not set"),
            (("--contract", "proof", "--base-url", URL, "--environment", "testnet"), "Known: sandbox, production."),
            (
                ("--contract", "proof", "--base-url", URL, "--credential", "client_token=MINE"),
                "export PROOF_CLIENT_TOKEN=…",
            ),
            (("--contract", "proof", "--base-url", URL, "--credential", "token=MINE"), "the names are client_token, "),
            (("--contract", "proof", "--base-url", URL, "no/such.yaml"), "cannot be written: No such file"),
            (("--contract", "proof", "--base-url", ""), "is empty"),
            (("--from-run", "nowhere"), "there is no such file or folder"),
            (("--from-run", "."), "holds no results.json"),
            (("--from-response", "nowhere"), "nowhere cannot be read: No such file"),
            (("--from-response", "."), ". cannot be read: Is a directory"),
            (
                ("--from-run", str(EXAMPLE), "--contract", "kryptonim"),
                "several contracts are named: proof and kryptonim",
            ),
        ],
        ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
    )
    def test_what_cannot_be_is_refused(self, arguments: tuple[str, ...], said: str, init: Init, here: Path) -> None:
        """With exit code 4, the cause and the cure; nothing is written."""
        done = init(*arguments)
        assert (done.code, said in done.printed) == (4, True), done.printed
        assert list(here.iterdir()) == []


class TestSecrets:
    """None is written, and none that stands in a variable's place is shown."""

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--credential", f"client_token={TOKEN}"),
            ("--credential", f"client_token=${TOKEN}"),
            ("--credential", TOKEN),
            ("--credential", f"{TOKEN}="),
            ("--environment", TOKEN),
            ("--contract", TOKEN),
            ("--base-url", f"https://sandbox.example/{TOKEN}/v1"),
            ("--base-url", f"https://user:{TOKEN}@sandbox.example"),
        ],
        ids=lambda value: value[0],
    )
    def test_a_pasted_one_is_refused(
        self, arguments: tuple[str, ...], init: Init, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With exit code 4, whatever it was pasted into."""
        monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
        done = init("--contract", "proof", "--base-url", URL, *arguments)
        assert (done.code, TOKEN in done.printed) == (4, False), done.printed
        assert list(here.iterdir()) == []

    def test_one_in_a_response_stays_there(self, init: Init, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a session gives for a single use is not taken, nor a URL with a query."""
        monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
        Path("session").write_text(
            json.dumps({**SESSION, "redirect_url": "https://app.example/?key=1"}), encoding="utf-8"
        )
        done = init("--base-url", URL, "--from-response", "session")
        assert "Left out: partner.widget_config.redirect_url" in done.printed
        text = (here / "proof.yaml").read_text(encoding="utf-8")
        assert [secret for secret in (TOKEN, SESSION["init_token"], "key=1") if secret in text] == []

    def test_a_response_that_holds_the_token_is_refused(
        self, init: Init, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A target that echoes it into a field that is taken does not bring it into the profile."""
        monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
        done = init("--base-url", URL, "--from-response", "-", typed=json.dumps({**SESSION, "widget_id": f"w-{TOKEN}"}))
        assert (done.code, "write ${PROOF_CLIENT_TOKEN}" in done.printed) == (4, True)
        assert list(here.iterdir()) == []


class TestFromResponse:
    """What a session's response tells."""

    @pytest.mark.parametrize(
        "head",
        [
            "",
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/2 200\r\na: b\r\n\r\n",
            "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\na: b\n\n",
            "\ufeff",
        ],
    )
    def test_it_is_taken(self, head: str, init: Init, here: Path) -> None:
        """The partner's widget, a pair that works and the configuration; its API is known by its members."""
        done = init("--base-url", URL, "--from-response", "-", typed=head + json.dumps(SESSION))
        assert done.code == 0, done.printed
        assert read(here / "proof.yaml")["partner"] == {
            "widget_id": "fb359d09-fff6",
            "pairs": [["USDT", "TRC20"]],
            "widget_config": {
                name: SESSION[name]
                for name in ("currencies", "networks", "fiat_currency", "fiat_currencies", "type", "lang", "theme")
            },
        }

    def test_a_value_that_no_profile_has_is_left_out(self, init: Init, here: Path) -> None:
        """And told."""
        told = {**SESSION, "type": "swap", "currencies": "USDT"}
        done = init("--base-url", URL, "--from-response", "-", typed=json.dumps(told))
        assert "Left out: partner.widget_config.type" in done.printed
        assert "Left out: partner.widget_config.currencies" in done.printed
        assert not {"type", "currencies"} & read(here / "proof.yaml")["partner"]["widget_config"].keys()

    def test_an_api_whose_sessions_tell_nothing(self, init: Init, here: Path) -> None:
        """It is known by them all the same."""
        told = {"sessionId": "s", "widgetUrl": "https://w.example/secret", "expiresAt": "2027-01-01T00:00:00Z"}
        done = init("--base-url", URL, "--from-response", "-", typed=json.dumps(told))
        assert "nothing; its API's sessions do not tell more" in done.printed
        assert read(here / "kryptonim.yaml").get("partner", {}) == {}

    @pytest.mark.parametrize(
        ("text", "contract", "said"),
        [
            ("", "", "is no JSON object"),
            ("<html>", "", "is no JSON object"),
            ("[1]", "", "is no JSON object"),
            ("[" * 100_000, "", "is no JSON object"),
            ('{"a": 1}', "", "is no session of proof or kryptonim or tinyramp"),
            ('{"error": "a", "code": "b", "message": "c"}', "", "is an error, no session"),
            (json.dumps(SESSION), "kryptonim", "Save the answer to /v1/widget-sessions"),
            (json.dumps({"id": "a", "url": "b", "widgetUrl": "c", "sessionId": "d"}), "", "Name one with --contract."),
        ],
        ids=["empty", "page", "list", "nested", "other", "error", "another's", "either's"],
    )
    def test_what_is_no_session_is_refused(self, text: str, contract: str, said: str, init: Init, here: Path) -> None:
        """With exit code 4, and what to save instead; nothing is written."""
        named = ("--contract", contract) if contract else ()
        done = init("--base-url", URL, "--from-response", "-", *named, typed=text)
        assert (done.code, said in done.printed) == (4, True), done.printed
        assert list(here.iterdir()) == []


class TestFromRun:
    """What a finished run tells."""

    @pytest.fixture
    def run(self, here: Path) -> Path:
        """A finished run, of a profile that hides a currency and lacks a little."""
        folder = here / "run"
        folder.mkdir()
        for name in ("results.json", "journal.jsonl"):
            shutil.copy(EXAMPLE / name, folder / name)
        first, *others = (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        beginning = json.loads(first)
        beginning["profile"]["partner"]["disabled_currency"] = "[redacted partner_disabled_currency 0123456789ab]"
        beginning["profile"]["tls"] = {"ca": "company-ca.pem"}
        for lacked in ("origins", "off_ramp"):
            del beginning["profile"]["partner"][lacked]
        (folder / "journal.jsonl").write_text(json.dumps(beginning) + "\n" + "".join(others), encoding="utf-8")
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        origins = {"key": "partner.origins", "example": ["https://app.example.com"]}
        results["clauses"][0]["lacks"] = [origins]
        results["clauses"][1]["lacks"] = [origins, {"key": "partner.off_ramp", "example": True}]
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        return folder

    def test_its_profile_is_kept(self, run: Path, init: Init, here: Path) -> None:
        """All that it said, its credentials as references; what is hidden is left out, and told."""
        done = init("--from-run", str(run))
        assert done.code == 0, done.printed
        assert "Left out: partner.disabled_currency: it is hidden in the run" in done.printed
        assert "Left out: tls" in done.printed
        before = json.loads((run / "journal.jsonl").read_text(encoding="utf-8").partition("\n")[0])["profile"]
        del before["partner"]["disabled_currency"], before["tls"]
        written = read(here / "proof.yaml")
        assert {key: value for key, value in written.items() if value} == before
        assert "redacted" not in (here / "proof.yaml").read_text(encoding="utf-8")

    def test_what_its_gaps_ask_for_is_marked(self, run: Path, init: Init, here: Path) -> None:
        """With the value that is asked for, and how many clauses need it; a guess is not made the profile's."""
        done = init("--from-run", str(run))
        assert "The gaps of the run ask for 2 fields" in done.printed
        assert "The values are examples: write only what is so" in done.printed
        text = (here / "proof.yaml").read_text(encoding="utf-8")
        assert "  #origins: ['https://app.example.com']  # for 2 clauses\n" in text
        assert "  #off_ramp: true  # for 1 clause\n" in text
        assert text.count("# for ") == 2 + text.count("# for a ")

    def test_results_alone_tell_the_target(self, run: Path, init: Init, here: Path) -> None:
        """Without the journal, its partner is not known."""
        (run / "journal.jsonl").unlink()
        assert init("--from-run", str(run)).code == 0
        written = yaml.safe_load((here / "proof.yaml").read_text(encoding="utf-8"))
        assert written["base_url"].startswith("http://127.0.0.1:")
        assert written["partner"] == {"widget_config": None}

    def test_options_go_before_it(self, run: Path, init: Init, here: Path) -> None:
        """What is told on the command line is meant."""
        init("--from-run", str(run), "--base-url", URL, "--credential", "client_token=${MINE}")
        written = yaml.safe_load((here / "proof.yaml").read_text(encoding="utf-8"))
        assert (written["base_url"], written["credentials"]["client_token"]) == (URL, "${MINE}")


class TestTerminal:
    """What is asked where somebody can answer."""

    def test_what_nothing_tells_is_asked(self, asked: Callable[..., Done], here: Path) -> None:
        """Contract, base URL, environment, each credential's variable; a wrong answer is told, and asked for again."""
        done = asked(
            (),
            *("prof", "proof"),
            *("http://sandbox.example", URL),
            *("testnet", "sandbox"),
            *(TOKEN, "NOT_SET", "${MY_TOKEN}"),
        )
        assert done.code == 0, done.printed
        for said in (
            "Did you mean proof?",
            "would send the credentials",
            "Known: sandbox",
            "A profile holds no secret.",
        ):
            assert said in done.printed
        text = (here / "proof.yaml").read_text(encoding="utf-8")
        assert yaml.safe_load(text)["credentials"] == {"client_token": "${MY_TOKEN}"}
        assert yaml.safe_load(text)["environment"] == "sandbox"
        assert TOKEN not in text

    def test_enter_takes_what_is_usual(self, asked: Callable[..., Done], here: Path) -> None:
        """The environment is not stated then, and the variable is the contract's."""
        assert asked(("--contract", "kryptonim", "--base-url", URL), "", "", "").code == 0
        content = yaml.safe_load((here / "kryptonim.yaml").read_text(encoding="utf-8"))
        assert content["credentials"]["api_key"] == "${KRYPTONIM_API_KEY}"
        assert "environment" not in content

    def test_what_is_told_is_not_asked(
        self, asked: Callable[..., Done], here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By options, or by the environment; doctor is offered where it could look, and may be declined."""
        monkeypatch.setenv("PROOF_CLIENT_TOKEN", TOKEN)
        arguments = ("--base-url", URL, "--environment", "sandbox")
        printed = asked((*arguments, "--no-doctor", "one.yaml")).printed
        assert "?" not in printed
        assert "The contract is proof, by the credentials in the environment" in printed
        done = asked((*arguments, "two.yaml"), "n")
        assert done.printed.count("?") == 1
        assert "rampcheck doctor" in done.printed
        assert not (here / "reports").exists()

    def test_the_end_of_the_answers_ends_it(self, asked: Callable[..., Done], here: Path) -> None:
        """With exit code 2, and nothing is written."""
        assert asked(("--contract", "proof")).code == 2
        assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "value", ["yes", "1", "2027-01-31", "a: b", "# x", "", "${X}", ["a, b"], {"a": None}, 1.5, "ä…"]
)
def test_a_value_in_one_line_is_read_as_it_was(value: object) -> None:
    """Whatever YAML would make of its characters."""
    assert "\n" not in flow(value)
    assert yaml.safe_load(f"key: {flow(value)}") == {"key": value}
