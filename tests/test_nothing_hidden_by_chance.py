"""What is no secret stays to be read: in a whole run of a reference, marks stand where secrets do and nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.runs import Completed

MARK = re.compile(r"\[redacted (\w+) [0-9a-f]{12}\]")
# Where an answer has a secret of its own: the member, and the names of the marks that may stand there.
SECRET = {
    "proof": {"init_token": {"init_token"}, "signature": {"signature"}},
    "kryptonim": {"widgetUrl": {"widgetUrl", "email"}},
}


def texts(value: Any, member: str = "") -> Iterator[tuple[str, str]]:
    """Gives every text in JSON data with the member that it stands in; names of members stand in themselves."""
    match value:
        case str():
            yield member, value
        case dict():
            for name, inside in value.items():
                yield name, name
                yield from texts(inside, name)
        case list():
            for inside in value:
                yield from texts(inside, member)


@pytest.mark.parametrize("contract", SECRET)
def test_an_answer_hides_its_secrets_and_what_the_request_hid(
    contract: str, conforming: Callable[[str], Completed]
) -> None:
    """An id, a time, a currency, a message, a header: none of some 700 answers has a mark in place of these."""
    done = conforming(contract)
    assert done.code == 0, done.printed
    seen: set[str] = set()
    for exchange in done.records("exchange"):
        response = exchange["response"]
        if exchange["protocol"] != "http" or not response:
            continue
        asked = set(MARK.findall(exchange["request"]["body"]))
        assert not MARK.search(str(response["headers"])), exchange["number"]
        for member, text in texts(json.loads(response["body"])) if response["body"] else ():
            own = SECRET[contract].get(member, set())
            marks = set(MARK.findall(text))
            seen |= marks & own
            assert marks <= own | asked, f"{member} of exchange {exchange['number']}: {text}"
    assert set().union(*SECRET[contract].values()) >= seen > set()
