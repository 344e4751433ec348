"""A whole certification: the sandbox misbehaves as its script says, what came is judged, and the reports say so."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rampcheck.certification import script as scripts
from rampcheck.certification.certifying import Certification, Settings
from rampcheck.certification.integration import End
from rampcheck.certification.script import Step
from rampcheck.cli import main
from rampcheck.contract import profile as profiles
from rampcheck.errors import ExitCode
from rampcheck.judging.results import Results
from rampcheck.report.outline import outline
from rampcheck.running import conclusion, folder
from rampcheck.wire.journal import exchange_records, from_record
from rampcheck.wire.journal_schema import mistake

SCALE = 0.02
TOKEN = "a-client-token-of-these-tests"
Environment = Mapping[str, str]


class Books:
    """What an integration that listens for webhooks has seen: each body, in the order of coming."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.news = threading.Condition()
        books = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(204)
                self.end_headers()
                with books.news:
                    books.seen.append(body)
                    books.news.notify_all()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, number: int) -> None:
        """Waits until so many have come."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.seen) >= number, timeout=30)

    def close(self) -> None:
        """Listens no more."""
        self.server.shutdown()
        self.server.server_close()


def purchase(_: Step, told: Environment, __: float) -> End:
    """An integration that conforms, but for webhooks, which it does not await."""
    scale = float(told["RAMPCHECK_TIME_SCALE"])
    with httpx.Client(
        base_url=told["RAMPCHECK_BASE_URL"],
        headers={"Authorization": f"Bearer {told['PROOF_CLIENT_TOKEN']}"},
        trust_env=False,
    ) as client:
        body = {
            "partner_user_id": told["RAMPCHECK_USER_ID"],
            "user_email": told["RAMPCHECK_USER_EMAIL"],
            "client_ip": told["RAMPCHECK_CLIENT_IP"],
            **{name: told[f"RAMPCHECK_{name.upper()}"] for name in ("network", "currency", "amount")},
        }
        pause, tries = 2.0 * scale, {502: 3, 500: 1}
        while (answer := client.post("/widget/session", json=body)).status_code in tries and tries[answer.status_code]:
            tries[answer.status_code] -= 1
            time.sleep(pause)
            pause *= 2
        if answer.status_code != 200:
            return End()
        session = answer.json()
        httpx.post(told["RAMPCHECK_WIDGET_URL"], json=session, trust_env=False)
        status = "pending"
        while status in ("pending", "processing"):
            time.sleep(6 * scale)
            found = client.get(f"/widget/transactions/{session['merchant_transaction_id']}")
            status = found.json()["status"]
    return End()


def attentive(books: Books) -> Callable[[Step, Environment, float], End]:
    """The same, but that it does not end before all webhooks have come."""

    def bought(step: Step, told: Environment, seconds: float) -> End:
        before = len(books.seen)
        purchase(step, told, seconds)
        if step.answers is None or step.answers.times:
            books.wait(before + 2 * step.webhooks.times)
        return End()

    return bought


def known(contract: str = "proof") -> profiles.Profile:
    """The profile of a certification."""
    credentials = {"proof": {"client_token": TOKEN}}
    given = {"contract": contract, "base_url": "http://127.0.0.1:9", "environment": "sandbox"}
    return profiles.from_mapping({**given, "credentials": credentials[contract]}, {})


class Certified:
    """What came of a certification."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.results: Results = conclusion.conclude(place).results
        self.exchanges = [from_record(one) for one in exchange_records(folder.read(place)).values()]

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each clause."""
        return {clause["id"].removeprefix("proof.partner."): clause["verdict"] for clause in self.results["clauses"]}

    def of(self, step: str, protocol: str = "http", path: str = "") -> list[Any]:
        """The exchanges of a step."""
        found = [one for one in self.exchanges if one.scenario == step and one.protocol == protocol]
        return [one for one in found if path in one.path]


def certified(place: Path, buy: Callable[[Step, Environment, float], End], *steps: str, **more: Any) -> Certified:
    """Certifies what `buy` does in some steps."""
    place.mkdir(exist_ok=True)
    settings = Settings(steps, time_scale=SCALE, webhook_url=more.pop("webhook_url", "http://127.0.0.1:9"), **more)
    Certification(scripts.built_in("proof"), known(), settings, place).run(buy, lambda _: None)
    return Certified(place)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    """A certification of all steps, of an integration that conforms, and of whose webhooks somebody takes note."""
    books = Books()
    yield certified(tmp_path_factory.mktemp("whole"), attentive(books), webhook_url=books.url)
    books.close()


def test_an_integration_that_conforms_is_not_accused(whole: Certified) -> None:
    """Nothing is broken, all that can be seen was seen, and what cannot is attested, by no means passed."""
    attested = {"backend-only", "webhook-idempotent"}
    assert {name for name, verdict in whole.verdicts.items() if verdict == "attested"} == attested
    assert {verdict for name, verdict in whole.verdicts.items() if name not in attested} == {"passed"}
    assert whole.results["verdict"] == "conformant"
    assert whole.results["counts"]["attested"] == len(attested)
    assert whole.results["side"] == "partner"


def test_the_journal_follows_its_schema_and_holds_no_secret(whole: Certified) -> None:
    """Every record, what is attested too; neither the token nor a session's stands in any file."""
    lines = (whole.place / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert [problem for line in lines if (problem := mistake(json.loads(line)))] == []
    assert {"attested", "conduct", "held", "exchange", "end"} <= {json.loads(line)["kind"] for line in lines}
    written = b"".join(path.read_bytes() for path in whole.place.iterdir())
    assert TOKEN.encode() not in written
    assert b"@example.com" not in written
    assert b"redacted init_token" in written


@pytest.mark.parametrize(
    ("step", "statuses"),
    [
        ("works", [200]),
        ("fails-once", [502, 200]),
        ("fails-twice", [502, 502, 200]),
        ("fails-always", [502, 502, 502, 502]),
        ("internal-error", [500, 500]),
        ("forbidden", [403]),
        ("invalid", [400]),
    ],
)
def test_sessions_are_answered_as_the_script_says(whole: Certified, step: str, statuses: list[int]) -> None:
    """Once, twice, always, or not at all otherwise; an error has the contract's own envelope and request id."""
    calls = whole.of(step, path="/widget/session")
    assert [call.status for call in calls] == statuses
    errors = [call.response for call in calls if call.status >= 400]
    assert all({"error", "code", "message"} <= error.json.keys() for error in errors)
    assert len({error.header("x-request-id") for error in errors}) == len(errors)


def test_a_slow_step_is_slow_and_a_long_one_long(whole: Certified) -> None:
    """By the script's seconds, scaled; each step has a user of its own."""
    (slow,) = whole.of("slow", path="/widget/session")
    assert slow.elapsed >= 4 * SCALE * 0.9  # the loop's clock is not the recorder's
    (began,) = whole.of("takes-long", path="/widget/session")
    ended = whole.of("takes-long", path="/widget/transactions/")[-1].ended
    assert ended - began.started >= 2 * 12 * SCALE * 0.9
    users = [json.loads(call.request.body)["partner_user_id"] for call in whole.of("works", path="/widget/session")]
    assert users != [json.loads(call.request.body)["partner_user_id"] for call in whole.of("slow", path="/session")]


def test_webhooks_come_as_the_script_says(whole: Certified) -> None:
    """Each once, each twice, or the last one first."""

    def told(step: str) -> list[str]:
        webhooks = whole.of(step, "webhook")
        assert {webhook.status for webhook in webhooks} == {204}
        return [webhook.request.json["status"] for webhook in webhooks]

    assert told("works") == ["processing", "completed"]
    assert told("webhook-twice") == ["processing", "processing", "completed", "completed"]
    assert told("webhook-out-of-order") == ["completed", "processing"]
    assert told("is-cancelled")[-1] == "cancelled"


def test_unusual_values_are_unusual(whole: Certified) -> None:
    """A signature in capitals, fields that nobody documented; and the integration passes them on."""
    (session,) = whole.of("unusual-values", path="/widget/session")
    assert "experiments" in session.response.json
    (opened,) = whole.of("unusual-values", path="/rampcheck/widget")
    assert opened.status == 204


def test_the_reports_say_what_is_attested(whole: Certified) -> None:
    """On the page, in the summary, to a pipeline: never as something that passed."""
    page = (whole.place / "index.html").read_text(encoding="utf-8")
    assert "Attested by the partner" in page
    assert "Certification of an integration" in page
    pace = f"--time-scale {SCALE:g}"
    assert f"rampcheck certify --contract proof {pace} -- COMMAND" in page
    assert f'<dt>Selected</dt><dd><span class="code">{pace}</span>' in page  # on the sheet that is signed
    junit = (whole.place / "junit.xml").read_text(encoding="utf-8")
    assert junit.count("<skipped") == 2
    assert "◇ attested" in (whole.place / "summary.md").read_text(encoding="utf-8")
    tests = json.loads((whole.place / "ctrf.json").read_bytes())["results"]["tests"]
    assert {test["status"] for test in tests if test["rawStatus"] == "attested"} == {"skipped"}


def test_what_never_came_is_not_verified(tmp_path: Path) -> None:
    """An integration that asks for a session and does nothing else: no traffic, which for a must is not enough."""

    def asks(_: Step, told: Environment, __: float) -> End:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        httpx.post(f"{told['RAMPCHECK_BASE_URL']}/widget/session", headers=headers, json={}, trust_env=False)
        return End()

    found = certified(tmp_path / "asks", asks, "works")
    assert found.verdicts["polls"] == found.verdicts["verbatim"] == "not_verified"
    (clause,) = [one for one in found.results["clauses"] if one["id"] == "proof.partner.polls"]
    assert clause["reason"] == "no traffic: no transaction was polled"
    assert found.results["verdict"] == "incomplete"
    told = (found.place / "summary.md").read_text(encoding="utf-8")
    assert "nobody expected" not in told
    assert "Not verified, as the integration never did it" in told
    silent = certified(tmp_path / "silent", lambda *_: End(), "works")
    assert silent.results["verdict"] == "inconclusive"


def test_a_chosen_step_is_a_part(tmp_path: Path) -> None:
    """What other steps provoke is not selected, and stands in no way."""
    found = certified(tmp_path / "part", purchase, "forbidden")
    assert found.results["verdict"] == "partial"
    assert found.verdicts["no-retry-4xx"] == "passed"
    assert found.results["selection"]["steps"] == ["forbidden"]


def test_an_observer_is_asked_how_often(tmp_path: Path) -> None:
    """A status that was processed twice is broken; what the observer says that is no number is told, and no finding."""
    books = Books()
    counts = tmp_path / "counts.py"
    counts.write_text("import sys\nprint(2 if sys.argv[2] == 'completed' else 1)\n", encoding="utf-8")
    observer = f"{sys.executable} {counts} {{id}} {{status}}"
    try:
        found = certified(tmp_path / "out", attentive(books), "webhook-twice", webhook_url=books.url, observer=observer)
        assert found.verdicts["webhook-idempotent"] == "advisory"
        counts.write_text("print('many')\n", encoding="utf-8")
        buy = attentive(books)
        found = certified(tmp_path / "told", buy, "webhook-twice", webhook_url=books.url, observer=observer)
        assert found.verdicts["webhook-idempotent"] == "not_verified"
        assert "the observer answered what is no whole number" in found.results["notes"]
    finally:
        books.close()


def _until_dropped(socket: Any) -> Iterator[str | bytes]:
    with suppress(ConnectionClosed):
        while True:
            yield socket.recv(10)


def test_a_websocket_drops(tmp_path: Path) -> None:
    """After its first message, so that an integration has to look again; what was told over it is kept."""
    came: list[str] = []

    def listens(_: Step, told: Environment, __: float) -> End:
        base, headers = told["RAMPCHECK_BASE_URL"], {"Authorization": f"Bearer {TOKEN}"}
        body = {
            "partner_user_id": "x",
            "user_email": "x@example.com",
            "network": "TRC20",
            "currency": "USDT",
            "amount": "1",
        }
        session = httpx.post(f"{base}/widget/session", headers=headers, json=body, trust_env=False).json()
        url = f"{base.replace('http', 'ws')}/ws?tx_id={session['merchant_transaction_id']}"
        with connect(url, additional_headers=headers, proxy=None) as socket:
            came.extend(json.loads(message)["status"] for message in _until_dropped(socket))
        return End()

    found = certified(tmp_path / "out", listens, "socket-drops")
    assert came == ["processing"]
    (socket,) = found.of("socket-drops", "websocket")
    assert [message.json["status"] for message in socket.messages] == ["processing"]
    assert found.verdicts["keeps-id"] == "passed"


def test_a_finding_tells_its_step_and_its_exchange(tmp_path: Path) -> None:
    """The token in a URL: one clause is broken, in the exchange that shows it, and the token stands in no file."""

    def leaks(step: Step, told: Environment, seconds: float) -> End:
        httpx.get(
            f"{told['RAMPCHECK_BASE_URL']}/widget/transactions/x?token={TOKEN}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        return purchase(step, told, seconds)

    found = certified(tmp_path / "out", leaks, "works")
    (clause,) = [one for one in found.results["clauses"] if one["findings"]]
    assert (clause["id"], clause["verdict"]) == ("proof.partner.token-placement", "failed")
    (finding,) = clause["findings"]
    assert (finding["scenario"], finding["exchange"]) == ("works", 1)
    assert found.results["verdict"] == "nonconformant"
    assert TOKEN.encode() not in b"".join(path.read_bytes() for path in found.place.iterdir())


def test_an_interruption_keeps_what_was_seen(tmp_path: Path) -> None:
    """Ctrl-C in a step ends the run, which is judged as far as it came."""

    def stops(step: Step, told: Environment, seconds: float) -> End:
        if step.name == "fails-once":
            raise KeyboardInterrupt
        return purchase(step, told, seconds)

    found = certified(tmp_path / "out", stops)
    assert found.results["interrupted"]
    assert found.verdicts["client-ip"] == "passed"
    assert conclusion.exit_code(found.results) == ExitCode.INTERRUPTED
    assert "The run was interrupted: in step fails-once, 2 of 15." in (found.place / "summary.md").read_text("utf-8")

    def stops_at_once(*_: object) -> End:
        raise KeyboardInterrupt

    told = outline(certified(tmp_path / "none", stops_at_once).results).sentence  # type: ignore[arg-type]
    assert told == "Nothing could be judged: it was interrupted in step works, 1 of 15."


def test_both_sides_are_bound_into_one_report(whole: Certified, tmp_path: Path) -> None:
    """Both verdicts on a page, both folders below it; what is not of its side, or has no room, is told."""
    target = Path(__file__).parents[1] / "reports" / "example" / "broken"
    both = tmp_path / "both"
    done = CliRunner().invoke(main, ["bind", str(target), str(whole.place), "--output", str(both)])
    assert done.exit_code == ExitCode.NONCONFORMANT, done.output
    assert "vendor: not conformant; partner: conformant" in done.output
    page = (both / "index.html").read_text(encoding="utf-8")
    assert 'href="target/index.html"' in page
    assert 'href="partner/index.html"' in page
    for side, place in (("target", target), ("partner", whole.place)):
        assert (both / side / "results.json").read_bytes() == (place / "results.json").read_bytes()
    for words, told in (
        ([whole.place, target], "is a certification"),
        ([target, target], "is a run of a target"),
        ([target, whole.place], "is not empty"),
    ):
        done = CliRunner().invoke(main, ["bind", *map(str, words), "--output", str(both)])
        assert done.exit_code == ExitCode.USAGE
        assert told in done.output


def test_a_certification_is_compared_with_one_only(whole: Certified) -> None:
    """With itself nothing differs; a run of a target has other clauses; it is no target's traffic, to send or judge."""
    target = str(Path(__file__).parents[1] / "reports" / "example" / "broken")
    same = CliRunner().invoke(main, ["compare", str(whole.place), str(whole.place)])
    assert same.exit_code == ExitCode.CONFORMANT, same.output
    other = CliRunner().invoke(main, ["compare", target, str(whole.place)])
    assert other.exit_code == ExitCode.USAGE
    assert "the other a certification" in other.output
    again = CliRunner().invoke(main, ["replay", str(whole.place), "1"])
    assert again.exit_code == ExitCode.USAGE, again.output
    assert "certification" in again.output
    words = ["judge", str(whole.place), "--contract", "proof", "--base-url", whole.results["target"]["base_url"]]
    judged = CliRunner().invoke(main, words, env={"PROOF_CLIENT_TOKEN": TOKEN})
    assert judged.exit_code == ExitCode.USAGE, judged.output
    assert "certification" in judged.output
