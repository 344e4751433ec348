"""The widget session request of Kryptonim: its fields, the documented minimum, API key and signature."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import combinations
from typing import Any

from rampcheck.contract.profile import Profile
from rampcheck.judging.invariants import hmac_hex
from rampcheck.judging.suite import Candidate, partner_of
from rampcheck.wire.exchanges import Request

PATH = "/v1/widget-sessions"
API_KEY, SIGNATURE = "X-API-Key", "X-Request-Signature"

AMOUNTS = ("fiatAmount", "cryptoAmount")
REQUIRED = ("fiatCurrency", "cryptoCurrency", "network", "destinationAddress")
OPTIONAL = ("email", "paymentMethod", "unlockedFields", "metadata", "successUrl", "failureUrl", "ipAddress")
UNLOCKABLE = (
    "fiatAmount",
    "cryptoAmount",
    "fiatCurrency",
    "email",
    "network",
    "paymentMethod",
    "successUrl",
    "failureUrl",
)
# The JSON types that are not string.
TYPES: Mapping[str, str] = {
    "fiatAmount": "number",
    "cryptoAmount": "number",
    "unlockedFields": "array",
    "metadata": "object",
}

TESTNET = ("USDC", "USDT", "MATIC")  # crypto currencies, all of them on polygon

# The documentation's own example.
EXAMPLE_CURRENCY, EXAMPLE_NETWORK = "USDC", "polygon"
EXAMPLE_ADDRESS = "0x977BC1915dA4f7edA9D2e49BC08356db37478538"

# In the order of trying, the documentation's example first; how much may be bought it does not say.
PURCHASES: tuple[Mapping[str, Any], ...] = (
    {"fiatAmount": 15, "fiatCurrency": "EUR"},
    {"fiatAmount": 15, "fiatCurrency": "USD"},
    {"fiatAmount": 100, "fiatCurrency": "EUR"},
    {"cryptoAmount": 15, "fiatCurrency": "EUR"},
)

# What a target may ask for although it is documented as optional, and the clauses that say so.
ADDITIONS: Mapping[str, tuple[str, ...]] = {
    "ipAddress": ("kryptonim.session.request.optional", "kryptonim.session.request.ip-forms"),
    "email": ("kryptonim.session.request.optional",),
    "paymentMethod": ("kryptonim.session.request.optional",),
    "successUrl": ("kryptonim.session.request.optional",),
    "failureUrl": ("kryptonim.session.request.optional",),
}


@dataclass(frozen=True)
class SignedOtherwise(Request):
    """A request whose signature is written in another way than lower-case hexadecimal; `form` is one of `FORMS`."""

    form: str = ""


# Other ways of writing the digest, which no documentation asks for.
FORMS: Mapping[str, Callable[[str], str]] = {
    "a signature in base64": lambda digest: b64encode(bytes.fromhex(digest)).decode(),
    "a signature in upper-case hexadecimal": str.upper,
}
# Other ways of writing the same JSON, as arguments of `json.dumps`; each is signed over its own bytes.
SPELLINGS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "spaces after the separators": (("separators", (", ", ": ")),),
    "the members in alphabetical order": (("separators", (",", ":")), ("sort_keys", True)),
    "spaces and the members in alphabetical order": (("separators", (", ", ": ")), ("sort_keys", True)),
}


def authenticate(request: Request, profile: Profile) -> Request:
    """Adds the API key and the signature of the very body, unless the request sets or withholds these."""
    if request.credential is None:
        return request
    signature = hmac_hex(request.body, profile.credentials["signature_secret"])
    if isinstance(request, SignedOtherwise):
        signature = FORMS[request.form](signature)
    return request.with_default(API_KEY, profile.credentials[request.credential]).with_default(SIGNATURE, signature)


def optional_fields(unique: str) -> dict[str, Any]:
    """Gives a value for every optional field but `unlockedFields`, recognisable as test data, most of them unique."""
    return {
        "email": f"rampcheck-{unique}@example.com",
        "paymentMethod": "card",
        "metadata": {"order": f"order-{unique}", "customer": f"customer-{unique}"},
        "successUrl": f"https://rampcheck.example/success?order={unique}",
        "failureUrl": f"https://rampcheck.example/failure?order={unique}",
        "ipAddress": "203.0.113.42",  # RFC 5737: documentation only
    }


def minimum(
    profile: Profile,
    credential: str,
    unique: str,
    purchase: Mapping[str, Any] = PURCHASES[0],
    added: tuple[str, ...] = (),
) -> Request:
    """Gives the request with the required fields, a purchase, and the optional fields that `added` names."""
    partner = partner_of(profile, credential)
    return Request("POST", PATH, (("Content-Type", "application/json"),), credential=credential).with_json(
        {
            **purchase,
            "cryptoCurrency": partner.get("crypto_currency") or EXAMPLE_CURRENCY,
            "network": partner.get("network") or EXAMPLE_NETWORK,
            "destinationAddress": partner.get("destination_address") or EXAMPLE_ADDRESS,
            **{name: value for name, value in optional_fields(unique).items() if name in added},
        }
    )


def with_field(request: Request, name: str, value: Any) -> Request:
    """Gives the request with one field set; an amount takes the place of the other one."""
    return (request.without(*AMOUNTS) if name in AMOUNTS else request).but(**{name: value})


def candidates(_: Profile) -> Iterator[Candidate]:
    """Gives the minimum for every purchase, then each with one optional field, then with two, and so on."""
    for size in range(len(ADDITIONS) + 1):
        for added in combinations(ADDITIONS, size):
            clauses = tuple((clause, f"`{name}`") for name in added for clause in ADDITIONS[name])
            for purchase in PURCHASES:
                yield Candidate(partial(minimum, purchase=purchase, added=added), clauses)


def respelled(_: Profile) -> Iterator[Candidate]:
    """Gives the minimum in other spellings, for a target that refuses right credentials unless it is so written."""
    clause = "kryptonim.auth.signature-bytes"
    for what, spelling in SPELLINGS.items():
        yield Candidate(partial(_respelled, spelling=spelling), ((clause, what),))
    for form in FORMS:
        yield Candidate(partial(_signed_otherwise, form=form), ((clause, form),))


def _respelled(profile: Profile, credential: str, unique: str, spelling: tuple[tuple[str, Any], ...]) -> Request:
    request = replace(minimum(profile, credential, unique), spelling=spelling)
    return request.with_json(request.json)


def _signed_otherwise(profile: Profile, credential: str, unique: str, form: str) -> Request:
    request = minimum(profile, credential, unique)
    return SignedOtherwise(**{field.name: getattr(request, field.name) for field in fields(request)}, form=form)
