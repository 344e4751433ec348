"""The keys that sign: Ed25519, a private one in a file of its own, a public one to hand out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey

from rampcheck import digests
from rampcheck.errors import UsageError, writing
from rampcheck.wire.journal import JOURNAL

PASSPHRASE = "RAMPCHECK_KEY_PASSPHRASE"  # noqa: S105 - the variable that holds it
ED25519 = "ed25519"
_LARGEST = 64 * 1024  # bytes; no key is as large
_MAKE_ONE = "`rampcheck keygen FILE` makes a key."


def generate(path: Path, environ: Mapping[str, str]) -> SSlibKey:
    """Makes a key: the private one in `path`, for its owner alone, the public one beside it, and gives that.

    The private one is encrypted where `environ` holds a passphrase. Raises `UsageError` where a file is in the way, in
    the folder of a run, or where nothing can be written.
    """
    public_path = path.with_name(f"{path.name}.pub")
    if taken := next((one for one in (path, public_path) if os.path.lexists(one)), None):
        raise UsageError(f"{taken} is there already, and no key is ever overwritten", "Name another file.")
    if run := _run_around(path):
        raise UsageError(f"{path} would lie in the folder of a run, {run}", "Keep keys where no run is handed out.")
    private = Ed25519PrivateKey.generate()
    passphrase = environ.get(PASSPHRASE, "")
    protection: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase.encode("utf-8", "surrogateescape")) if passphrase else NoEncryption()
    )
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    with writing(path, "Name another file."):
        _write_new(path, content, 0o600)
        try:
            _write_new(public_path, _pem(private.public_key()), 0o644)
        except OSError:
            path.unlink()
            raise
    return known(private.public_key())


def _write_new(path: Path, content: bytes, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def signer(path: Path, environ: Mapping[str, str], run: Path) -> CryptoSigner:
    """Gives what signs with the private key in `path`, of which `environ` holds the passphrase if it has one.

    Raises `UsageError` where that lies in the folder of the `run` that is to be signed, or of another one, cannot be
    read, is no such key, or its passphrase is missing or wrong.
    """
    inside = path.resolve().is_relative_to(run.resolve())
    if inside or _run_around(path):
        raise UsageError(
            f"{path} lies in the folder of a run: whoever is handed the run can sign with it",
            "Take the key out; if the folder was handed out already, make a new one.",
        )
    private = _loaded_private(path, _content(path), environ.get(PASSPHRASE, ""))
    return CryptoSigner(private, known(private.public_key()))


def _loaded_private(path: Path, content: bytes, passphrase: str) -> Ed25519PrivateKey:
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and not passphrase:
        raise UsageError(f"{path} is encrypted", f"Set {PASSPHRASE} to its passphrase for this command.")
    try:
        password = passphrase.encode("utf-8", "surrogateescape") if is_encrypted else None
        loaded = load_pem_private_key(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause is not told: it may quote the key.
        if is_encrypted:
            raise UsageError(f"{path} cannot be decrypted", f"Is {PASSPHRASE} the passphrase of this key?") from None
        if b"PUBLIC KEY" in content:
            beside = path.with_suffix("") if path.suffix == ".pub" else None
            cure = f"Name the private one: {beside}." if beside is not None and beside.is_file() else _MAKE_ONE
            raise UsageError(f"{path} holds a public key, and only a private one signs", cure) from None
        raise UsageError(f"{path} holds no private key in PEM", _MAKE_ONE) from None
    if not isinstance(loaded, Ed25519PrivateKey):
        raise UsageError(f"{path} holds a key of another kind than Ed25519", _MAKE_ONE)
    return loaded


def public(path: Path) -> SSlibKey:
    """Gives the public key in `path`. Raises `UsageError` where there is none, or one of another kind."""
    content = _content(path)
    if b"PRIVATE KEY" in content:
        raise UsageError(f"{path} holds a private key", "Whom to trust is said by a public one: FILE.pub of `keygen`.")
    try:
        loaded = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path} holds no public key in PEM", "`rampcheck keygen` writes one into FILE.pub.") from None
    if not isinstance(loaded, Ed25519PublicKey):
        raise UsageError(f"{path} holds a key of another kind than Ed25519", _MAKE_ONE)
    return known(loaded)


def from_hex(text: str) -> SSlibKey:
    """Gives the public key whose 32 bytes are written so. Raises `ValueError` where they are none."""
    return known(Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)))


def known(key: Ed25519PublicKey) -> SSlibKey:
    """Gives a public key under its fingerprint: the SHA-256 of what `openssl pkey -pubin -outform DER` makes of it."""
    fingerprint = digests.of_bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return SSlibKey.from_crypto(key, fingerprint, ED25519)


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file", _MAKE_ONE)
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Name the file of a key.") from error
    if len(content) > _LARGEST:
        raise UsageError(f"{path} is too large to be a key", _MAKE_ONE)
    return content


def _run_around(path: Path) -> Path | None:
    """Gives the folder of a run in which a file lies, however deep."""
    return next((folder for folder in path.resolve().parents if (folder / JOURNAL).is_file()), None)
