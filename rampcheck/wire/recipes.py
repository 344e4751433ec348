"""How what is hidden in a request is made again from the credentials: data that holds no secret.

A recipe is a text that is no secret, or an object that names what is done with others: `{"credential": NAME}`,
`{"body": true}` (the request's own), `{"join": [...]}`, `{"slice": RECIPE, "from": N, "to": N}` (as Python slices),
`{"swapcase": RECIPE}`, `{"base64": RECIPE}`, `{"base64url": RECIPE}`, `{"hash": ALGORITHM, "over": RECIPE}` and
`{"hmac": ALGORITHM, "key": RECIPE, "over": RECIPE}` in lower-case hexadecimal, `{"upper": RECIPE}`, and of hexadecimal
digits the bytes, `{"bytes": RECIPE}`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from binascii import Error as BadBase64
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rampcheck.wire.redaction import Redactor

Recipe = str | dict[str, Any]

MARK = re.compile(r"\[redacted \w+ [0-9a-f]+\]", re.ASCII)
SHORTEST_PART = 8  # characters in a row that are taken for a part of something known, not for chance
LONGEST_VALUE = 2_000  # characters of a hidden value that is looked into
MOST_MARKS = 20  # in one request
LONGEST_SIGNED = 20_000  # characters of a text, other than the body, that a digest was made over
MOST_REMEMBERED = 32


@dataclass(frozen=True)
class Digest:
    """What was computed: an HMAC where there is a `key`, else a hash of `over`."""

    algorithm: str
    over: bytes
    key: bytes | None = None

    def hexadecimal(self) -> str:
        """Computes it."""
        if self.key is None:
            return hashlib.new(self.algorithm, self.over).hexdigest()
        return hmac.digest(self.key, self.over, self.algorithm).hex()


# The newest digests of this process, in memory only: the value alone does not tell how it was made.
_computed: OrderedDict[str, Digest] = OrderedDict()


def computed(digest: Digest) -> str:
    """Gives a digest in lower-case hexadecimal, and remembers how it was made, for the recipe of what holds it."""
    value = digest.hexadecimal()
    _computed[value] = digest
    _computed.move_to_end(value)
    while len(_computed) > MOST_REMEMBERED:
        _computed.popitem(last=False)
    return value


class Recipes:
    """Finds recipes of hidden values, by the `credentials` and by what was computed lately.

    `redactor` says whether what stays of a value is a secret; of those in `secrets` nothing is told, short as they are.
    """

    def __init__(self, credentials: Mapping[str, str], redactor: Redactor, secrets: Collection[str] = ()) -> None:
        self._secrets = frozenset(secrets)
        self._credentials: dict[str, Recipe] = {}
        for name, value in credentials.items():
            self._credentials.setdefault(value, {"credential": name})
        swapped: dict[str, Recipe] = {
            value.swapcase(): {"swapcase": recipe} for value, recipe in self._credentials.items()
        }
        self._spelled = swapped | self._credentials
        self._redactor = redactor

    def of_request(self, texts: Sequence[tuple[str, str]], body: bytes) -> list[Recipe | None]:
        """Gives the recipe of each mark in a request, in their order, None where there is none that could be told.

        `texts` are pairs of a text as it was sent and as it is written; `body` is what was sent.
        """
        return [
            None if piece is None else self._of(piece, body) for text, shown in texts for piece in _pieces(text, shown)
        ]

    def _of(self, value: str, body: bytes) -> Recipe | None:
        if known := self._credentials.get(value):
            return known
        if value in self._secrets:
            return None
        if digest := _computed.get(value):
            return self._digest(digest, body)
        if len(value) > LONGEST_VALUE:
            return None
        return self._wrapped(value) or self._joined(value, self._digests(value, body))

    def _digests(self, value: str, body: bytes) -> dict[str, Recipe]:
        """Gives what was computed lately and may stand in `value`, in the ways in which it may be written."""
        heads = _heads(value)
        found: dict[str, Recipe] = {}
        for hexadecimal, digest in _computed.items():
            written = {spelling: wrap for spelling, wrap in _spellings(hexadecimal).items() if heads & _heads(spelling)}
            recipe = self._digest(digest, body) if written else None
            if recipe is not None:
                found |= {spelling: wrap(recipe) for spelling, wrap in written.items()}
        return found

    def _digest(self, digest: Digest, body: bytes) -> Recipe | None:
        over = self._bytes(digest.over, body)
        if digest.key is None or over is None:
            return None if over is None else {"hash": digest.algorithm, "over": over}
        key = self._bytes(digest.key, body)
        return None if key is None else {"hmac": digest.algorithm, "key": key, "over": over}

    def _bytes(self, value: bytes, body: bytes) -> Recipe | None:
        if body and value == body:
            return {"body": True}
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return None
        return self._credentials.get(text) or (self._joined(text) if len(text) <= LONGEST_SIGNED else None)

    def _wrapped(self, value: str) -> Recipe | None:
        """Gives the recipe of what is base64 of something made with a credential."""
        try:
            inside = base64.b64decode(value, validate=True).decode()
        except (BadBase64, ValueError):
            return None
        recipe = self._joined(inside)
        return {"base64": recipe} if recipe is not None and not isinstance(recipe, str) else None

    def _joined(self, value: str, digests: Mapping[str, Recipe] | None = None) -> Recipe | None:
        """Gives a text as parts of what is known and texts between them, None where one of these is secret."""
        heads = _heads(value)
        known = [(whole, recipe, _least(whole)) for whole, recipe in self._spelled.items() if heads & _heads(whole)]
        known += [(whole, recipe, SHORTEST_PART) for whole, recipe in (digests or {}).items()]
        parts: list[Recipe] = []
        literal = ""
        place = 0
        while place < len(value):
            found = [(*_common(value, place, whole, least), whole, recipe) for whole, recipe, least in known]
            size, start, whole, recipe = max(found, key=lambda one: one[0], default=(0, 0, "", ""))
            if not size:
                literal, place = literal + value[place], place + 1
                continue
            parts += [literal] if literal else []
            parts.append(_slice(recipe, whole, start, start + size))
            literal, place = "", place + size
        parts += [literal] if literal or not parts else []
        if not all(self._redactor.is_open(part) for part in parts if isinstance(part, str)):
            return None
        return parts[0] if len(parts) == 1 else {"join": parts}


def _least(credential: str) -> int:
    """Gives how much of a credential is a part of it, and no word that it shares: nearly half of it."""
    return max(SHORTEST_PART, (len(credential) - 1) // 2)


@lru_cache(maxsize=1_024)
def _heads(text: str) -> frozenset[str]:
    """Gives all beginnings of parts: where two texts have none in common, they have no part in common."""
    return frozenset(text[place : place + SHORTEST_PART] for place in range(len(text) - SHORTEST_PART + 1))


@lru_cache(maxsize=MOST_REMEMBERED)
def _spellings(hexadecimal: str) -> Mapping[str, Callable[[Recipe], Recipe]]:
    """Gives the ways in which a digest may be written, with what makes the recipe of each."""
    raw = bytes.fromhex(hexadecimal)
    return {
        hexadecimal.upper(): lambda recipe: {"upper": recipe},
        base64.urlsafe_b64encode(raw).decode(): lambda recipe: {"base64url": {"bytes": recipe}},
        base64.b64encode(raw).decode(): lambda recipe: {"base64": {"bytes": recipe}},
        hexadecimal: lambda recipe: recipe,
    }


def _common(value: str, place: int, other: str, least: int) -> tuple[int, int]:
    """Gives the length of the longest text from `place` on that `other` holds, and where; 0 below `least`."""
    head = value[place : place + least]
    best, start = (0, 0), other.find(head) if len(head) == least else -1
    while start >= 0:
        size = least
        while start + size < len(other) and value[place + size : place + size + 1] == other[start + size]:
            size += 1
        best = max(best, (size, start), key=lambda found: found[0])
        start = other.find(head, start + 1)
    return best


def _slice(recipe: Recipe, whole: str, start: int, end: int) -> Recipe:
    if (start, end) == (0, len(whole)):
        return recipe
    # Told from the end where that is near, so that it holds for another credential, too.
    to = None if end == len(whole) else end - len(whole) if len(whole) - end == 1 else end
    return {"slice": recipe, "from": start, "to": to}


def _pieces(text: str, shown: str) -> Iterator[str | None]:
    """Gives what stands in `text` at the place of each mark in `shown`; None where that is not plain."""
    marks = MARK.findall(shown)
    if not marks:
        return
    around = MARK.split(shown)
    if len(marks) == 1:  # the usual case, without an expression that is compiled for this text alone
        before, after = around
        fits = len(text) >= len(before + after) and text.startswith(before) and text.endswith(after)
        yield text[len(before) : len(text) - len(after)] if fits else None
        return
    between = "(.*?)".join(map(re.escape, around))
    found = re.fullmatch(between, text, re.DOTALL) if len(marks) <= MOST_MARKS else None
    yield from found.groups() if found else [None] * len(marks)


def made(recipe: Recipe, credentials: Mapping[str, str], body: bytes) -> bytes:
    """Gives the value that a recipe tells of. Raises `KeyError`, naming it, where a credential is missing."""
    if isinstance(recipe, str):
        return recipe.encode("utf-8", "surrogatepass")

    inner = {name: made(part, credentials, body) for name, part in recipe.items() if name in _INNER}
    match [*recipe]:
        case ["credential"]:
            return credentials[recipe["credential"]].encode()
        case ["body"]:
            return body
        case ["join"]:
            return b"".join(made(part, credentials, body) for part in recipe["join"])
        case ["slice", *_]:
            return inner["slice"].decode()[recipe["from"] : recipe["to"]].encode()
    return _MADE[next(iter(recipe))](recipe, inner)


# The members that hold recipes themselves, and what is done with what these give.
_INNER = frozenset({"slice", "swapcase", "upper", "bytes", "base64", "base64url", "over", "key"})
_MADE: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, bytes]], bytes]] = {
    "swapcase": lambda _, inner: inner["swapcase"].decode().swapcase().encode(),
    "upper": lambda _, inner: inner["upper"].upper(),
    "bytes": lambda _, inner: bytes.fromhex(inner["bytes"].decode()),
    "base64": lambda _, inner: base64.b64encode(inner["base64"]),
    "base64url": lambda _, inner: base64.urlsafe_b64encode(inner["base64url"]),
    "hash": lambda recipe, inner: Digest(recipe["hash"], inner["over"]).hexadecimal().encode(),
    "hmac": lambda recipe, inner: Digest(recipe["hmac"], inner["over"], inner["key"]).hexadecimal().encode(),
}
