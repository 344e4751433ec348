"""Nothing secret reaches disk or screen: known values are hidden however written, e-mail addresses too.

A secret becomes a **mark**, `[redacted client_token 3f9a2c51d07b]`. The hexadecimal part is a fingerprint
under a key that exists only while a run lasts: the same value has the same mark, and the mark does not
give it away. Where in a text a secret stands says `secret_search`; a word, a list of numbers or a body that
can only be read as a whole is hidden as a whole.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Literal
from urllib.parse import unquote_plus

from rampcheck.wire.readings import inflated
from rampcheck.wire.secret_search import RUN, Search, Secret, Span, is_email

SHORTEST_SECRET = 4  # characters; what is shorter stands in any text by chance
SHORTEST_LEARNED = RUN  # of what the target hands out: a shorter value may be an ordinary word, …
MOST_LEARNED = 32  # of one body: a thousand tokens in an answer are a flood
FEWEST_LEARNED = 5  # different characters: ten thousand times the same letter is no secret
LONGEST_LEARNED = 8192  # characters; no header or URL takes a longer one
SHORTEST_LEARNED_OF_URL = 64  # … and what stands in a URL may be an address or an id of the request

_NO_LETTER = re.compile(r"\W", re.ASCII)
_FINGERPRINT = 12  # hexadecimal digits; at 48 bits, no two of a run's values share a mark by chance
_MARK = re.compile(rf"\[redacted (\w+) [0-9a-f]{{{_FINGERPRINT}}}\]", re.ASCII)
_LOGIN = re.compile(r"(?<=://)[^/?#@\s]+(?=@)")
_URL = re.compile(r"(https?://[^/?#]*)(.*)", re.DOTALL | re.IGNORECASE)
# A query's values, a query that has none, the fragment, and path segments that are too long for a word.
_OPAQUE = re.compile(r"(?<==)[^&#]+|(?<=\?)[^=&#]+(?=[&#]|$)|(?<=#).+|(?<=/)[^/?#\[\]]{16,}", re.DOTALL)
_JSON_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)("?)|-?[0-9][0-9.eE+-]*|[{}\[\],]', re.DOTALL)
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_JSON_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_COLON = re.compile(r"\s*:")

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization"})
_SECRET_HEADERS = frozenset({"x-api-key", "x-request-signature", "cookie", "set-cookie"})
_COMPUTED_HEADERS = frozenset({"x-request-signature"})  # what is made of a secret, anew for each request
_SCHEMES = frozenset({"basic", "bearer", "digest", "token"})


def has_mark(text: str) -> bool:
    """Whether something in a text of a journal is hidden."""
    return _MARK.search(text) is not None


def marks(text: str) -> Iterator[tuple[str, str]]:
    """Gives the name of each mark in a text of a journal, and the mark."""
    return ((mark[1], mark[0]) for mark in _MARK.finditer(text))


def as_word(name: str, fingerprint: str) -> str:
    """Gives what may stand wherever a value was hidden: in a URL, too."""
    return f"{name}_{fingerprint}"


def as_letters(_: str, fingerprint: str) -> str:
    """Gives something of another kind, and much shorter: what is judged otherwise by it depends on what is hidden."""
    return fingerprint[:2]


def without_marks(text: str, stand_in: Callable[[str, str], str]) -> str:
    """Gives a text with what `stand_in` makes of a mark's name and fingerprint in place of each mark."""
    return _MARK.sub(lambda mark: stand_in(*mark[0][1:-1].split()[1:]), text)


class Redactor:
    """Hides every secret it was told of.

    `key` is the run's own, random, the same in all workers of the run, and kept nowhere. `openly` is what anybody may
    know: a credential that begins like it is hidden, but not what they share. Besides the usual ones, `secret_headers`
    carry secrets, and `computed_headers` what is made of one for each request.
    """

    def __init__(
        self,
        key: bytes,
        openly: Iterable[str] = (),
        secret_headers: Iterable[str] = (),
        computed_headers: Iterable[str] = (),
    ) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")  # to copy it takes a fraction of making it anew
        self._computed = _COMPUTED_HEADERS.union(map(str.lower, computed_headers))
        # Of a well-known scheme before the credentials, there is more to be shown than of any other.
        self._secret = _SECRET_HEADERS.union(map(str.lower, secret_headers), self._computed) - _CREDENTIAL_HEADERS
        self._names = {"email", "unreadable"}
        self._told: dict[str, str] = {}
        self._made_up: set[str] = set()
        self._search = Search(openly)
        self._learnable = MOST_LEARNED

    def knows(self, names: Iterable[str]) -> None:
        """Leaves marks of these names alone, which another run has made."""
        for name in names:
            self._names.update((name, _NO_LETTER.sub("_", name)))  # that of a mark has letters only

    def add(self, name: str, value: str, least: int = RUN) -> None:
        """Hides `value` from now on, under the first `name` it is given, and any `least` of its characters in a row.

        A value below `SHORTEST_SECRET` characters is no secret and stays visible; an e-mail address is hidden without
        being known.
        """
        if len(value) < SHORTEST_SECRET or value in self._told or is_email(value) or self._is_mark(value):
            return
        self._told[value] = name
        self._search.tell(Secret(name, value, least))

    def make_up(self, name: str, value: str) -> None:
        """Hides `value`, made up for a request, so that it is seen where it comes back; a part of it is no secret."""
        if not self._search.is_in(value):
            self._made_up.add(value)
        self.add(name, value, least=len(value))

    def compose(self, body: bytes, fields: Collection[str]) -> None:
        """Takes what stands in these members of a request's body for made up, unless it is a secret or an address."""
        for _, token in _scalars_below(body.decode("utf-8", "replace"), {spelled(field): field for field in fields}):
            if token[1] and not self._search.is_in(token[1]):
                self._made_up |= {token[1], _unescaped(token[1])}

    def is_open(self, text: str) -> bool:
        """Whether a part of a request may be written as it is: nothing in it is a secret that anybody was given."""
        return text in self._made_up or len(set(text)) < FEWEST_LEARNED or not self._search.is_in(text)

    def learn(self, name: str, value: str, least: int = 0) -> bool:
        """Hides `value`, of which there is another one in each exchange, until newer ones take its place.

        `least` of its characters give it away; 0: half of them. Gives whether it is hidden from now on: not what is too
        short, too long or too simple for a secret.
        """
        if (
            not SHORTEST_LEARNED <= len(value) <= LONGEST_LEARNED
            or len(set(value)) < FEWEST_LEARNED
            or self._is_known(value)
            or is_email(value)
        ):
            return False
        self._search.keep(Secret(name, value, max(RUN, least or (len(value) + 1) // 2)))
        return True

    def _is_known(self, value: str) -> bool:
        return value in self._told or self._search.is_known(value)

    def mark(self, name: str, value: str) -> str:
        """Gives what stands for `value`: equal values have equal fingerprints, whatever the `name`."""
        name = _NO_LETTER.sub("_", name)
        self._names.add(name)
        keyed = self._keyed.copy()
        keyed.update(value.encode("utf-8", "surrogatepass"))
        return f"[redacted {name} {keyed.hexdigest()[:_FINGERPRINT]}]"

    def text(self, text: str) -> str:
        """Gives `text` with a mark for every run of a known secret, however written, and for every e-mail address."""
        spans = self._search.find(text)
        if not spans:
            return text
        marks = [match.span() for match in _MARK.finditer(text) if match[1] in self._names]
        spans = [span for span in spans if not any(start <= span.start and span.end <= end for start, end in marks)]
        pieces: list[str] = []
        position = 0
        for span in _merged(spans):
            pieces += text[position : span.start], self.mark(*span.secret[:2])
            position = span.end
        return "".join(pieces) + text[position:]

    def data(self, value: Any) -> Any:
        """Gives JSON data with every text in it as `url` does, names of members as `text` does."""
        match value:
            case str():
                return self.url(value)
            case dict():
                return {self.text(str(name)): self.data(item) for name, item in value.items()}
            case list() | tuple():
                return [self.data(item) for item in value]
        return value

    def learn_computed(self, headers: Iterable[tuple[str, str]]) -> None:
        """Hides from now on what was computed from a secret for these headers of a request."""
        for name, value in headers:
            if name.lower() in self._computed:
                self.learn(name.lower(), value, RUN)

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Gives headers, the values of those that carry credentials as marks, all others as `text` does.

        A well-known scheme before the credentials (RFC 9110 section 11.4) stays.
        """
        pairs = list(headers)
        hidden = _CREDENTIAL_HEADERS | self._secret
        lines = "\n".join(f"{name}: {value}" for name, value in pairs if name.lower() not in hidden)
        # Most hold no secret, and looking through them all costs little more than through one.
        shown = self.text if self._search.is_in(lines) else str
        return [(shown(name), self._header(name.lower(), value, shown)) for name, value in pairs]

    def body(self, body: bytes, fields: Collection[str]) -> tuple[str, Literal["utf-8", "base64"]]:
        """Gives a body as (text, encoding): `utf-8`, or `base64` of the redacted bytes where it is not UTF-8.

        In JSON, whole or broken, the strings and numbers below a member that is named in `fields` become
        marks, at any depth; the first `MOST_LEARNED` strings are hidden from then on, wherever they stand. The
        member may be spelled `init_token` or `initToken`. Where its name ends in `url`, only the opaque parts of a
        URL become marks: a query's values, the fragment, long path segments. All else stays character for character.
        A body that is compressed without saying so is hidden as a whole where there is anything to hide in it.
        """
        for content in inflated(body):
            said = content.decode("utf-8", "ignore")
            if self._members(said, fields) != said or self._search.is_in(said):
                return self._hidden("body", said), "utf-8"
        try:
            return self._strings(self._members(body.decode("utf-8"), fields)), "utf-8"
        except UnicodeDecodeError:
            text = self._strings(self._members(body.decode("latin-1"), fields))
            return base64.b64encode(text.encode("latin-1")).decode("ascii"), "base64"

    def _strings(self, text: str) -> str:
        """Gives a text as `text` does, JSON's strings first: a mark that went over their ends would break it."""
        return self.text(_JSON_TOKEN.sub(self._string, text)) if self._search.is_in(text) else text

    def _string(self, token: re.Match[str]) -> str:
        if token[1] is None:
            return token[0]
        shown = self.text(token[1])
        try:
            json.loads(f'"{shown}"', strict=False)
        except ValueError:  # the rest of an escape stands beside a mark
            shown = self._hidden("text", token[1]) if shown != token[1] else shown
        return f'"{shown}{token[2]}'

    def url(self, url: str) -> str:
        """Gives a URL as `text` does, and a mark for the user name and password in it."""
        return self.text(_LOGIN.sub(lambda match: self._hidden("login", match[0]), url))

    def _header(self, name: str, value: str, shown: Callable[[str], str]) -> str:
        if name in self._secret:
            return self._hidden(name, value)
        if name not in _CREDENTIAL_HEADERS:
            return shown(value)
        scheme, space, credentials = value.partition(" ")
        if scheme.lower() in _SCHEMES:
            return scheme + space + self._hidden(name, credentials)
        return self._hidden(name, value)

    def _hidden(self, name: str, value: str) -> str:
        """Gives the mark of a whole value, by the name it is known under, if it is; nothing hides nothing."""
        if not value.strip() or self._is_mark(value):
            return value
        if value in self._told:
            name = self._told[value]
        elif inside := self._search.find(value):
            # A credential inside what should only be opaque must not go unseen.
            name = next((span.secret.name for span in inside if span.secret.value in self._told), inside[0].secret.name)
        return self.mark(name, value)

    def _is_mark(self, text: str) -> bool:
        match = _MARK.fullmatch(text)
        return match is not None and match[1] in self._names

    def _members(self, text: str, fields: Collection[str]) -> str:
        self._names.update(fields)
        self._learnable = MOST_LEARNED
        pieces: list[str] = []
        position = 0
        for name, token in _scalars_below(text, {spelled(field): field for field in fields}):
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
        # What this run made up is hidden here and is no secret: elsewhere it would hide what an answer shows.
        if len(value) >= shortest and self._learnable > 0 and value not in self._made_up:
            self._learnable -= self.learn(name, value)
        return hidden


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Gives spans that do not overlap, in order; those that did are one, named by the first and widest."""
    current: Span | None = None
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if current is not None and span.start < current.end:
            current = current._replace(end=max(current.end, span.end))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def spelled(name: str) -> str:
    """Gives the name of a member as it is compared: without the marks between its words, in lower case."""
    return name.replace("_", "").replace("-", "").lower()


def _scalars_below(text: str, names: dict[str, str]) -> Iterator[tuple[str, re.Match[str]]]:
    """Gives (name, token) of each string and number below a member that is one of `names`.

    The keys of `names` are as `spelled` gives them.
    """
    squeezed = spelled(text)
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
            name = name if depth else names.get(spelled(_unescaped(match[1])), "")
        elif name:
            yield name, match


def _unescaped(content: str) -> str:
    """Gives the value of a JSON string (RFC 8259 section 7) from what stands between its quotes."""
    return _JSON_ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else _JSON_CONTROL.get(match[2], match[2]), content
    )
