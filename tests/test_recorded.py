"""Traffic that was recorded elsewhere: what is lacking never passes, and nobody is accused for it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from rampcheck import resources
from rampcheck.cli import main
from rampcheck.errors import UsageError
from rampcheck.recorded import files
from rampcheck.report import har
from rampcheck.running import folder
from rampcheck.wire.journal_schema import mistake
from tests.runs import Completed

CONTRACTS = ("proof", "kryptonim")
EVERY = 15  # so many of a run's exchanges are one in the traffic whose parts are taken away

Har = dict[str, Any]


@pytest.fixture(scope="module", params=CONTRACTS)
def run(request: pytest.FixtureRequest, conforming: Callable[[str], Completed]) -> Completed:
    """A run of a reference, which writes a HAR."""
    done = conforming(request.param)
    assert done.code == 0
    return done


def profile(run: Completed) -> Path:
    """The profile of a run, its credentials made up."""
    known = run.records("run")[0]["profile"]
    told = {name: value for name, value in known.items() if name != "egress"}
    told["credentials"] = {name: f"made-up-{name}-0123456789" for name in known["credentials"]}
    path = run.folder.parent / "profile.yaml"
    # Another process of the tests may read it: it is there as a whole, or not at all.
    own = path.with_suffix(f".{os.getpid()}")
    own.write_text(yaml.safe_dump(told), encoding="utf-8")
    return own.replace(path)


def judged(source: Path, profile: Path, output: Path) -> Completed:
    """What `rampcheck judge` makes of a file."""
    done = CliRunner().invoke(main, ["judge", str(source), "--profile", str(profile), "--output", str(output)])
    return Completed(done.exit_code, done.output, output)


def archive(run: Completed) -> Har:
    """The HAR of a run, as if somebody else had written it: nothing of our own, and fewer exchanges."""
    content: Har = json.loads((run.folder.parent / "run.har").read_text(encoding="utf-8"))
    content["log"]["creator"]["name"] = "a proxy"
    kept = [entry for entry in content["log"]["entries"] if entry["_rampcheck"]["direction"] == "outgoing"]
    content["log"]["entries"] = kept[::EVERY]
    for entry in content["log"]["entries"]:
        del entry["_rampcheck"]
        for side in (entry["request"], entry["response"]):  # marks are longer, or shorter, than what they hide
            side["headers"] = [one for one in side["headers"] if one["name"].lower() != "content-length"]
    return content


def verdicts(run: Completed) -> dict[str, str]:
    """The verdict of each clause."""
    return {clause["id"]: clause["verdict"] for clause in run.results["clauses"]}


def test_a_run_judged_from_its_har_and_from_its_journal_comes_to_the_same(run: Completed, tmp_path: Path) -> None:
    """Each clause that needs no provocation has the verdict of the run, and none has another one."""
    live, seen = verdicts(run), {clause for record in run.records("exchange") for clause in record["held"]}
    for name, source in (("har", run.folder.parent / "run.har"), ("journal", run.folder)):
        again = judged(source, profile(run), tmp_path / name)
        assert (again.code, again.results["verdict"]) == (0, "partial")
        told = verdicts(again)
        assert {clause for clause in seen if told[clause] == "not_verified"} == set()
        assert {clause: told[clause] for clause in told if told[clause] not in {"not_verified", live[clause]}} == {}
        records = [json.loads(line) for line in (again.folder / "journal.jsonl").read_bytes().splitlines()]
        assert [record for record in records if mistake(record)] == []
        assert "sum" in {record["kind"] for record in records}


def _each(change: Callable[[dict[str, Any]], object]) -> Callable[[Har], object]:
    return lambda content: [change(entry) for entry in content["log"]["entries"]]


def _no_headers(entry: dict[str, Any], *names: str) -> None:
    for side in ("request", "response"):
        kept = [one for one in entry[side]["headers"] if names and one["name"].lower() not in names]
        entry[side]["headers"] = kept


def _no_query(entry: dict[str, Any]) -> None:
    entry["request"]["url"] = entry["request"]["url"].partition("?")[0]
    del entry["request"]["queryString"]


def _cut(entry: dict[str, Any]) -> None:
    content = entry["response"]["content"]
    content["size"] = len(content["text"].encode()) + 1


def _as_base64(entry: dict[str, Any]) -> None:
    content = entry["response"]["content"]
    content.update(text=base64.b64encode(content["text"].encode()).decode(), encoding="base64")


# What is taken away, by name: how, and what the reason of a clause that needs it says; "" where nothing is lost.
STRIPPED: dict[str, tuple[Callable[[Har], object], str]] = {
    "response bodies": (_each(lambda entry: entry["response"].pop("content")), "the response's body is not recorded"),
    "request bodies": (
        _each(lambda entry: (entry["request"].pop("postData", 0), entry["request"].update(bodySize=-1))),
        "the request's body is not recorded",
    ),
    "truncated": (_each(_cut), "cut off"),
    "headers": (_each(_no_headers), "recorded"),  # also: whose credential it carried
    "content type": (_each(lambda entry: _no_headers(entry, "content-type")), "has a header content-type"),
    "credentials": (
        _each(lambda entry: _no_headers(entry, "authorization", "x-api-key", "x-request-signature")),
        "",
    ),
    "times": (_each(lambda entry: (entry.pop("startedDateTime"), entry.pop("time"))), "when it was sent"),
    "query": (_each(_no_query), ""),
    "cookies": (_each(lambda entry: _no_headers(entry, "cookie", "set-cookie")), ""),
    "bad base64": (
        _each(lambda entry: entry["response"]["content"].update(encoding="base64", text="%%%")),
        "no base64",
    ),
    "base64": (_each(_as_base64), ""),
}


@pytest.fixture(scope="module")
def before(run: Completed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The verdicts of traffic of which nothing was taken away."""
    place = tmp_path_factory.mktemp("whole")
    (place / "whole.har").write_text(json.dumps(archive(run)), encoding="utf-8")
    return verdicts(judged(place / "whole.har", profile(run), place / "out"))


@pytest.mark.parametrize("what", STRIPPED)
def test_what_is_lacking_never_passes_and_never_accuses(
    run: Completed, before: dict[str, str], tmp_path: Path, what: str
) -> None:
    """Without a kind of datum no clause is broken, none passes that did not before, and its reason says what lacks."""
    content, stripped = archive(run), tmp_path / "stripped.har"
    change, reason = STRIPPED[what]
    change(content)
    stripped.write_text(json.dumps(content), encoding="utf-8")
    after = judged(stripped, profile(run), tmp_path / "after")
    told = verdicts(after)
    assert "failed" not in {*told.values(), *before.values()}
    assert {clause for clause, verdict in told.items() if verdict == "passed" != before[clause]} == set()
    lost = [clause for clause in told if before[clause] == "passed" != told[clause]]
    reasons = {clause["id"]: clause["reason"] for clause in after.results["clauses"]}
    if reason and lost:
        assert {clause for clause in lost if reason not in reasons[clause].lower()} == set()
    if what == "base64":
        assert told == before
    if what in {"response bodies", "truncated", "bad base64"}:
        assert lost


TOKEN = "bot" + 8 * "4f7a"  # as it stands in the address of a messenger's API


def _exchange(token: str = "a-token-of-the-partner-1", **answer: Any) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": "https://sandbox.example/widget/session",
        "started": "2026-11-26T10:00:00Z",
        "elapsed_ms": 30,
        "request": {
            "headers": {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Cookie": "s=" + 20 * "c4",
            },
            "body": json.dumps({"currency": "USDT", "network": "TRC20", "amount": "100"}),
        },
        "response": {
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"merchant_transaction_id": "one", "currency": "USDT", **answer}),
        },
    }


def _judge_lines(tmp_path: Path, *lines: Any, name: str = "traffic.ndjson", more: tuple[str, ...] = ()) -> Completed:
    path = tmp_path / name
    path.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), encoding="utf-8"
    )
    command = ["judge", str(path), "--contract", "proof", "--base-url", "https://sandbox.example", *more]
    environment = {"PROOF_CLIENT_TOKEN": "a-token-of-the-partner-1"}
    done = CliRunner().invoke(main, [*command, "--output", str(tmp_path / "out")], env=environment)
    return Completed(done.exit_code, done.output, tmp_path / "out")


def test_what_repeats_is_found_over_all_of_the_traffic(tmp_path: Path) -> None:
    """An id that stands in two sessions breaks its clause, whoever's they are; exit code 1."""
    again = _exchange(init_token="another")
    again["started"] = "2026-11-26T11:00:00Z"
    done = _judge_lines(tmp_path, _exchange(), again)
    assert done.code == 1
    assert done.clause("proof.session.merchant-transaction-id")["verdict"] == "failed"


def test_the_same_exchange_of_two_recorders_is_one(tmp_path: Path) -> None:
    """What stands in two files, a gateway's and a partner's, repeats nothing."""
    other = tmp_path / "other.ndjson"
    other.write_text(json.dumps(_exchange()) + "\n", encoding="utf-8")
    done = _judge_lines(tmp_path, _exchange(), more=(str(other),))
    assert done.clause("proof.session.merchant-transaction-id")["verdict"] == "passed"
    assert done.results["requests"] == 1
    assert any("of which another is a copy was judged once" in note for note in done.results["notes"])


def test_no_secret_of_anybody_is_written(tmp_path: Path) -> None:
    """Neither the profile's token, nor that of others, nor a cookie stands in a file or on the screen."""
    done = _judge_lines(tmp_path, _exchange(), _exchange("a-token-of-somebody-else", note="a-token-of-somebody-else"))
    written = "".join(path.read_text(encoding="utf-8") for path in done.folder.iterdir()) + done.printed
    assert [
        text for text in ("a-token-of-the-partner-1", "a-token-of-somebody-else", 20 * "c4") if text in written
    ] == []
    assert "[redacted client_token " in written


def test_a_stranger_is_not_judged_by_what_was_agreed_with_the_partner(tmp_path: Path) -> None:
    """Of a session with a credential that the profile does not know, the partner's configuration says nothing."""
    told = {
        "contract": "proof",
        "base_url": "https://sandbox.example",
        "credentials": {"client_token": "${PROOF_CLIENT_TOKEN}"},
        "partner": {"widget_id": "the-partners"},
    }
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    for token, verdict in (("a-token-of-the-partner-1", "failed"), ("a-token-of-somebody-else", "not_verified")):
        path = tmp_path / f"{verdict}.ndjson"
        path.write_text(json.dumps(_exchange(token, widget_id="another")) + "\n", encoding="utf-8")
        command = ["judge", str(path), "--profile", str(tmp_path / "profile.yaml"), "--output", str(tmp_path / verdict)]
        done = CliRunner().invoke(main, command, env={"PROOF_CLIENT_TOKEN": "a-token-of-the-partner-1"})
        clause = Completed(done.exit_code, done.output, tmp_path / verdict).clause("proof.session.widget-id")
        assert clause["verdict"] == verdict
    assert "credential is none of the profile's" in clause["reason"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("nothing", "is no JSON"),
        ('{"log": {"version": "1.2"}}', "no `log.entries`"),
        ('{"log": {"version": "1.1", "entries": []}}', "is a HAR 1.1"),
        ('{"some": "thing"}', "'method' is a required property"),
        ('{\n  "some": "thing"\n}', "no HAR"),
        (json.dumps(_exchange()).replace("sandbox.example", "other.example"), "other.example/widget (1)"),
        (json.dumps(_exchange()).replace("sandbox.example/widget", f"other.example/{TOKEN}"), "other.example/… (1)"),
    ],
)
def test_what_cannot_be_judged_is_told(tmp_path: Path, text: str, told: str) -> None:
    """What is no traffic, or none of this API, ends with 4, and says what it is."""
    done = _judge_lines(tmp_path, text)
    assert done.code == 4
    assert told in done.printed
    assert TOKEN not in done.printed
    assert not done.folder.exists()


def test_the_first_line_may_be_long(tmp_path: Path) -> None:
    """An exchange with a large body is one wherever it stands."""
    long = _exchange(more="a page of text " * 30_000)
    assert _judge_lines(tmp_path, long, _exchange()).results["requests"] == 2


def test_half_a_file_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    """What is whole is judged, and the run is incomplete and says after which line."""
    done = _judge_lines(tmp_path, _exchange(), json.dumps(_exchange())[:50])
    assert done.results["requests"] == 1
    assert "line 2" in done.results["reason"]


def test_half_a_har_is_judged_as_far_as_it_goes(run: Completed, tmp_path: Path) -> None:
    """The entries before the end are judged."""
    text = (run.folder.parent / "run.har").read_text(encoding="utf-8")
    (tmp_path / "half.har").write_text(text[: len(text) // 2], encoding="utf-8")
    done = judged(tmp_path / "half.har", profile(run), tmp_path / "out")
    assert (done.code, done.results["verdict"]) == (5, "incomplete")
    assert done.results["requests"] > 100


def test_a_har_with_a_byte_order_mark_is_read(run: Completed, tmp_path: Path) -> None:
    """The specification lets a writer begin with one."""
    path = tmp_path / "bom.har"
    path.write_bytes(b"\xef\xbb\xbf" + (run.folder.parent / "run.har").read_bytes())
    assert sum(1 for _ in files.opened(path).entries()) > 100


def test_report_writes_the_har_of_a_run(run: Completed, tmp_path: Path) -> None:
    """It is that which the run wrote."""
    har.write(tmp_path / "again.har", folder.exchanges(run.folder))
    assert (tmp_path / "again.har").read_bytes() == (run.folder.parent / "run.har").read_bytes()


def test_the_schema_of_traffic_is_printed() -> None:
    """`rampcheck schema traffic` prints it."""
    printed = CliRunner().invoke(main, ["schema", "traffic"]).output
    assert printed == resources.schema("traffic").read_text(encoding="utf-8")


def test_nothing_says_which_api(tmp_path: Path) -> None:
    """Without profile and base URL nothing is judged."""
    done = CliRunner().invoke(main, ["judge", str(tmp_path)])
    assert done.exit_code == 4
    with pytest.raises(UsageError):
        files.opened(tmp_path)


LINE = {
    "method": "POST",
    "url": "https://sandbox.example/widget/session",
    "started": "2026-11-26T07:00:00Z",
    "request": {"headers": [["Content-Type", "application/json"]], "body": "{}"},
    "response": {"status": 400, "headers": [], "body": "{}"},
}


def test_a_single_exchange_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its copy; where no terminal is, no empty line comes first. An archive without any holds none."""
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", "a-token-of-nobody")
    (tmp_path / "twice.ndjson").write_text(f"{json.dumps(LINE)}\n" * 2, encoding="utf-8")
    (tmp_path / "none.har").write_text('{"log": {"version": "1.2", "entries": []}}', encoding="utf-8")
    words = ["--contract", "proof", "--base-url", "https://sandbox.example", "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["judge", str(tmp_path / "twice.ndjson"), *words])
    told = " ".join(done.output.split())
    assert "1 exchange of twice.ndjson was judged" in told
    assert "1 exchange of which another is a copy was judged once" in told
    assert "in 1 exchange that was recorded, not provoked. This says nothing of the" in told
    assert "that it does not show" in told
    assert not done.output.startswith("\n\n")
    none = CliRunner().invoke(main, ["judge", str(tmp_path / "none.har"), *words])
    assert none.exit_code == 4
    assert none.output.startswith("rampcheck: there is no exchange in the traffic")
