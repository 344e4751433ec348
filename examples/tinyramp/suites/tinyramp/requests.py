"""The requests of Tinyramp: their signature, the smallest one that creates a session, the one that redeems it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rampcheck.contract.profile import Profile
from rampcheck.errors import Unjudged, UsageError
from rampcheck.judging.invariants import given
from rampcheck.judging.suite import Candidate, partner_of
from rampcheck.wire.exchanges import Exchange, Request

PATH, REDEEM = "/v1/sessions", "/v1/sessions/{id}/redeem"
KEY, TIMESTAMP, NONCE, SIGNATURE = "X-Tiny-Key", "X-Tiny-Timestamp", "X-Tiny-Nonce", "X-Tiny-Signature"
REQUIRED = ("asset", "amount", "wallet")
ASSETS = ("BTC", "ETH", "USDC")
WALLET = "bc1qrampcheck0000000000000000000000000000"

# Makes a signature of key, timestamp, nonce and body.
Signer = Callable[[Ed25519PrivateKey, str, str, bytes], str]


def sign(key: Ed25519PrivateKey, timestamp: str, nonce: str, body: bytes) -> str:
    """Gives the signature over timestamp, nonce and body, a line each, in base64."""
    return b64encode(key.sign(b"\n".join([timestamp.encode(), nonce.encode(), body]))).decode()


@dataclass(frozen=True)
class Forged(Request):
    """A request whose signature is made by another `signer`."""

    signer: Signer = sign


def forged(request: Request, signer: Signer) -> Request:
    """Gives a request with a signature made by another signer."""
    return Forged(**{field.name: getattr(request, field.name) for field in fields(request)}, signer=signer)


def private_key(profile: Profile) -> Ed25519PrivateKey:
    """Gives the key that signs. Raises `UsageError` where the profile's is none."""
    try:
        return Ed25519PrivateKey.from_private_bytes(b64decode(profile.credentials["signing_key"], validate=True))
    except ValueError:  # not told: its text may hold a part of the key
        raise UsageError(
            "credentials.signing_key is no Ed25519 key", "Give the 32 bytes of the private key in base64."
        ) from None


def authenticate(request: Request, profile: Profile) -> Request:
    """Adds key, timestamp, nonce and the signature over what is sent, unless the request sets or withholds these."""
    if request.credential is None:
        return request
    signer = request.signer if isinstance(request, Forged) else sign
    for name, value in {
        KEY: profile.credentials[request.credential],
        TIMESTAMP: str(int(request.at)),
        NONCE: request.nonce,
    }.items():
        request = request.with_default(name, value)
    timestamp, nonce = request.header(TIMESTAMP) or "", request.header(NONCE) or ""
    return request.with_default(SIGNATURE, signer(private_key(profile), timestamp, nonce, request.body))


def minimum(profile: Profile, credential: str, _unique: str) -> Request:
    """Gives the request with the required members only."""
    partner = partner_of(profile, credential)
    json = (("Content-Type", "application/json"),)
    return Request("POST", PATH, json, credential=credential).with_json(
        {"asset": partner.get("asset") or ASSETS[0], "amount": "0.05", "wallet": partner.get("wallet") or WALLET}
    )


def candidates(_: Profile) -> Iterator[Candidate]:
    """Gives what a target may accept, the documented minimum first."""
    yield Candidate(minimum)


def redemption(session: Exchange) -> Request:
    """Gives the request that redeems a session. Raises `Unjudged` where what created it gave no id."""
    name = given(session, "id")
    if not isinstance(name, str):
        raise Unjudged(f"exchange {session.number} gave no id of a session")
    return Request("POST", REDEEM.replace("{id}", name), credential=session.credential)
