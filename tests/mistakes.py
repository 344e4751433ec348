"""The table of mistakes of configuration: a profile each, what is found with it, and words of the cure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trustme

from tests.misconfigured import World, saying

PAGE = {"Content_Type": "text/html"}
JSON_404 = '{"detail":"Not Found"}'
Make = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A mistake: the profile that has it, what is looked at, words of what is found and of the cure, whose it is."""

    name: str
    make: Make
    about: str
    found: str
    cure: str
    whose: str
    most: int = 5  # requests


def spoken(words: bytes | None) -> Make:
    """A target that says these words."""
    return lambda world: world.scarce(
        f"http://{world.stack.enter_context(saying(words))}", limits={"timeout_seconds": 0.3 if words is None else 5}
    )


CONNECTION = (
    Case(
        "no such name",
        lambda world: world.scarce("https://no-such-host.invalid"),
        "connection",
        "could not be resolved",
        "spelled right",
        "profile",
    ),
    Case(
        "nobody listens",
        lambda world: world.scarce(f"http://127.0.0.1:{world.port()}"),
        "connection",
        "refused the connection",
        "port of `base_url`",
        "profile",
    ),
    Case("silence", spoken(None), "connection", "within 0.3 s", "allowlist", "either"),
    Case("hangs up", spoken(b""), "connection", "closed the connection", "speaks something else", "either"),
    Case("not HTTP", spoken(b"220 mail.example ready\r\n\r\n"), "connection", "not HTTP", "speak HTTP", "either"),
    Case(
        "self-signed",
        lambda world: world.with_tls(world.authority, trusted=False),
        "connection",
        "is self-signed",
        "`tls.ca` in the profile, or --ca-bundle",
        "machine",
    ),
    Case(
        "a company's authority",
        lambda world: world.with_tls(world.issued(), trusted=False, chain=True),
        "connection",
        "ends at an authority that this machine does not know",
        "`tls.ca` in the profile, or --ca-bundle",
        "machine",
    ),
    Case(
        "unknown authority",
        lambda world: world.with_tls(world.issued(), trusted=False),
        "connection",
        "by an authority that this machine does not know",
        "whole chain",
        "machine",
    ),
    Case(
        "another name",
        lambda world: world.with_tls(world.issued("api.sandbox.example")),
        "connection",
        "is for another name",
        "the name that the certificate has",
        "profile",
    ),
    Case(
        "expired",
        lambda world: world.with_tls(world.issued(ends=-1)),
        "connection",
        "has expired",
        "renewed",
        "target",
    ),
    Case(
        "not yet valid",
        lambda world: world.with_tls(world.issued(begins=5)),
        "connection",
        "not valid yet",
        "clock",
        "machine",
    ),
    Case(
        "a client certificate",
        lambda world: world.with_tls(world.issued(), asks=True),
        "connection",
        "asks for a client certificate",
        "`tls.client_certificate` and `tls.client_key`",
        "profile",
    ),
    Case(
        "a client certificate of another authority",
        lambda world: world.with_tls(world.issued(), asks=True) | {"tls": world.shown(trustme.CA())},
        "connection",
        "does not take the client certificate in client.pem",
        "this environment of the vendor knows",
        "profile",
    ),
    Case(
        "https to http",
        lambda world: world.scarce(world.references["proof"].base_url.replace("http:", "https:")),
        "connection",
        "does not speak TLS",
        "http://",
        "profile",
    ),
    Case(
        "http to https",
        lambda world: {
            **(given := world.with_tls(world.issued())),
            "base_url": given["base_url"].replace("https:", "http:"),
        },
        "connection",
        "speaks https",
        "Write https://",
        "profile",
    ),
    Case("proxy wants a login", lambda world: world.behind_proxy(407), "connection", "login", "USER", "machine"),
    Case(
        "proxy refuses",
        lambda world: world.behind_proxy(403),
        "connection",
        "refused to connect",
        "NO_PROXY",
        "machine",
    ),
    Case(
        "proxy is away",
        lambda world: (
            world.environment("HTTPS_PROXY", f"http://127.0.0.1:{world.port()}"),
            world.scarce("https://sandbox.example"),
        )[1],
        "connection",
        "the proxy 127.0.0.1",
        "HTTPS_PROXY",
        "machine",
    ),
)

LOGIN_PAGE = "<title>Portal</title><form><input type=password></form>"
BASE_URL = (
    Case(
        "the endpoint as base URL",
        lambda world: {
            **(given := world.profile()),
            "base_url": given["base_url"] + "/widget/session",
        },
        "base_url",
        "is too long",
        "appends the path",
        "profile",
    ),
    Case(
        "half of the endpoint",
        lambda world: {**(given := world.profile("kryptonim")), "base_url": given["base_url"] + "/v1/"},
        "base_url",
        "is too long",
        "appends the path",
        "profile",
    ),
    Case(
        "a version that is none",
        lambda world: {**(given := world.profile()), "base_url": given["base_url"] + "/api/v3"},
        "base_url",
        "is too long",
        "Write http://127.0.0.1",
        "profile",
    ),
    Case(
        "no such path, a page",
        lambda world: world.served(404, "<h1>Not found</h1>", **PAGE),
        "base_url",
        "nothing of the API is at this path",
        "Check the path",
        "profile",
    ),
    Case(
        "no such path, JSON",
        lambda world: world.served(404, JSON_404),
        "base_url",
        JSON_404.replace('"', '"'),
        "Check the path",
        "profile",
    ),
    Case(
        "redirect elsewhere",
        lambda world: world.served(301, "", Location="https://api.example/v2/widget/session"),
        "base_url",
        "https://api.example/v2/widget/session",
        "write https://api.example/v2 in",
        "profile",
    ),
    Case(
        "redirect to https",
        lambda world: world.served(308, "", Location="https://127.0.0.1/widget/session"),
        "base_url",
        "redirects http to https",
        "Write https://",
        "profile",
    ),
    Case(
        "redirect to a login",
        lambda world: world.served(302, "", Location="https://portal.example/login?next=x"),
        "base_url",
        "to a login",
        "the API's own address",
        "profile",
    ),
    Case(
        "a login page", lambda world: world.served(200, LOGIN_PAGE, **PAGE), "base_url", "login page", "own", "profile"
    ),
    Case(
        "a web site",
        lambda world: world.served(200, "<title>Welcome</title>", **PAGE),
        "base_url",
        "a web site answers",
        "own address",
        "profile",
    ),
    Case(
        "plain text",
        lambda world: world.served(200, "It works", Content_Type="text/plain"),
        "base_url",
        "another API answers",
        "this API's address",
        "profile",
    ),
    Case(
        "a gateway",
        lambda world: world.served(503, "<title>503</title>", **PAGE),
        "base_url",
        "reaches no API",
        "maintenance",
        "target",
    ),
    Case(
        "a firewall",
        lambda world: world.served(403, "<title>Access denied</title>", **PAGE),
        "base_url",
        "refuses this machine",
        "public address",
        "either",
    ),
    Case(
        "a gateway's login",
        lambda world: world.served(401, "Unauthorized", **PAGE, WWW_Authenticate="Basic realm=x"),
        "base_url",
        "a login of its own",
        "without it",
        "target",
    ),
    Case(
        "another API",
        lambda world: world.served(200, '{"status":"ok"}'),
        "base_url",
        "what comes back is no session",
        "this API's address",
        "profile",
    ),
    Case(
        "a validator",
        lambda world: world.served(422, '{"detail":[{"msg":"field required"}]}'),
        "base_url",
        "field required",
        "gateway",
        "either",
    ),
    Case(
        "the other contract",
        lambda world: world.scarce(world.references["kryptonim"].base_url),
        "base_url",
        "this is the API of kryptonim",
        "contract: kryptonim",
        "profile",
    ),
    Case(
        "the other contract, turned round",
        lambda world: world.scarce(world.references["proof"].base_url, "kryptonim"),
        "base_url",
        "this is the API of proof",
        "contract: proof",
        "profile",
    ),
    Case(
        "too many requests",
        lambda world: world.served(429, "{}", Retry_After="1"),
        "limits",
        "answers 429",
        "Lower `limits.requests_per_second`",
        "profile",
    ),
)


def written(change: Callable[[str], str]) -> Make:
    """A client token that is written otherwise."""
    return lambda world: world.wrongly("proof", client_token=change(world.profile()["credentials"]["client_token"]))


def refused(token: str) -> Make:
    """The only token, which nobody knows."""
    return lambda world: world.profile(credentials={"client_token": token}, second_partner=None)


def swapped(contract: str, one: str, other: str) -> Make:
    """Two credentials in each other's place."""

    def make(world: World) -> dict[str, Any]:
        given = world.profile(contract)["credentials"]
        return world.wrongly(contract, **{one: given[other], other: given[one]})

    return make


CREDENTIALS = tuple(
    Case(name, make, "credentials", found, cure, whose, *most)
    for name, make, found, cure, whose, *most in (
        ("Bearer", written(lambda token: f"Bearer {token}"), "word of a scheme", "token alone", "profile"),
        ("quotes", written(lambda token: f'"{token}"'), "stands in quotes", "without them", "profile"),
        ("one quote", written(lambda token: f"{token}'"), "stands in quotes", "without them", "profile"),
        ("header", written(lambda token: f"Authorization: Bearer {token}"), "name of its header", "alone", "profile"),
        ("assignment", written(lambda token: f"TOKEN={token}"), "the name of a variable", "after the =", "profile"),
        ("line break", written(lambda token: rf"{token}\n"), "written as \\n", "without it", "profile"),
        ("URL", written(lambda token: token.replace("-", "%2D")), "encoded for a URL", "as it was issued", "profile"),
        ("space", written(lambda token: f"{token[:9]} {token[9:]}"), "white space", "in one piece", "profile"),
        ("$TOKEN", written(lambda _: "$PROOF_TOKEN"), "taken literally", "export PROOF_CLIENT_TOKEN", "profile"),
        ("%TOKEN%", written(lambda _: "%PROOF_TOKEN%"), "taken literally", "double quotes", "profile"),
        ("template", written(lambda _: "{{ secrets.TOKEN }}"), "taken literally", "shell", "profile"),
        ("placeholder", written(lambda _: "your-client-token"), "placeholder", "onboarding issued", "profile"),
        ("stars", written(lambda token: f"{token[:5]}*****"), "is masked", "whole value", "profile"),
        ("unknown", refused("token-of-nobody-at-all"), "refuses them", "Copy PROOF_CLIENT_TOKEN", "either"),
        ("production's", refused("tok_live_81723641"), "looks like production's", "same page", "either"),
        ("deactivated", swapped("proof", "client_token", "inactive_client_token"), "swapped", "which", "profile"),
        ("key and secret", swapped("kryptonim", "api_key", "signature_secret"), "swapped", "which is which", "profile"),
        (
            "another key's secret",
            swapped("kryptonim", "signature_secret", "second_signature_secret"),
            "credentials.second_signature_secret in the place of credentials.signature_secret",
            "KRYPTONIM_SIGNATURE_SECRET",
            "profile",
        ),
        (
            "a secret of nobody",
            lambda world: world.wrongly("kryptonim", signature_secret="secret-of-nobody-at-all"),
            "does credentials.signature_secret belong to this very api_key?",
            "same page",
            "either",
            17,  # each other spelling of a request is tried, too: the target might refuse right credentials for it
        ),
    )
)

MISTAKES = (*CONNECTION, *BASE_URL, *CREDENTIALS)
