"""Exchanges in little memory are read like any other: to the byte, and as what they lack."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rampcheck.errors import NotRecorded
from rampcheck.recorded.packing import SHORTEST, Packer, unpacked
from rampcheck.recorded.shapes import Shape, Shapes
from rampcheck.wire.exchanges import Exchange, Response, Sent
from rampcheck.wire.json_text import parse_json
from rampcheck.wire.partial import without

TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(["", "USDT", "\0", "ü", "\ud800", '"'])
ITEMS = TEXTS | st.sampled_from([None, True, 1, 1.0, 0, False, -0.0, 1e300, [], ["a"], [1], {"a": 1}, {"a": True}])
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "ü"]) | TEXTS, ITEMS, max_size=4)
SPELLINGS: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"indent": 1},
]
BODIES = st.builds(
    lambda value, spelling: json.dumps(value, **spelling).encode("utf-8", "surrogatepass"),
    OBJECTS | OBJECTS.map(lambda value: {**value, "long": "x" * SHORTEST}),  # what is shorter stays as it is
    st.sampled_from(SPELLINGS),
)
STRANGE = st.sampled_from([b"", b"{}", b'{"a":1,"a":2}', b'{"a":1.50}', b'{"a":NaN}', b'{"a":"\\u0041"}', b"[1]", b"{"])


def exchange(body: bytes) -> Exchange:
    """An exchange with this body on both sides."""
    sent = Sent("POST", "https://api.example/x", (("a", "b"),), body)
    return Exchange(1, "one", sent, Response(200, (("a", "b"),), body), 1.0, 0.1, "/x")


@given(st.lists(BODIES | STRANGE | st.binary(max_size=100), min_size=1, max_size=12))
def test_what_is_packed_is_read_as_it_came(bodies: list[bytes]) -> None:
    """Whatever came before it; also when it comes from another process."""
    packer, other = Packer(), Packer()
    for body in [*bodies, *bodies]:
        packed = packer.packed(exchange(body))
        sent = pickle.loads(pickle.dumps(packed))
        of_request = sent.request.__dict__["packed"]
        for one in (packed, sent, other.with_bodies(sent, of_request, of_request)):
            assert one.request.body == body == one.response.body
            assert repr(one.request.json) == repr(parse_json(body)) == repr(one.response.json)
            assert unpacked(one) == exchange(body)


def test_what_differs_in_a_few_texts_has_one_shape() -> None:
    """So that it takes little memory, and is not parsed again: each body here, but for the first that were met."""
    shapes = Shapes()
    seen = [shapes.of(json.dumps({"currency": "USDT", "fixed": [1, "a"], "id": f"id-{n}"}).encode()) for n in range(9)]
    assert len({id(one[0]) for one in seen if one}) == 2
    assert [one and one[1] for one in seen[1:]] == [f"id-{n}" for n in range(1, 9)]
    assert isinstance(seen[0], tuple)
    assert isinstance(seen[0][0], Shape)


@pytest.mark.parametrize("body", [b'{"a":"b"}', b'{"a":"%s"}' % (b"b" * SHORTEST), b"no JSON"])
def test_a_body_that_is_lacking_has_no_value(body: bytes) -> None:
    """Though a part of it is there."""
    packed = Packer().packed(exchange(body)).request
    lacking = without(packed, {"body": "it is cut off"})
    for read in (lambda: lacking.body, lambda: lacking.json):
        with pytest.raises(NotRecorded, match="cut off"):
            read()
