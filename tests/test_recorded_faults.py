"""Recorded traffic that its recorder has spoilt: nobody is accused by it, nothing of it stops the judging or leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rampcheck.cli import main
from rampcheck.errors import UsageError
from rampcheck.recorded import files, lines
from rampcheck.recorded.entries import BODY, ELAPSED, MESSAGES, STARTED, Entry, Lacking
from rampcheck.recorded.likely_secrets import LikelySecrets
from rampcheck.recorded.nesting import Nesting
from rampcheck.recorded.wholeness import ends_early
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.redaction import Redactor
from tests.runs import Completed

Item = dict[str, Any]
BODY_TEXT = '{"merchant_transaction_id": "one", "currency": "USDT"}'
DEEP = "[" * 100_000


def item(**more: Any) -> Item:
    """An entry of a HAR."""
    side = {"headers": [{"name": "Content-Type", "value": "application/json"}], "bodySize": -1}
    posted = {"mimeType": "application/json", "text": '{"currency": "USDT"}'}
    content = {"mimeType": "application/json", "text": BODY_TEXT, "size": -1}
    return {
        "startedDateTime": "2026-11-26T10:00:00Z",
        "time": 30,
        "request": {**side, "method": "POST", "url": "https://sandbox.example/widget/session", "postData": posted},
        "response": {**side, "status": 200, "content": content},
        **more,
    }


def entries(tmp_path: Path, *items: Item | str, creator: str = "a proxy") -> tuple[files.File, list[Entry]]:
    """What is read of a HAR."""
    path = tmp_path / "some.har"
    texts = ", ".join(one if isinstance(one, str) else json.dumps(one) for one in items)
    head = {"version": "1.2", "creator": {"name": creator}}
    path.write_text(f'{{"log": {json.dumps(head)[:-1]}, "entries": [{texts}]}}}}', encoding="utf-8")
    file = files.opened(path)
    return file, list(file.entries())


def _set(*path: str, to: Any) -> Callable[[Item], None]:
    def change(told: Item) -> None:
        for name in path[:-1]:
            told = told[name]
        told[path[-1]] = to

    return change


def _header(side: str, name: str, value: str) -> Callable[[Item], None]:
    return lambda told: told[side].update(headers=[*told[side]["headers"], {"name": name, "value": value}])


def _all(*changes: Callable[[Item], object]) -> Callable[[Item], object]:
    return lambda told: [change(told) for change in changes]


@pytest.mark.parametrize("spoil", ["left out", "cut"])
def test_traffic_without_bodies_says_why_it_shows_nothing(
    spoil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not recorded, of how many exchanges, and how it is recorded better: once, not for each clause."""
    told = item()
    if spoil == "cut":
        told["request"]["postData"]["text"] = told["response"]["content"]["text"] = '{"cur'
    else:
        del told["request"]["postData"]["text"], told["response"]["content"]["text"]
    entries(tmp_path, told, told)
    monkeypatch.setenv("PROOF_CLIENT_TOKEN", "a-token-of-some-length")
    asked = ["--base-url", "https://sandbox.example", "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(main, ["judge", str(tmp_path / "some.har"), *asked])
    assert done.exit_code == 5, done.output
    said = " ".join(done.output.split())
    assert "Nothing could be judged: of 2 exchanges too little was recorded: the request's body is " in said
    assert "the response's body is " in said
    assert "Record it once more with all headers and whole bodies" in said
    assert "the profile lacks" not in said


LONGER, WHOLE = "812", str(len(BODY_TEXT))
CUT = _set("response", "content", "text", to=BODY_TEXT[:20])
# What is done to an entry, and whether the bodies of its request and its response are known then.
BODIES: dict[str, tuple[Callable[[Item], object], bool, bool]] = {
    "nothing": (lambda _: None, True, True),
    "longer by its header": (_header("response", "Content-Length", LONGER), True, False),
    "whole by its header": (_header("response", "Content-Length", WHOLE), True, True),
    "compressed": (
        _all(_header("response", "Content-Length", LONGER), _header("response", "Content-Encoding", "br")),
        True,
        True,
    ),
    "longer on the wire": (_set("response", "bodySize", to=812), True, False),
    "compressed on the wire": (
        _all(_set("response", "bodySize", to=812), _header("response", "Content-Encoding", "gzip")),
        True,
        True,
    ),
    "in chunks, which have sizes of their own": (
        _all(_set("response", "bodySize", to=60), _header("response", "Transfer-Encoding", "chunked")),
        True,
        True,
    ),
    "longer by its size": (_set("response", "content", "size", to=812), True, False),
    "a size beyond all": (_set("response", "content", "size", to="9" * 6000), True, True),
    "a comment": (_set("response", "content", "comment", to="Truncated by the proxy"), True, False),
    "no end": (CUT, True, False),
    "no end, as it was sent": (_all(CUT, _header("response", "Content-Length", "20")), True, True),
    "left out": (_set("response", "content", "text", to=""), True, False),
    "empty": (_all(_set("response", "content", "text", to=""), _set("response", "content", "size", to=0)), True, True),
    "wrong": (_set("response", "content", "text", to='{"a": NaN'), True, True),
    "answer to HEAD": (
        _all(
            _set("request", "method", to="HEAD"),
            _header("response", "Content-Length", LONGER),
            _set("response", "content", "text", to=""),
        ),
        True,
        True,
    ),
    "request longer by its header": (_header("request", "Content-Length", LONGER), False, True),
    "request longer on the wire": (_set("request", "bodySize", to=812), False, True),
    "request without an end": (_set("request", "postData", "text", to='{"currency": "US'), False, True),
    "request left out": (
        _all(
            lambda told: told["request"].pop("postData"),
            _set("request", "bodySize", to=0),
            _header("request", "Content-Length", LONGER),
        ),
        False,
        True,
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_the_recorder_cut_is_not_known(tmp_path: Path, what: str) -> None:
    """Where more was there than is recorded, or the JSON of an unknown size has no end, the body is lacking."""
    change, *known = BODIES[what]
    told = item()
    change(told)
    _, (entry,) = entries(tmp_path, told)
    assert [BODY not in side.lacking for side in (entry.request, entry.response)] == known


@pytest.mark.parametrize(
    ("more", "known"), [({}, True), ({"Content-Length": "812"}, False), ({"Content-Length": WHOLE}, True)]
)
def test_a_line_that_tells_another_length_lacks_its_body(more: dict[str, str], known: bool) -> None:
    """The same counts for lines of traffic."""
    side = {"headers": {"Content-Type": "application/json", **more}, "body": BODY_TEXT}
    line = {"method": "GET", "url": "https://a.example/", "request": {}, "response": {**side, "status": 200}}
    assert (BODY not in lines.entry_of(line, "line 1").response.lacking) == known


@pytest.mark.parametrize(
    ("body", "early"),
    [
        (b"", True),
        (b'{"a": tru', True),
        ('{"a": "é'.encode()[:-1], True),
        (b"[1,2", True),
        (b"{}}", False),
        (b"<html>", False),
        (b"\xff", False),
        (DEEP.encode() + b"]" * len(DEEP), False),
    ],
)
def test_a_text_that_ends_early_is_told_from_a_wrong_one(body: bytes, early: bool) -> None:
    """Only what could go on is cut off."""
    assert ends_early(body) == early


@pytest.mark.parametrize("where", ["creator", "entry"])
def test_what_is_nested_too_deeply_is_told(tmp_path: Path, where: str) -> None:
    """Before the entries and in one: an error, at once."""
    deep = DEEP + "]" * len(DEEP)
    path = tmp_path / "deep.har"
    before, inside = (f'"x": {deep}, ', "") if where == "creator" else ("", f'{{"x": {deep}}}')
    path.write_text(f'{{"log": {{{before}"version": "1.2", "entries": [{inside}]}}}}', encoding="utf-8")
    with pytest.raises(UsageError, match="levels deep"):
        list(files.opened(path).entries())


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_depth_is_counted_across_pieces_and_without_strings(size: int) -> None:
    """Brackets in strings are none, wherever the pieces end."""
    for text, too_deep in (
        (b'{"a\\"[": ["' + b"[" * 300 + b'\\\\", 1]}' * 300, False),
        (b'"\\\\"' + b"[" * 201, True),
        (b"[]" * 400, False),
    ):
        nesting = Nesting()
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert any(nesting.is_too_deep(piece) for piece in pieces) == too_deep


NO_EXCHANGES: dict[str, Callable[[Item], object]] = {
    "surrogate": _header("response", "X-Request-Id", "\ud800\udfff\udc00"),
    "status": _set("response", "status", to=10**30),
    "boolean status": _set("response", "status", to=True),
    "held": _set("_rampcheck", to={"held": 5}),
    "held objects": _set("_rampcheck", to={"held": [{}]}),
    "path": _set("_rampcheck", to={"path": 9, "direction": "incoming"}),
    "direction": _set("_rampcheck", to={"direction": [1]}),
    "protocol": _set("_rampcheck", to={"protocol": 7}),
    "credential": _set("_rampcheck", to={"credential": {}}),
    "authenticated": _set("_rampcheck", to={"authenticated": "yes"}),
}


@pytest.mark.parametrize("what", NO_EXCHANGES)
def test_an_entry_that_is_none_stops_nothing(tmp_path: Path, what: str) -> None:
    """It is told, and the ones after it are read."""
    told = item()
    NO_EXCHANGES[what](told)
    file, read = entries(tmp_path, item(), told, item(), creator="rampcheck")
    assert (len(read), file.broken, file.cut) == (2, 1, "")
    assert "entry 2" in file.first_broken


MESSAGE = {"type": "send", "time": 1e300, "opcode": 1, "data": "x"}


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ({"startedDateTime": "0001-01-01T00:00:00+14:00"}, STARTED),
        ({"startedDateTime": "9999-12-31T23:59:59Z"}, STARTED),
        ({"time": 1e308}, ELAPSED),
        ({"_resourceType": "websocket", "_webSocketMessages": [MESSAGE]}, MESSAGES),
        ({"_resourceType": "websocket", "_webSocketMessages": [{**MESSAGE, "time": "nan"}]}, MESSAGES),
    ],
)
def test_a_time_that_is_none_is_not_known(tmp_path: Path, more: Item, lacks: str) -> None:
    """What no clock shows is a recorder's word for unknown."""
    _, (entry,) = entries(tmp_path, item(**more))
    lacking: Lacking = entry.lacking
    assert lacks in lacking


def _judge(tmp_path: Path, *items: Item | str, creator: str = "a proxy") -> Completed:
    entries(tmp_path, *items, creator=creator)
    command = ["judge", str(tmp_path / "some.har"), "--contract", "proof", "--base-url", "https://sandbox.example"]
    done = CliRunner().invoke(
        main, [*command, "--output", str(tmp_path / "out")], env={"PROOF_CLIENT_TOKEN": "a-token-of-the-partner-1"}
    )
    return Completed(done.exit_code, done.output, tmp_path / "out")


def test_why_a_file_cannot_be_used_is_told(tmp_path: Path) -> None:
    """Not that it is addressed to somebody else."""
    done = _judge(tmp_path, "1")
    assert done.code == 4
    assert "1 entries of some.har are no exchanges" in " ".join(done.printed.split())
    assert "addressed" not in done.printed


def test_without_a_profile_none_is_blamed(tmp_path: Path) -> None:
    """What named the target is told in its place, and how it is judged again."""
    results = _judge(tmp_path, item()).results
    assert results["named_with"] == ["--contract", "proof", "--base-url", "https://sandbox.example"]
    assert [note for note in results["notes"] if "there is no profile: the target was taken for a test" in note]
    assert "the profile does not say" not in json.dumps(results)


def test_a_clause_that_nobody_knows_is_not_believed_silently(tmp_path: Path) -> None:
    """The report says that a run is said to have seen it hold."""
    done = _judge(tmp_path, item(_rampcheck={"held": ["proof.nothing"]}), creator="rampcheck")
    assert any("proof.nothing" in note for note in done.results["notes"])


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


def test_what_looks_like_a_secret_is_hidden() -> None:
    """By its shape, or the name of its header, parameter or member; nothing else is."""
    secrets = [JWT, *(f"hush-{number}" for number in range(1, 9))]
    nested = json.dumps({"debug": [{"password": secrets[1], "session": {"x": secrets[2]}}], "echo": f"a {JWT}", "b": 1})
    url = f"/path?access_token={secrets[3]}&page=2&size=me"
    exchange = Exchange(
        number=1,
        scenario="",
        request=Sent(
            "POST",
            f"https://a.example{url}",
            (
                ("X-Auth-Token", secrets[4]),
                ("X-Forwarded-Credential", secrets[5]),
                ("X-Extra", f"then bearer  {secrets[6]}"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ),
            f"page=3&client_secret={secrets[7]}".encode(),
        ),
        response=Response(
            401, (("WWW-Authenticate", "Bearer"), ("X-Session", secrets[8]), ("X-Note", JWT)), nested.encode()
        ),
        started=0.0,
        elapsed=0.0,
        path=url,
    )
    hidden = LikelySecrets(Redactor(bytes(32))).hidden(exchange)
    said = repr(hidden)
    assert [secret for secret in secrets if secret in said] == []
    kept = ("page=2", "page=3", "size=me", "('WWW-Authenticate', 'Bearer')", '"b": 1')
    assert [text for text in kept if text not in said] == []
    assert hidden.response is not None
    assert json.loads(hidden.response.body)["b"] == 1


PARAMETERS = [
    "sig", "signature", "X-Amz-Signature", "token", "hmac", "api_key", "init_token", "initToken", "X-API-Key", "%73ig",
]  # fmt: skip


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize(
    "form",
    ["?{}", "?page=2&{}", "?page=2;{}", "/login#{}", "?page=2&{}&size=3"],
    ids=["first", "later", "semicolon", "fragment", "between"],
)
def test_a_parameter_is_hidden_by_its_name(name: str, form: str) -> None:
    """As a header or a member of that name is: in the request's URL, and in every URL that stands anywhere else."""
    url = "/path" + form.format(f"{name}=hush-hush")
    body = json.dumps({"next": f"https://b.example{url}", "page": 1})
    exchange = Exchange(
        number=1,
        scenario="",
        request=Sent("GET", f"https://a.example{url}", (("Referer", f"https://a.example{url}"),), body.encode()),
        response=Response(302, (("Location", f"https://c.example{url}"),), f'<a href="{url}">'.encode()),
        started=0.0,
        elapsed=0.0,
        path=url,
    )
    hidden = LikelySecrets(Redactor(bytes(32)), ["init_token", "X-API-Key"]).hidden(exchange)
    assert "hush" not in repr(hidden)
    assert hidden.path.startswith("/path?page=2" if "page=2" in form else "/")
    assert json.loads(hidden.request.body)["page"] == 1


@pytest.mark.parametrize("name", ["page", "design", "assignment", "mackerel", "sign_up_page", "pinned", "code"])
def test_a_parameter_of_another_name_stays(name: str) -> None:
    """A name that only holds the letters of one that speaks of a secret does not."""
    exchange = Exchange(
        number=1,
        scenario="",
        request=Sent("GET", f"https://a.example/path?{name}=shown", (), b""),
        response=None,
        started=0.0,
        elapsed=0.0,
        path=f"/path?{name}=shown",
    )
    assert "redacted" not in repr(LikelySecrets(Redactor(bytes(32))).hidden(exchange))
