"""A profile's text: from a YAML file to plain data, with the line of each place and every mistake."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from datetime import date
from io import FileIO
from pathlib import Path
from typing import Any

import yaml

from rampcheck.contract import descriptor
from rampcheck.errors import ProfileError, nearest

Place = tuple[str | int, ...]

EVERY_KEY = "`rampcheck init` writes a profile in which every key is explained."
ENVIRONMENT = "Secrets stand in the environment of the run, not in the profile: `export NAME=…` sets a variable."

MAX_BYTES = 128 * 1024  # twenty times what any profile needs; YAML is slow to read
MOST_MISTAKES = 20  # told one by one
_UNCLOSED = re.compile(r"expected ',' or '[]}]', but got '(.+)'")  # in PyYAML's words
# What is wrong with a text, by how PyYAML begins to say it (its scanner and parser); what is not here is told as it is.
INDENTED = "the indentation: the keys of one section begin in the same column, those below a key two spaces further"
PROBLEMS = {
    "expected <block end>": INDENTED,
    "expected <document start>": INDENTED,
    "mapping values are not allowed": "a second colon in a line, or a line that is indented further than those beside "
    "it; a text with a colon and a space stands in quotes",
    "could not find expected ':'": "a key without a colon, or a text over several lines without quotes",
    "found unexpected end of stream": "a quote that is not closed",
    "but found another document": "a second document begins at ---; a profile is one",
    "found unexpected document": "a quote that is not closed before ---",
    "found unknown escape character": "a backslash in double quotes; use single quotes",
    "found character": "a character that begins no value (@, `, %, a tab); put the value in quotes",
    "sequence entries are not allowed": "a hyphen that begins no list: each entry of one stands in a line of its own",
    "block sequence entries are not allowed": "a hyphen that begins no list: each entry stands in a line of its own",
}
# What is only missed where the next thing stands, or the text ends: it is mended where it was begun.
BEGUN = {"could not find expected ':'", "found unexpected end of stream", "found unexpected document"}

_WORD = re.compile(r"[A-Za-z][a-z]{0,15}(?:[_-][a-z]{1,15}){0,4}|[A-Z_]{1,20}")

_URL = re.compile(r"(?:https?|wss?):[/\\]", re.IGNORECASE)  # as a path, which keeps one of two slashes
_BARE = re.compile(r"[{\[][^\"']*\$\{")  # a reference without quotes, in a mapping or a list on one line
_HEADER = re.compile(r"[A-Za-z][a-z]{0,15}(?:-[A-Za-z][a-z]{0,15}){0,5}")


class Draft:
    """A profile while it is read: where it comes from, the line of each place, and the mistakes so far.

    `folder` is where the paths in it begin; `filled` is what the environment gave, by its place; `unset` are the places
    for which it gave nothing.
    """

    def __init__(self, origin: str, folder: Path | None = None) -> None:
        self.origin = origin
        self.folder = folder or Path()
        self.lines: dict[Place, int] = {}
        self.mistakes: dict[Place, tuple[int, str]] = {}
        self.filled: dict[str, str] = {}
        self.unset: set[Place] = set()

    def wrong(self, place: Place, message: str, line: int = 0, *, instead: bool = False) -> None:
        """Notes a mistake. Of several at one place the first is kept: it is the cause of the others.

        What is told `instead` takes the place of all that was noted there and below.
        """
        if instead:
            self.mistakes = {part: told for part, told in self.mistakes.items() if part[: len(place)] != place}
        above = (place[:size] for size in range(len(place), -1, -1))
        known = line or next((self.lines[part] for part in above if part in self.lines), 0)
        self.mistakes.setdefault(place, (known, message))

    def fill(self, place: Place, value: str) -> None:
        """Notes what the environment gave for a place; for one text it may give several."""
        name = "_".join(map(str, place))
        same = sum(known == name or known.startswith(f"{name}_") for known in self.filled)
        self.filled[f"{name}_{same + 1}" if same else name] = value

    def words(self, place: Place) -> str:
        """Words a place, as `partner.pairs[0]`. A key that is no word may be a secret itself."""
        words = ""
        for part in place:
            if isinstance(part, int):
                words += f"[{part}]"
            else:
                is_word = _WORD.fullmatch(part) or (place[0] == "headers" and _HEADER.fullmatch(part))
                words += f".{part if is_word else '(a key that is not shown)'}"
        return words.removeprefix(".")

    def refusal(self, place: Place | None = None, message: str = "", line: int = 0, cure: str = "") -> ProfileError:
        """Gives the error that tells all mistakes, the given one too, in the order of the file.

        Each of them says how it is mended; `cure` is what else to do.
        """
        if place is not None:
            self.wrong(place, message, line)
        lines = []
        for where, (number, text) in sorted(self.mistakes.items(), key=lambda mistake: mistake[1][0]):
            parts = [f"{self.origin}:{number}" if number else self.origin, self.words(where), text]
            lines.append(": ".join(part for part in parts if part))
        if len(lines) > MOST_MISTAKES:
            lines[MOST_MISTAKES:] = [f"{self.origin}: {len(lines) - MOST_MISTAKES} more mistakes"]
        return ProfileError(lines, ENVIRONMENT if self.unset.intersection(self.mistakes) else cure)


def is_url(name: str) -> bool:
    """Whether what should be the name of a file is a URL."""
    return _URL.match(name) is not None


def read(path: Path, draft: Draft) -> str:
    """Gives the text of a profile's file. Raises `ProfileError`: unreadable, no regular file, too large, not UTF-8."""
    if is_url(str(path)):  # not shown: it may hold a login
        draft.origin = "command line"
        cure = "Write --base-url before it; a profile is a file, which `rampcheck init` writes."
        raise draft.refusal((), "a URL stands where the name of a profile's file is expected", cure=cure)
    try:
        # Not blocking: nobody may ever write into a named pipe.
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with FileIO(opened) as file:
            is_regular = stat.S_ISREG(os.fstat(opened).st_mode)
            content = file.read(MAX_BYTES + 1) if is_regular else b""
    except IsADirectoryError as error:
        raise draft.refusal((), "is a folder; name the file of a profile") from error
    except (OSError, ValueError) as error:  # the latter for a name that is none
        told = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise draft.refusal((), told, cure=_meant(path) if isinstance(error, FileNotFoundError) else "") from error
    if not is_regular:
        raise draft.refusal((), "is no regular file; write the profile into one")
    if len(content) > MAX_BYTES:
        raise draft.refusal((), f"is larger than {MAX_BYTES // 1024} KiB, so it is no profile")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        # The cause would carry the text along.
        raise draft.refusal((), "is not UTF-8 text; save it as UTF-8", line) from None


def _meant(path: Path) -> str:
    """Says what may be meant by the name of a file that is not there."""
    if str(path) in descriptor.contracts():
        return (
            f"Is the contract meant? Then write --contract {path}; a profile is a file, which `rampcheck init` writes."
        )
    beside = [other.name for ending in ("*.yaml", "*.yml") for other in path.parent.glob(ending)]
    if near := nearest(path.name, beside):
        return f"Did you mean {path.with_name(near)}?"
    return EVERY_KEY


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without anchors and aliases: a profile needs none, and a bomb is made of them."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            cause = "anchors and aliases are not accepted; put a text that begins with & or * in quotes"
            raise yaml.MarkedYAMLError(problem=cause, problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def parsed(text: str, draft: Draft) -> Any:
    """Gives the plain data of a YAML text; notes in `draft` the line of each place, and what is wrong with it.

    Raises `ProfileError` where the text is no YAML.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise draft.refusal((), "is not YAML: a control character", line) from None
    except (ValueError, OverflowError):
        raise draft.refusal((), "is not YAML: an escape that stands for no character") from None
    except yaml.YAMLError as error:
        problem, line = _problem(error, text.splitlines())
        raise draft.refusal((), f"is not YAML: {problem}", line) from None
    except RecursionError:
        raise draft.refusal((), "is nested too deeply") from None
    return {} if node is None else _value(loader, node, (), draft)


def _problem(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[str, int]:
    """Gives what is wrong with a text that is no YAML, and its line, 0 where that is not known; shows nothing of it."""
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 0
    begun = context.line + 1 if context else line
    if problem.startswith("found character '\\t'"):
        return "a tab: YAML indents by spaces", line
    if context and (unclosed := _UNCLOSED.match(problem)):
        other = ", or lacks a comma" if unclosed[1] in {"<scalar>", "[", "{"} else ""
        is_bare = any(_BARE.search(one) for one in lines[context.line : mark.line + 1 if mark else None])
        cure = '; within { } and [ ] a reference stands in quotes: "${NAME}"' if is_bare else ""
        return f"a bracket or brace that is not closed{other}{cure}", context.line + 1
    for begins, told in PROBLEMS.items():
        if problem.startswith(begins):
            return told, begun if begins in BEGUN else line
    # What YAML quotes from the text may be a secret, in its message as in the cause.
    return re.sub(r"'(?!<)[^']{2,}'", "…", problem), line


def _value(loader: _Loader, node: yaml.Node, place: Place, draft: Draft) -> Any:
    draft.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, place, draft)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*place, index), draft) for index, item in enumerate(node.value)]
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value  # a date stays as it is written
    try:
        value = loader.construct_object(node)
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError):
        value = ...  # a number of thousands of digits, a tag of another program or of another kind of value
    is_huge = isinstance(value, int) and value.bit_length() > 64
    if isinstance(value, str | int | float | None) and not is_huge:
        return value
    draft.wrong(place, "is no text, number, boolean or date; put it in quotes")
    return None


def _mapping(loader: _Loader, node: yaml.MappingNode, place: Place, draft: Draft) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag != "tag:yaml.org,2002:str" or not isinstance(key_node, yaml.ScalarNode):
            draft.wrong(place, "holds a key that is not a text; put it in quotes", line)
            continue
        key: str = key_node.value
        if key in members:
            first = draft.lines[(*place, key)]
            cure = "keep one"
            if isinstance(value_node, yaml.MappingNode):  # as where a piece of a report was pasted below it
                cure = "put what is below both together; `rampcheck init --from-run DIR` does that with a run's gaps"
            draft.wrong((*place, key), f"given twice, first on line {first}; {cure}", line)
            continue
        draft.lines[(*place, key)] = line
        members[key] = _value(loader, value_node, (*place, key), draft)
    return members


def plain(value: Any) -> Any:
    """Gives data as YAML would: mappings, lists and scalars, a date as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
