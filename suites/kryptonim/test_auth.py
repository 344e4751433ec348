"""Signature and key: X-Request-Signature over the body's exact bytes, X-API-Key (widget sessions page)."""

import json
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from rampcheck.errors import ProfileLacks, Unjudged
from rampcheck.judging.invariants import hash_hex, hmac_hex
from rampcheck.running.cases import parts, spellings
from rampcheck.running.scenario import Accepted, Attempt, Target
from rampcheck.wire.exchanges import Request

from .amounts import AMOUNTS
from .refusals import ANY_4XX, KEY_REFUSED, UNAUTHORIZED
from .requests import API_KEY, EXAMPLE_ADDRESS, PATH, REQUIRED, SIGNATURE, TESTNET, with_headers


@pytest.mark.verifies("kryptonim.auth.signature-required")
def test_a_request_without_signature_is_refused(accepted: Accepted, another: Accepted, secret: str) -> None:
    """Without X-Request-Signature there is no session, whatever is asked for, and wherever else a signature stands."""
    accepted.with_header(SIGNATURE, None).is_refused(UNAUTHORIZED)
    another.with_cookies_only(SIGNATURE).is_refused(UNAUTHORIZED)
    # What is answered to a query is not said, but it is the same endpoint: any acceptance is a finding.
    accepted.changed(
        lambda request: request.with_header(SIGNATURE, None).with_path(f"{PATH}?rampcheck=1"), "no signature, a query"
    ).send()
    elsewhere = {name: hmac_hex(accepted.request.body, secret) for name in ("X-Signature", "X-Hub-Signature-256")}
    accepted.changed(
        lambda request: with_headers(request.with_header(SIGNATURE, None), elsewhere),
        f"the signature in {' and '.join(elsewhere)} only",
    ).is_refused(UNAUTHORIZED)


@pytest.mark.verifies(
    "kryptonim.auth.signature-required",
    "kryptonim.auth.signature-secret",
    "kryptonim.session.request.amount-exclusive",
)
def test_each_currency_is_asked_for_under_the_same_rules(accepted: Accepted, target: Target, secret: str) -> None:
    """What is refused for one currency of the testnet is refused for each."""
    if target.profile.environment != "testnet" or accepted.request.json["network"] != "polygon":
        raise ProfileLacks(
            "the profile is not of the testnet with `network: polygon`, where other currencies are known"
        )
    for currency in TESTNET:
        attempt = accepted.but(cryptoCurrency=currency)
        if currency == accepted.request.json["cryptoCurrency"] or not (exchange := attempt.send()).accepted:
            continue
        control, body = Accepted(target, attempt.request, exchange), attempt.request.body
        control.with_header(SIGNATURE, None).is_refused(UNAUTHORIZED, clause="kryptonim.auth.signature-required")
        control.with_header(SIGNATURE, hmac_hex(body, f"{secret}x"), "a signature under another secret").is_refused(
            UNAUTHORIZED, clause="kryptonim.auth.signature-secret"
        )
        control.but(fiatAmount=15, cryptoAmount=15).is_refused(
            ANY_4XX, clause="kryptonim.session.request.amount-exclusive"
        )


@pytest.mark.verifies("kryptonim.auth.signature-secret")
@parts(15, 1)
def test_a_signature_under_another_secret_is_refused(
    accepted: Accepted, target: Target, secret: str, part: slice
) -> None:
    """Only the whole secret, letter for letter, makes a good signature."""
    body, half = accepted.request.body, len(secret) // 2
    strangers: dict[str, str | bytes] = {
        "a made-up secret": f"rampcheck-{target.unique()}-no-such-secret",
        "the secret without its last character": secret[:-1],
        "the first half of the secret": secret[:half],
        "the secret with another second half": secret[:half] + "x" * (len(secret) - half),
        "the secret and one more character": f"{secret}x",
        "the secret in the other letter case": secret.swapcase(),
        "the secret and a line break": f"{secret}\n",
        "the second half of the secret": secret[half:],
        "the secret without its prefix": re.split("[^0-9A-Za-z]", secret)[-1],
        **{f"the first {size} characters of the secret": secret[:size] for size in (16, 32)},
        "the API key": target.profile.credentials["api_key"],
        "an empty secret": "",
        "the first 8 characters of the secret": secret[:8],
        "the secret decoded from base64": decoded(secret),
    }
    for what, stranger in [*strangers.items()][part]:
        if stranger != secret:
            accepted.with_header(SIGNATURE, hmac_hex(body, stranger), f"a signature under {what}").is_refused(
                UNAUTHORIZED
            )


def decoded(secret: str) -> bytes:
    """Gives what a decoder of base64 makes of a secret that it takes for encoded, as some of them read anything."""
    text = re.sub("[^0-9A-Za-z_-]", "", secret.translate(str.maketrans("+/", "-_")))
    return urlsafe_b64decode(text[: len(text) - (len(text) % 4 == 1)] + "=" * (-len(text) % 4))


@pytest.mark.verifies("kryptonim.auth.signature-secret")
def test_a_signature_goes_with_its_own_key_only(accepted: Accepted, target: Target) -> None:
    """Of two partners' keys and secrets, only what belongs together is taken: what is nobody's shows nothing."""
    credentials, body = target.profile.credentials, accepted.request.body
    for name in ("second_api_key", "second_signature_secret"):
        if name not in credentials:
            raise ProfileLacks(f"the profile lacks `credentials.{name}`")
    key, signature = credentials["second_api_key"], hmac_hex(body, credentials["second_signature_secret"])
    accepted.with_header(API_KEY, key, "another partner's API key").is_refused(UNAUTHORIZED)
    accepted.with_header(SIGNATURE, signature, "a signature under another partner's secret").is_refused(UNAUTHORIZED)
    theirs = accepted.changed(
        lambda request: request.with_credential("second_api_key").with_header(SIGNATURE, signature), "another partner"
    ).send_again_if_refused()
    if not theirs.accepted:
        raise Unjudged(
            "the target refuses `credentials.second_api_key`, with a signature under "
            f"`credentials.second_signature_secret`, too (exchange {theirs.number}: {theirs.summary()})"
        )
    target.judge.observed(target.clause, f"another partner's own request: {theirs.summary()}", theirs)


@pytest.mark.verifies("kryptonim.auth.signature-bytes", "kryptonim.auth.signature-body")
@parts(11, 1)
def test_a_spelling_is_accepted_under_its_own_signature_only(
    accepted: Accepted, known: dict[tuple[str, int], Accepted], secret: str, part: slice
) -> None:
    """White space, order of members, escapes and forms of numbers make a difference to the signature, and to no more.

    Where a spelling is not accepted under its own signature, what is said of it under another one follows.
    """
    key = "foreign", accepted.exchange.number
    if key not in known:
        # Beyond ASCII, beyond U+FFFF, an accent that has a character of its own beside the letter, and a slash.
        foreign = accepted.but(metadata={"note": "Zażółć gęślą jaźń 💸 cafe\u0301 1/2"})
        exchange = foreign.is_accepted(clause="kryptonim.auth.signature-bytes")
        known[key] = replace(accepted, request=foreign.request, exchange=exchange) if exchange.accepted else accepted
    compact = known[key].request.body
    bodies = {
        **spellings(known[key].request.json),
        "a line break after the JSON": compact + b"\n",
        "slashes escaped": compact.replace(b"/", rb"\/"),  # as PHP writes them
    }
    for what, body in [*bodies.items()][part]:
        if body != compact:
            only_under_its_own_signature(known[key], what, body, secret)


def only_under_its_own_signature(control: Accepted, what: str, body: bytes, secret: str) -> None:
    """Demands that a spelling is accepted, and neither it nor compact JSON under the signature of the other."""
    compact = control.request.body
    own = control.with_body(body, what).is_accepted(clause="kryptonim.auth.signature-bytes")
    if own.accepted:
        control.changed(signed_over(body, compact, secret), f"{what} under the signature of compact JSON").is_refused(
            UNAUTHORIZED, clause="kryptonim.auth.signature-body"
        )
    control.changed(signed_over(compact, body, secret), f"compact JSON under the signature of {what}").is_refused(
        UNAUTHORIZED, clause="kryptonim.auth.signature-body"
    )


@pytest.mark.verifies("kryptonim.auth.signature-body")
@parts(21, 1)
def test_a_signature_over_another_payload_is_refused(
    accepted: Accepted, another: Accepted, secret: str, part: slice
) -> None:
    """A good signature is good for its own payload only, all of it, to the last byte."""
    for attempt in [*over_another_payload(accepted, another, secret)][part]:
        attempt.is_refused(UNAUTHORIZED)


def over_another_payload(accepted: Accepted, another: Accepted, secret: str) -> Iterator[Attempt]:
    """Gives requests that were changed after signing, and those of which something else was signed."""
    request = accepted.request
    name = next(name for name in AMOUNTS if name in request.json)
    for what, body in {
        "another amount": request.but(**{name: request.json[name] + 1}).body,
        "an e-mail address added": request.but(email="rampcheck@example.com").body,
    }.items():
        yield accepted.changed(signed_over(body, request.body, secret), f"{what} after signing")
    for what, signed in {
        "no bytes at all": b"",
        "an empty object": b"{}",
        "the body's first half": request.body[: len(request.body) // 2],
    }.items():
        yield accepted.changed(signed_over(request.body, signed, secret), f"a signature over {what}")
    body = another.request.body
    for what, signed in made_of(another.request).items():
        if signed != body:
            yield another.changed(signed_over(body, signed, secret), f"a signature over {what}")
    for name, value in {
        "destinationAddress": EXAMPLE_ADDRESS[::-1],
        "successUrl": "https://rampcheck.example/elsewhere",
        "unlockedFields": ["email"],
        "metadata": {"order": "another"},
        "ipAddress": "203.0.113.43",
    }.items():
        changed = another.request.but(**{name: value}).body
        yield another.changed(signed_over(changed, body, secret), f"another `{name}` after signing")
    # Here all that write JSON without spaces write the same, and all that sort its members: no text is beyond ASCII.
    # A target that takes no other spelling is sent one of these all the time.
    spaced = json.dumps(request.json).encode()
    if spaced != request.body:
        yield accepted.changed(signed_over(spaced, request.body, secret), "spaces added after signing")
    ordered = json.dumps(request.json, separators=(",", ":"), sort_keys=True).encode()
    if ordered != request.body:
        yield accepted.changed(signed_over(request.body, ordered, secret), "a signature over the members sorted")


@pytest.mark.verifies("kryptonim.auth.signature-body")
def test_a_long_body_is_signed_to_its_end(accepted: Accepted, secret: str) -> None:
    """However long a body is that the target takes, its signature is over all of it."""
    for size in (70_000, 20_000, 10_000):
        request = accepted.request.but(metadata={"note": "long " * (size // 5)})
        exchange = accepted.instead(request, f"{size:,} characters of metadata").send()
        if exchange.accepted:
            control, body = Accepted(accepted.target, request, exchange), request.body
            cut = body.replace(b'long "', b'tail "')
            control.changed(signed_over(cut, body, secret), "another end after signing").is_refused(UNAUTHORIZED)
            control.changed(signed_over(body, body[:4096], secret), "its beginning signed").is_refused(UNAUTHORIZED)


def made_of(request: Request) -> dict[str, bytes]:
    """Gives what might be signed in place of a request's body, by what it is."""
    value, body = request.json, request.body
    required = {name: member for name, member in value.items() if name in (*AMOUNTS, *REQUIRED)}
    return {
        "JSON with spaces and its members sorted": json.dumps(value, sort_keys=True).encode(),
        "JSON indented by two": json.dumps(value, indent=2).encode(),
        "JSON with spaces and raw UTF-8": json.dumps(value, ensure_ascii=False).encode(),
        "the body without white space": re.sub(rb"\s", b"", body),
        "the body without metadata": request.without("metadata").body,
        "the required fields": request.with_json(required).body,
        "the body's SHA-256": hash_hex(body).encode(),
        "the body in base64": b64encode(body),
        "the body after method and path": f"POST{PATH}".encode() + body,
    }


def signed_over(sent: bytes, signed: bytes, secret: str) -> Callable[[Request], Request]:
    """Gives the change to a request that sends some bytes under the signature of others."""
    return lambda request: request.with_body(sent).with_header(SIGNATURE, hmac_hex(signed, secret))


@pytest.mark.verifies("kryptonim.auth.signature-algorithm")
@parts(25, 1)
def test_a_value_that_is_no_complete_hmac_sha256_is_refused(accepted: Accepted, secret: str, part: slice) -> None:
    """Only the whole HMAC-SHA256 is a signature: no other algorithm, no hash without key, no part of it."""
    body, key = accepted.request.body, secret.encode()
    good = hmac_hex(body, secret)
    last = "0" if good[-1] != "0" else "1"
    wrong = {
        **{
            f"an HMAC with {algorithm}": hmac_hex(body, secret, algorithm)
            for algorithm in ("md5", "sha1", "sha224", "sha384", "sha512", "sha3_256")
        },
        "the first 64 digits of an HMAC with sha512": hmac_hex(body, secret, "sha512")[:64],
        "a SHA-256 of the body": hash_hex(body),
        "a SHA-256 of secret and body": hash_hex(key + body),
        "a SHA-256 of body and secret": hash_hex(body + key),
        "an HMAC with body and secret exchanged": hmac_hex(key, body.decode()),
        "an empty signature": "",
        **{f"the first {size} digits of the signature": good[:size] for size in (1, 8, 16, 32, 62, 63)},
        "the last 32 digits of the signature": good[32:],
        "the signature with its second half replaced": good[:32] + "0" * 32,
        "the signature with its first half replaced": "0" * 32 + good[32:],
        "the signature with its last digit replaced": good[:-1] + last,
        "the signature and one more digit": f"{good}0",
        "the signature twice": good + good,
        "64 zeros": "0" * 64,
        "a word": "signature",
        "the signature with a digit in its middle replaced": good[:31] + ("0" if good[31] != "0" else "1") + good[32:],
    }
    for what, signature in [*wrong.items()][part]:
        accepted.with_header(SIGNATURE, signature, f"{what} as the signature").is_refused(UNAUTHORIZED)


@pytest.mark.verifies("kryptonim.auth.signature-encoding")
def test_a_signature_in_base64_is_refused(accepted: Accepted, secret: str) -> None:
    """The right HMAC in base64, of either alphabet, with or without padding, is refused."""
    digest = bytes.fromhex(hmac_hex(accepted.request.body, secret))
    forms = {
        "base64": b64encode(digest).decode(),
        "base64url": urlsafe_b64encode(digest).decode(),
        "base64 of its hexadecimal digits": b64encode(digest.hex().encode()).decode(),
    }
    # Where the digest happens to have no character in which the alphabets differ, the two of each are one.
    bare = {f"{name} without padding": forms[name].rstrip("=") for name in ("base64", "base64url")}
    for what, signature in {**forms, **bare}.items():
        accepted.with_header(SIGNATURE, signature, f"the signature in {what}").is_refused(UNAUTHORIZED)


@pytest.mark.verifies(
    *(
        f"kryptonim.auth.{name}"
        for name in ("signature-secret", "signature-body", "signature-algorithm", "signature-encoding")
    )
)
@parts(4, 1)
def test_what_was_refused_once_is_refused_again(another: Accepted, secret: str, part: slice) -> None:
    """That a request with a wrong signature has been seen before does not make it right, whatever is asked for."""
    body = another.request.body
    wrong = {
        "signature-secret": hmac_hex(body, "undefined"),  # what a secret that was never set becomes as text
        "signature-body": hmac_hex(body + b" ", secret),
        "signature-algorithm": hmac_hex(body, secret, "sha1"),
        "signature-encoding": b64encode(bytes.fromhex(hmac_hex(body, secret))).decode(),
    }
    for name, signature in [*wrong.items()][part]:
        for time in ("first", "second"):
            another.with_header(SIGNATURE, signature, f"a wrong signature for the {time} time").is_refused(
                UNAUTHORIZED, clause=f"kryptonim.auth.{name}"
            )


@pytest.mark.verifies("kryptonim.auth.signature-encoding")
def test_hexadecimal_of_open_spelling(accepted: Accepted, secret: str) -> None:
    """Whether capitals or a prefix are accepted is not documented: what the target does is observed."""
    good = hmac_hex(accepted.request.body, secret)
    for what, signature in {"upper-case digits": good.upper(), "a prefix": f"sha256={good}"}.items():
        accepted.with_header(SIGNATURE, signature, f"the signature with {what}").is_observed()


@pytest.mark.verifies("kryptonim.session.request.no-server-error")
def test_no_hostile_signature_breaks_the_target(accepted: Accepted) -> None:
    """Whatever stands in the signature's header, the target answers below 500."""
    for what, signature in {
        "letters outside ASCII": "ä" * 64,
        "letters that are no digits": "z" * 64,
        "4,000 digits": "a" * 4000,
        "a list": "a, b",
        "quotes": "\"'`",
    }.items():
        accepted.with_header(SIGNATURE, signature, f"{what} as the signature").is_survived()


# The upper half of base64's alphabets (RFC 4648): of an encoded key, the last character's first bit always counts.
UPPER_HALF = "ghijklmnopqrstuvwxyz0123456789+/-_"


@pytest.mark.verifies("kryptonim.auth.api-key-required")
@parts(8, 1)
def test_a_request_without_the_right_api_key_is_refused(
    accepted: Accepted, another: Accepted, target: Target, part: slice
) -> None:
    """Without the API key, or with another one, there is no session, however well the body is signed.

    Whatever is asked for, and the second time as the first.
    """
    key = target.profile.credentials["api_key"]
    strangers = {
        "no API key": None,
        "a made-up API key": f"rampcheck-{target.unique()}-no-such-key",
        "an empty API key": "",
        "one more character and the API key": f"x{key}",
        "the API key with another last character": key[:-1] + ("a" if key[-1] in UPPER_HALF else "0"),
        "the API key without its last character": key[:-1],
        "the API key and one more character": f"{key}x",
        "the API key in the other letter case": key.swapcase(),
    }
    for what, stranger in [*strangers.items()][part]:
        if stranger != key:
            target.hide("another_api_key", stranger or "")
            exchange = accepted.with_header(API_KEY, stranger, what).is_refused(KEY_REFUSED)
            target.judge.observed(target.clause, f"{what}: {exchange.summary()}", exchange)
            if what in {"no API key", "a made-up API key"}:
                another.with_header(API_KEY, stranger, f"{what} again").is_refused(KEY_REFUSED)


@pytest.mark.verifies("kryptonim.auth.secrecy")
def test_no_answer_repeats_a_credential(another: Accepted, secret: str) -> None:
    """Neither session nor error holds the API key or the secret; all other exchanges are judged alike."""
    another.without("destinationAddress").send()
    another.with_body(b"{", "a body that is no JSON").send()
    another.with_header(SIGNATURE, hmac_hex(b"", secret), "a signature over no bytes").send()
    another.with_header(API_KEY, None).send()
    another.changed(partial(replace, method="GET"), "the method GET").send()
    another.changed(lambda request: request.with_path(f"{PATH}/rampcheck"), "a path that is not served").send()
