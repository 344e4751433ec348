"""Nothing secret reaches disk or screen: known values are hidden however encoded, e-mail addresses too.

A secret becomes a **mark**, `[redacted client_token 3f9a2c51d07b]`. The hexadecimal part is a fingerprint
under a key that exists only while a run lasts: the same value has the same mark, and the mark does not
give it away.

Text is searched as it is and in up to three **views** of it, each with one more layer of escapes (JSON,
percent, HTML) undone; a view knows where in the text each of its characters came from. In each view every
known value is looked for as it is, in hexadecimal and in base64 at all three alignments; letter case and
the alphabet of base64 make no difference.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import html
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote_plus

SHORTEST_SECRET = 4  # characters; what is shorter stands in any text by chance
SHORTEST_LEARNED = 8  # of what the target hands out: a shorter value may be an ordinary word, …
MOST_LEARNED = 32  # of one body: a thousand tokens in an answer are a flood, and each is looked for ever after
FEWEST_LEARNED = 5  # different characters: ten thousand times the same letter is no secret
LONGEST_REPETITIVE = 512  # characters; what is longer and repeats itself is met at every place of its own kind
LONGEST_LEARNED = 8192  # characters; no header or URL takes a longer one
SHORTEST_LEARNED_OF_URL = 64  # … and what stands in a URL may be an address or an id of the request

_FINGERPRINT = 12  # hexadecimal digits; at 48 bits, no two of a run's values share a mark by chance
_GRAM = 5  # the index is by pieces of five characters, …
_STRIDE = 4  # … and every fourth place of a text is looked up in it, …
_WINDOW = _GRAM + _STRIDE - 1  # … so that one of the pieces in any eight characters is met
_CROWDED = 8  # needles under one piece, above which another stretch of the needle is tried
_MOST_CROWDED = 64  # … and above which it is not looked for: only who wants a search without an end makes such values
_SHORTEST_PREFIX = 12  # characters that tell a value which is cut short
_LAYERS = 3

# Letter case is one, so are the alphabets of base64 (RFC 4648 sections 4 and 5) and the spaces of a form.
_FOLDING = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ- _", "abcdefghijklmnopqrstuvwxyz++/")
_BACKSLASH = r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\."
_BACKSLASH_ESCAPE = re.compile(_BACKSLASH, re.DOTALL)
_ESCAPE = re.compile(
    _BACKSLASH + r"|%[0-9A-Fa-f]{2}|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31});|\x00+",
    re.DOTALL,
)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Base64 of this length hardly ever lacks an upper-case letter; names and hexadecimal do.
_BASE64_WORD = re.compile(r"(?<![A-Za-z0-9+/_-])(?=[a-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{16,}={0,2}")
_EMAIL = re.compile(r"(?<![\w.!#$*+^~-])[\w.!#$*+^~-]++@[\w-]++(?:\.[\w-]++)++")
_MARK = re.compile(rf"\[redacted (\w+) [0-9a-f]{{{_FINGERPRINT}}}\]", re.ASCII)
_LOGIN = re.compile(r"(?<=://)[^/?#@\s]+(?=@)")
_URL = re.compile(r"(https?://[^/?#]*)(.*)", re.DOTALL | re.IGNORECASE)
# A query's values, a query that has none, the fragment, and path segments that are too long for a word.
_OPAQUE = re.compile(r"(?<==)[^&#]+|(?<=\?)[^=&#]+(?=[&#]|$)|(?<=#).+|(?<=/)[^/?#\[\]]{16,}", re.DOTALL)
_JSON_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)("?)|-?[0-9][0-9.eE+-]*|[{}\[\],]', re.DOTALL)
_COLON = re.compile(r"\s*:")

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization"})
_SECRET_HEADERS = frozenset({"x-api-key", "x-request-signature", "cookie", "set-cookie"})
_SCHEMES = frozenset({"basic", "bearer", "digest", "token"})


class _Secret(NamedTuple):
    name: str
    value: str


class _Needle(NamedTuple):
    """One folded form of a secret, of which at least `minimum` characters must be found."""

    folded: str
    minimum: int
    secret: _Secret


class _Span(NamedTuple):
    start: int
    end: int
    secret: _Secret


class Redactor:
    """Hides every secret it was told of.

    `key` is the run's own, random, the same in all workers of the run, and kept nowhere.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._names = {"email"}
        self._known: dict[str, str] = {}
        self._learnable = MOST_LEARNED
        self._short: list[_Needle] = []
        self._index: dict[str, list[tuple[_Needle, int]]] = {}

    def add(self, name: str, value: str) -> None:
        """Hides `value` from now on, under the first `name` it is given.

        A value below `SHORTEST_SECRET` characters is no secret and stays visible.
        """
        if len(value) < SHORTEST_SECRET or value in self._known or self._is_mark(value):
            return
        self._known[value] = name
        for needle in _needles(_Secret(name, value)):
            if len(needle.folded) < _WINDOW:
                self._short.append(needle)
            else:
                self._enter(needle)

    def mark(self, name: str, value: str) -> str:
        """Gives what stands for `value`: equal values have equal fingerprints, whatever the `name`."""
        name = re.sub(r"\W", "_", name, flags=re.ASCII)
        self._names.add(name)
        digest = hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), "sha256")
        return f"[redacted {name} {digest.hex()[:_FINGERPRINT]}]"

    def text(self, text: str) -> str:
        """Gives `text` with a mark for every known secret, however encoded, and for every e-mail address.

        The beginning of a secret is hidden too where it stands alone: at least half of it and twelve
        characters.
        """
        spans = self._find(text, _LAYERS)
        if not spans:
            return text
        marks = [match.span() for match in _MARK.finditer(text) if match[1] in self._names]
        spans = [
            span for span in spans if not any(span.start < end and start < span.end for start, end in marks)
        ]
        pieces: list[str] = []
        position = 0
        for span in _merged(spans):
            pieces += text[position : span.start], self.mark(*span.secret)
            position = span.end
        return "".join(pieces) + text[position:]

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Gives headers, the values of those that carry credentials as marks, all others as `text` does.

        A well-known scheme before the credentials (RFC 9110 section 11.4) stays.
        """
        return [(self.text(name), self._header(name.lower(), value)) for name, value in headers]

    def body(self, body: bytes, fields: Collection[str]) -> tuple[str, str]:
        """Gives a body as (text, encoding): `utf-8`, or `base64` of the redacted bytes where it is not UTF-8.

        In JSON, whole or broken, the strings and numbers below a member that is named in `fields` become
        marks, at any depth; the first `MOST_LEARNED` strings are hidden from then on, wherever they stand. The
        member may be spelled `init_token` or `initToken`. Where its name ends in `url`, only the opaque parts of a
        URL become marks: a query's values, the fragment, long path segments. All else stays character for character.
        """
        try:
            return self.text(self._members(body.decode("utf-8"), fields)), "utf-8"
        except UnicodeDecodeError:
            text = self.text(self._members(body.decode("latin-1"), fields))
            return base64.b64encode(text.encode("latin-1")).decode("ascii"), "base64"

    def url(self, url: str) -> str:
        """Gives a URL as `text` does, and a mark for the user name and password in it."""
        return self.text(_LOGIN.sub(lambda match: self._hidden("login", match[0]), url))

    def _enter(self, needle: _Needle) -> None:
        """Indexes a needle by a stretch of it that few others share: tokens often begin alike."""
        last = len(needle.folded) - _WINDOW
        crowds = {
            start: max(len(self._index.get(gram, ())) for _, gram in _grams(needle.folded, start))
            for start in (0, last, last // 2, last // 4, last * 3 // 4)
        }
        chosen = next((start for start, crowd in crowds.items() if crowd < _CROWDED), None)
        if chosen is None:
            chosen = min(crowds, key=crowds.__getitem__)
        if crowds[chosen] >= _MOST_CROWDED:
            return
        for offset, gram in _grams(needle.folded, chosen):
            self._index.setdefault(gram, []).append((needle, offset))

    def _find(self, text: str, layers: int) -> list[_Span]:
        """Gives where `text`, decoded up to `layers` times, holds a secret or an e-mail address."""
        spans: list[_Span] = []
        words: set[str] = set()
        view, origin = text, None
        for view, origin in _views(text, layers):
            spans += _mapped(self._known_in(view), origin)
            if layers > 1:
                spans += _mapped(self._wrapped_in(view, layers - 1, words), origin)
        if "@" in view:
            # Only where all is decoded: the address in `\nuser@example.com` does not begin with the n.
            emails = (_Span(*match.span(), _Secret("email", match[0])) for match in _EMAIL.finditer(view))
            spans += _mapped(emails, origin)
        return spans

    def _known_in(self, view: str) -> Iterator[_Span]:
        """Gives where `view` holds a known value, at a cost that does not grow with the number of values."""
        folded, index = view.translate(_FOLDING), self._index
        places = range(0, len(folded) - _GRAM + 1, _STRIDE)
        met = [place for place in places if folded[place : place + _GRAM] in index]
        for place in met:
            for needle, offset in index[folded[place : place + _GRAM]]:
                end = _match_end(needle, view, folded, place - offset)
                if end:
                    yield _Span(place - offset, end, needle.secret)
        for needle in self._short:
            for match in re.finditer(re.escape(needle.folded), folded):
                yield _Span(*match.span(), needle.secret)

    def _wrapped_in(self, view: str, layers: int, seen: set[str]) -> Iterator[_Span]:
        """Gives the base64 words of `view`, but those `seen`, that hold a secret in yet another encoding."""
        for match in _BASE64_WORD.finditer(view):
            word = match[0]
            if word in seen:
                continue
            found = [span for content in _contents(word) for span in self._find(content, layers)]
            if found:
                yield _Span(*match.span(), found[0].secret)
            else:
                seen.add(word)

    def _header(self, name: str, value: str) -> str:
        if name in _SECRET_HEADERS:
            return self._hidden(name, value)
        if name not in _CREDENTIAL_HEADERS:
            return self.text(value)
        scheme, space, credentials = value.partition(" ")
        if scheme.lower() in _SCHEMES:
            return scheme + space + self._hidden(name, credentials)
        return self._hidden(name, value)

    def _hidden(self, name: str, value: str) -> str:
        """Gives the mark of a whole value, by the name it is known under, if it is; nothing hides nothing."""
        if not value.strip() or self._is_mark(value):
            return value
        if value not in self._known and (inside := self._find(value, _LAYERS)):
            name = inside[0].secret.name  # a credential inside what should only be opaque must not go unseen
        return self.mark("email" if _EMAIL.fullmatch(value) else self._known.get(value, name), value)

    def _is_mark(self, text: str) -> bool:
        match = _MARK.fullmatch(text)
        return match is not None and match[1] in self._names

    def _members(self, text: str, fields: Collection[str]) -> str:
        self._names.update(fields)
        self._learnable = MOST_LEARNED
        pieces: list[str] = []
        position = 0
        for name, token in _scalars_below(text, {_spelled(field): field for field in fields}):
            number = token[1] is None
            value = token[0] if number else _unescaped(token[1])
            hidden = self._hidden(name, value) if number else self._member(name, value)
            if hidden != value:
                quoted = json.dumps(hidden)
                pieces += text[position : token.start()], quoted[:-1] if token[2] == "" else quoted
                position = token.end()
        return "".join(pieces) + text[position:]

    def _member(self, name: str, value: str) -> str:
        url = _URL.fullmatch(value) if name.lower().endswith("url") else None
        if url is None:
            return self._learned(name, value, SHORTEST_LEARNED)
        return url[1] + _OPAQUE.sub(lambda part: self._opaque(name, part[0]), url[2])

    def _opaque(self, name: str, part: str) -> str:
        if self._is_mark(part):
            return part
        return self._learned(name, unquote_plus(part), SHORTEST_LEARNED_OF_URL)

    def _learned(self, name: str, value: str, shortest: int) -> str:
        hidden = self._hidden(name, value)  # before the value is known itself: a credential in it gives the name
        is_new = value not in self._known and self._learnable > 0
        if is_new and shortest <= len(value) <= LONGEST_LEARNED and not _is_repetitive(value):
            self._learnable -= 1
            self.add("email" if _EMAIL.fullmatch(value) else name, value)
        return hidden


def _needles(secret: _Secret) -> Iterator[_Needle]:
    """Gives the forms of a secret that no unescaping undoes: itself, hexadecimal and base64 (RFC 4648)."""
    length = len(secret.value)
    # The beginning of an e-mail address may be a user's id, which is no secret.
    prefix = length if secret.name == "email" else max(_SHORTEST_PREFIX, (length + 1) // 2)
    yield _Needle(secret.value.translate(_FOLDING), min(prefix, length), secret)
    raw = secret.value.encode("utf-8", "surrogatepass")
    forms = [raw.hex()]
    for shift, first in enumerate((0, 2, 3)):
        encoded = base64.b64encode(bytes(shift) + raw).decode("ascii")
        forms.append(encoded[first : (shift + len(raw)) * 8 // 6])  # both ends depend on the neighbours
    if not secret.value.isascii():
        forms.append(raw.decode("latin-1"))  # percent escapes name the bytes of UTF-8
    for form in forms:
        if len(form) >= _WINDOW:
            shortest = min(len(form), max(_SHORTEST_PREFIX * 4 // 3, (len(form) + 1) // 2))
            yield _Needle(form.translate(_FOLDING), shortest, secret)


def _is_repetitive(value: str) -> bool:
    if len(set(value)) < FEWEST_LEARNED:
        return True
    raw = value.encode("utf-8", "surrogatepass")
    return len(value) > LONGEST_REPETITIVE and len(zlib.compress(raw)) < len(raw) // 4


def _grams(folded: str, start: int) -> Iterator[tuple[int, str]]:
    """Gives (offset, piece) of the pieces of which one is met wherever the window from `start` stands."""
    for offset in range(start, start + _STRIDE):
        yield offset, folded[offset : offset + _GRAM]


def _match_end(needle: _Needle, view: str, folded: str, start: int) -> int:
    """Gives the end of the needle that begins at `start`, or 0; one that is cut short must stand alone."""
    if start < 0:
        return 0
    if folded.startswith(needle.folded, start):
        return start + len(needle.folded)
    if not folded.startswith(needle.folded[: needle.minimum], start):
        return 0
    end = start + _common(needle, folded, start)
    return 0 if end < len(view) and (view[end].isalnum() or view[end] in "-_") else end


def _common(needle: _Needle, folded: str, start: int) -> int:
    """Gives how much of the needle, at least its minimum, stands at `start`."""
    least, most = needle.minimum, len(needle.folded)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if folded.startswith(needle.folded[:middle], start) else (least, middle - 1)
    return least


def _views(text: str, layers: int) -> Iterator[tuple[str, list[int] | None]]:
    """Gives `text` and its decoded views, each with its characters' places in `text` (None: the same)."""
    view, origin = text, None
    yield view, origin
    for _ in range(layers):
        if not ("\\" in view or "%" in view or "&" in view or "\x00" in view):
            return
        view, origin = _decoded(view, list(range(len(view) + 1)) if origin is None else origin)
        yield view, origin


def _decoded(view: str, origin: list[int]) -> tuple[str, list[int]]:
    """Undoes one layer of escapes; gives the text and where each character, and the end, came from."""
    pieces: list[str] = []
    moved: list[int] = []
    position = 0
    for match in _ESCAPE.finditer(view):
        start, end = match.span()
        character = _character(match[0])
        pieces += view[position:start], character
        moved += origin[position:start]
        moved += [origin[start]] * len(character)
        position = end
    return "".join(pieces) + view[position:], moved + origin[position:]


def _character(escape: str) -> str:
    """Gives what one escape stands for (RFC 8259 section 7, RFC 3986 section 2.1, HTML references)."""
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[0] == "%":
        return chr(int(escape[1:], 16))
    if escape[0] == "\x00":
        return ""  # every other byte of ASCII in UTF-16
    return chr(int(escape[2:], 16)) if len(escape) > 2 else _CONTROL.get(escape[1], escape[1])


def _mapped(spans: Iterable[_Span], origin: list[int] | None) -> Iterator[_Span]:
    if origin is None:
        return iter(spans)
    return (_Span(origin[span.start], origin[span.end], span.secret) for span in spans)


def _merged(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Gives spans that do not overlap, in order; those that did are one, named by the first and widest."""
    current: _Span | None = None
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if current is not None and span.start < current.end:
            current = current._replace(end=max(current.end, span.end))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def _contents(word: str) -> Iterator[str]:
    """Gives what a word says in base64 where that is ASCII, read from each of its first four characters."""
    word = word.rstrip("=").replace("-", "+").replace("_", "/")
    for skip in range(4):
        length = len(word) - skip
        whole = word[skip : skip + length - (length % 4 == 1)]
        content = binascii.a2b_base64(whole + "=" * (-len(whole) % 4))
        if content.isascii():
            yield content.decode("ascii")


def _spelled(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _scalars_below(text: str, names: dict[str, str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Gives (name, token) of each string and number below a member that is one of `names`.

    The keys of `names` are as `_spelled` gives them.
    """
    squeezed = _spelled(text)
    if "\\" not in text and not any(name in squeezed for name in names):
        return
    name, depth = "", 0  # the member whose value is being read, and how deep inside that value
    for match in _JSON_TOKEN.finditer(text):
        first = match[0][0]
        if first in "{[":
            depth += bool(name)
        elif first in "}]":
            depth = max(depth - 1, 0)
            name = name if depth else ""
        elif first == ",":
            name = name if depth else ""
        elif first == '"' and _COLON.match(text, match.end()):
            name = name if depth else names.get(_spelled(_unescaped(match[1])), "")
        elif name:
            yield name, match


def _unescaped(content: str) -> str:
    """Gives the value of a JSON string from what stands between its quotes."""
    return _BACKSLASH_ESCAPE.sub(lambda match: _character(match[0]), content) if "\\" in content else content
