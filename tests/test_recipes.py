"""How what is hidden in a request is made again: every recipe makes the very value, and none holds a secret."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from rampcheck.judging.invariants import hash_hex, hmac_hex
from rampcheck.report.shell import Shell
from rampcheck.wire.recipes import Recipe, Recipes, made
from rampcheck.wire.redaction import Redactor

TOKEN, SECRET = "Tk-4f1d9A27c0Be83X55", 'sEcret\'with "quotes" and $HOME-0815'
CREDENTIALS = {"client_token": TOKEN, "signature_secret": SECRET}
VARIABLES = {"client_token": "A_TOKEN", "signature_secret": "A_SECRET"}
BODY = b'{"amount":"100","note":"it\'s $5"}'
HALF = len(TOKEN) // 2
DIGEST = hmac_hex(BODY, SECRET)

VALUES = {
    "the token": TOKEN,
    "its beginning": TOKEN[:-1],
    "its first half": TOKEN[:HALF],
    "more than it": f"{TOKEN}x",
    "it twice": TOKEN * 2,
    "the other letter case": TOKEN.swapcase(),
    "another character in the middle": f"{TOKEN[:HALF]}_{TOKEN[HALF + 1 :]}",
    "base64": b64encode(f"{TOKEN}:".encode()).decode(),
    "an HMAC": DIGEST,
    "in capitals": DIGEST.upper(),
    "with a prefix": f"sha256={DIGEST}",
    "in base64": b64encode(bytes.fromhex(DIGEST)).decode(),
    "in base64 for URLs": urlsafe_b64encode(bytes.fromhex(DIGEST)).decode().rstrip("="),
    "a part": DIGEST[:63],
    "its end": DIGEST[32:],
    "another algorithm": hmac_hex(BODY, SECRET, "sha512"),
    "another key": hmac_hex(BODY, f"{SECRET}x"),
    "no key": hmac_hex(BODY, ""),
    "other bytes": hmac_hex(b"other 'bytes'\n", SECRET),
    "no bytes": hmac_hex(b"", SECRET),
    "both exchanged": hmac_hex(SECRET.encode(), BODY.decode()),
    "a hash of both": hash_hex(SECRET.encode() + BODY),
    "nothing of it": "made-up-0123456789",
}


def recipe_of(value: str) -> Recipe | None:
    """The recipe of a value that stood in a request."""
    redactor = Redactor(bytes(32))
    for name, credential in CREDENTIALS.items():
        redactor.add(name, credential)
    return Recipes(CREDENTIALS, redactor).of_request([(f"Bearer {value}", "Bearer [redacted x 0a1b2c3d4e5f]")], BODY)[0]


@pytest.mark.parametrize("what", VALUES)
def test_a_recipe_makes_the_value(what: str) -> None:
    """The recipe gives the value again, and holds neither a credential nor eight characters of one."""
    recipe = recipe_of(VALUES[what])
    assert recipe is not None
    assert made(recipe, CREDENTIALS, BODY) == VALUES[what].encode()
    text = json.dumps(recipe)
    assert not [
        secret[at : at + 8]
        for secret in (TOKEN, SECRET)
        for at in range(len(secret) - 7)
        if secret[at : at + 8] in text
    ]


@pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "openssl"))), reason="a recipe as a word is read by sh and openssl"
)
@pytest.mark.parametrize("what", VALUES)
def test_a_shell_makes_the_value(what: str) -> None:
    """As a shell word, a recipe is the value, whatever characters the credentials and the body have."""
    recipe: Any = recipe_of(VALUES[what])
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run(
        [shell, "-euc", f"printf %s {Shell(VARIABLES).word(recipe)}"],
        env={"A_TOKEN": TOKEN, "A_SECRET": SECRET, "BODY": BODY.decode(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == VALUES[what].encode()


def test_an_unknown_secret_has_no_recipe() -> None:
    """What the target handed out, an address, what was computed elsewhere: none of it is written out."""
    redactor = Redactor(bytes(32))
    redactor.learn("init_token", "handed-out-5f2a9c81d7")
    recipes = Recipes(CREDENTIALS, redactor)
    for value in ("handed-out-5f2a9c81d7", "somebody@company.example"):
        redactor.add("client_token", TOKEN)
        assert recipes.of_request([(value, "[redacted x 0a1b2c3d4e5f]")], b"") == [None]
