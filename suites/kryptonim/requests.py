"""The widget session request of Kryptonim: its fields, the documented minimum, API key and signature."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import combinations, zip_longest
from typing import Any

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.invariants import hmac_hex
from rampcheck.judging.suite import Candidate, partner_of
from rampcheck.wire.exchanges import Request

from .amounts import AMOUNTS, own_size, usual_size, with_amount

PATH = "/v1/widget-sessions"
API_KEY, SIGNATURE = "X-API-Key", "X-Request-Signature"

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
# What is tried, too, with nothing added: of a target that sells only more, or only little.
OTHER_PURCHASES: tuple[Mapping[str, Any], ...] = tuple(
    {"fiatAmount": size, "fiatCurrency": "EUR"} for size in (300, 30, 1001, 8, 5000)
)


def purchases(partner: Partner) -> tuple[Mapping[str, Any], ...]:
    """Gives purchases in the order of trying; those of sizes that the profile names come first."""
    told = [{name: size} for name in AMOUNTS for size in own_size(partner, name)]
    own = [{**amount, "fiatCurrency": currency} for amount in told for currency in ("EUR", "USD")]
    return (*own, *PURCHASES)


# What a target may ask for although it is optional, or is nowhere asked for, and the clauses that say so.
OPTIONAL_CLAUSE = "kryptonim.session.request.optional"
ADDITIONS: Mapping[str, tuple[str, ...]] = {
    "ipAddress": (OPTIONAL_CLAUSE, "kryptonim.session.request.ip-forms"),
    "email": (OPTIONAL_CLAUSE,),
    "paymentMethod": (OPTIONAL_CLAUSE,),
    "successUrl": (OPTIONAL_CLAUSE,),
    "failureUrl": (OPTIONAL_CLAUSE,),
    "metadata": (OPTIONAL_CLAUSE,),
    "unlockedFields": (OPTIONAL_CLAUSE,),
    "Origin": (OPTIONAL_CLAUSE,),
    "headers of a browser": (OPTIONAL_CLAUSE,),
}

# Headers that no documentation speaks of, and that should decide nothing.
BROWSER: Mapping[str, str] = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept-Language": "pl-PL,pl;q=0.9,de;q=0.5",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}
CHARSET: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}
DRESSED: Mapping[str, str] = {**BROWSER, **CHARSET}
# As the documentation's own example sends it.
AXIOS: Mapping[str, str] = {"User-Agent": "axios/1.7.9", "Accept": "application/json, text/plain, */*"}
COOKIE: Mapping[str, str] = {"Cookie": "session=rampcheck; lang=de; debug=1"}
ORIGIN: Mapping[str, str] = {"Origin": "https://rampcheck.example"}
PROXY: Mapping[str, str] = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "X-Debug": "1",
}


@dataclass(frozen=True)
class SignedOtherwise(Request):
    """A request whose signature is written in another way than lower-case hexadecimal; `form` is one of `FORMS`."""

    form: str = ""


# Other ways of signing a body under the secret, which no documentation asks for, and the clauses that say otherwise.
BYTES, ALGORITHM = "kryptonim.auth.signature-bytes", "kryptonim.auth.signature-algorithm"
FORMS: Mapping[str, tuple[Callable[[bytes, str], str], tuple[str, ...]]] = {
    "a signature in base64": (lambda body, secret: b64encode(_digest(body, secret)).decode(), (BYTES,)),
    "a signature in upper-case hexadecimal": (lambda body, secret: hmac_hex(body, secret).upper(), (BYTES,)),
    "a signature in base64url without padding": (
        lambda body, secret: urlsafe_b64encode(_digest(body, secret)).decode().rstrip("="),
        (BYTES,),
    ),
    "a signature with the prefix sha256=": (lambda body, secret: f"sha256={hmac_hex(body, secret)}", (BYTES,)),
    "an HMAC-SHA512": (lambda body, secret: hmac_hex(body, secret, "sha512"), (BYTES, ALGORITHM)),
    "an HMAC-SHA1": (lambda body, secret: hmac_hex(body, secret, "sha1"), (BYTES, ALGORITHM)),
}
# Other ways of writing the same JSON, as arguments of `json.dumps`; each is signed over its own bytes.
SPELLINGS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "spaces after the separators": (("separators", (", ", ": ")),),
    "the members in alphabetical order": (("separators", (",", ":")), ("sort_keys", True)),
    "spaces and the members in alphabetical order": (("separators", (", ", ": ")), ("sort_keys", True)),
    "an indent of two": (("indent", 2),),
    "an indent of four": (("indent", 4),),
    "an indent of two and the members in alphabetical order": (("indent", 2), ("sort_keys", True)),
}


def _digest(body: bytes, secret: str) -> bytes:
    return bytes.fromhex(hmac_hex(body, secret))


def authenticate(request: Request, profile: Profile) -> Request:
    """Adds the API key and the signature of the very body, unless the request sets or withholds these."""
    if request.credential is None:
        return request
    sign = FORMS[request.form][0] if isinstance(request, SignedOtherwise) else hmac_hex
    signature = sign(request.body, profile.credentials["signature_secret"])
    return request.with_default(API_KEY, profile.credentials[request.credential]).with_default(SIGNATURE, signature)


def optional_fields(unique: str) -> dict[str, Any]:
    """Gives a value for every optional field but `unlockedFields`, recognisable as test data, most of them unique."""
    return {
        "email": f"rampcheck-user-{unique}@example.com",
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
    purchase: Mapping[str, Any] | None = None,
    added: tuple[str, ...] = (),
) -> Request:
    """Gives the request with the required fields, a purchase, and the optional parts that `added` names.

    The purchase is the first to try unless given.
    """
    partner = partner_of(profile, credential)
    purchase = purchases(profile.partner)[0] if purchase is None else purchase
    request = Request("POST", PATH, (("Content-Type", "application/json"),), credential=credential).with_json(
        {
            **purchase,
            "cryptoCurrency": partner.get("crypto_currency") or EXAMPLE_CURRENCY,
            "network": partner.get("network") or EXAMPLE_NETWORK,
            "destinationAddress": partner.get("destination_address") or EXAMPLE_ADDRESS,
            **{name: value for name, value in optional_fields(unique).items() if name in added},
            **({"unlockedFields": ["paymentMethod"]} if "unlockedFields" in added else {}),
        }
    )
    headers = {**(ORIGIN if "Origin" in added else {}), **(DRESSED if "headers of a browser" in added else {})}
    return with_headers(request, headers)


def with_headers(request: Request, headers: Mapping[str, str | None]) -> Request:
    """Gives the request with these headers set, or left out where they are None."""
    for name, value in headers.items():
        request = request.with_header(name, value)
    return request


def contrary(request: Request, unique: str, partner: Partner, *, on_testnet: bool) -> Request:
    """Gives a request that is this one in nothing that may be otherwise: every optional part, other choices, headers.

    A currency other than the accepted one is known of the testnet only; how much is bought, of the partner.
    """
    fields: dict[str, Any] = {**request.json, **optional_fields(unique)}
    amount = next(name for name in AMOUNTS if name not in request.json)
    others = [currency for currency in reversed(TESTNET) if currency != request.json["cryptoCurrency"]]
    fields |= {
        "fiatCurrency": "EUR" if request.json["fiatCurrency"] == "USD" else "USD",
        "cryptoCurrency": others[0] if on_testnet else request.json["cryptoCurrency"],
        "paymentMethod": "bank_transfer",
        "unlockedFields": list(UNLOCKABLE),
        "metadata": {**fields["metadata"], "note": {"of": ["the order", 1, None]}, "_externalPartnerId": "rampcheck"},
        "ipAddress": "2001:db8::68",  # RFC 3849: documentation only
    }
    return with_amount(request.with_json(fields), amount, usual_size(partner, amount))


def with_field(request: Request, name: str, value: Any) -> Request:
    """Gives the request with one field set; an amount takes the place of the other one."""
    return with_amount(request, name, value) if name in AMOUNTS else request.but(**{name: value})


def candidates(profile: Profile) -> Iterator[Candidate]:
    """Gives the minimum for every purchase, then each with one optional part, one with two, and one with all."""
    usual = purchases(profile.partner)
    for purchase in (*usual, *OTHER_PURCHASES):
        yield _with((), purchase)
    for name in ADDITIONS:
        for purchase in usual[: len(PURCHASES)]:
            yield _with((name,), purchase)
    for pair in combinations(ADDITIONS, 2):
        yield _with(pair, usual[0])
    everything = partial(minimum, added=tuple(ADDITIONS))
    yield Candidate(everything, ((OPTIONAL_CLAUSE, "all that is optional, an Origin, and headers of a browser"),))


def _with(added: tuple[str, ...], purchase: Mapping[str, Any]) -> Candidate:
    clauses = tuple((clause, f"`{name}`") for name in added for clause in ADDITIONS[name])
    return Candidate(partial(minimum, purchase=purchase, added=added), clauses)


def respelled(_: Profile) -> Iterator[Candidate]:
    """Gives the minimum in other spellings, for a target that refuses right credentials unless it is so written.

    One of the body, one of the signature, and so on, as not everybody tries them all.
    """
    bodies = [Candidate(partial(_respelled, spelling=form), ((BYTES, what),)) for what, form in SPELLINGS.items()]
    signatures = [
        Candidate(partial(_signed_otherwise, form=what), tuple((clause, what) for clause in clauses))
        for what, (_sign, clauses) in FORMS.items()
    ]
    for pair in zip_longest(bodies, signatures):
        yield from filter(None, pair)


def _respelled(profile: Profile, credential: str, unique: str, spelling: tuple[tuple[str, Any], ...]) -> Request:
    request = replace(minimum(profile, credential, unique), spelling=spelling)
    return request.with_json(request.json)


def _signed_otherwise(profile: Profile, credential: str, unique: str, form: str) -> Request:
    request = minimum(profile, credential, unique)
    return SignedOtherwise(**{field.name: getattr(request, field.name) for field in fields(request)}, form=form)
