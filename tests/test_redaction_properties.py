"""Redaction, for any text: it changes nothing but secrets, and leaves none of them."""

from __future__ import annotations

import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rampcheck.wire.redaction import Redactor
from tests.test_redaction import ENCODINGS, FIELDS, KEY, TOKEN, Encode


@settings(deadline=None)
@given(st.text())
def test_text_without_secrets_is_unchanged(text: str) -> None:
    """Text that holds no secret and no e-mail address is returned as it is."""
    redactor = Redactor(KEY)
    redactor.add("client_token", TOKEN)
    if "@" not in text:
        assert redactor.text(text) == text


def is_no_secret_field(name: str) -> bool:
    """Whether a member's name is, however it is spelled, none of those whose values are hidden."""
    return _letters(name) not in {_letters(field) for field in FIELDS}


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text().filter(is_no_secret_field), children),
    )
)
def test_json_without_secrets_is_unchanged(value: object) -> None:
    """A JSON body that holds no secret is returned character for character."""
    redactor = Redactor(KEY)
    redactor.add("client_token", TOKEN)
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        if "@" not in text:
            assert redactor.body(text.encode(), FIELDS) == (text, "utf-8")


@settings(deadline=None)
@given(st.binary())
def test_bytes_without_secrets_are_unchanged(body: bytes) -> None:
    """Bytes that hold no secret are returned as they are, as text or as base64."""
    redactor = Redactor(KEY)
    redactor.add("client_token", TOKEN)
    text, encoding = redactor.body(body, FIELDS)
    shown = text.encode() if encoding == "utf-8" else base64.b64decode(text)
    if b"@" not in body:
        assert shown == body


@settings(deadline=None)
@given(
    # Some of the encodings leave these three as they are, where they would begin an escape.
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\%&"), min_size=8),
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    encode=st.sampled_from([*ENCODINGS.values()]),
)
def test_any_secret_is_hidden_anywhere(secret: str, before: str, after: str, encode: Encode) -> None:
    """Whatever a secret is made of and whatever surrounds it, it does not show in any encoding."""
    redactor = Redactor(KEY)
    redactor.add("client_token", secret)
    redacted = redactor.text(f"{before} {encode(secret)} {after}")
    assert "[redacted " in redacted
    assert encode(secret) not in redacted
