"""The way to the target: name, proxy, TLS, the port that answers."""

from __future__ import annotations

from urllib.parse import urlsplit

from rampcheck.contract.profile import Profile
from rampcheck.mistakes.asker import Asker
from rampcheck.mistakes.observation import Observation, Whose
from rampcheck.wire import transport
from rampcheck.wire.exchanges import Exchange, Failure, Request

ABOUT = "connection"
NO_TLS, ONLY_TLS = "does not speak TLS", "it speaks https"  # words of a failure

# What a target says to who shows no certificate, in the words of OpenSSL, its names of them with spaces or without.
ASKS = ("certificate required", "alert bad certificate", "alert handshake failure", "ALERT_HANDSHAKE_FAILURE")

# The first that fits a failure: its kind, what its words hold, what it means, the cure, whose it is. The words of TLS
# are OpenSSL's (x509_vfy.h, "X509_verify_cert_error_string"; RFC 8446 section 6 for the alerts).
FAILURES: tuple[tuple[str, str, str, str, Whose], ...] = (
    (
        "dns",
        "",
        "{told}",
        (
            "Is the host of `base_url` spelled right? A name inside a company may need its network (VPN), or its proxy "
            "(HTTPS_PROXY)."
        ),
        "profile",
    ),
    (
        "tls",
        "self-signed certificate in certificate chain",
        "the chain of certificates of {host} ends at an authority that this machine does not know",
        (
            "Let `tls.ca` in the profile, or --ca-bundle, name a PEM file with that authority: a company's own, or "
            "that of a proxy that opens TLS. SSL_CERT_FILE does it for all programs."
        ),
        "machine",
    ),
    (
        "tls",
        "self-signed certificate",
        "the certificate of {host} is self-signed: no authority vouches for it",
        (
            "If that is meant, save the certificate as PEM and let `tls.ca` in the profile, or --ca-bundle, name the "
            "file (SSL_CERT_FILE does it for all programs)."
        ),
        "machine",
    ),
    (
        "tls",
        "unable to get local issuer",
        (
            "the certificate of {host} is by an authority that this machine does not know, or the target leaves the "
            "intermediate certificate out"
        ),
        (
            "Let `tls.ca` in the profile, or --ca-bundle (or SSL_CERT_FILE), name a PEM file with that authority, or "
            "have the target send its whole chain."
        ),
        "machine",
    ),
    (
        "tls",
        "mismatch",
        "the certificate of {host} is for another name",
        "Write in `base_url` the name that the certificate has: not an address, an alias or another environment's.",
        "profile",
    ),
    (
        "tls",
        "certificate has expired",
        "the certificate of {host} has expired, or this machine's clock is ahead",
        "Have the target's certificate renewed; compare this machine's clock first.",
        "target",
    ),
    (
        "tls",
        "not yet valid",
        "the certificate of {host} is not valid yet: this machine's clock is behind, or the certificate is too new",
        "Set this machine's clock.",
        "machine",
    ),
    (
        "tls",
        NO_TLS,
        "`base_url` says https, and what answers at {host} does not speak TLS",
        (
            "Name the port of https in `base_url`, or write http:// where the target is on this machine (with "
            "`allow_http: true` also where it is in a private network)."
        ),
        "profile",
    ),
    (
        "tls",
        ONLY_TLS,
        "`base_url` says http, and what answers at {host} speaks https",
        "Write https:// in `base_url`.",
        "profile",
    ),
    *(
        (
            "tls",
            words,
            "{host} asks for a client certificate, and rampcheck has none to show",
            (
                "Let `tls.client_certificate` and `tls.client_key` in the profile name PEM files of one that the "
                "vendor has signed or knows."
            ),
            "profile",
        )
        for words in ASKS
    ),
    (
        "tls",
        "alert protocol version",
        "{host} speaks a version of TLS that this machine does not",
        "The target has to speak TLS 1.2 or newer.",
        "target",
    ),
    (
        "tls",
        "",
        "{told}",
        (
            "Check `base_url` (https:// or http://, the port) and the certificates: `tls.ca` in the profile, "
            "--ca-bundle or SSL_CERT_FILE may name those of a company."
        ),
        "either",
    ),
    (
        "proxy",
        "asks for a login",
        "{told}",
        "Write the login into the variable: http://USER:PASSWORD@HOST:PORT, in the password %40 for @ and %3A for :.",
        "machine",
    ),
    (
        "proxy",
        "refused to connect",
        "{told}",
        "Have the proxy let the target's host through, or let NO_PROXY name it where the way is direct.",
        "machine",
    ),
    (
        "proxy",
        "",
        "{told}",
        (
            "The proxy is what HTTPS_PROXY (or ALL_PROXY) names: mend it, unset it, or let NO_PROXY name the target's "
            "host."
        ),
        "machine",
    ),
    (
        "refused",
        "",
        "{told}",
        "Is the port of `base_url` right, and does the target run? A firewall may let only some addresses through.",
        "profile",
    ),
    (
        "timeout",
        "",
        "{told}",
        (
            "A firewall or an allowlist may drop what comes from here: have this machine's address added. A slow "
            "target needs a larger `limits.timeout_seconds`."
        ),
        "either",
    ),
    (
        "reset",
        "",
        "{told}",
        "Something ends the connection: an allowlist, a firewall, a port that speaks something else than HTTP.",
        "either",
    ),
    ("truncated", "", "{told}", "Does the port of `base_url` speak HTTP?", "either"),
    ("protocol", "", "{told}", "Does the port of `base_url` speak HTTP?", "either"),
    ("", "", "{told}", "Check `base_url` and the network between this machine and the target.", "either"),
)


# The same words where a client certificate was shown, and another that only then is about it.
NOT_TAKEN = (
    *ASKS,
    "alert unknown ca",
    "alert certificate unknown",
    "alert unsupported certificate",
    "alert access denied",
)


def explained(  # noqa: PLR0913, PLR0917 - who was asked, and how that is called
    exchange: Exchange,
    failure: Failure,
    host: str,
    about: str = ABOUT,
    profile: Profile | None = None,
    key: str = "base_url",
) -> Observation:
    """Says why there is no answer, and what to do about it.

    `profile` is that of the target, `key` names the place of a profile that says who was asked.
    """
    shown = profile and profile.tls.client_certificate
    if shown and failure.kind == "tls" and any(words in failure.detail for words in NOT_TAKEN):
        return Observation(
            about,
            "wrong",
            f"{host} does not take the client certificate in {shown.name}",
            "Is it the one that this environment of the vendor knows, not over, and does its file hold the "
            "certificates between it and its authority, too?",
            "profile",
            exchange.number,
        )
    meaning, cure, whose = next(
        (meaning, cure, whose)
        for kind, words, meaning, cure, whose in FAILURES
        if kind in ("", failure.kind) and words in failure.detail
    )
    found, cure = (text.replace("`base_url`", f"`{key}`") for text in (meaning, cure))
    return Observation(about, "wrong", found.format(host=host, told=failure.detail), cure, whose, exchange.number)


def spoken(asker: Asker, request: Request, failure: Failure) -> Observation | None:
    """Says so where https is spoken and http was not answered: many a server just closes the connection then."""
    url = urlsplit(asker.profile.base_url)
    if url.scheme != "http" or failure.kind not in {"reset", "truncated", "protocol"}:
        return None
    answer = asker.ask(request, asker.at(url._replace(scheme="https").geturl()))
    # An answer, or a certificate that is refused, is TLS; a connection that is closed again is anything.
    if answer.response is None and not (answer.failure and "certificate" in answer.failure.detail):
        return None
    told = Failure("tls", f"{url.netloc} closes what is no TLS: {ONLY_TLS}")
    return explained(answer, told, url.netloc, profile=asker.profile)


def answered(exchange: Exchange, profile: Profile) -> Observation:
    """Says how the target is reached."""
    parts = urlsplit(profile.base_url)
    proxy = transport.way_of(profile).proxy
    way = f", over the proxy {proxy}" if proxy else ""
    kind = "with TLS" if parts.scheme == "https" else "without TLS"
    found = f"{parts.netloc} answers {kind}{way}, in {1000 * exchange.elapsed:.0f} ms"
    return Observation(ABOUT, "ok", found, exchange=exchange.number)
