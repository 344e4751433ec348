"""Finding secrets in a text, however it is written.

Each of a text's `readings` is **folded** (letter case, width, white space, and characters without a width make no
difference) and looked through for runs of the secrets, forwards and backwards, once with punctuation and once without.
The encodings of a credential are looked for as they are written, too: base64 cannot be read once its letter case is
lost, and base85 might be any text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rampcheck.wire.readings import FOLDED, SHORTEST_FORM, SQUEEZED, Reading, folded, readings

RUN = 12  # consecutive characters of a credential that give it away, …
FEWEST_TELLING = 3  # … unless they are fewer different ones: bytes that are inflated by chance repeat themselves
MOST_KEPT = 1 << 16  # characters of the values that are kept in mind until newer ones take their place

_GRAM = 8  # the index is by pieces of eight characters, …
_STRIDE = RUN - _GRAM + 1  # … and every fifth place is looked up in it, so that any run is met
_BLOCK = 800 * _STRIDE  # characters that are looked up once, however often a long text repeats them
_ANCHOR = 6  # characters at either end of a secret, by which one that was altered is met
_MOST_ALTERED = 3  # characters of a secret that are others: `***` in its middle

_EMAIL = re.compile(r"(?<![\w.!#$*+^~-])[\w.!#$*+^~-]++@[\w-]++(?:\.[\w-]++)++")


class Secret(NamedTuple):
    """A value to be found, by its name. `least` is how many of its characters give it away."""

    name: str
    value: str
    least: int = RUN


class Span(NamedTuple):
    """Where a text holds a secret, or what can be read as one."""

    start: int
    end: int
    secret: Secret


def is_email(text: str) -> bool:
    """Whether a text is an e-mail address and nothing else."""
    return _EMAIL.fullmatch(text) is not None


# The forms of a secret.


def _forms(value: str) -> Iterator[str]:
    """Gives a value as it is and as it is encoded, at every alignment; what depends on the neighbours is left out."""
    raw = value.encode("utf-8", "surrogatepass")
    yield raw.decode("latin-1")  # escapes name the bytes of UTF-8
    yield raw.hex()
    for encode, size, bits in ((base64.b32encode, 5, 5), (base64.b64encode, 3, 6)):
        for shift in range(size):
            encoded = encode(bytes(shift) + raw).decode("ascii")
            yield encoded[-(shift * -8 // bits) : (shift + len(raw)) * 8 // bits]
    for encode85 in (base64.a85encode, base64.b85encode):
        for shift in range(4):
            yield encode85(bytes(shift) + raw).decode("ascii")[5 * bool(shift) : (shift + len(raw)) // 4 * 5]


class Search:
    """Finds the secrets that it was told of, at a cost that does not grow with their number.

    `openly` is what anybody may know: a run of it gives no secret away.
    """

    def __init__(self, openly: Iterable[str] = ()) -> None:
        self._openly = "\n".join(folded("\n".join(openly)))
        self._told: dict[str, Secret] = {}
        self._grams: dict[str, Secret] = {}
        self._short: dict[str, Secret] = {}
        self._whole: dict[str, Secret] = {}
        self._altered: dict[str, Secret] = {}
        self._kept: dict[str, Secret] = {}
        self._kept_size = 0

    def tell(self, secret: Secret) -> None:
        """Finds a secret from now on, in all its forms."""
        whole = secret.value.translate(FOLDED)
        (self._whole if len(whole) >= RUN else self._short).setdefault(whole, secret)
        forms = [form for value in (secret.value, secret.value[::-1]) for form in (value, *_forms(value))]
        texts = dict.fromkeys(text for form in forms for way in (form, form[::-1]) for text in folded(way))
        pieces = dict.fromkeys([piece for text in texts for piece in _pieces(text) if piece not in self._told], secret)
        self._told.update(pieces)
        self._grams.update(pieces)
        for text in texts:
            if SHORTEST_FORM <= len(text) < RUN:
                self._short.setdefault(text, secret)
        if secret.least <= RUN <= len(whole) < 2 * RUN + _MOST_ALTERED:
            self._altered[whole] = secret

    def keep(self, secret: Secret) -> None:
        """Finds a secret from now on, until newer ones have taken its place."""
        self._kept[secret.value] = secret
        self._kept_size += len(secret.value)
        if self._kept_size > MOST_KEPT:
            self._forget()
        else:
            self._enter(secret)

    def is_known(self, value: str) -> bool:
        """Whether a value is kept in mind."""
        return value in self._kept

    def find(self, text: str) -> list[Span]:
        """Gives where a text holds a secret or an e-mail address, in whatever reading of it."""
        return [*self._spans(text)]

    def is_in(self, text: str) -> bool:
        """Whether `find` gives anything; what it would be is looked for no further."""
        return any(True for _ in self._spans(text))

    def _spans(self, text: str) -> Iterator[Span]:
        try:
            for reading in readings(text):
                yield from self._found(reading)
        except OverflowError:
            yield Span(0, len(text), Secret("unreadable", text))

    def _found(self, reading: Reading) -> Iterator[Span]:
        looked_through = None
        for table in (FOLDED, SQUEEZED):
            text = reading.text.translate(table)
            if text == looked_through:  # a word has no punctuation
                break
            looked_through = text
            if runs := self._spans_of_folded(text):
                where = reading.translated(table)
                for start, end, secret in runs:
                    yield Span(*where.located(start, end), secret)
        if reading.plain and "@" in reading.text:
            for match in _EMAIL.finditer(reading.text):
                yield Span(*reading.located(*match.span()), Secret("email", match[0]))

    def _spans_of_folded(self, text: str) -> list[Span]:
        met = self._met(text)
        wholes = [*self._wholes(text, self._short), *self._nearly(text)]
        # What is as long as a run is met, too.
        return [*self._runs(text, met), *wholes, *self._wholes(text, self._whole)] if met else wholes

    def _met(self, text: str) -> list[int]:
        """Gives at which of every `_STRIDE` places of a text a piece of a secret begins."""
        grams, met, free = self._grams, [], set[str]()
        for start in range(0, len(text) - _GRAM + 1, _BLOCK):
            block = text[start : start + _BLOCK + _GRAM - _STRIDE]
            if block in free:
                continue
            places = [
                place for place in range(0, len(block) - _GRAM + 1, _STRIDE) if block[place : place + _GRAM] in grams
            ]
            met += [start + place for place in places]
            if not places:
                free.add(block)
        return met

    def _runs(self, text: str, met: Iterable[int]) -> Iterator[Span]:
        """Gives the runs of secrets that are long enough to give them away, from the places where a piece was met."""
        grams, covered = self._grams, 0
        last = len(text) - _GRAM
        for place in met:
            if place < covered:
                continue
            start = end = place
            while start > covered and text[start - 1 : start - 1 + _GRAM] in grams:
                start -= 1
            while end < last and text[end + 1 : end + 1 + _GRAM] in grams:
                end += 1
            covered = end + 1
            run = text[start : end + _GRAM]
            # Secrets may share pieces, and which of them is met in a text is chance: the first that is shown enough of.
            owners = dict.fromkeys(grams[text[at : at + _GRAM]] for at in range(start, end + 1))
            secret = next((owner for owner in owners if len(run) >= owner.least), None)
            if secret is None:
                continue
            telling = len(set(run)) >= FEWEST_TELLING and run not in self._openly
            if telling or any(run == owner.value.translate(FOLDED) for owner in owners):
                yield Span(start, end + _GRAM, secret)

    def _wholes(self, text: str, needles: Mapping[str, Secret]) -> Iterator[Span]:
        """Gives these secrets where the text holds the whole of them."""
        for needle, secret in needles.items():
            start = text.find(needle)
            while start >= 0:
                yield Span(start, start + len(needle), secret)
                start = text.find(needle, start + len(needle))

    def _nearly(self, text: str) -> Iterator[Span]:
        """Gives the secrets of which a few characters are others."""
        for whole, secret in self._altered.items():
            for anchor, offset in ((whole[:_ANCHOR], 0), (whole[-_ANCHOR:], len(whole) - _ANCHOR)):
                place = text.find(anchor)
                while place >= 0:
                    start = place - offset
                    if start >= 0 and _is_nearly(text[start : start + len(whole)], whole):
                        yield Span(start, min(start + len(whole), len(text)), secret)
                    place = text.find(anchor, place + 1)

    def _enter(self, secret: Secret) -> None:
        """Finds what is kept; what a credential gives away is still told of that one."""
        grams = self._grams
        for text in dict.fromkeys(folded(secret.value)):
            grams.update(dict.fromkeys([piece for piece in _pieces(text) if piece not in grams], secret))

    def _forget(self) -> None:
        """Keeps the newer half of what is kept."""
        for value in list(self._kept):
            if self._kept_size <= MOST_KEPT // 2:
                break
            self._kept_size -= len(value)
            del self._kept[value]
        self._grams = dict(self._told)
        for secret in self._kept.values():
            self._enter(secret)


def _pieces(text: str) -> Sequence[str]:
    """Gives what the index has of a folded text: nothing of one that is shorter than a run."""
    return [text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1)] if len(text) >= RUN else ()


def _is_nearly(text: str, whole: str) -> bool:
    """Whether a text is a secret but for one character, or for three of a longer one."""
    others = sum(one != other for one, other in zip(text, whole, strict=False)) + len(whole) - len(text)
    return others <= (_MOST_ALTERED if len(whole) >= RUN + _MOST_ALTERED else 1)
