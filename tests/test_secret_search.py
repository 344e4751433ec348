"""What the search for secrets claims: whatever is made by composing the encodings that it undoes is found."""

from __future__ import annotations

import base64
import gzip
import quopri
import string
import textwrap
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rampcheck.wire.readings import DEPTH
from rampcheck.wire.redaction import Redactor
from rampcheck.wire.secret_search import MOST_KEPT, RUN, Search, Secret

KEY = b"0123456789abcdef"
Encode = Callable[[str], str]


def deflated(text: str) -> bytes:
    """Gives raw deflate, without the frame of zlib."""
    return zlib.compress(text.encode())[2:-4]


def fullwidth(text: str) -> str:
    """Gives the same letters in the width of Chinese ones."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def numbers(form: str, between: str) -> Encode:
    """Gives the encoding that lists the numbers of the characters."""
    return lambda text: between.join(form.format(byte) for byte in text.encode())


# Each undoes with one step of reading.
LAYERS: dict[str, Encode] = {
    "percent": lambda text: quote(text, safe=""),
    "percent, all": numbers("%{:02x}", ""),
    "HTML": lambda text: text.replace("&", "&amp;").replace("/", "&#47;"),
    "HTML, all": numbers("&#{};", ""),
    "HTML without semicolons": numbers("&#{}", ""),
    "JSON": numbers("\\u{:04x}", ""),
    "\\x": numbers("\\x{:02X}", ""),
    "\\u{}": numbers("\\u{{{:x}}}", ""),
    "\\octal": numbers("\\{:03o}", ""),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode(),
    "quoted-printable, all": numbers("={:02X}", ""),
    "decimal numbers": numbers("{}", ", "),
    "hexadecimal numbers": numbers("0x{:02x}", ","),
    "octal numbers": numbers("{:03o}", " "),
    "hexadecimal": lambda text: text.encode().hex(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64, lines": lambda text: "\r\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 20)),
    "gzip": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "zlib": lambda text: base64.b64encode(zlib.compress(text.encode())).decode(),
    "deflate": lambda text: base64.b64encode(deflated(text)).decode(),
    "UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
}
# What folding undoes, and the forms that are looked for as they are written: innermost, and without a step.
FORMS: dict[str, Encode] = {
    "plain": str,
    "capitals": str.upper,
    "backwards": lambda text: text[::-1],
    "wide": fullwidth,
    "zero width": "\u200b".join,
    "dots": ".".join,
    "spaces": " ".join,
    "lines": "\n".join,
    "hexadecimal backwards": lambda text: text.encode().hex()[::-1],
    "base64 in small letters": lambda text: base64.b64encode(text.encode()).decode().lower(),
    "base64 backwards": lambda text: base64.b64encode(text.encode()).decode()[::-1],
    "base85": lambda text: base64.b85encode(text.encode()).decode(),
    "ascii85": lambda text: base64.a85encode(text.encode()).decode(),
}
TOKENS = st.text(string.ascii_letters + string.digits, min_size=20, max_size=60).filter(
    lambda token: len(set(token)) > 8
)


def knowing(token: str) -> Redactor:
    """Gives a redactor that knows one token."""
    redactor = Redactor(KEY)
    redactor.add("client_token", token)
    return redactor


@settings(deadline=None)
@given(token=TOKENS, form=st.sampled_from([*FORMS]), layers=st.lists(st.sampled_from([*LAYERS]), max_size=DEPTH - 1))
def test_whatever_is_composed_is_found(token: str, form: str, layers: list[str]) -> None:
    """A secret in any form, in up to three encodings inside each other, is hidden, and all that would say it."""
    told = FORMS[form](token)
    for layer in layers:
        told = LAYERS[layer](told)
    shown = knowing(token).text(f'{{"message": "<{told}>", "code": 1}}')
    assert "[redacted client_token " in shown
    assert told not in shown


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_wide_letters_are_found_in_utf_16(order: str) -> None:
    """Of which no byte is a zero, as it is with ASCII."""
    token = "a1b2c3d4e5f6g7h8i9j0"
    told = base64.b64encode(FORMS["wide"](token).encode(order)).decode()
    assert told not in knowing(token).text(f"<{told}>")


@settings(deadline=None)
@given(token=TOKENS, data=st.data())
def test_any_run_of_a_credential_is_hidden(token: str, data: st.DataObject) -> None:
    """Twelve characters in a row, wherever they begin and end, and whatever stands beside them."""
    start = data.draw(st.integers(0, len(token) - RUN))
    run = token[start : start + data.draw(st.integers(RUN, len(token)))]
    assert run not in knowing(token).text(f"x{run}y")


@pytest.mark.parametrize(
    "pack", [gzip.compress, zlib.compress, lambda body: zlib.compress(body)[2:-4]], ids=["gzip", "zlib", "deflate"]
)
@pytest.mark.parametrize(
    "body",
    [b'{"message": "tok-5Hq8ZxW2mNp4"}', b'{"init_token": "what-nobody-has-seen"}'],
    ids=["a known secret", "a member that is one"],
)
def test_a_body_that_is_compressed_without_saying_so(pack: Callable[[bytes], bytes], body: bytes) -> None:
    """It is hidden as a whole where there is anything to hide in it, and stays what it is where there is nothing."""
    redactor = knowing("tok-5Hq8ZxW2mNp4")
    assert redactor.body(pack(body), {"init_token"})[0].startswith("[redacted ")
    harmless = pack(b'{"message": "no"}')
    assert base64.b64decode(redactor.body(harmless, {"init_token"})[0]) == harmless


def test_inflating_is_bounded() -> None:
    """A few bytes that say gigabytes are read as far as a body may reach."""
    engine = zlib.compressobj(9)
    bomb = b"".join(engine.compress(bytes(1 << 20)) for _ in range(200)) + engine.flush()
    assert knowing("tok-5Hq8ZxW2mNp4").body(bomb, ())[1] == "base64"


def test_what_is_said_openly_gives_nothing_away() -> None:
    """Words that a credential shares with the profile or the contract stay; the credential does not."""
    redactor = Redactor(KEY, openly=["/widget/session", "sandbox.example"])
    redactor.add("client_token", "sandbox.example-widget-session-4f9c1e")
    for text in ("https://sandbox.example/", "POST /widget/session"):
        assert redactor.text(text) == text
    assert "4f9c1e" not in redactor.text("a sandbox.example-widget-session-4f9c1e b")


@pytest.mark.parametrize("pack", [str, lambda text: base64.b64encode(deflated(text)).decode()], ids=["open", "packed"])
def test_what_repeats_itself_gives_nothing_away(pack: Encode) -> None:
    """Random bytes that are read as compressed ones say such a run in one of some thousand cases."""
    redactor = Redactor(KEY)
    begins = "1f8b08005e2d7c9a6034d7e1"
    assert redactor.learn("signature", begins + "0" * 40, RUN)
    for said in ("0" * 40, "70" + "0" * 38, "01" * 20):
        assert redactor.text(pack(f"{said} of another")) == pack(f"{said} of another")
    for said in (begins, begins[-10:] + "0" * 20):
        assert said not in redactor.text(f"<{said}>")
    zeros = Redactor(KEY)
    zeros.add("key", "0" * 40)
    assert "0" * 40 not in zeros.text("0" * 40)


@pytest.mark.parametrize("before", range(10))
def test_what_is_hidden_does_not_depend_on_its_place(before: int) -> None:
    """Where two values share a run that only gives away the shorter one, it is hidden wherever it stands."""
    redactor = Redactor(b"key")
    assert redactor.learn("long", "somebody at rampcheck.example, of whom no more is known than this one long sentence")
    assert redactor.learn("short", "${jndi:ldap://rampcheck.example/x}")
    shown = redactor.text("-" * before + "https://rampcheck.example/done")
    assert "rampcheck.example" not in shown
    assert shown.startswith("-" * before + "https[redacted short ")


@pytest.mark.parametrize("place", [0, *range(3980, 4010), *range(7980, 8010), 11_980])
def test_a_run_is_found_wherever_it_stands_in_a_long_text(place: int) -> None:
    """A text that repeats itself is looked through once for each part that is new."""
    search = Search()
    search.tell(Secret("client_token", "tok-5Hq8ZxW2mNp4"))
    text = "ab-" * 4000
    found = search.find(text[:place] + "tok-5Hq8ZxW2" + text[place:])
    assert (place, place + 12) in [(span.start, span.end) for span in found]
    assert not search.find(text)


def test_a_flood_of_new_values_is_forgotten_in_time() -> None:
    """What is kept in mind has a bound; the newest values are always found, and credentials for ever."""
    search = Search()
    search.tell(Secret("client_token", "tok-5Hq8ZxW2mNp4"))
    size = 64
    for number in range(20 * MOST_KEPT // size):
        search.keep(Secret("init_token", f"{number:0{size}d}", size))
        assert not number % 997 or search.find(f"<{number:0{size}d}>")
    assert sum(map(len, search._kept)) <= MOST_KEPT
    assert len(search._grams) < 4 * MOST_KEPT
    assert search.find("tok-5Hq8ZxW2mNp4")


def test_a_text_made_to_be_searched_without_an_end_is_hidden() -> None:
    """What says more than can be read is not shown at all."""
    word = "A" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 40_000
    shown = knowing("tok-5Hq8ZxW2mNp4").text(word)
    assert shown == word or shown.startswith("[redacted unreadable ")
