"""Readings of a text: whatever its reader could undo.

A text is **read** in every way: escapes of percent, HTML, backslash and quoted-printable; words in hexadecimal, octal,
binary, base32 and base64, at every alignment; lists of numbers; compressed bytes. What comes out is read again, `DEPTH`
times in all. Each reading knows which part of the text each part of it came from.
"""

from __future__ import annotations

import base64
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from html import unescape
from itertools import compress

DEPTH = 4  # encodings inside each other
MOST_INFLATED = 256 * 1024  # bytes; a body is no larger
MOST_READ = 64  # characters read for each character of a text, before it is taken for an attack, …
LEAST_READ = 1 << 20  # … and of any text at least
SHORTEST_FORM = 8  # characters; of an encoded form, what is shorter stands in any text by chance

_LONGEST_REMEMBERED = 2048  # characters of a word that is not read again when it comes again
_PIECE = 1024  # bytes inflated at once: what comes before the first wrong one counts

_ESCAPE = re.compile(
    r"\\(?:u\{[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)"
    r"|%(?:u[0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});?",
    re.DOTALL,
)
_QUOTED_PRINTABLE = re.compile(r"=(?:[0-9A-Fa-f]{2}|[ \t]*\r?\n)")  # RFC 2045 section 6.7
_UTF8 = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NUMBER = re.compile(r"(?:0[bBoOxX]|[xu])?([0-9A-Fa-f]{1,8})")
# At least eight, with the same punctuation between them all, or white space.
_DIGITS = r"[0-9A-FOUXa-foux]{1,10}+"
_NUMBERS = re.compile(
    rf"\b{_DIGITS}(?:\s*+([^\w\s]{{1,3}})\s*+{_DIGITS}(?:\s*+\1\s*+{_DIGITS}){{6,}}|(?:\s++{_DIGITS}){{7,}})"
)
# Base64's alphabets hold the others' too.
_WORD = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_TEXTS = re.compile(rb"[\t\n\r -~]{8,}")
_BREAK = "!"  # between what does not belong together: of no alphabet, and no white space


# Folding: what of each character makes a difference.


class Table(dict[int, str | None]):
    """A table for `str.translate` that is filled in as characters are met, and stays small."""

    def __init__(self, kept: Callable[[str], str]) -> None:
        super().__init__()
        self._kept = kept
        self._counts: Table | None = None

    def __missing__(self, code: int) -> str | None:
        if len(self) > 1 << 12:
            self.clear()
        self[code] = kept = self._kept(chr(code)) or None  # Python is ten times as fast with None as with ""
        return kept

    def counted(self, text: str) -> bytes:
        """Gives for each character of a text how many come of it."""
        if self._counts is None:
            self._counts = Table(lambda char: chr(len(self._kept(char))))
        return text.translate(self._counts).encode("latin-1")


def _of(kinds: str, text: str) -> str:
    """Gives the characters of a text that are of these kinds, by the first letter of Unicode's general category."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char)[0] in kinds)


# The alphabets of base64 (RFC 4648 sections 4 and 5) and the spaces of a form are one.
_SAME = str.maketrans("-_", "+/")
FOLDED = Table(lambda char: "+" if char == " " else _of("LNPS", char).casefold().translate(_SAME))
SQUEEZED = Table(lambda char: _of("LN", char).casefold())
_JOINED = Table(lambda char: _of("LNPSZ", char) if char not in "\u2028\u2029" else "")  # lines in one


def folded(text: str) -> tuple[str, str]:
    """Gives what of a text makes a difference, with punctuation and without."""
    return text.translate(FOLDED), text.translate(SQUEEZED)


# Readings of a text.


class Reading:
    """What a part of a text, or the whole of it, says in one way of reading it.

    `places` gives for each of its characters where in `parent` it begins and ends; `part` where all of them do, because
    they can only be read together. Only what is `plain` was written for people: an e-mail address may stand there by
    chance anywhere else.
    """

    def __init__(
        self,
        text: str,
        parent: Reading | None = None,
        part: tuple[int, int] | None = None,
        places: Callable[[], tuple[Sequence[int], Sequence[int]]] = lambda: ((), ()),
        *,
        plain: bool = True,
    ) -> None:
        self.text = text
        self.plain = plain
        self._parent = parent
        self._part = part
        self._find_places = places

    @cached_property
    def _places(self) -> tuple[Sequence[int], Sequence[int]]:
        return self._find_places()

    def located(self, start: int, end: int) -> tuple[int, int]:
        """Gives where in the text that was read the characters from `start` to `end` come from."""
        if self._parent is None:
            return start, end
        if self._part:
            return self._parent.located(*self._part)
        starts, ends = self._places
        return self._parent.located(starts[start], ends[end - 1])

    def _said(self, text: str, places: Callable[[], tuple[Sequence[int], Sequence[int]]]) -> Reading:
        if self._part:
            return Reading(text, self._parent, self._part, plain=self.plain)
        return Reading(text, self, places=places, plain=self.plain)

    def translated(self, table: Table) -> Reading:
        """Gives the reading with every character as the table has it."""

        def places() -> tuple[Sequence[int], Sequence[int]]:
            length, kept = len(self.text), table.counted(self.text)
            if max(kept, default=0) > 1:
                starts = [place for place, count in enumerate(kept) for _ in range(count)]
                return starts, [start + 1 for start in starts]
            return [*compress(range(length), kept)], [*compress(range(1, length + 1), kept)]

        return self._said(self.text.translate(table), places)

    def replaced(self, pattern: re.Pattern[str], meaning: Callable[[str], str]) -> Reading:
        """Gives the reading with every match of a pattern replaced by what it means."""

        def places() -> tuple[Sequence[int], Sequence[int]]:
            starts: list[int] = []
            ends: list[int] = []
            position = 0
            for match in pattern.finditer(self.text):
                start, end = match.span()
                width = len(meaning(match[0]))
                starts += [*range(position, start), *[start] * width]
                ends += [*range(position + 1, start + 1), *[end] * width]
                position = end
            length = len(self.text)
            return [*starts, *range(position, length)], [*ends, *range(position + 1, length + 1)]

        return self._said(pattern.sub(lambda match: meaning(match[0]), self.text), places)

    def inside(self, start: int, end: int, content: str, *, plain: bool = False) -> Reading:
        """Gives what the characters from `start` to `end` say together."""
        if self._part:
            return Reading(content, self._parent, self._part, plain=plain)
        return Reading(content, self, (start, end), plain=plain)


def readings(text: str) -> Iterator[Reading]:
    """Gives a text and whatever can be read in it, in up to `DEPTH` steps.

    Raises `OverflowError` for a text that says so many things that it was made to be searched without an end.
    """
    room = max(LEAST_READ, MOST_READ * len(text))
    waiting = [Reading(text)]
    for depth in range(DEPTH + 1):
        found: list[Reading] = []
        for reading in waiting:
            room -= len(reading.text)
            if room < 0:
                raise OverflowError
            if depth < DEPTH:
                found += _children(reading)
            yield reading
        waiting = found


def inflated(body: bytes) -> Iterator[bytes]:
    """Gives what bytes say that are compressed (RFC 1950, 1951, 1952), at most `MOST_INFLATED` of each."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # the former tells zlib and gzip apart
        is_none = not _begins_deflated(body) if window < 0 else body[:2] != b"\x1f\x8b" and not has_zlib_header(body)
        if is_none:
            continue
        engine, content = zlib.decompressobj(window), bytearray()
        try:
            for start in range(0, len(body), _PIECE):
                content += engine.decompress(body[start : start + _PIECE], MOST_INFLATED - len(content))
                if engine.eof or len(content) >= MOST_INFLATED:
                    break
        except zlib.error:
            pass
        if content:
            yield bytes(content)


def has_zlib_header(body: bytes) -> bool:
    """Whether bytes begin as RFC 1950 section 2.2 has it."""
    return len(body) > 1 and body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0


def _begins_deflated(body: bytes) -> bool:
    """Whether the first block of RFC 1951 may say anything: half of all bytes have a type that is none, or lengths.

    A block that is stored has its length and the complement of it (section 3.2.4).
    """
    kind = body[0] >> 1 & 3 if body else 3
    if kind:
        return kind < 3
    return len(body) > 4 and int.from_bytes(body[1:3], "little") ^ int.from_bytes(body[3:5], "little") == 0xFFFF


def _children(reading: Reading) -> Iterator[Reading]:
    text = reading.text
    if "\\" in text or "%" in text or "&" in text:
        unescaped = _of_bytes(reading.replaced(_ESCAPE, _escaped))
        if unescaped.text != text:
            # The address in `\nuser@example.com` does not begin with the n.
            unescaped.plain, reading.plain = reading.plain, False
            yield unescaped
    if "=" in text and _QUOTED_PRINTABLE.search(text):
        yield _of_bytes(reading.replaced(_QUOTED_PRINTABLE, _quoted))
    for match in _NUMBERS.finditer(text):
        for content in _listed(match[0]):
            yield _of_bytes(reading.inside(*match.span(), content, plain=True))
    if words := list(_WORD.finditer(text.translate(_JOINED))):
        joined = reading.translated(_JOINED)
        for match in words:
            read = _read if len(match[0]) <= _LONGEST_REMEMBERED else _read.__wrapped__
            for start, end, said, plain in read(match[0]):
                yield joined.inside(match.start() + start, match.start() + end, said, plain=plain)


def _of_bytes(reading: Reading) -> Reading:
    """Gives a reading with the letters that were written byte by byte (RFC 3629)."""
    if reading.text.isascii():
        return reading
    return reading.replaced(_UTF8, lambda text: text.encode("latin-1").decode("utf-8", "replace"))


def _escaped(escape: str) -> str:
    """Gives what one escape stands for (RFC 8259 section 7, RFC 3986 section 2.1, ECMAScript, C, HTML references)."""
    kind, rest = escape[0], escape[1:]
    if kind == "&":
        return unescape(escape if escape[-1] == ";" or escape[1] != "#" else f"{escape};")
    if kind == "%":
        return chr(int(rest.lstrip("u"), 16))
    if rest.isdecimal() and rest.isascii() and rest not in "89":
        return chr(int(rest, 8))
    if len(rest) == 1:
        return _CONTROL.get(rest, rest)
    code = int(rest[1:].strip("{}"), 16)
    return chr(code) if code <= 0x10FFFF else ""


def _quoted(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 3 and not escape.isspace() and escape[1:].isalnum() else ""


def _listed(numbers: str) -> Iterator[str]:
    """Gives what a list of characters' numbers says, whatever their base is."""
    digits = [match[1] for match in _NUMBER.finditer(numbers)]
    for radix in (2, 8, 10, 16):
        try:
            yield "".join(chr(int(number, radix)) for number in digits)
        except (ValueError, OverflowError):
            continue


@lru_cache(1024)
def _read(word: str) -> Sequence[tuple[int, int, str, bool]]:
    """Gives from where to where a word says what, from each of its first characters, and whether that is only text."""
    found = []
    is_plain = _HEXADECIMAL.fullmatch(word) or word.count(word[0]) == len(word)
    for words, decode in _ENCODINGS[:_OF_DIGITS] if is_plain else _ENCODINGS:
        for match in words.finditer(word):
            contents = [*decode(match[0])]
            said = [text for text in map(_as_text, [*contents, *inflated(contents[0])]) if len(text) >= SHORTEST_FORM]
            found += [
                (*match.span(), text, text.isascii() and text.isprintable() and _BREAK not in text) for text in said
            ]
    return found


# Wide forms of ASCII in UTF-16, of either order of bytes: U+FF01 to U+FF5E (Unicode, "Halfwidth and Fullwidth Forms").
_WIDE = re.compile(rb"(?:[\x01-\x5e]\xff){4,}|(?:\xff[\x01-\x5e]){4,}")


def _as_text(content: bytes) -> str:
    """Gives what bytes say: as UTF-8, or else the longer texts of ASCII in them; for most bytes that is nothing."""
    content = content.replace(b"\0", b"")  # every other byte of ASCII in UTF-16
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if b"\xff" in content:
            content = _WIDE.sub(lambda run: bytes(byte + 32 for byte in run[0] if byte != 0xFF), content)
        return _BREAK.join(text.decode("ascii") for text in _TEXTS.findall(content))


def _of_digits(radix: int, width: int) -> Callable[[str], Iterator[bytes]]:
    def decode(word: str) -> Iterator[bytes]:
        for skip in range(width):
            codes = (int(word[start : start + width], radix) for start in range(skip, len(word) - width + 1, width))
            yield bytes(code & 255 for code in codes)

    return decode


def _of_hexadecimal(word: str) -> Iterator[bytes]:
    for skip in range(2):
        yield bytes.fromhex(word[skip : skip + (len(word) - skip) // 2 * 2])


_BASE32 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")


def _of_base32(word: str) -> Iterator[bytes]:
    number = int(word.upper().translate(_BASE32), 32)
    for skip in range(8):
        bits = (len(word) - skip) * 5
        yield ((number & ((1 << bits) - 1)) >> bits % 8).to_bytes(bits // 8, "big")


def _of_base64(word: str) -> Iterator[bytes]:
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    for skip in range(4):
        whole = word[skip : len(word) - ((len(word) - skip) % 4 == 1)]
        yield base64.b64decode(whole + "=" * (-len(whole) % 4))


# What words are written in, and what they say (RFC 4648), from each first character that may begin it on.
_ENCODINGS: Sequence[tuple[re.Pattern[str], Callable[[str], Iterator[bytes]]]] = (
    (re.compile(r"[0-9A-Fa-f]{16,}"), _of_hexadecimal),
    (re.compile(r"[0-7]{24,}"), _of_digits(8, 3)),
    (re.compile(r"[01]{64,}"), _of_digits(2, 8)),
    (re.compile(r"[A-Za-z2-7]{18,}"), _of_base32),
    (_WORD, _of_base64),
)
_OF_DIGITS = 3  # of them are read in an identifier, in hexadecimal, and in one letter again and again: no base64
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]+")
