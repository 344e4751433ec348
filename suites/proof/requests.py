"""The requests to Proof: a session of the documented minimum, what may have to be added, what is asked afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from urllib.parse import quote

from rampcheck.contract.profile import Partner, Profile
from rampcheck.judging.suite import Candidate, partner_of
from rampcheck.wire.exchanges import Request

PATH = "/widget/session"
REQUIRED = ("partner_user_id", "user_email", "network", "currency", "amount")
OPTIONAL = ("type", "redirect_url", "client_ip", "address")
EXAMPLE_PAIR = ("USDT", "TRC20")  # the documentation's own
EXAMPLE_AMOUNT = 100  # likewise, of whatever currency
CLIENT_IP = "203.0.113.42"  # RFC 5737: documentation only
# For partners told at onboarding to send an address, where the profile does not give one.
EXAMPLE_ADDRESS = "TRx1a2b3c4d5e6f7g8h9j1k2m3n4p5q6r7"
# For a partner whose address Proof resolves: what is sent is no address at all.
IGNORED_ADDRESS = "TRampcheckSentAddressIgnoredByProof"
# Addresses to which nobody has the key, by how those of their networks begin: a server may use what has a right form.
NOBODYS_ADDRESSES: Mapping[str, str] = {
    "T": "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb",
    "0x": "0x000000000000000000000000000000000000dEaD",
}

# For a path: a store may fall over either.
HOSTILE_IDS: Mapping[str, str] = {"a NUL": "\0", "5,000 characters": "x" * 5_000}

# Headers that no documentation speaks of, and that should decide nothing; a page is what a browser would rather have.
BROWSER: Mapping[str, str] = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de-CH,de;q=0.9,fr;q=0.5",
    "User-Agent": "Mozilla/5.0 (Linux; Android 15; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
}
BESIDES: Mapping[str, str] = {
    "Cookie": "session=rampcheck; type=sell; lang=de; theme=dark; debug=1",
    "X-Debug": "1",
    "X-Requested-With": "XMLHttpRequest",
    "X-User-Id": "rampcheck-somebody-else",
}


def authenticate(request: Request, profile: Profile) -> Request:
    """Adds `Authorization: Bearer <token>` unless the request sets or withholds it."""
    if request.credential is None:
        return request
    return request.with_default("Authorization", f"Bearer {profile.credentials[request.credential]}")


def is_second(credential: str | None) -> bool:
    """Whether a credential is the second partner's."""
    return credential is not None and credential.startswith("second_")


def encoded(text: str) -> str:
    """Gives a text percent-encoded (RFC 3986 section 2.1), also half a character, which JSON may hold."""
    return quote(text, safe="", errors="surrogatepass")


def poll(transaction: str, credential: str) -> Request:
    """Gives the request for the status of a transaction, whatever characters its id holds."""
    return Request("GET", f"/widget/transactions/{encoded(transaction)}", credential=credential)


def kyc_status(user: str, credential: str) -> Request:
    """Gives the request for the KYC status of a user, whatever characters the partner's name for them holds."""
    return Request("GET", f"/widget/users/{encoded(user)}/kyc-status", credential=credential)


def upgrade(transaction: str, credential: str) -> Request:
    """Gives the WebSocket upgrade that subscribes to a transaction."""
    return Request("GET", f"/ws?tx_id={encoded(transaction)}", credential=credential, protocol="websocket")


def pairs(partner: Partner) -> tuple[tuple[str, str], ...]:
    """Gives the currencies and networks that should work for a partner, the documentation's where none is known."""
    return tuple((currency, network) for currency, network in partner.get("pairs", ())) or (EXAMPLE_PAIR,)


def address_like(own: str) -> str:
    """Gives an address of nobody's that has the form of another one; of a form that is not known, what is none."""
    return next((address for start, address in NOBODYS_ADDRESSES.items() if own.startswith(start)), IGNORED_ADDRESS)


def amount_near(partner: Partner, number: int, decimals: str) -> str:
    """Gives an amount that is another one for each number, a little from the one that works for a partner.

    That is the documentation's, where none is known; then the amount has these decimals.
    """
    told = partner.get("amount")
    if told is None:
        return f"{EXAMPLE_AMOUNT + number}.{decimals}"
    return f"{Decimal(told) * (1000 - number) / 1000:f}"


def origins(partner: Partner) -> tuple[str, ...]:
    """Gives the origins that are registered for a partner."""
    return tuple(partner.get("origins", ()))


def minimum(profile: Profile, credential: str, unique: str, pair: int = 0) -> Request:
    """Gives the request with the documented required fields only; `pair` counts from the partner's first."""
    partner = partner_of(profile, credential)
    currency, network = pairs(partner)[pair % len(pairs(partner))]
    request = Request("POST", PATH, (("Content-Type", "application/json"),), credential=credential).with_json(
        {
            "partner_user_id": f"rampcheck-{unique}",
            "user_email": f"rampcheck-user-{unique}@example.com",
            "network": network,
            "currency": currency,
            "amount": partner.get("amount") or str(EXAMPLE_AMOUNT),
        }
    )
    if partner.get("address_mode") == "sent":
        return request.but(address=partner.get("address") or EXAMPLE_ADDRESS)
    return request


def with_headers(request: Request, headers: Mapping[str, str | None]) -> Request:
    """Gives the request with these headers set, or left out where they are None."""
    for name, value in headers.items():
        request = request.with_header(name, value)
    return request


Addition = Callable[[Request, Partner], Request]

# What a target may ask for although it is documented as optional: the clause that says so, what it is, how it is added.
ADDITIONS: tuple[tuple[str, str, Addition], ...] = (
    ("proof.session.request.client-ip-optional", "`client_ip`", lambda request, _: request.but(client_ip=CLIENT_IP)),
    ("proof.session.request.type-default", "`type`", lambda request, _: request.but(type="buy")),
    ("proof.session.request.type-default", "`type`", lambda request, _: request.but(type="sell")),
    (
        "proof.session.request.redirect-override",
        "`redirect_url`",
        lambda request, _: request.but(redirect_url="https://rampcheck.example/done"),
    ),
    (
        "proof.session.request.address-ignored",
        "`address`",
        lambda request, _: request.but(address=IGNORED_ADDRESS) if "address" not in request.json else request,
    ),
    (
        "proof.auth.origin-optional",
        "a registered `Origin`",
        lambda request, partner: request.with_header("Origin", origins(partner)[0]),
    ),
)


def candidates(profile: Profile) -> Iterator[Candidate]:
    """Gives the minimum of every pair, then each with one optional part, then the first pair with two, and so on.

    The last one has all of them.
    """
    usable = [addition for addition in ADDITIONS if "Origin" not in addition[1] or origins(profile.partner)]
    everything = tuple({addition[1]: addition for addition in reversed(usable)}.values())[::-1]
    for size in range(len(everything)):
        for chosen in combinations(usable, size):
            if len({what for _, what, _ in chosen}) == size:
                for pair in range(len(pairs(profile.partner)) if size < 2 else 1):
                    yield _with(chosen, pair)
    yield _with(everything, 0)


def _with(chosen: tuple[tuple[str, str, Addition], ...], pair: int) -> Candidate:
    return Candidate(_builder(chosen, pair), tuple((clause, what) for clause, what, _ in chosen))


def elsewhere(profile: Profile, unique: str) -> Request:
    """Gives a question for a transaction that nobody has: nothing but the credentials makes its answer a 401."""
    request = poll(f"rampcheck-{unique}", "client_token")
    return request.with_header("Origin", origins(profile.partner)[0]) if origins(profile.partner) else request


def _builder(
    chosen: tuple[tuple[str, str, Addition], ...],
    pair: int,
) -> Callable[[Profile, str, str], Request]:
    def build(profile: Profile, credential: str, unique: str) -> Request:
        request = minimum(profile, credential, unique, pair)
        for _, what, add in chosen:
            partner = partner_of(profile, credential)
            if "Origin" not in what or origins(partner):
                request = add(request, partner)
        return request

    return build
