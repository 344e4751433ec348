"""Signed requests: key, timestamp, nonce, and the Ed25519 signature over them and the body."""

import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rampcheck.running.cases import spellings
from rampcheck.running.scenario import Accepted

from .refusals import BAD_SIGNATURE, REUSED, STALE, UNKNOWN_KEY
from .requests import KEY, NONCE, SIGNATURE, TIMESTAMP, Signer, forged, sign

FORGERIES: Mapping[str, Signer] = {
    "by another key": lambda _, *signed: sign(Ed25519PrivateKey.generate(), *signed),
    "over another timestamp": lambda key, at, nonce, body: sign(key, f"{at}1", nonce, body),
    "over another nonce": lambda key, at, nonce, body: sign(key, at, nonce[::-1], body),
    "over another body": lambda key, at, nonce, body: sign(key, at, nonce, body + b" "),
    "over no body": lambda key, at, nonce, _: sign(key, at, nonce, b""),
    "without its last byte": lambda key, *signed: b64encode(b64decode(sign(key, *signed))[:-1]).decode(),
    "of nothing but zeros": lambda *_: "A" * 86 + "==",
}


@pytest.mark.verifies("tinyramp.auth.known-key")
def test_a_request_without_a_known_key_is_refused(accepted: Accepted) -> None:
    """However well it is signed, without the key's name there is no session."""
    for key in (None, "", "rampcheck-no-such-key"):
        accepted.with_header(KEY, key).is_refused(UNKNOWN_KEY)


@pytest.mark.verifies("tinyramp.auth.signed")
def test_a_request_without_signature_is_refused(accepted: Accepted) -> None:
    """Without a signature there is no session."""
    for signature in (None, ""):
        accepted.with_header(SIGNATURE, signature).is_refused(BAD_SIGNATURE)


@pytest.mark.verifies("tinyramp.auth.signature")
@pytest.mark.parametrize("what", FORGERIES)
def test_a_wrong_signature_is_refused(accepted: Accepted, what: str) -> None:
    """Only the partner's key, over the very timestamp, nonce and body that are sent, makes a signature."""
    accepted.changed(partial(forged, signer=FORGERIES[what]), f"a signature {what}").is_refused(BAD_SIGNATURE)


@pytest.mark.verifies("tinyramp.auth.any-bytes")
def test_any_spelling_is_accepted(accepted: Accepted) -> None:
    """White space, order of members and escapes make a difference to the signature, and to no more."""
    for what, body in spellings(accepted.request.json).items():
        accepted.with_body(body, what).is_accepted()


@pytest.mark.verifies("tinyramp.auth.timestamp")
def test_a_stale_timestamp_is_refused(accepted: Accepted) -> None:
    """A signature is good for 300 seconds; clocks may be some seconds apart."""
    for seconds in (-86_400, -330, 330, 86_400):
        stale = str(int(time.time()) + seconds)
        accepted.with_header(TIMESTAMP, stale, f"a timestamp {seconds} seconds from now").is_refused(STALE)


@pytest.mark.verifies("tinyramp.auth.nonce")
def test_a_nonce_is_used_once(accepted: Accepted) -> None:
    """A request that was accepted before is refused, be it the same to the last byte or signed anew."""
    sent = accepted.exchange.request
    verbatim = accepted.request
    for name in (TIMESTAMP, NONCE, SIGNATURE):
        verbatim = verbatim.with_header(name, sent.header(name))
    accepted.instead(verbatim, "all that was sent before").is_refused(REUSED)
    again = accepted.request.but(amount="0.06").with_header(NONCE, sent.header(NONCE))
    accepted.instead(again, "a nonce that was used before").is_refused(REUSED)


@pytest.mark.verifies("tinyramp.session.no-server-error")
def test_no_header_breaks_the_target(accepted: Accepted) -> None:
    """Whatever stands in the headers, the target answers below 500."""
    for name in (KEY, TIMESTAMP, NONCE, SIGNATURE):
        for value in ("ä", "9" * 400, "a, b", "-1"):
            accepted.with_header(name, value).is_survived()
