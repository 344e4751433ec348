"""Values as shell words: texts, and recipes of what is hidden (see `wire.recipes`), for any POSIX shell.

Every word is quoted as a whole, so that words may stand right after each other. What has a `!` stands in single quotes,
where no interactive shell takes it for its history.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from rampcheck.wire.recipes import Recipe

# What means the same within double quotes as without, in a script and at a prompt.
PLAIN = re.compile(r"[\w .,:;/=+@%()*?&-]*", re.ASCII)
VARIABLE = re.compile(r'"\$\{?(\w+)\}?"')
ALGORITHMS = {
    "sha3_256": "sha3-256",
    "sha3_384": "sha3-384",
    "sha3_512": "sha3-512",
}  # where OpenSSL names it otherwise

FILTERS = {
    "base64": "base64 | tr -d '\\n'",
    "base64url": "base64 | tr -d '\\n' | tr '+/' '-_'",
    "swapcase": "tr 'a-zA-Z' 'A-Za-z'",
    "upper": "tr 'a-z' 'A-Z'",
}


class Shell:
    """Writes recipes as words; `variables` names the environment variable of each credential.

    `body` is the variable that holds the request's body, in base64 where it `is_base64`. `used` collects the
    variables that have to be set.
    """

    def __init__(self, variables: Mapping[str, str], body: str = "BODY", *, is_base64: bool = False) -> None:
        self._variables = variables
        self._body = body
        self._is_base64 = is_base64
        self.used: list[str] = []
        self.takes_body = False

    def variable(self, name: str) -> str:
        """Gives the word of a variable of the environment."""
        if name not in self.used:
            self.used.append(name)
        return f'"${name}"'

    def word(self, recipe: Recipe) -> str:
        """Gives the word of a value."""
        if isinstance(recipe, str):
            return shlex.quote(recipe) if recipe else ""
        match [*recipe]:
            case ["credential"]:
                return self.variable(self._variables.get(recipe["credential"], recipe["credential"].upper()))
            case ["join"]:
                return "".join(map(self.word, recipe["join"]))
            case ["slice", *_] if (recipe["from"], recipe["to"]) == (0, -1) and "credential" in recipe["slice"]:
                return f'"${{{self.word(recipe["slice"])[2:-1]}%?}}"'
        return f'"$({self.stream(recipe)})"'

    def stream(self, recipe: Recipe) -> str:
        """Gives the pipeline that writes a value."""
        if isinstance(recipe, str):
            return f"printf %s {shlex.quote(recipe)}"
        kind = next(iter(recipe))
        if kind == "body":
            return self.body()
        if kind in ("hash", "hmac"):
            return f"{self._digest(recipe)} | sed 's/.* //'"
        if kind == "bytes":
            return f"{self._digest(recipe['bytes'])} -binary"
        if kind in FILTERS or kind == "slice":
            after = f" | {FILTERS[kind]}" if kind in FILTERS else _cut(recipe["from"], recipe["to"])
            return self.stream(recipe[kind]) + after
        return f"printf %s {self.word(recipe)}"

    def body(self) -> str:
        """Gives the pipeline that writes the body."""
        self.takes_body = True
        return f'printf %s "${self._body}"' + (" | base64 -d" if self._is_base64 else "")

    def _digest(self, recipe: Mapping[str, Any]) -> str:
        kind = "hmac" if "hmac" in recipe else "hash"
        command = f"{self.stream(recipe['over'])} | openssl dgst -{ALGORITHMS.get(recipe[kind], recipe[kind])}"
        if kind == "hash":
            return command
        # No key is the key of a zero byte (RFC 2104 section 2), and OpenSSL takes only the latter.
        key = recipe["key"]
        if not key:
            return f"{command} -mac HMAC -macopt hexkey:00"
        return f"{command} -hmac {self.word(key)}"


def _cut(start: int, end: int | None) -> str:
    last = " | sed 's/.$//'" if end == -1 else ""
    if start or (end or 0) > 0:
        return f" | cut -c {start + 1}-{end if end is not None and end > 0 else ''}{last}"
    return last


def joined(words: list[str], texts: list[str]) -> str:
    """Gives one word of `texts` with `words` between them, which are quoted; readable where that is possible."""
    variables = [VARIABLE.fullmatch(word) for word in words]
    if words and all(variables) and all(map(PLAIN.fullmatch, texts)):
        pieces = [texts[0]]
        for variable, text in zip(variables, texts[1:], strict=True):
            pieces += [f"${{{variable[1]}}}" if variable else "", text]
        return f'"{"".join(pieces)}"'
    pieces = [shlex.quote(texts[0]) if texts[0] else ""]
    for word, text in zip(words, texts[1:], strict=True):
        pieces += [word, shlex.quote(text) if text else ""]
    return "".join(pieces) or "''"
