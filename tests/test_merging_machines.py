"""Shards of machines that have the same things at different places, made up: they are of one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rampcheck.errors import UsageError
from rampcheck.running import merging
from rampcheck.wire.journal import read_records
from tests.journals import BEGINNING

END = {"kind": "end", "finished": "2026-11-21T07:01:00.000000Z", "interrupted": False, "reason": ""}


def merged(place: Path, *profiles: dict[str, Any], end: dict[str, Any] = END) -> list[Any]:
    """The records of a run whose shards have profiles with these members."""
    folders = []
    for number, profile in enumerate(profiles, start=1):
        folder = place / str(number)
        folder.mkdir()
        selection = {**BEGINNING["selection"], "shard": f"{number}/{len(profiles)}"}
        first = {**BEGINNING, "profile": {**BEGINNING["profile"], **profile}, "selection": selection}
        lines = (f"{json.dumps(record)}\n" for record in (first, end))
        (folder / "journal.jsonl").write_text("".join(lines), encoding="utf-8")
        folders.append(folder)
    return list(read_records(merging.merge(folders, str(place / "out")) / "journal.jsonl"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tls": {"ca": "/here/ca.pem"}}, {"tls": {"ca": "/there/ca.pem"}}),
        ({"tls": {"ca": "/here/ca.pem"}}, {}),
        ({"egress": {"outside_source_address": "192.0.2.1"}}, {"egress": {"outside_source_address": "192.0.2.2"}}),
        (
            {"webhook": {"listen": "0.0.0.0:8099", "public_url": "https://hook.example"}},
            {"webhook": {"listen": "127.0.0.1:9000", "public_url": "https://hook.example"}},
        ),
    ],
)
def test_what_each_machine_has_of_its_own_tells_no_runs_apart(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Where the authorities' file lies, from which address it calls, at which port it listens."""
    assert merged(tmp_path, one, other)[0]["kind"] == "run"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"egress": {"outside_source_address": "192.0.2.1"}}, {}),
        (
            {"webhook": {"listen": "127.0.0.1:8099", "public_url": "https://hook.example"}},
            {"webhook": {"listen": "127.0.0.1:8099", "public_url": "https://another.example"}},
        ),
    ],
)
def test_what_a_machine_lacks_tells_runs_apart(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Such a shard did not try what another did."""
    with pytest.raises(UsageError, match="are no shards of one run; they differ in: profile"):
        merged(tmp_path, one, other)


def test_where_all_shards_ended_early_the_cure_stays(tmp_path: Path) -> None:
    """Beside the reason."""
    end = {**END, "reason": "the target refuses the credentials", "cure": "Look at the token."}
    last = merged(tmp_path, {}, {}, end=end)[-1]
    assert (last["reason"], last["cure"]) == ("the target refuses the credentials", "Look at the token.")
