"""The files that TLS needs: by which authorities a target is known, and what it is shown of this run.

Nothing of what stands in them is ever told. What is wrong with one is told by OpenSSL, through `ssl`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024  # many times what all authorities of the world take

_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----")


@dataclass(frozen=True)
class Tls:
    """The files of a profile's `tls`; None where it names none.

    `ca` are the authorities that vouch for the target, in place of those that the environment or httpx knows.
    `client_key` may stand in the file of the certificate.
    """

    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


class _ProtectedError(Exception):
    """A key asks for its password."""


def named(given: Mapping[str, str], folder: Path) -> Tls:
    """Gives the files that a profile names, relative ones below `folder`."""
    return Tls(**{key: folder / text for key, text in given.items()})


def faults(tls: Tls) -> Iterator[tuple[str, str]]:
    """Gives what is wrong with the files of a profile, and the cure: the key that names it, a phrase."""
    if tls.ca and (fault := ca_fault(tls.ca)):
        yield "ca", fault
    if tls.client_key and not tls.client_certificate:
        yield "client_key", "is of no use without tls.client_certificate; add that"
    if not tls.client_certificate:
        return
    if fault := _certificate_fault(tls.client_certificate):
        yield "client_certificate", fault
    elif fault := _key_fault(tls):
        yield ("client_key" if tls.client_key else "client_certificate"), fault


def ca_fault(path: Path) -> str:
    """Says what is wrong with a file of authorities, and the cure, or nothing."""
    return _content_fault(path) or _certificates_fault(path)


def load(context: ssl.SSLContext, tls: Tls) -> None:
    """Lets connections show the client certificate, where there is one. Raises what `load_cert_chain` does."""
    if tls.client_certificate:
        context.load_cert_chain(tls.client_certificate, tls.client_key, _refused)


def _refused() -> str:
    # Without it, OpenSSL would ask at the terminal.
    raise _ProtectedError


def _content_fault(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            return f"names {path}, which is no regular file; name a file in PEM"
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a name that is none
        why = getattr(error, "strerror", None) or "it is no name of a file"
        return f"names {path}, which cannot be read: {why}"
    if len(content) > MAX_BYTES:
        return f"names {path}, which is larger than {MAX_BYTES // 1024 // 1024} MiB, so it is none of these"
    return ""


def _certificates_fault(path: Path) -> str:
    content = path.read_bytes()
    if not _CERTIFICATE.search(content):
        swapped = "; a private key stands there" if _KEY.search(content) else ""
        # RFC 7468 section 5.1. A file in DER begins with the tag of a SEQUENCE.
        binary = (
            f"; it may be DER: openssl x509 -inform DER -in {path.name} -out FILE.pem" if content[:1] == b"0" else ""
        )
        return f"names {path}, which holds no certificate in PEM (-----BEGIN CERTIFICATE-----){swapped}{binary}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        return f"names {path}, whose certificates cannot be read ({_reason(error)}); copy them again, whole"
    return ""


def _certificate_fault(path: Path) -> str:
    return _content_fault(path) or _certificates_fault(path)


def _key_fault(tls: Tls) -> str:
    assert tls.client_certificate is not None  # noqa: S101 - asked for only where there is one
    path = tls.client_key or tls.client_certificate
    if fault := _content_fault(path):
        return fault
    if not _KEY.search(path.read_bytes()):
        cure = " (-----BEGIN PRIVATE KEY-----)" if tls.client_key else "; name its file with tls.client_key"
        return f"names {path}, which holds no private key in PEM{cure}"
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), tls)
    except _ProtectedError:
        return (
            f"names {path}, which is protected by a password; write it without one, where only you can read it: "
            f"openssl pkey -in {path.name} -out FILE.pem"
        )
    except OSError as error:
        if "MISMATCH" in _reason(error):
            return f"names {path}, a key that does not fit the certificate in {tls.client_certificate}; name its own"
        return f"names {path}, whose private key cannot be read ({_reason(error)}); copy it again, whole"
    return ""


def _reason(error: OSError) -> str:
    """Gives OpenSSL's name of what is wrong, which tells nothing of what stands in a file."""
    return getattr(error, "reason", None) or error.strerror or "it is damaged"
